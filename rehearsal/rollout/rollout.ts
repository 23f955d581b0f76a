import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Mask } from '../../src/handler/mask';
import { MANIFEST_PATH } from '../../src/image/constants';
import type { RolloutDescription } from '../../src/journal/rollout-description';
import { ATTRIBUTES, isInvokeTest, type SmokeTestProperties } from '../../src/rollout/handler/constants';
import type { RolloutProperties } from '../../src/rollout/handler/rollout-request';
import { describeStartFailures } from '../agentcore/describe-start-failure';
import { failsAlike, StartFailure } from '../agentcore/start-failure';
import type { LocalDeployment, LoopDescription } from '../deployment';
import type { FunctionFailure } from '../lambda';
import { TaskError } from '../stepfunctions';

export const ROLLOUT_TYPE = 'Custom::RuntimeRollout';

/** Milliseconds between two calls of the handler. The provider framework waits for ten seconds, but nothing here takes minutes. */
const POLL = 50;

/** A rollout that is about to start. */
export interface RolloutBeginning {
  /** The path of the construct, such as `Stack/Rollout`. */
  readonly path: string;
  readonly version: string;
  readonly smokeTests: readonly string[];
}

/** A version did not pass its tests. A deployment would fail with the same reason. */
export class RolloutFailedError extends Error {
  override readonly name: string = 'RolloutFailedError';
}

/**
 * The number of starts that fail alike after which an agent is given up. Here it is the same program on the same machine each time, and no image is
 * being pulled, as the handlers have to expect of the service.
 */
const TRIES = 3;

/** A version did not pass, because its agent does not start. The fault is in the agent. */
export class AgentNotStartedError extends RolloutFailedError {
  override readonly name = 'AgentNotStartedError';
}

export interface RolloutOptions {
  /** Ends the rollout early, with the signal's own reason as the error. */
  readonly signal?: AbortSignal;
  /** The source of the programs in sessions: the app's own image, another image, or this machine. @default 'MACHINE' */
  readonly programs?: 'OWN_IMAGE' | 'OTHER_IMAGE' | 'MACHINE';
  /** `true` if the agent is not the one that a deployment would have. */
  readonly otherAgent?: boolean;
  /** Masks secrets in the agent's output. */
  readonly mask?: Mask;
  /** Called before the rollout starts. */
  readonly onBegin?: (rollout: RolloutBeginning) => void;
}

interface Completion {
  readonly IsComplete: boolean;
  readonly Data?: { readonly [attribute: string]: string };
}

/** A `RuntimeRollout` of a synthesized stack, which its own handlers carry out. */
export class Rollout {
  private readonly properties: RolloutProperties & { readonly ServiceToken: string };

  constructor(private readonly deployment: LocalDeployment, readonly logicalId: string) {
    this.properties = deployment.properties(logicalId);
  }

  get runtimeArn(): string {
    return this.properties.RuntimeArn;
  }

  /** The path of the construct, such as `Stack/Rollout`. */
  get path(): string {
    return this.deployment.stack.pathOf(this.logicalId);
  }

  /** Returns whether a smoke test invokes the agent. */
  get invokes(): boolean {
    return this.properties.SmokeTests.some(isInvokeTest);
  }

  /**
   * Calls the handlers as CloudFormation and the provider framework do: once to start, then until they are complete. From then on, references to the
   * rollout's attributes resolve to the values that they returned.
   *
   * The request is always a create. The handlers find what an earlier rehearsal left, as after a create that was interrupted.
   */
  async run({ signal, onBegin, ...foreign }: RolloutOptions = {}): Promise<RolloutDescription> {
    const { deployment, logicalId, path, properties: { RuntimeVersion: version, SmokeTests } } = this;
    const { startFailures } = deployment.server;
    const skipped = SmokeTests.filter((test) => isNotHere(test, foreign));
    const tests = SmokeTests.filter((test) => !skipped.includes(test));
    const began = Date.now();
    const failed = startFailures.count;
    const kill = () => void deployment.close();
    const judge = () => {
      if (failsAlike(startFailures.since(failed), TRIES)) kill();
    };
    signal?.addEventListener('abort', kill);
    const stopJudging = startFailures.onFailure(judge);
    onBegin?.({ path, version, smokeTests: namesOf(tests) });
    try {
      const { asked, data } = await this.ask(tests, signal);
      Object.entries(data).forEach(([attribute, value]) => deployment.setAttribute(logicalId, attribute, value));
      const endpointName = data[ATTRIBUTES.ENDPOINT_NAME];
      const seconds = (Date.now() - began) / 1_000;
      const names = { smokeTests: namesOf(tests), skipped: namesOf(skipped) };
      return { logicalId, endpointName, version: data[ATTRIBUTES.VERSION], ...names, tested: asked > 0, seconds };
    } catch (error) {
      signal?.throwIfAborted(); // it fails when its functions are killed
      const tries = startFailures.since(failed);
      if (isOfTheAgent(error as Error, tries)) {
        const what = describeStartFailures(tries, deployment.server.logs.file(tries[tries.length - 1].key), foreign.mask);
        throw new AgentNotStartedError(`the rollout ${path} of version ${version} failed, because its agent does not start: ${what}${whereItRan(foreign)}`);
      }
      throw new RolloutFailedError(`the rollout ${path} of version ${version} ${reasonOf(error as Error, foreign)}`);
    } finally {
      stopJudging();
      signal?.removeEventListener('abort', kill);
    }
  }

