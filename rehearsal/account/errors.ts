import { copyableWord } from '../../src/private/quote';
import { MisuseError } from '../common/misuse';

/** AWS refused a request, or did not answer it; the message says what to do. */
export class AccountError extends Error {
  readonly name = 'AccountError';
}

/** A policy does not allow a request. */
export class MissingPermissionError extends AccountError {}

/** One request to AWS, as a policy names it. */
export interface AwsAction {
  /** The action in a policy, such as `states:StopExecution`. */
  readonly action: string;
  /** The ARN of the resource. `*` for actions without one. */
  readonly resource: string;
}

/** The search for credentials. */
export interface CredentialSearch {
  readonly profile?: string;
  /** The reasons why the providers had none, in their order. */
  readonly reasons: readonly string[];
}

interface AwsError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: string;
}

const DENIED = /AccessDenied|NotAuthorized|Unauthorized(Operation|Exception)|^Forbidden$/;
const THROTTLED = /Throttl|TooManyRequests|TooManyUpdates|RequestLimitExceeded|SlowDown/;
const EXPIRED = /Expired|TokenRefreshRequired/;
const UNKNOWN = /UnrecognizedClient|InvalidClientTokenId|InvalidSignature|InvalidAccessKeyId|SignatureDoesNotMatch|IncompleteSignature/;
const NO_CREDENTIALS = /Credentials?Provider|TokenProvider/;
const NO_CONNECTION = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE'];

/** Returns an error that explains an error of AWS and names the fix. */
export function described(thrown: unknown, { action, resource }: AwsAction, search: CredentialSearch = { reasons: [] }): Error {
  const error = thrown as AwsError;
  const { name, message } = error;
  if (name === 'MisuseError' || name === 'AccountError') return error;
  if (DENIED.test(name)) return new MissingPermissionError(deniedText(message, { action, resource }));
  if (THROTTLED.test(name)) return new AccountError(`AWS keeps throttling ${action}: wait a moment and try again (${message})`);
  if (NO_CREDENTIALS.test(name)) return new MisuseError(withoutCredentials(message, search));
  if (EXPIRED.test(name)) return new MisuseError(`the credentials for AWS have expired: log in again, such as with "aws sso login" (${message})`);
  if (UNKNOWN.test(name)) return new MisuseError(`AWS does not recognize the credentials: check the profile, or the AWS_* variables of the environment (${message})`);
  if (NO_CONNECTION.includes(error.code ?? name) || name === 'TimeoutError') {
    return new AccountError(`AWS cannot be reached for ${action}: check the region and the network (${message || error.code})`);
  }
  return new AccountError(`${action} on ${resource} failed: ${name}: ${message}`);
}

/** The service names the action and the resource that it checked, which may be more than the one that was asked for. */
function deniedText(message: string, asked: AwsAction): string {
  const [, action = asked.action] = /perform:? ([\w-]+:\w+)/.exec(message) ?? [];
  const [, resource = asked.resource] = /on resource:? "?(arn:[^\s"]+?)(?=[.,;"]?(?:\s|$))/.exec(message) ?? [];
  const [, who = 'the caller'] = /(arn:aws[\w-]*:(?:iam|sts)::\S+)/.exec(message.split(/is not authorized/)[0]) ?? [];
  const text = `missing permission: ${who} may not perform ${action} on ${resource}`;
  if (/explicit deny/i.test(message)) return `${text}: a policy denies it explicitly (${message})`;
  // Such as the key of a bucket, which the message does not name.
  if (resource === asked.resource && serviceOf(action) !== serviceOf(asked.action)) {
    return `missing permission: ${who} may not perform ${action}, which ${asked.action} on ${resource} needs: allow it on the key with which that is encrypted (${message})`;
  }
  return `${text}; this statement would allow it:\n  ${JSON.stringify({ Effect: 'Allow', Action: action, Resource: resource })}`;
}

function serviceOf(action: string): string {
  return action.split(':')[0];
}

/** Reasons of providers that were not meant. */
const NOT_MEANT = /^Not found in |skipping|access disabled|not specified|from any providers|did not contain/i;

function withoutCredentials(message: string, { profile, reasons }: CredentialSearch): string {
  const reason = [message, ...reasons].find((each) => !NOT_MEANT.test(each)) ?? message;
  const option = profile === undefined ? '' : ` --profile ${copyableWord(profile)}`;
  if (/sso login/.test(reason)) return `the session of AWS IAM Identity Center is missing or has expired: log in with "aws sso login${option}" (${reason})`;
  if (/multi-factor/.test(reason)) {
    return 'the profile needs a code of multi-factor authentication, which this command does not ask for: ' +
      `run eval "$(aws configure export-credentials${option} --format env)", and leave out --profile`;
  }
  if (profile !== undefined) return `the profile "${profile}" has no credentials for AWS: add them to it, or log in as for the AWS CLI, such as with "aws sso login" (${reason})`;
  return `there are no credentials for AWS: set AWS_PROFILE or give --profile, and log in as for the AWS CLI, such as with "aws sso login" (${reason})`;
}
