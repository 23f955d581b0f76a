import { Size, Token } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LoopGraph } from './loop-graph';
import { LOOP_LIMITS, NEXT, STEPS } from './steps/constants';
import { faultsOf, Rule } from '../private/validation';
import { endpointFaults } from '../runtime/endpoint';

/** Options for a verification. */
export interface VerificationOptions {
  /**
   * The runtime in whose sessions changes are verified. Its image must have the same tools; it needs neither a model nor secrets.
   *
   * @default - the runtime of the loop, through the endpoint of the run
   */
  readonly runtime?: IBedrockAgentRuntime;

  /**
   * The endpoint through which the sessions of that runtime are reached. It needs a `runtime`.
   *
   * @default - the `DEFAULT` endpoint of that runtime
   */
  readonly endpoint?: IRuntimeEndpoint;

  /**
   * The maximum size of a change as a git pack: 1 byte to 64 MiB. The pack travels through the session driver, in commands of 64 KiB. A run whose
   * change is larger fails with `CodingLoop.VerificationFailed`, and its workspace is kept.
   *
   * @default Size.mebibytes(16)
   */
  readonly maxPackSize?: Size;

  /**
   * Determines whether the bootstrap and the gates run as a user of their own (`nobody`), who can neither read nor forge the records of the
   * verification. That needs a container that runs as root, and the program `setpriv` of util-linux in its image; the record of a run says with
   * `verification.separateUser` whether the image can do that.
   *
   * With `true`, a bootstrap that needs root, such as `apt-get install`, fails. With `false`, code under test that cheats can forge its results.
   *
   * @default - as a user of their own, if the image can do that, and if the bootstrap passes as that user without the change
   */
  readonly separateUser?: boolean;
}

/** States that follow a verification. */
interface VerificationWays {
  /** All gates have passed. */
  readonly passed: sfn.State;
  /** A gate did not pass: the agent repairs its change. */
  readonly repair: sfn.State;
  /** The change is recorded again, on top of what others have pushed. */
  readonly record: sfn.State;
}

/** Determines whether a change that has passed all gates in the agent's workspace is verified in a clean checkout. */
export abstract class Verification {
  /**
   * Verifies each change in a new session, separate from the agent's.
   *
   * The session clones the repository, receives the change as git objects, whose ids prove their content, and runs the bootstrap and all gates
   * again. A gate that fails there leads to a repair: the agent is told that its change passes in its workspace, but not in a clean checkout. A
   * change that passes is committed and pushed from that session.
   */
  public static inFreshSession(options: VerificationOptions = {}): Verification {
    return new FreshSession(options);
  }

  /** Does not verify changes. The agent's own session is the judge, and each record says `verified: false`. */
  public static none(): Verification {
    return new NoVerification();
  }

  /** The runtime of the verification, if it is not that of the loop. @internal */
  public abstract readonly _runtime?: IBedrockAgentRuntime;

  /** The endpoint of that runtime. @internal */
  public abstract readonly _endpoint?: IRuntimeEndpoint;

  /** Determines whether changes are verified. @internal */
  public abstract readonly _verifies: boolean;

  /**
   * The part of the configuration of every step.
   *
   * @internal
   */
  public abstract _config(maxRepairs: number): object;

  /** @internal */
  public abstract _faults(): string[];

  /**
   * Creates the states that verify, and returns the first.
   *
   * @internal
   */
  public abstract _bind(graph: LoopGraph, request: object, ways: VerificationWays): sfn.State;
}

class FreshSession extends Verification {
  public readonly _verifies = true;

  constructor(private readonly options: VerificationOptions) {
    super();
  }

  public get _runtime(): IBedrockAgentRuntime | undefined {
    return this.options.runtime;
  }

  public get _endpoint(): IRuntimeEndpoint | undefined {
    return this.options.endpoint;
  }

  public _config(maxRepairs: number): object {
    const { runtime, endpoint, maxPackSize, separateUser } = this.options;
    return {
      verification: {
        ...(runtime === undefined ? {} : { runtimeArn: runtime.agentRuntimeArn }),
        ...(endpoint === undefined ? {} : { endpointName: endpoint.endpointName }),
        packBytes: bytesOf(maxPackSize),
        separateUser: separateUser === undefined ? 'where possible' : separateUser ? 'always' : 'never',
        attempts: (Token.isUnresolved(maxRepairs) ? LOOP_LIMITS.repairs : maxRepairs) + 1 + LOOP_LIMITS.moreVerifications,
      },
    };
  }

  public _faults(): string[] {
    return [...endpointFaults(this.options.endpoint), ...faultsOf(this.options, VERIFICATION_RULES)].map((fault) => `verification: ${fault}`);
  }

  public _bind(graph: LoopGraph, request: object, { passed, repair, record }: VerificationWays): sfn.State {
    const verify = graph.caught(graph.step('Verify', 'Verify in a fresh session', STEPS.VERIFY, request));
    return verify.next(graph.choice('Verified', 'Is it verified?', [
      [NEXT.GO_ON, passed], [NEXT.REPAIR, repair], [NEXT.AGAIN, record], [NEXT.RUNNING, verify],
    ])).startState;
  }
}

class NoVerification extends Verification {
  public readonly _verifies = false;
  public readonly _runtime = undefined;
  public readonly _endpoint = undefined;

  public _config(): object {
    return {};
  }

  public _faults(): string[] {
    return [];
  }

  public _bind(_graph: LoopGraph, _request: object, { passed }: VerificationWays): sfn.State {
    return passed;
  }
}

function bytesOf(size: Size | undefined): number {
  return size === undefined ? 16 * 1_048_576 : size.toBytes();
}

const VERIFICATION_RULES: readonly Rule<VerificationOptions>[] = [
  {
    broken: ({ runtime, endpoint }) => endpoint !== undefined && runtime === undefined,
    message: () => '"endpoint" must come with "runtime": name the runtime, or leave the endpoint out to verify through that of the run',
  },
  {
    broken: ({ maxPackSize }) => maxPackSize?.isUnresolved() === true,
    message: () => '"maxPackSize" must be known at synth: give it as a number, such as Size.mebibytes(16)',
  },
  {
    broken: ({ maxPackSize: size }) => size !== undefined && !size.isUnresolved() && (bytesOf(size) < 1 || bytesOf(size) > LOOP_LIMITS.packBytes),
    message: ({ maxPackSize }) => `"maxPackSize" must be 1 byte to 64 MiB, not ${bytesOf(maxPackSize)} bytes: change it`,
  },
];