  private async ask(
    smokeTests: readonly SmokeTestProperties[], signal?: AbortSignal,
  ): Promise<{ readonly asked: number; readonly data: { readonly [attribute: string]: string } }> {
    const { deployment, logicalId, properties } = this;
    const { server } = deployment;
    const [, framework] = /:function:([^:]+)$/.exec(properties.ServiceToken) ?? [];
    const { Variables } = deployment.properties<{ Environment: { Variables: { [name: string]: string } } }>(framework).Environment;
    const invoke = (handler: string, event: object) => deployment.invokeAs(framework, 'Role', Variables[`USER_${handler}_FUNCTION_ARN`], event);

    const firstCall = server.calls.all.length;
    const request = {
      RequestType: 'Create',
      RequestId: randomUUID(),
      StackId: deployment.pseudoParameter('AWS::StackId'),
      LogicalResourceId: logicalId,
      ResourceProperties: { ...properties, SmokeTests: smokeTests },
    };
    const event = { ...request, ...await invoke('ON_EVENT', request) as object };
    for (;;) {
      const { IsComplete, Data = {} } = await invoke('IS_COMPLETE', event) as Completion;
      const [missing] = deployment.authorizer.missing;
      // The handler would wait, since a new policy takes time to be known everywhere. This permission will never come.
      if (missing) throw new Error(`role ${missing.role} may not ${missing.action}; this statement would allow it: ${missing.statement}`);
      if (IsComplete) {
        const asked = server.calls.all.slice(firstCall).filter(({ operation }) => operation.startsWith('InvokeAgentRuntime')).length;
        return { asked, data: Data };
      }
      await setTimeout(POLL, undefined, { signal });
    }
  }
}

function namesOf(tests: readonly SmokeTestProperties[]): string[] {
  return tests.map(({ Name }) => Name);
}

/** Only an image has the list of its tools. In a rehearsal without an image, a test that reads the list proves nothing. */
function isNotHere(test: SmokeTestProperties, { programs = 'MACHINE' }: RolloutOptions): boolean {
  return programs === 'MACHINE' && !isInvokeTest(test) && test.Command.includes(MANIFEST_PATH) && !existsSync(MANIFEST_PATH);
}

/** Returns the function's own message, whether a deployment would fail too as far as that is known, and what else would help here. */
function reasonOf(error: Error, options: RolloutOptions): string {
  const reason = wordsOf(error);
  if (reason.startsWith('no room')) return `failed: ${reason}\nIn a rehearsal, another state directory helps, too.`;
  const where = reason.startsWith('smoke test') ? whereItRan(options) : '';
  return where === '' ? `failed, as its deployment would: ${reason}` : `failed: ${reason}${where}`;
}

function wordsOf(error: Error): string {
  return error instanceof TaskError ? messageOf(error.cause ?? '') : error.message;
}

/** Returns whether the rollout failed because the agent does not start, as seen by the rehearsal or by the function. */
function isOfTheAgent(error: Error, tries: readonly StartFailure[]): boolean {
  return failsAlike(tries, TRIES) || (tries.length > 0 && wordsOf(error).includes(tries[tries.length - 1].reason));
}

/** Returns what would help if the failure is specific to this machine, or nothing if the agent ran as in a deployment. */
function whereItRan({ programs = 'MACHINE', otherAgent = false }: RolloutOptions): string {
  if (programs === 'OWN_IMAGE' && !otherAgent) return '';
  const whose = { MACHINE: 'the programs of this machine', OTHER_IMAGE: 'the image that was named', OWN_IMAGE: 'another agent' }[programs];
  const remedy = programs === 'OWN_IMAGE' ? 'without --agent, it uses the agent of the image' : 'in a container of the app\'s own image (--sandbox container), it uses those of a deployment';
  return `\nThis rehearsal used ${whose}: ${remedy}.`;
}

function messageOf(cause: string): string {
  return cause.startsWith('{') ? (JSON.parse(cause) as FunctionFailure).errorMessage : cause;
}

/** Returns the rollouts of a loop's runtime. Those of other runtimes do not affect its runs. */
export function rolloutsOf(deployment: LocalDeployment, { runtimeArn }: LoopDescription): Rollout[] {
  const all = deployment.stack.ofType(ROLLOUT_TYPE).map((logicalId) => new Rollout(deployment, logicalId));
  return all.filter((rollout) => rollout.runtimeArn === runtimeArn);
}

/** Returns whether an endpoint name is an unresolved reference to a rollout, which has not returned an endpoint yet. */
export function isRolloutAttribute(deployment: LocalDeployment, endpointName: string): boolean {
  return deployment.stack.ofType(ROLLOUT_TYPE).some((logicalId) => endpointName === `${logicalId}.${ATTRIBUTES.ENDPOINT_NAME}`);
}
