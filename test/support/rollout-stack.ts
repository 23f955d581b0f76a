import {
  BedrockAgentCoreControlClient, CreateAgentRuntimeCommand, DeleteAgentRuntimeCommand, GetAgentRuntimeCommand, ListAgentRuntimeEndpointsCommand,
  UpdateAgentRuntimeCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { ServerFixture } from './agentcore';
import { Handlers, LambdaDied, ProviderFramework, Response } from './cloudformation';
import { ControlPlane } from '../../src/rollout/control-plane.client';
import { Executions } from '../../src/rollout/executions.client';
import { handleRollout } from '../../src/rollout/handle-rollout.client';
import { RolloutProperties, SmokeTestProperties } from '../../src/rollout/rollout-request.client';
import { handler as onEvent } from '../../src/rollout/runtime-rollout-event.lambda';

/** One template of the stack: the runtime's configuration, and the rollout's props. */
export interface Template {
  readonly runtimeName?: string;
  /** Makes one configuration differ from another. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly mount?: string;
  /** `undefined` in a template without a rollout. */
  readonly rollout?: Partial<RolloutProperties>;
  /** A resource that comes after the rollout cannot be deployed. */
  readonly breaksLater?: boolean;
}

export interface Deployment {
  readonly status: 'COMPLETE' | 'ROLLBACK_COMPLETE' | 'ROLLBACK_FAILED';
  readonly reason?: string;
  /** Of the rollout: what new work is given. */
  readonly endpointName?: string;
  readonly version?: string;
}

interface Deployed {
  readonly template: Template;
  readonly runtimeId: string;
  readonly runtimeArn: string;
  readonly version: string;
  readonly physicalId?: string;
  readonly properties?: RolloutProperties;
}

export interface RolloutStackOptions {
  /** In place of the one over HTTP. */
  readonly control?: BedrockAgentCoreControlClient;
  readonly onDeath?: 'again' | 'fail';
  /** What a roll-back tells of the version: that which its new one is called, or the one that the old template's event had. */
  readonly rollbackVersion?: 'new' | 'old';
  readonly executions?: Executions;
  /** In place of the handlers in this process. */
  readonly handlers?: Handlers;
}

/** A request of a handler to the service. */
export interface HandlerCall {
  readonly operation: string;
  readonly input: {
    readonly agentRuntimeId?: string;
    readonly agentRuntimeArn?: string;
    readonly endpointName?: string;
    readonly qualifier?: string;
    readonly runtimeSessionId?: string;
  };
}

type Send = (command: object, ...rest: unknown[]) => Promise<unknown>;

const ROLE = 'arn:aws:iam::123456789012:role/agent';

let stacks = 0;

/**
 * A stack with a runtime and its rollout, deployed as CloudFormation would, on the emulated service and with the real handlers.
 *
 * A change of the runtime makes a version; the rollout is asked to create, update or delete; when it fails, or something after it, the
 * runtime gets its old configuration back, as a new version, and the rollout is asked to update to that.
 */
export class RolloutStack {
  public readonly log: { message: string; details?: object }[] = [];
  public readonly responses: Response[] = [];
  /** Called before each request of the handlers to the service; a rejection is the death of the function. */
  public beforeCall?: (call: HandlerCall) => Promise<void> | void;
  /** The same, after the service has done it. */
  public afterCall?: (call: HandlerCall) => Promise<void> | void;
  /** Called with each answer to CloudFormation. */
  public onResponse?: (response: Response) => void;
  public deployed?: Deployed;
  /** Names of runtimes are unique in an account. */
  private readonly number = ++stacks;
  private readonly control: BedrockAgentCoreControlClient;
  private kill?: () => void;

  constructor(private readonly fixture: ServerFixture, private readonly options: RolloutStackOptions = {}) {
    this.control = options.control ?? fixture.control;
  }

  public async deploy(template: Template): Promise<Deployment> {
    const before = this.deployed;
    const changed = await this.deployRuntime(template, before);
    const response = await this.deployRollout(template, changed, before);
    const failed = response?.status === 'FAILED' || template.breaksLater === true;
    if (!failed) {
      this.deployed = { ...changed, ...(template.rollout ? { physicalId: response!.physicalId, properties: propertiesOf(template, changed) } : {}) };
      if (before !== undefined && before.runtimeId !== changed.runtimeId) await this.deleteRuntime(before.runtimeId);
      return { status: 'COMPLETE', endpointName: response?.data.EndpointName, version: response?.data.Version };
    }
    const rolledBack = await this.rollBack(changed, response, before);
    return { ...rolledBack, reason: response?.status === 'FAILED' ? response.reason : undefined };
  }

  /** Deletes the stack. */
  public async destroy(): Promise<Response | undefined> {
    const { physicalId, properties, runtimeId } = this.deployed!;
    const response = physicalId === undefined ? undefined : await this.ask('Delete', properties!, physicalId);
    await this.deleteRuntime(runtimeId);
    this.deployed = undefined;
    return response;
  }

  /** Names of all endpoints, once those that are going have gone. */
  public async endpoints(): Promise<string[]> {
    await this.fixture.clock.advance(60_000);
    const { runtimeEndpoints } = await this.control.send(
      new ListAgentRuntimeEndpointsCommand({ agentRuntimeId: this.deployed!.runtimeId }));
    return runtimeEndpoints!.map(({ name }) => name!);
  }

  /** Handles one request to its end. */
  public async ask(type: 'Create' | 'Update' | 'Delete', properties: RolloutProperties, physicalId?: string): Promise<Response> {
    const handlers = this.options.handlers ?? this.handlersHere();
    const framework = new ProviderFramework(handlers, () => this.fixture.clock.advance(10_000), this.options.onDeath);
    const response = await framework.request(type, properties, physicalId);
    this.responses.push(response);
    this.onResponse?.(response);
    return response;
  }

  private handlersHere(): Handlers {
    const { clock } = this.fixture;
    return {
      onEvent: async (event) => ({ ...await onEvent(event), Began: clock.now() }),
      isComplete: (event) => this.mortal(() => handleRollout(event, {
        control: new ControlPlane(this.watched(this.control), event.ResourceProperties.RuntimeId),
        sessions: this.watched(this.fixture.client),
        executions: this.options.executions ?? { using: async () => undefined },
        clock: { now: () => clock.now(), sleep: (seconds) => clock.advance(seconds * 1_000) },
        log: { info: (message, details) => this.log.push({ message, details }), warn: (message, details) => this.log.push({ message, details }) },
        until: clock.now() + 700_000,
        backoffSeconds: 1,
      })),
    };
  }

  /** The client, as a handler has it. */
  private watched<T extends { send: unknown }>(client: T): T {
    const send = (client.send as Send).bind(client);
    return Object.assign(Object.create(client) as T, {
      send: async (command: { readonly input: object }, ...rest: unknown[]) => {
        const call = { operation: command.constructor.name.replace(/Command$/, ''), input: command.input };
        await this.orDie(() => this.beforeCall?.(call));
        const output = await send(command, ...rest);
        await this.orDie(() => this.afterCall?.(call));
        return output;
      },
    });
  }

  /** Runs a handler until it answers or dies; a dead one does nothing any more. */
  private async mortal<T>(run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.kill = () => reject(new LambdaDied('RequestId: 1 Error: Runtime exited with error: signal: killed'));
      run().then(resolve, reject);
    });
  }

  private async orDie(hook: () => Promise<void> | void): Promise<void> {
    try {
      await hook();
    } catch {
      this.kill!();
      await new Promise(() => {}); // a dead function does nothing any more
    }
  }

  private async deployRuntime(template: Template, before?: Deployed): Promise<Deployed> {
    const configuration = configurationOf(template);
    if (before === undefined || (before.template.runtimeName ?? 'coder') !== (template.runtimeName ?? 'coder')) {
      const { agentRuntimeId, agentRuntimeArn, agentRuntimeVersion } = await this.control.send(
        new CreateAgentRuntimeCommand({ agentRuntimeName: `${template.runtimeName ?? 'coder'}_${this.number}`, ...configuration }));
      await this.stable(agentRuntimeId!);
      return { template, runtimeId: agentRuntimeId!, runtimeArn: agentRuntimeArn!, version: agentRuntimeVersion! };
    }
    if (JSON.stringify(configuration) === JSON.stringify(configurationOf(before.template))) return { ...before, template };
    const { agentRuntimeVersion } = await this.control.send(
      new UpdateAgentRuntimeCommand({ agentRuntimeId: before.runtimeId, ...configuration }));
    await this.stable(before.runtimeId);
    return { ...before, template, version: agentRuntimeVersion! };
  }

  private async deployRollout(template: Template, changed: Deployed, before?: Deployed): Promise<Response | undefined> {
    if (template.rollout === undefined) {
      return before?.physicalId === undefined || template.breaksLater ? undefined : this.ask('Delete', before.properties!, before.physicalId);
    }
    const properties = propertiesOf(template, changed);
    if (before?.physicalId === undefined) return this.ask('Create', properties);
    const unchanged = JSON.stringify(properties) === JSON.stringify(before.properties);
    return unchanged
      ? { status: 'SUCCESS', reason: '', physicalId: before.physicalId, data: this.responses.at(-1)!.data }
      : this.ask('Update', properties, before.physicalId);
  }

  private async rollBack(changed: Deployed, response: Response | undefined, before?: Deployed): Promise<Deployment> {
    if (before === undefined) {
      if (response !== undefined) await this.ask('Delete', propertiesOf(changed.template, changed), response.physicalId);
      await this.deleteRuntime(changed.runtimeId);
      this.deployed = undefined;
      return { status: 'ROLLBACK_COMPLETE' };
    }
    const isReplaced = changed.runtimeId !== before.runtimeId;
    const runtime = isReplaced ? before : await this.deployRuntime(before.template, changed);
    this.deployed = { ...before, version: runtime.version };
    let rolledBack: Response | undefined;
    if (before.physicalId !== undefined && response !== undefined) {
      const version = this.options.rollbackVersion === 'old' ? before.version : runtime.version;
      const properties = propertiesOf(before.template, { ...before, version });
      rolledBack = await this.ask('Update', properties, before.physicalId);
      this.deployed = { ...this.deployed, properties };
    } else if (response !== undefined) {
      await this.ask('Delete', propertiesOf(changed.template, changed), response.physicalId);
    }
    if (isReplaced) await this.deleteRuntime(changed.runtimeId);
    return {
      status: rolledBack?.status === 'FAILED' ? 'ROLLBACK_FAILED' : 'ROLLBACK_COMPLETE',
      endpointName: rolledBack?.data.EndpointName,
      version: rolledBack?.data.Version,
    };
  }

  /** CloudFormation's own handlers wait for a terminal status. */
  private async stable(agentRuntimeId: string): Promise<void> {
    for (;;) {
      const { status } = await this.control.send(new GetAgentRuntimeCommand({ agentRuntimeId }));
      if (status === 'READY') return;
      if (status?.endsWith('_FAILED')) throw new Error(`the runtime is ${status}`);
      await this.fixture.clock.advance(1_000);
    }
  }

  private async deleteRuntime(agentRuntimeId: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.control.send(new DeleteAgentRuntimeCommand({ agentRuntimeId }));
        await this.fixture.clock.advance(60_000);
        return;
      } catch (error) {
        if ((error as Error).name !== 'ConflictException' || tries > 1_000) throw error;
        await this.fixture.clock.advance(5_000);
      }
    }
  }
}

