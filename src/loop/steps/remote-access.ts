import type { Opened, OpenRequest, TellRequest } from './access';
import { FORGE_ERRORS, LOOP_ERRORS } from './constants';
import { LoopError, LoopErrorName } from './errors';
import type { Tell } from './perform-step';
import { runStepJob, StepTools } from './step';
import { AwsReply, AwsRequests } from '../../handler/aws-requests';
import { ERRORS } from '../../jobs/constants';
import { ErrorName, SessionError } from '../../jobs/errors';

/** The timeout of a call, in milliseconds: the publisher may wait for its forge for a minute, and ask it several times. */
const CALL_MILLISECONDS = 300_000;

/** Returns the access of sessions to the remote, with tokens of the publisher. */
export function accessBy(publisher: string, requests: AwsRequests, tools: StepTools): StepTools['access'] {
  // A file of its own, which only loops with a forge load.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only with a forge; Jest cannot import() without ".ts"
  const { accessFor } = require('./access') as typeof import('./access');
  const open = (request: OpenRequest) => called(publisher, requests, request, CALL_MILLISECONDS);
  return (request, name, job) => accessFor(request, name, job, open, (key) => runStepJob(request, tools, key));
}

/** The timeout of a comment, in milliseconds: a run does not wait for it. */
const TELL_MILLISECONDS = 20_000;

/** Returns a function that keeps people informed. Whatever goes wrong with that, the run goes on. */
export function tellBy(publisher: string, requests: AwsRequests): Tell {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only with a forge; Jest cannot import() without ".ts"
  const { newsOf } = require('./access') as typeof import('./access');
  return async (request, result) => {
    const news = newsOf(request, result);
    if (news !== undefined) await called(publisher, requests, news, TELL_MILLISECONDS).catch(() => undefined);
  };
}

async function called(publisher: string, requests: AwsRequests, request: OpenRequest | TellRequest, milliseconds: number): Promise<Opened> {
  const path = `/2015-03-31/functions/${encodeURIComponent(publisher)}/invocations`;
  const { status, headers, text } = await requests.post(path, { 'content-type': 'application/json' }, JSON.stringify(request), AbortSignal.timeout(milliseconds))
    .catch((error: Error): AwsReply => ({ status: 500, headers: {}, text: error.message }));
  if (status === 429 || status >= 500) throw new SessionError(status === 429 ? ERRORS.THROTTLED : ERRORS.SERVER, 'Lambda cannot call the publisher now', { quote: text.slice(0, 500) });
  if (status >= 300) throw new LoopError(LOOP_ERRORS.CHECKOUT_FAILED, `the driver cannot call the publisher (HTTP ${status})`, text.slice(0, 500));
  const reply = JSON.parse(text);
  if (headers['x-amz-function-error'] === undefined) return reply;
  const { errorType = '', errorMessage = '' } = reply as { readonly errorType?: string; readonly errorMessage?: string };
  if ((Object.values(FORGE_ERRORS) as string[]).includes(errorType)) throw new LoopError(errorType as LoopErrorName, errorMessage);
  if ((Object.values(ERRORS) as string[]).includes(errorType)) throw new SessionError(errorType as ErrorName, errorMessage);
  throw new LoopError(LOOP_ERRORS.CHECKOUT_FAILED, 'the publisher failed', `${errorType}: ${errorMessage}`);
}
