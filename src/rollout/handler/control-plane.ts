import {
  BedrockAgentCoreControlClient, CreateAgentRuntimeEndpointCommand, DeleteAgentRuntimeCommand, DeleteAgentRuntimeEndpointCommand,
  GetAgentRuntimeCommand, GetAgentRuntimeEndpointCommand, GetAgentRuntimeResponse, ListTagsForResourceCommand,
  paginateListAgentRuntimeEndpoints, paginateListAgentRuntimeVersions, TagResourceCommand, UntagResourceCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { ENDPOINT_NAME, REQUEST_TAG, TAGS } from './constants';
import { NoRoomError, NotThereError } from './errors';
import { ERRORS } from '../../jobs/constants';
import { SessionError, typedError } from '../../jobs/errors';

/** An endpoint, with what its tags say of it. */
export interface Endpoint {
  readonly name: string;
  readonly arn: string;
  readonly status: string;
  readonly failureReason?: string;
  /** What it serves, or will. */
  readonly version?: string;
  readonly liveVersion?: string;
  /** Name of the rollout that made it. */
  readonly rollout?: string;
  /** Digests of the sets of tests that it passed; empty until it passes one. */
  readonly passed: readonly string[];
  /** The request that tests it, or ended without stopping its session. */
  readonly request?: string;
  readonly retired?: { readonly at: number; readonly by: string };
}

/** A request, and the milliseconds since the epoch at which it began. */
export interface RequestNote {
  readonly id: string;
  readonly began: number;
}

/** What the rollout tells an endpoint to remember. */
export type EndpointTags = { readonly [tag in keyof typeof TAGS]?: string };

/**
 * One runtime in AgentCore's control plane.
 *
 * Every call may be made again. Nothing is remembered between calls: what is true is what the service says.
 */
export class ControlPlane {
  constructor(
    private readonly client: BedrockAgentCoreControlClient,
    private readonly runtimeId: string,
    private readonly beforeChange: () => Promise<void> = async () => {},
  ) {}

  /** The same, where each change waits for a check, and is not made if that fails. */
  public guardedBy(check: () => Promise<void>): ControlPlane {
    return new ControlPlane(this.client, this.runtimeId, check);
  }

  /** Requests of a rollout that noted themselves; none if the runtime is gone, or its endpoint `DEFAULT` can have no tags. */
  public async requests(runtimeArn: string, rollout: string): Promise<RequestNote[]> {
    const tags = await unlessRefused(() => this.tags(defaultEndpointOf(runtimeArn))) ?? {};
    const prefix = requestTag(rollout, '');
    const notes = Object.entries(tags).filter(([name]) => name.startsWith(prefix));
    return notes.map(([name, began]) => ({ id: name.slice(prefix.length), began: Date.parse(began) }));
  }

  /** Returns whether it could be noted. Waits for no check: it is what the check looks at. */
  public async noteRequest(runtimeArn: string, rollout: string, { id, began }: RequestNote): Promise<boolean> {
    const tags = { [requestTag(rollout, id)]: new Date(began).toISOString() };
    const note = new TagResourceCommand({ resourceArn: defaultEndpointOf(runtimeArn), tags });
    const answer = await unlessRefused(() => unlessGone(() => this.client.send(note)));
    return answer !== undefined;
  }

  public async forgetRequests(runtimeArn: string, rollout: string, notes: readonly RequestNote[]): Promise<void> {
    const tagKeys = notes.map(({ id }) => requestTag(rollout, id));
    await unlessGone(() => this.client.send(new UntagResourceCommand({ resourceArn: defaultEndpointOf(runtimeArn), tagKeys })));
  }

  public async version(version: string): Promise<GetAgentRuntimeResponse> {
    return call(() => this.client.send(new GetAgentRuntimeCommand({ agentRuntimeId: this.runtimeId, agentRuntimeVersion: version })));
  }

  /** All endpoints. Tags are read of those only that by their names may be ours. */
  public async endpoints(): Promise<Endpoint[]> {
    return call(async () => {
      const endpoints: Endpoint[] = [];
      for await (const page of paginateListAgentRuntimeEndpoints({ client: this.client }, { agentRuntimeId: this.runtimeId })) {
        for (const { name, agentRuntimeEndpointArn: arn, status, targetVersion, liveVersion } of page.runtimeEndpoints!) {
          const tags = ENDPOINT_NAME.test(name!) ? await this.tags(arn!) : {};
          if (tags === undefined) continue;
          const [at, by] = (tags[TAGS.RETIRED] ?? '').split(' ');
          endpoints.push({
            name: name!,
            arn: arn!,
            status: status!,
            version: targetVersion ?? liveVersion,
            liveVersion,
            rollout: tags[TAGS.ROLLOUT],
            passed: (tags[TAGS.PASSED] ?? '').split(' ').filter((digest) => digest !== ''),
            request: tags[TAGS.REQUEST] || undefined,
            retired: by === undefined ? undefined : { at: Date.parse(at), by },
          });
        }
      }
      return endpoints;
    });
  }

  public async failureReason(name: string): Promise<string> {
    return call(async () => {
      const { failureReason } = await this.client.send(new GetAgentRuntimeEndpointCommand({ agentRuntimeId: this.runtimeId, endpointName: name }));
      return failureReason ?? 'the service gives no reason';
    });
  }

  public async createEndpoint(name: string, version: string, description: string, tags: EndpointTags): Promise<void> {
    await this.beforeChange();
    try {
      await this.client.send(new CreateAgentRuntimeEndpointCommand({
        agentRuntimeId: this.runtimeId, name, agentRuntimeVersion: version, description, tags: tagsOf(tags),
      }));
    } catch (error) {
      if ((error as Error).name === 'ServiceQuotaExceededException') throw new NoRoomError((error as Error).message);
      throw translated(error);
    }
  }

  /** Begins the deletion. An endpoint that is gone is as good. */
  public async deleteEndpoint(name: string): Promise<void> {
    await this.beforeChange();
    await unlessGone(() => this.client.send(new DeleteAgentRuntimeEndpointCommand({ agentRuntimeId: this.runtimeId, endpointName: name })));
  }

  public async tag(arn: string, tags: EndpointTags): Promise<void> {
    await this.beforeChange();
    await call(() => this.client.send(new TagResourceCommand({ resourceArn: arn, tags: tagsOf(tags) })));
  }

  public async untag(arn: string, tag: keyof typeof TAGS): Promise<void> {
    await this.beforeChange();
    await call(() => this.client.send(new UntagResourceCommand({ resourceArn: arn, tagKeys: [TAGS[tag]] })));
  }

  public async versions(): Promise<string[]> {
    return call(async () => {
      const versions: string[] = [];
      for await (const page of paginateListAgentRuntimeVersions({ client: this.client }, { agentRuntimeId: this.runtimeId })) {
        versions.push(...page.agentRuntimes!.map(({ agentRuntimeVersion }) => agentRuntimeVersion!));
      }
      return versions;
    });
  }

  /** Deletes one version. The same operation deletes the whole runtime if it is given none. */
  public async deleteVersion(version: string): Promise<void> {
    if (!/^[1-9][0-9]{0,4}$/.test(version)) throw new RangeError(`"${version}" is not a version`);
    await this.beforeChange();
    await unlessGone(() => this.client.send(new DeleteAgentRuntimeCommand({ agentRuntimeId: this.runtimeId, agentRuntimeVersion: version })));
  }

  /** `undefined` if the endpoint has gone since it was listed. */
  private async tags(resourceArn: string): Promise<Record<string, string> | undefined> {
    return unlessGone(async () => (await this.client.send(new ListTagsForResourceCommand({ resourceArn }))).tags ?? {});
  }
}

function defaultEndpointOf(runtimeArn: string): string {
  return `${runtimeArn}/runtime-endpoint/DEFAULT`;
}

function requestTag(rollout: string, id: string): string {
  return `${REQUEST_TAG}${rollout}:${id}`;
}

function tagsOf(tags: EndpointTags): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [TAGS[name as keyof typeof TAGS], value]));
}

/** `undefined` where the service does not take a request as such. */
async function unlessRefused<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof SessionError && error.name === ERRORS.VALIDATION) return undefined;
    throw error;
  }
}

async function unlessGone<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call(send);
  } catch (error) {
    if (error instanceof NotThereError) return undefined;
    throw error;
  }
}

async function call<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): Error {
  if (error instanceof NotThereError) return error;
  const typed = typedError(error);
  return typed.name === ERRORS.NOT_FOUND ? new NotThereError(typed.message) : typed;
}
