import { ProgramEnd, ProgramResult } from './program';
import { AGENT_ERRORS, AgentErrorName } from '../../constants';

/** Advice for each failure, in the words of somebody who deployed the agent on AWS. */
const ADVICE: { readonly [name in AgentErrorName]: string } = {
  [AGENT_ERRORS.RATE_LIMITED]: 'start fewer runs at once, or raise the quotas of the model in Service Quotas; if the account has no credit, add some',
  [AGENT_ERRORS.NOT_LOGGED_IN]: 'grant the execution role access to the model, or give the agent the credentials of its provider in its environment',
  [AGENT_ERRORS.MODEL_NOT_ALLOWED]: 'check the ID of the model or inference profile, that it is available in the region of the runtime, that the account has access '
    + 'to it in Amazon Bedrock, and that the execution role may invoke it',
  [AGENT_ERRORS.CONTEXT_FULL]: 'divide the task, shorten the instructions of the repository, or use a model with a larger context window',
  [AGENT_ERRORS.MAX_TURNS]: 'raise "maxTurns", or divide the task',
  [AGENT_ERRORS.REFUSED]: 'change the wording of the task, or use another model',
  [AGENT_ERRORS.UNAVAILABLE]: 'start the run again later; if it stays, check that the session can reach the provider: its VPC, endpoints and proxies',
  [AGENT_ERRORS.FAILED]: 'the whole output is in the log of the turn',
};

/** Returns a failure with the program's own words and what to do. */
export function failure(name: AgentErrorName, words: string): NonNullable<ProgramResult['error']> {
  const said = words.trim().slice(0, 600);
  return { name, message: said === '' ? ADVICE[name] : `${said} — ${ADVICE[name]}` };
}

/** Words of providers and programs, from the most specific failure to the least. */
const WORDS: ReadonlyArray<readonly [RegExp, AgentErrorName]> = [
  [/prompt is too long|input is too long|context[ _](length|window)|maximum context|request_too_large/i, AGENT_ERRORS.CONTEXT_FULL],
  [/credit balance|insufficient_quota|exceeded your current quota|billing/i, AGENT_ERRORS.RATE_LIMITED],
  [/rate.?limit|too many requests|thrott?l|quota exceeded|too many tokens/i, AGENT_ERRORS.RATE_LIMITED],
  [
    /model identifier is invalid|on-demand throughput|access to the model|model_not_found|model.{0,80}(does not exist|not found|not supported)|issue with the selected model/i,
    AGENT_ERRORS.MODEL_NOT_ALLOWED,
  ],
  [/not authorized to perform: bedrock|not allowed to (use|access).{0,40}model|inference profile.{0,60}(not found|invalid)/i, AGENT_ERRORS.MODEL_NOT_ALLOWED],
  [
    /not logged in|invalid.{0,10}api.?key|incorrect api key|authentication|unauthori[sz]ed|expired ?token|security token|could not load credentials|unrecognizedclient|signature/i,
    AGENT_ERRORS.NOT_LOGGED_IN,
  ],
  [/credentials?.{0,40}(not found|missing|provider)|unable to locate credentials|missing.{0,40}(api.?key|bearer|token)/i, AGENT_ERRORS.NOT_LOGGED_IN],
  [/overloaded|unable to connect|econnrefused|econnreset|enotfound|etimedout|timed? ?out|service ?unavailable|internal server error|bad gateway|at capacity|high demand/i, AGENT_ERRORS.UNAVAILABLE],
  [/stream disconnected|connection (error|refused|reset)|fetch failed|network error|error sending request/i, AGENT_ERRORS.UNAVAILABLE],
];

/** Returns the failure that a program describes, by the provider's HTTP status if it is known, and by the words. */
export function classified(words: string, status?: number): NonNullable<ProgramResult['error']> {
  return failure(nameOf(words, status), words);
}

function nameOf(words: string, status?: number): AgentErrorName {
  if (status === 429 || status === 402) return AGENT_ERRORS.RATE_LIMITED;
  if (status === 401) return AGENT_ERRORS.NOT_LOGGED_IN;
  if (status === 404) return AGENT_ERRORS.MODEL_NOT_ALLOWED;
  if (status === 413) return AGENT_ERRORS.CONTEXT_FULL;
  const known = WORDS.find(([pattern]) => pattern.test(words));
  if (known !== undefined) return known[1];
  if (status === 403) return AGENT_ERRORS.MODEL_NOT_ALLOWED;
  return status !== undefined && status >= 500 ? AGENT_ERRORS.UNAVAILABLE : AGENT_ERRORS.FAILED;
}

/** Returns the failure of a process that ended without a report of its own; undefined if its exit code is 0. */
export function endedBadly({ exitCode, signal, errors, output }: ProgramEnd): ProgramResult['error'] {
  if (exitCode === 0) return undefined;
  const words = (errors.trim() === '' ? output : errors).trim().slice(-400);
  if (exitCode === null) {
    const memory = signal === 'SIGKILL' ? ', which the system does to programs that use too much memory' : '';
    return failure(AGENT_ERRORS.FAILED, `the program was ended by ${signal}${memory}. ${words}`);
  }
  const { name } = classified(words);
  return failure(name, `the program ended with exit code ${exitCode}. ${words}`);
}

/** Returns the failure of a process that ended without anything that its reader understands, whatever its exit code. */
export function endedSilently(ended: ProgramEnd): NonNullable<ProgramResult['error']> {
  const words = ended.errors.trim().slice(-400);
  return endedBadly(ended) ?? failure(classified(words).name, `the program ended without a result. ${words}`);
}
