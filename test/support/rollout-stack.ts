import {
  BedrockAgentCoreControlClient, CreateAgentRuntimeCommand, DeleteAgentRuntimeCommand, GetAgentRuntimeCommand, ListAgentRuntimeEndpointsCommand,
  UpdateAgentRuntimeCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { ServerFixture } from './agentcore';
import { Handlers, MADE_UP_ID, ProviderFramework, Response } from './cloudformation';
import { HandlerCall, mortal, Watch, watched } from './mortal';
import { CommandTestProperties, InvokeTestProperties } from '../../src/rollout/handler/constants';
import { ControlPlane } from '../../src/rollout/handler/control-plane';
import { Executions } from '../../src/rollout/handler/executions';
import { handleRollout } from '../../src/rollout/handler/handle-rollout';
import { RolloutProperties } from '../../src/rollout/handler/rollout-request';
import { handler as onEvent } from '../../src/rollout/runtime-rollout-event.lambda';

/** A version of the stack's template: the runtime's configuration and the rollout's props. */
export interface Template {
  readonly runtimeName?: string;
  /** Makes one configuration different from another. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly mount?: string;
  /** `undefined` in a template without a rollout. */
  readonly rollout?: Partial<RolloutProperties>;
  /** Determines whether a resource that depends on the rollout fails to deploy. */
  readonly breaksLater?: boolean;
  /** The number of the rollout's call after which the request is cancelled and the stack rolled back, while the handler continues. */
  readonly cancelledAfter?: number;
}

export interface Deployment {
  readonly status: 'COMPLETE' | 'ROLLBACK_COMPLETE' | 'ROLLBACK_FAILED';
  readonly reason?: string;
  /** The endpoint that the rollout gives to new sessions. */
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
  /** Replaces the clients that use HTTP. */
  readonly newControl?: () => BedrockAgentCoreControlClient;
  readonly onDeath?: 'again' | 'fail';
  /** The version that a rollback passes to the rollout: the new version's number, or the number in the old template's event. */
  readonly rollbackVersion?: 'new' | 'old';
  readonly executions?: Executions;
  /** Replaces the handlers in this process. */
  readonly handlers?: Handlers;
}

const ROLE = 'arn:aws:iam::123456789012:role/agent';

let stacks = 0;

/**
 * A stack with a runtime and its rollout, deployed as CloudFormation would, with the emulated service and the real handlers.
 *
 * Each change of the runtime creates a version, and the rollout gets a create, update or delete request. If the rollout or a later
 * resource fails, the runtime is set back to its old configuration, as a new version, and the rollout is updated to that version.
 */
export class RolloutStack {
  public readonly log: { message: string; details?: object }[] = [];
  public readonly responses: Response[] = [];
  /** Called before each of the handlers' requests to the service; a rejection means that the function dies. */
  public beforeCall?: (call: HandlerCall) => Promise<void> | void;
  /** Like `beforeCall`, but called after the service has handled the request. */
  public afterCall?: (call: HandlerCall) => Promise<void> | void;
  /** Responses to cancelled requests, which nobody reads. */
  public readonly unread: Response[] = [];
  /** Called with each response to CloudFormation. */
  public onResponse?: (response: Response) => void;
  public deployed?: Deployed;
  /** Runtime names are unique in an account. */
  private readonly number = ++stacks;
  private readonly newControl: () => BedrockAgentCoreControlClient;
  private readonly control: BedrockAgentCoreControlClient;
  /** The number of calls after which the next request is cancelled, and what happens then. */
  private cancel?: { readonly after: number; readonly run: () => Promise<void> };

  constructor(private readonly fixture: ServerFixture, private readonly options: RolloutStackOptions = {}) {
    this.newControl = options.newControl ?? fixture.newControl;
    this.control = this.newControl();
  }

  public async deploy(template: Template): Promise<Deployment> {
    const before = this.deployed;
    const changed = await this.deployRuntime(template, before);
    let cancelled: Deployment | undefined;
    const rollBack = async () => { cancelled = await this.rollBack(changed, { status: 'FAILED', physicalId: MADE_UP_ID }, before); };
    this.cancel = template.cancelledAfter === undefined ? undefined : { after: template.cancelledAfter, run: rollBack };
    const response = await this.deployRollout(template, changed, before);
    this.cancel = undefined;
    if (cancelled !== undefined) return cancelled;
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

  /** Returns the names of all endpoints, once deletions have completed. */
  public async endpoints(): Promise<string[]> {
    await this.fixture.clock.advance(60_000);
    const { runtimeEndpoints } = await this.control.send(
      new ListAgentRuntimeEndpointsCommand({ agentRuntimeId: this.deployed!.runtimeId }));
    return runtimeEndpoints!.map(({ name }) => name!);
  }

  /** Handles one request to completion. */
  public async ask(type: 'Create' | 'Update' | 'Delete', properties: RolloutProperties, physicalId?: string): Promise<Response> {
    await this.fixture.clock.advance(1_000); // no two requests start at the same time
    const { cancel } = this;
    this.cancel = undefined;
    let calls = 0;
    let isCancelled = false;
    const handlers = this.options.handlers ?? this.handlersHere(async ({ operation, input }) => {
      // Never at the check itself: a change arrives before the next request looks at anything, not a whole rollback after its check.
      const isCheck = calls++ > 0 && operation === 'ListTagsForResource' && input.resourceArn!.endsWith('/DEFAULT');
      if (cancel === undefined || isCancelled || calls < cancel.after || isCheck) return;
      isCancelled = true;
      await cancel.run();
    });
    const framework = new ProviderFramework(handlers, () => this.fixture.clock.advance(10_000), this.options.onDeath);
    const response = await framework.request(type, properties, physicalId);
    if (isCancelled) {
      this.unread.push(response);
      return response;
    }
    this.responses.push(response);
    this.onResponse?.(response);
    return response;
  }

  private handlersHere(arrived: Watch['arrived']): Handlers {
    const { clock } = this.fixture;
    const watch: Watch = { arrived, before: (call) => this.beforeCall?.(call), after: (call) => this.afterCall?.(call) };
    return {
      onEvent: async (event) => ({ ...await onEvent(event), Began: clock.now() }),
      isComplete: (event) => mortal((kill) => handleRollout(event, {
        control: new ControlPlane(watched(this.newControl(), kill, watch), event.ResourceProperties.RuntimeId),
        sessions: watched(this.fixture.newClient(), kill, watch),
        executions: this.options.executions ?? { using: async () => new Map() },
        clock: { now: () => clock.now(), sleep: (seconds) => clock.advance(seconds * 1_000) },
        log: { info: (message, details) => this.log.push({ message, details }), warn: (message, details) => this.log.push({ message, details }) },
        until: clock.now() + 700_000,
        backoffSeconds: 1,
      })),
    };
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

  private async rollBack(changed: Deployed, response: Pick<Response, 'status' | 'physicalId'> | undefined, before?: Deployed): Promise<Deployment> {
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

  /** Waits for a terminal status, as CloudFormation's own handlers do. */
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

/** Returns a smoke test that runs a command. */
export function commandTest(Command: string, rest: Partial<CommandTestProperties> = {}): CommandTestProperties {
  return { Name: Command.slice(0, 20), Command, ExitCode: '0', TimeoutSeconds: '60', ...rest };
}

/** Returns a smoke test that invokes the agent. */
export function invokeTest(payload: unknown, Expect?: string): InvokeTestProperties {
  return { Name: 'invoke', Payload: JSON.stringify(payload), Expect, TimeoutSeconds: '60' };
}