function configurationOf({ environment = {}, mount = '/mnt/workspace' }: Template) {
  return {
    agentRuntimeArtifact: { containerConfiguration: { containerUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1' } },
    roleArn: ROLE,
    networkConfiguration: { networkMode: 'PUBLIC' as const },
    environmentVariables: environment,
    filesystemConfigurations: [{ sessionStorage: { mountPath: mount } }],
  };
}

type Rolled = Pick<Deployed, 'runtimeId' | 'runtimeArn' | 'version'>;

function propertiesOf({ rollout }: Template, { runtimeId, runtimeArn, version }: Rolled): RolloutProperties {
  return {
    SmokeTests: [],
    KeepEndpoints: '4',
    RetentionSeconds: `${14 * 86_400}`,
    TimeoutSeconds: '1800',
    DeleteUnusedVersions: 'false',
    DrainStateMachines: [],
    DrainSeconds: '600',
    RetainEndpoints: 'false',
    ...rollout,
    RuntimeId: runtimeId,
    RuntimeArn: runtimeArn,
    RuntimeVersion: version,
  };
}

/** A smoke test that is a command. */
export function commandTest(Command: string, rest: Partial<SmokeTestProperties> = {}): SmokeTestProperties {
  return { Name: Command.slice(0, 20), Kind: 'command', Command, ExitCode: '0', TimeoutSeconds: '60', ...rest };
}

/** A smoke test that is an invoke. */
export function invokeTest(payload: unknown, Expect?: string): SmokeTestProperties {
  return { Name: 'invoke', Kind: 'invoke', Payload: JSON.stringify(payload), Expect, TimeoutSeconds: '60' };
}
