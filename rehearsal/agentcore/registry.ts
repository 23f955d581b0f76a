import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from './clock';
import { conflict, notFound } from './errors';

export type Status = 'CREATING' | 'CREATE_FAILED' | 'UPDATING' | 'UPDATE_FAILED' | 'READY' | 'DELETING' | 'DELETE_FAILED';

/** Exactly one member is there, as in the service's union. */
export interface FilesystemConfiguration {
  readonly sessionStorage?: { readonly mountPath: string };
  readonly efsAccessPoint?: { readonly accessPointArn: string; readonly mountPath: string };
  readonly s3FilesAccessPoint?: { readonly accessPointArn: string; readonly mountPath: string };
  readonly capacityProviderVolume?: { readonly volumeName: string; readonly mountPath: string };
}

/** The configuration of a runtime's version, with the API's own names. */
export interface RuntimeConfiguration {
  readonly agentRuntimeArtifact: Readonly<Record<string, unknown>>;
  readonly roleArn: string;
  readonly networkConfiguration?: Readonly<Record<string, unknown>>;
  readonly description?: string;
  readonly environmentVariables?: Readonly<Record<string, string>>;
  readonly filesystemConfigurations?: readonly FilesystemConfiguration[];
  readonly lifecycleConfiguration?: { readonly idleRuntimeSessionTimeout?: number; readonly maxLifetime?: number };
  readonly [other: string]: unknown;
}

export interface RuntimeVersion {
  readonly version: string;
  readonly createdAt: number;
  readonly configuration: RuntimeConfiguration;
}

export interface Endpoint {
  readonly name: string;
  readonly id: string;
  readonly createdAt: number;
  description?: string;
  tags?: Readonly<Record<string, string>>;
  /** The version that is served; absent until the endpoint is ready for the first time. */
  liveVersion?: string;
  targetVersion: string;
  status: Status;
  failureReason?: string;
  lastUpdatedAt: number;
}

export interface Runtime {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  readonly createdAt: number;
  tags?: Readonly<Record<string, string>>;
  status: Status;
  failureReason?: string;
  lastUpdatedAt: number;
  latestVersion: string;
  versions: RuntimeVersion[];
  endpoints: Endpoint[];
}

export interface RegistryProps {
  readonly file: string;
  readonly clock: Clock;
  readonly region: string;
  readonly account: string;
  /** Milliseconds that a runtime or an endpoint stays in transition. */
  readonly transition: number;
}

const FAILED = { CREATING: 'CREATE_FAILED', UPDATING: 'UPDATE_FAILED', DELETING: 'DELETE_FAILED' } as const;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** The account's runtimes with their versions and endpoints; kept in a file, so that their sessions' workspaces can be found again. */
export class Registry {
  private readonly runtimes: Runtime[];
  private nextFailure?: string;

  constructor(readonly props: RegistryProps) {
    this.runtimes = load(props.file);
    // Transitions that were under way when the server ended are complete by now.
    [...this.runtimes].forEach(runtime => [runtime, ...runtime.endpoints].forEach(item => this.settleLater(item, () => this.arrive(runtime, item))));
  }

  /** The next transition that begins ends in failure. */
  failNext(reason: string): void {
    this.nextFailure = reason;
  }

  list(): readonly Runtime[] {
    return this.runtimes;
  }

  /** By id or ARN. */
  find(idOrArn: string): Runtime {
    const runtime = this.runtimes.find(({ id, arn }) => id === idOrArn || arn === idOrArn);
    if (!runtime) {
      throw notFound(`No endpoint or agent found with qualifier 'DEFAULT' for agent '${idOrArn}'`);
    }
    return runtime;
  }

  version(runtime: Runtime, version: string): RuntimeVersion {
    const found = runtime.versions.find(item => item.version === version);
    if (!found) {
      throw notFound(`Agent runtime '${runtime.id}' has no version '${version}'`);
    }
    return found;
  }

  endpoint(runtime: Runtime, name: string): Endpoint {
    const found = runtime.endpoints.find(item => item.name === name);
    if (!found) {
      throw notFound(`No endpoint or agent found with qualifier '${name}' for agent '${runtime.arn}'`);
    }
    return found;
  }

