import { Duration } from 'aws-cdk-lib';
import { IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentTurn } from './agent-turn';
import { Commit } from './commit';
import { Gate } from './gate';
import { GitRepository } from './git-repository';
import { SessionDriver } from '../driver/session-driver';

/** What becomes of the session when a run ends. */
export enum SessionPolicy {
  /**
   * It is stopped: its microVM is no longer paid for. Its workspace stays, for 14 days after its last use and as long as its endpoint names the
   * same version.
   */
  STOP = 'STOP',
  /** It is left to its idle timeout, for somebody who wants to look into it. */
  LEAVE = 'LEAVE',
}

/** Props of a `CodingLoop`. */
export interface CodingLoopProps {
  /** The runtime in whose sessions the agent and the gates work: ours, the official construct's or an imported one. */
  readonly runtime: IBedrockAgentRuntime;

  /** Where the code comes from and the commit goes. */
  readonly repository: GitRepository;

  /** What has to pass before anything is committed, one after the other: 1 to 20, of different names. */
  readonly gates: Gate[];

  /**
   * Name of the endpoint through which sessions are reached.
   *
   * @default - the runtime's `DEFAULT` endpoint, which moves to every new version, and wipes workspaces as it does
   */
  readonly endpointName?: string;

  /**
   * The session's persistent directory. The clone is in its `repo`, our records in its `.workbench`.
   *
   * @default - where the runtime mounts its session storage
   */
  readonly mountPath?: string;

  /**
   * Commands that make the clone ready, such as `npm ci`, one after the other until one fails. They run once, when a run starts.
   * A command may have several lines, of which none may fail, nor may a program in a pipe: bash runs it with `set -e -o pipefail`.
   * What they leave running is ended with them: a server that gates need is started by the gate, or by the image.
   *
   * @default - none
   */
  readonly bootstrap?: string[];

  /**
   * How long all bootstrap commands together may take: at most 8 hours.
   *
   * @default Duration.minutes(13) - what one call of a function can see to its end
   */
  readonly bootstrapTimeout?: Duration;

  /**
   * How the agent is asked for a turn.
   *
   * @default AgentTurn.invoke()
   */
  readonly turn?: AgentTurn;

  /**
   * Whether the gates run once before the first turn too, after the bootstrap. The record then says of each gate whether it was green
   * before (`greenBefore`): one that passes without the change says nothing of the task. Whatever they say then, the run goes on, and no repair is
   * used up. It costs the time of all gates once more.
   *
   * @default false - `greenBefore` is there only where it is known anyway, as after a turn that changed nothing
   */
  readonly gatesBefore?: boolean;

  /**
   * How often the agent may repair what a gate refused: 0 to 20.
   *
   * @default 3
   */
  readonly maxRepairs?: number;

  /**
   * What becomes of a change that has passed.
   *
   * @default Commit.push()
   */
  readonly commit?: Commit;

  /**
   * Environment of the bootstrap, of a turn that is a command, and of the gates. No secrets: the service logs it.
   *
   * @default - identity for git, and caches on ephemeral disk
   */
  readonly environment?: { [name: string]: string };

  /**
   * What becomes of the session when a run ends.
   *
   * @default SessionPolicy.STOP
   */
  readonly session?: SessionPolicy;

  /**
   * How long a run may take; no step begins after that. At least as long as each gate, turn and the bootstrap may.
   *
   * @default - what its parts may take together
   */
  readonly timeout?: Duration;

  /**
   * Name of the state machine. With one, the session driver may read the executions of this state machine only.
   *
   * @default - made by CloudFormation
   */
  readonly stateMachineName?: string;

  /**
   * Where and what the state machine logs. What runs carry, such as prompts, is left out unless it is asked for here.
   *
   * @default - errors, to the driver's log group
   */
  readonly logs?: sfn.LogOptions;

  /**
   * Whether X-Ray traces runs.
   *
   * @default true
   */
  readonly tracingEnabled?: boolean;

  /**
   * Key that encrypts what Step Functions keeps of runs: inputs, such as prompts, and the states' outputs.
   *
   * @default - a key that AWS owns
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * The function that does the work in sessions.
   *
   * @default - the stack's own, made when it is first needed
   */
  readonly driver?: SessionDriver;
}
