import type { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Construct } from 'constructs';
import type { CodingAgent } from './coding-agent';
import { AgentImage } from '../image/agent-image';
import type { DevTool } from '../image/dev-tool';
import type { AgentTurn } from '../loop/agent-turn';
import { CodingLoop } from '../loop/coding-loop';
import type { Commit } from '../loop/commit';
import type { Gate } from '../loop/gate';
import type { GitRepository } from '../loop/git-repository';
import type { ProtectedPaths } from '../loop/protected-paths';
import type { Verification } from '../loop/verification';
import { Mount } from '../mount/mount';
import { throwOnFaults } from '../private/validation';
import { RuntimeRollout } from '../rollout/runtime-rollout';
import { SmokeTest } from '../rollout/smoke-test';
import { AgentRuntime } from '../runtime/agent-runtime';

/** Properties for `CodingWorkspace`. */
export interface CodingWorkspaceProps {
  /** The agent that works on the repository. */
  readonly agent: CodingAgent;

  /** The repository that each run clones, and pushes its commit to. */
  readonly repository: GitRepository;

  /** The checks that must pass before a run commits anything: 1 to 20 gates with different names. */
  readonly gates: Gate[];

  /**
   * The tools that the gates and the agent's commands need, in addition to Bash, git and those of the agent. They have no effect with a `runtime`.
   *
   * @default - none
   */
  readonly tools?: DevTool[];

  /**
   * The runtime, with session storage and an image that has the agent.
   *
   * @default - an `AgentRuntime` with `AgentImage.forAgent` and session storage at `/mnt/workspace`
   */
  readonly runtime?: Runtime;

  /**
   * The rollout of the runtime's versions. Its runtime must be `runtime`.
   *
   * @default - a `RuntimeRollout` that tests the tools, the agent and the workspace of each version
   */
  readonly rollout?: RuntimeRollout;

  /**
   * Commands that prepare the clone, such as `npm ci`.
   *
   * @default - no commands
   */
  readonly bootstrap?: string[];

  /**
   * The turn of the agent.
   *
   * @default - a turn of `agent`, 1 hour at most
   */
  readonly turn?: AgentTurn;

  /**
   * The maximum number of repairs in a run: 0 to 20.
   *
   * @default 3
   */
  readonly maxRepairs?: number;

  /**
   * Determines whether a change is verified in a clean checkout before it is committed.
   *
   * @default Verification.inFreshSession()
   */
  readonly verification?: Verification;

  /**
   * Files that the agent must not change in silence.
   *
   * @default - no change is refused
   */
  readonly protectedPaths?: ProtectedPaths;

  /**
   * Determines how the loop commits a change.
   *
   * @default Commit.push()
   */
  readonly commit?: Commit;
}

/**
 * A runtime, its rollout and a loop for one agent and one repository.
 *
 * It saves the lines that connect the three, and does nothing that they do not. For props that it does not have, create the `AgentRuntime`, the
 * `RuntimeRollout` or the `CodingLoop` yourself.
 *
 * @example
 * new CodingWorkspace(this, 'Shop', {
 *   agent: CodingAgent.claudeCode({ model: BedrockModel.inferenceProfile('eu.anthropic.claude-sonnet-4-20250514-v1:0') }),
 *   tools: [DevTool.nodejs('22')],
 *   repository: GitRepository.fromUrl('https://git.example.com/shop.git'),
 *   bootstrap: ['npm ci'],
 *   gates: [Gate.command('test', 'npm test')],
 * });
 */
export class CodingWorkspace extends Construct {
  /** The runtime in whose sessions the agent works. */
  public readonly runtime: Runtime;
  /** The rollout that tests each version of the runtime. */
  public readonly rollout: RuntimeRollout;
  /** The loop. */
  public readonly loop: CodingLoop;

  constructor(scope: Construct, id: string, props: CodingWorkspaceProps) {
    super(scope, id);
    throwOnFaults(this, faultsOf(props));
    const { agent, tools, runtime, rollout } = props;
    const { repository, gates, bootstrap, turn = agent.turn(), maxRepairs, verification, protectedPaths, commit } = props;
    this.runtime = runtime ?? new AgentRuntime(this, 'Runtime', {
      agentRuntimeArtifact: AgentImage.forAgent(agent, { tools }),
      mounts: [Mount.sessionStorage('/mnt/workspace')],
    });
    this.rollout = rollout ?? new RuntimeRollout(this, 'Rollout', {
      runtime: this.runtime,
      smokeTests: [SmokeTest.tools(), SmokeTest.agent(), ...runtime === undefined ? [SmokeTest.writable('/mnt/workspace')] : []],
    });
    this.loop = new CodingLoop(this, 'Loop', {
      runtime: this.runtime, endpoint: this.rollout.endpoint, repository, gates, bootstrap, turn, maxRepairs, verification, protectedPaths, commit,
    });
    this.node.defaultChild = this.loop;
  }
}

/** Returns a fault for a rollout of another runtime, whose endpoints the runtime of the workspace does not have. */
function faultsOf({ runtime, rollout }: CodingWorkspaceProps): string[] {
  if (rollout === undefined) return [];
  if (runtime === undefined) return ['"rollout" must be that of "runtime", which is missing: pass the runtime of the rollout, too'];
  return rollout.endpoint.agentRuntimeArn === runtime.agentRuntimeArn ? [] : ['"rollout" must be that of "runtime", not of another one: pass the runtime of the rollout'];
}
