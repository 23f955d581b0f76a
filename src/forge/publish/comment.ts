import { agentLine, code, consoleUrlOf, fenced } from './description';
import { counted } from '../../handler/counted';
import { Progress, TellRequest } from '../../loop/steps/access';

/** The part of an error that a comment shows, in characters. */
const ERROR_LENGTH = 2_000;

/** Returns the comment on an issue, in Markdown. */
export function commentOf({ taskId, execution, progress }: TellRequest): string {
  return [...wordsOf(progress), `Task ${code(taskId)}, [execution](${consoleUrlOf(execution)}).`].join('\n\n');
}

function wordsOf(progress: Progress): string[] {
  switch (progress.kind) {
    case 'CHECKING_BASE': return ['The run has begun: the gates run on the base.'];
    case 'TURN': return [turn(progress)];
    case 'VERIFYING': return ['All gates have passed. The change is verified in a clean checkout.'];
    default: return [...ending(progress), ...progress.agent === undefined ? [] : [`${agentLine(progress.agent)}.`]];
  }
}

function turn({ turn: number, gate, verdict }: Progress & { readonly kind: 'TURN' }): string {
  return gate === undefined || verdict === undefined
    ? `Turn ${number} of the agent is under way.`
    : `Turn ${number} of the agent is under way, because the gate ${code(gate)} did not pass (${verdict}).`;
}

function ending({ outcome, rounds, verified, commit, pullRequest, error }: Progress & { readonly kind: 'ENDED' }): string[] {
  const turns = `after ${counted(rounds, 'turn')}`;
  if (error !== undefined) return [`The run has failed ${turns}: ${code(error.name)}.`, fenced(error.message.slice(0, ERROR_LENGTH))];
  if (commit === undefined) return [`The run has ended ${turns}: ${code(outcome)}.`];
  const where = pullRequest === undefined ? `on the branch ${code(commit.branch)}` : `in [pull request ${pullRequest.number}](${pullRequest.url})`;
  return [`The change is ${where}, ${turns}. All gates have passed${verified ? ', also in a clean checkout' : ''}.`];
}
