import {
  BedrockAgentCoreControlClient, CreateAgentRuntimeEndpointCommand, DeleteAgentRuntimeCommand, DeleteAgentRuntimeEndpointCommand,
  GetAgentRuntimeCommand, GetAgentRuntimeEndpointCommand, GetAgentRuntimeResponse, ListTagsForResourceCommand,
  paginateListAgentRuntimeEndpoints, paginateListAgentRuntimeVersions, TagResourceCommand, UntagResourceCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { ENDPOINT_NAME, REQUEST_TAG, TAGS } from './constants';
import { NoRoomError, NotThereError } from './errors';
import { digest } from './rollout-request';
import { ERRORS } from '../../jobs/constants';
import { SessionError, typedError } from '../../jobs/errors';

/** An endpoint, with the values of its tags. */
export interface Endpoint {
  readonly name: string;
  readonly arn: string;
  readonly status: string;
  readonly failureReason?: string;
  /** The version that it serves, or will serve after an update. */
  readonly version?: string;
  readonly liveVersion?: string;
  /** The name of the rollout that created it. */
  readonly rollout?: string;
  /** The digests of the sets of tests that it passed. Empty until it passes one. */
  readonly passed: readonly string[];
  /** The request that tests it, or that ended without stopping its session. */
  readonly request?: string;
  readonly retired?: { readonly at: number; readonly by: string };
}

/** A request, and the time at which it began, in milliseconds since the epoch. */
export interface RequestNote {
  readonly id: string;
  readonly began: number;
}

/** The tags that a rollout gives an endpoint. */
export type EndpointTags = { readonly [tag in keyof typeof TAGS]?: string };

/** Properties in which versions of one configuration differ. */
const IDENTITY: readonly string[] = [
  '$metadata', 'agentRuntimeArn', 'agentRuntimeId', 'agentRuntimeName', 'agentRuntimeVersion', 'createdAt', 'failureReason', 'lastUpdatedAt',
  'status', 'workloadIdentityDetails',
] satisfies (keyof GetAgentRuntimeResponse | '$metadata')[];

/**
 * Returns a digest of the configuration of a version.
 *
 * All properties but the identity count: one that this code does not know makes versions differ, so that a version is tested once more. The
 * opposite would return an old version in place of a new one. The digest is never stored, since the service or its SDK may add properties.
 */
export function configurationDigest(version: GetAgentRuntimeResponse): string {
  return digest(Object.fromEntries(Object.entries(version).filter(([name]) => !IDENTITY.includes(name))));
}

/**
 * A runtime in the control plane of AgentCore.
 *
 * Every call can be repeated. Nothing is cached between calls: the service holds the only state.
 */
export class ControlPlane {
  constructor(
    private readonly client: BedrockAgentCoreControlClient,
    private readonly runtimeId: string,
    private readonly beforeChange: () => Promise<void> = async () => {},
  ) {}

  /** Returns the same runtime, where each change waits for a check, and is not made if that fails. */
  public guardedBy(check: () => Promise<void>): ControlPlane {
    return new ControlPlane(this.client, this.runtimeId, check);
  }

  /** Returns the requests of a rollout that are recorded. There are none if the runtime is gone, or if its endpoint `DEFAULT` cannot be tagged. */
  public async requests(runtimeArn: string, rollout: string): Promise<RequestNote[]> {
    const tags = await unlessRefused(() => this.tags(defaultEndpointOf(runtimeArn))) ?? {};
    const prefix = requestTag(rollout, '');
    const notes = Object.entries(tags).filter(([name]) => name.startsWith(prefix));
    return notes.map(([name, began]) => ({ id: name.slice(prefix.length), began: Date.parse(began) }));
  }

  /** Records a request. Returns whether that was possible. Waits for no check, since a check reads these records. */
  public async noteRequest(runtimeArn: string, rollout: string, { id, began }: RequestNote): Promise<boolean> {
    const tags = { [requestTag(rollout, id)]: new Date(began).toISOString() };
    const note = new TagResourceCommand({ resourceArn: defaultEndpointOf(runtimeArn), tags });
    const answer = await unlessRefused(() => unlessGone(() => this.client.send(note)));
    return answer !== undefined;
  }

  /** Removes the records of requests. */
  public async forgetRequests(runtimeArn: string, rollout: string, notes: readonly RequestNote[]): Promise<void> {
    const tagKeys = notes.map(({ id }) => requestTag(rollout, id));
    await unlessGone(() => this.client.send(new UntagResourceCommand({ resourceArn: defaultEndpointOf(runtimeArn), tagKeys })));
  }

  /** Returns the configuration of a version. */
  public async version(version: string): Promise<GetAgentRuntimeResponse> {
    return call(() => this.client.send(new GetAgentRuntimeCommand({ agentRuntimeId: this.runtimeId, agentRuntimeVersion: version })));
  }

  /** Returns all endpoints. Tags are only read for those whose names a rollout could have given. */
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
            passed: (tags[TAGS.PASSED] ?? '').split(' ').filter((item) => item !== ''),
            request: tags[TAGS.REQUEST] || undefined,
            retired: by === undefined ? undefined : { at: Date.parse(at), by },
          });
        }
      }
      return endpoints;
    });
  }

  /** Returns why an endpoint failed. */
  public async failureReason(name: string): Promise<string> {
    return call(async () => {
      const { failureReason } = await this.client.send(new GetAgentRuntimeEndpointCommand({ agentRuntimeId: this.runtimeId, endpointName: name }));
      return failureReason ?? 'the service gives no reason';
    });
  }

  /** Starts to create an endpoint. */
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

  /** Starts to delete an endpoint. Does nothing if it is gone. */
  public async deleteEndpoint(name: string): Promise<void> {
    await this.beforeChange();
    await unlessGone(() => this.client.send(new DeleteAgentRuntimeEndpointCommand({ agentRuntimeId: this.runtimeId, endpointName: name })));
  }

  /** Adds tags to an endpoint, or changes their values. */
  public async tag(arn: string, tags: EndpointTags): Promise<void> {
    await this.beforeChange();
    await call(() => this.client.send(new TagResourceCommand({ resourceArn: arn, tags: tagsOf(tags) })));
  }

  /** Removes a tag from an endpoint. */
  public async untag(arn: string, tag: keyof typeof TAGS): Promise<void> {
    await this.beforeChange();
    await call(() => this.client.send(new UntagResourceCommand({ resourceArn: arn, tagKeys: [TAGS[tag]] })));
  }

  /** Returns all versions. */
  public async versions(): Promise<string[]> {
    return call(async () => {
      const versions: string[] = [];
      for await (const page of paginateListAgentRuntimeVersions({ client: this.client }, { agentRuntimeId: this.runtimeId })) {
        versions.push(...page.agentRuntimes!.map(({ agentRuntimeVersion }) => agentRuntimeVersion!));
      }
      return versions;
    });
  }

  /** Deletes one version. Without a version, the same operation deletes the whole runtime. */
  public async deleteVersion(version: string): Promise<void> {
    if (!/^[1-9][0-9]{0,4}$/.test(version)) throw new RangeError(`"version" must be a whole number from 1 to 99999, not "${version}": use the number of a version`);
    await this.beforeChange();
    await unlessGone(() => this.client.send(new DeleteAgentRuntimeCommand({ agentRuntimeId: this.runtimeId, agentRuntimeVersion: version })));
  }

  /** Returns `undefined` if the endpoint was deleted after it was listed. */
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

/** Returns `undefined` if the service rejects the request as invalid. */
async function unlessRefused<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof SessionError && error.name === ERRORS.VALIDATION) return undefined;
    throw error;
  }
}

/** Returns `undefined` if the resource does not exist. */
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
