import { code, descriptionOf, fenced, testsOf, verdictOf } from './description';
import { ForgeClient, GateStatus } from './forge-client';
import { outputsOf } from './gate-output';
import { inVerification } from '../../loop/steps/clean-checkout';
import { filled } from '../../loop/steps/commit';
import { LOOP_ERRORS } from '../../loop/steps/constants';
import { LoopError } from '../../loop/steps/errors';
import { ProposalConfig } from '../../loop/steps/loop-config';
import { GateRecord } from '../../loop/steps/records';
import { NameList } from '../../loop/steps/results';
import { isVerified } from '../../loop/steps/run-record';
import { LoopState } from '../../loop/steps/state';
import { StepRequest, StepTools } from '../../loop/steps/step';

/** Shows a pushed commit to people: the results of its gates, and a pull request if the loop has one. A repeated call updates both. */
export async function present(
  request: StepRequest, proposal: ProposalConfig | undefined, client: ForgeClient, tools: StepTools, changed?: NameList,
): Promise<Pick<LoopState, 'pullRequest'>> {
  const { state: { prompt, run, loop } } = request;
  const pullRequest = proposal === undefined ? undefined : await client.pullRequest!({
    head: run.branch,
    base: baseOf(proposal, loop),
    title: filled(proposal.title ?? '{prompt}', prompt, run) || run.taskId,
    body: descriptionOf(request, {
      body: proposal.body === undefined ? undefined : filled(proposal.body, prompt, run),
      changed,
      seconds: tools.clock.now() / 1_000 - run.startedAt,
    }),
    draft: proposal.draft ?? false,
    labels: proposal.labels ?? [],
    reviewers: proposal.reviewers ?? [],
    teamReviewers: proposal.teamReviewers ?? [],
    autoMerge: proposal.autoMerge,
  });
  const warnings = await reported(request, client, tools);
  if (pullRequest === undefined) return {};
  const all = [...pullRequest.warnings ?? [], ...warnings].map((warning) => warning.slice(0, 300)).slice(0, 10);
  return { pullRequest: { ...pullRequest, warnings: all.length === 0 ? undefined : all } };
}

function baseOf({ base }: ProposalConfig, { upstream }: LoopState): string {
  const found = base ?? upstream?.ref;
  if (found === undefined) throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'the branch for the pull request is not known: set "base" of Commit.pullRequest');
  return found.replace(/^(?:refs\/heads\/|origin\/)/, '');
}

/** Shows the results of the gates beside the commit. Returns what the forge refused: the commit is there all the same. */
async function reported(request: StepRequest, client: ForgeClient, tools: StepTools): Promise<string[]> {
  const { state: { loop } } = request;
  if (client.report === undefined) return [];
  const verified = isVerified(loop);
  const gates = verified ? loop.verification!.gates : loop.gates;
  const outputs = await outputsOf(verified ? inVerification(request, loop.verification!.attempt) : request, gates, tools);
  try {
    await client.report(loop.commit!, gates.map((gate) => statusOf(gate, verified, outputs.get(gate.name))));
    return [];
  } catch (error) {
    return [`results of gates: ${(error as Error).message}`];
  }
}

function statusOf(gate: GateRecord, verified: boolean, output = ''): GateStatus {
  const tests = testsOf(gate);
  return {
    name: gate.name,
    conclusion: gate.knownFailure === true ? 'neutral' : 'success',
    title: [verdictOf(gate), ...tests === '' ? [] : [tests]].join(', '),
    summary: [
      `${code(gate.name)}: ${verdictOf(gate)}, ${verified ? 'in a clean checkout' : 'in the session of the agent'}.`,
      ...output.trim() === '' ? [] : ['The end of its output:', fenced(output)],
    ].join('\n\n'),
  };
}
