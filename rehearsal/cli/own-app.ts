import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { App, AssetStaging, Duration, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { Target } from './options';
import { AgentRuntime, AgentTurn, Baseline, CodingAgent, CodingLoop, CommandTurnOptions, Gate, GitRepository, Mount } from '../../src';
import { MisuseError } from '../common/misuse';
import { namedAgent } from '../run/local-agent';

/** The options that stand for the loop's props, which start its messages. */
const OPTIONS = { gates: '--gate', turn: '--agent', bootstrap: '--bootstrap', maxRepairs: '--max-repairs' } as const;

/** Synthesizes an app with the loop that the command line describes, for a repository that has no app. Returns its assembly. */
export function synthesizeLoop(target: Target, state: string): string {
  const key = createHash('sha256').update(JSON.stringify(target)).digest('hex').slice(0, 12);
  const outdir = join(state, 'apps', key);
  rmSync(outdir, { recursive: true, force: true });
  AssetStaging.clearAssetHashCache(); // an earlier call of this process may have staged files there
  const app = new App({ outdir, analyticsReporting: false, context: { 'aws:cdk:disable-asset-staging': false } });
  const stack = new Stack(app, 'Rehearsal');
  // The same for all targets: another configuration would be another version, which empties the workspaces of its sessions.
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'rehearsal',
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/rehearsal:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  const timeoutOf = (name: string) => target.timeouts?.[name] === undefined ? undefined : Duration.seconds(target.timeouts[name]);
  try {
    new CodingLoop(stack, 'Loop', {
      runtime,
      repository: GitRepository.fromInput(),
      bootstrap: target.bootstrap && [...target.bootstrap],
      bootstrapTimeout: timeoutOf('bootstrap'),
      turn: turnOf(target, { timeout: timeoutOf('agent') }),
      gates: (target.gates ?? []).map(({ name, command }) => Gate.command(name, command, {
        timeout: timeoutOf(name), pipefail: target.pipefail, report: target.reports?.[name], retries: target.retries?.[name],
      })),
      gatesBefore: target.gatesBefore,
      checkBase: target.checkBase,
      baseline: target.knownFailures ? Baseline.KNOWN_FAILURES : undefined,
      maxRepairs: target.maxRepairs,
    });
  } catch (error) {
    const faults = (error as Error).message.replace(/\n\s*at Rehearsal\/Loop$/, ''); // nobody's construct
    throw new MisuseError(Object.entries(OPTIONS).reduce((text, [prop, option]) => text.replace(new RegExp(`^"${prop}"`, 'gm'), option), faults));
  }
  return app.synth().directory;
}

/** Returns the turn of the agent that the command line gives by its name or by a command. */
function turnOf({ agent = '' }: Target, options: CommandTurnOptions): AgentTurn {
  switch (namedAgent(agent)) {
    case undefined: return AgentTurn.command(agent, options);
    case 'claude-code': return CodingAgent.claudeCode().turn(options);
    case 'codex': return CodingAgent.codex().turn(options);
    case 'opencode': return CodingAgent.openCode().turn(options);
    case 'aider': return CodingAgent.aider().turn(options);
  }
}