  create(name: string, configuration: RuntimeConfiguration, tags?: Runtime['tags']): Runtime {
    if (this.runtimes.some(runtime => runtime.name === name)) {
      throw conflict(`An agent runtime with the name '${name}' already exists`);
    }
    const { clock, region, account } = this.props;
    const id = `${name}-${randomId()}`;
    const now = clock.now();
    const runtime: Runtime = {
      name,
      id,
      arn: `arn:aws:bedrock-agentcore:${region}:${account}:runtime/${id}`,
      createdAt: now,
      tags,
      status: 'CREATING',
      lastUpdatedAt: now,
      latestVersion: '1',
      versions: [{ version: '1', createdAt: now, configuration }],
      endpoints: [],
    };
    this.runtimes.push(runtime);
    const failure = this.takeFailure();
    this.move(runtime, runtime, 'CREATING', failure);
    this.addEndpoint(runtime, 'DEFAULT', '1', {}, failure);
    return runtime;
  }

  /** A new version, which the DEFAULT endpoint moves to at once. */
  update(runtime: Runtime, configuration: RuntimeConfiguration): RuntimeVersion {
    const now = this.props.clock.now();
    const version = { version: `${Number(runtime.latestVersion) + 1}`, createdAt: now, configuration };
    runtime.versions.push(version);
    runtime.latestVersion = version.version;
    const failure = this.takeFailure();
    const endpoint = this.endpoint(runtime, 'DEFAULT');
    this.move(runtime, runtime, 'UPDATING', failure);
    this.retarget(runtime, endpoint, version.version, endpoint.description, failure);
    return version;
  }

  addEndpoint(runtime: Runtime, name: string, version: string, texts: Pick<Endpoint, 'description' | 'tags'> = {}, failure = this.takeFailure()): Endpoint {
    const now = this.props.clock.now();
    const endpoint: Endpoint = { name, id: name, createdAt: now, ...texts, targetVersion: version, status: 'CREATING', lastUpdatedAt: now };
    runtime.endpoints.push(endpoint);
    this.move(runtime, endpoint, 'CREATING', failure);
    return endpoint;
  }

  retarget(runtime: Runtime, endpoint: Endpoint, version: string, description = endpoint.description, failure = this.takeFailure()): void {
    endpoint.targetVersion = version;
    endpoint.description = description;
    this.move(runtime, endpoint, 'UPDATING', failure);
  }

  removeEndpoint(runtime: Runtime, endpoint: Endpoint): void {
    this.move(runtime, endpoint, 'DELETING');
  }

  remove(runtime: Runtime): void {
    this.move(runtime, runtime, 'DELETING');
  }

  removeVersion(runtime: Runtime, version: string): void {
    runtime.versions = runtime.versions.filter(item => item.version !== version);
    this.save();
  }

  save(): void {
    const { file } = this.props;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(this.runtimes, undefined, 2));
    renameSync(`${file}.new`, file);
  }

  private takeFailure(): string | undefined {
    const reason = this.nextFailure;
    this.nextFailure = undefined;
    return reason;
  }

  private move(runtime: Runtime, item: Runtime | Endpoint, status: Status, failure = this.takeFailure()): void {
    item.status = status;
    item.failureReason = failure;
    item.lastUpdatedAt = this.props.clock.now();
    this.settleLater(item, () => this.arrive(runtime, item));
    this.save();
  }

  private settleLater(item: Runtime | Endpoint, settle: () => void): void {
    const { status, lastUpdatedAt } = item;
    if (!(status in FAILED)) {
      return;
    }
    if (this.props.transition === 0) {
      settle();
      return;
    }
    this.props.clock.setTimeout(() => {
      if (item.status === status && item.lastUpdatedAt === lastUpdatedAt) {
        settle();
      }
    }, this.props.transition);
  }

  private arrive(runtime: Runtime, item: Runtime | Endpoint): void {
    const gone = item.status === 'DELETING';
    if (item.failureReason !== undefined) {
      item.status = FAILED[item.status as keyof typeof FAILED];
      this.save();
      return;
    }
    if (gone && item === runtime) {
      this.runtimes.splice(this.runtimes.indexOf(runtime), 1);
    } else if (gone) {
      runtime.endpoints = runtime.endpoints.filter(endpoint => endpoint !== item);
    } else {
      item.status = 'READY';
    }
    if (!gone && 'targetVersion' in item) {
      item.liveVersion = item.targetVersion;
    }
    this.save();
  }
}

function load(file: string): Runtime[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Runtime[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}

function randomId(): string {
  return [...randomBytes(10)].map(byte => ALPHABET[byte % ALPHABET.length]).join('');
}
