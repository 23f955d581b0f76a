import { mkdirSync } from 'node:fs';
import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { NamespaceDriver, SandboxDriver, SandboxMount } from '../sandbox';
import { checkedResources } from './access';
import { Agent } from './agent';
import { Call, CallLog } from './calls';
import { Clock, MovableClock } from './clock';
import { strikeBeforeStart, Unconfirmed } from './data-plane';
import { Agents, deploy, RuntimeProps } from './deploy';
import { hostEnvironment, serviceEnvironment } from './environment';
import { ServiceError, StreamCut } from './errors';
import { Exchange, SESSION_HEADER } from './exchange';
import { Faults } from './faults';
import { LIMITS } from './limits';
import { Registry, RuntimeVersion, Runtime } from './registry';
import { strikeBeforeReply } from './reply';
import { route, Routed } from './router';
import { SessionLog } from './session-log';
import { Sessions } from './sessions';
import { StartFailures } from './start-failure';
import { WorkspaceKey, Workspaces } from './workspaces';

export interface AgentCoreServerProps extends Partial<Unconfirmed> {
  /** Keeps runtimes and workspaces from one start to the next. One server at a time uses it. */
  readonly stateDirectory: string;
  /** @default - Linux namespaces */
  readonly sandbox?: SandboxDriver;
  /** @default - the real time, which can be moved on */
  readonly clock?: Clock;
  /** @default 'us-east-1' */
  readonly region?: string;
  /** @default '123456789012' */
  readonly account?: string;
  /** Milliseconds that runtimes and endpoints stay in CREATING, UPDATING and DELETING. @default 0 */
  readonly transition?: number;
  /** The agent of runtimes that are created through the control plane. @default - no agent: invocations fail, commands work */
  readonly agentFor?: (runtime: Runtime, version: RuntimeVersion) => Agent | undefined;
  /** Environment variables of every container. @default - the host's PATH, locale, proxy and certificates, and the region */
  readonly environment?: Readonly<Record<string, string>>;
  /** Directories of the host that all sandboxes share with it at the same path, such as that of a bare repository. */
  readonly sharedDirectories?: readonly string[];
  /** Directories of the host that all sandboxes share with it at a path of their own. */
  readonly mounts?: readonly SandboxMount[];
}

/** A request to another service of AWS. */
export interface OtherRequest {
  /** The service and the operation, as the header `x-amz-target` names them; undefined for services that name them by the path. */
  readonly target?: string;
  readonly method: string;
  /** The path, with the query. */
  readonly path: string;
  readonly authorization: string;
  /** The header `x-amz-invocation-type`. */
  readonly invocationType?: string;
  /** All headers, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface OtherReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** It is sent as it is, in place of a body. */
  readonly bytes?: Buffer;
}

/**
 * Amazon Bedrock AgentCore Runtime on loopback: its data and control plane, as the SDKs use them. FEATURES.md lists what is emulated
 * and what is not.
 */
export class AgentCoreServer {
  static async start(props: AgentCoreServerProps): Promise<AgentCoreServer> {
    const server = new AgentCoreServer(props);
    await new Promise<void>((started, failed) => server.http.once('error', failed).listen(0, '127.0.0.1', started));
    return server;
  }

  readonly calls = new CallLog();
  readonly faults = new Faults();
  readonly clock: Clock;
  /** Describes what runs relied on that the service does not offer. */
  readonly warnings: string[] = [];
  readonly logs: SessionLog;
  readonly startFailures = new StartFailures();
  /** Returns why a request is refused, by its authorization header. @default - every request is allowed */
  authorize?: (authorization: string, action: string, resources: readonly string[]) => string | undefined;
  /** Answers requests to other services that come here, such as those of agents to Step Functions. @default - they are refused */
  answer?: (request: OtherRequest) => Promise<OtherReply | undefined> | OtherReply | undefined;
  private readonly http: Server;
  private readonly registry: Registry;
  private readonly workspaces: Workspaces;
  private readonly sessions: Sessions;
  private readonly agents = new Agents();
  /** By the id of the runtime. */
  private readonly accessKeyIds = new Map<string, string>();
  private readonly replies = new Map<string, unknown>();
  private readonly unconfirmed: Unconfirmed;

  private constructor(props: AgentCoreServerProps) {
    const { region = 'us-east-1', account = '123456789012', clock = new MovableClock() } = props;
    const sandbox: SandboxDriver = props.sandbox ?? new NamespaceDriver();
    const stateDirectory = resolve(props.stateDirectory);
    mkdirSync(stateDirectory, { recursive: true });
    this.clock = clock;
    this.unconfirmed = {
      commandMode: props.commandMode ?? 'strict',
      leftovers: props.leftovers ?? 'keep',
      onDisconnect: props.onDisconnect ?? 'continue',
      onSessionEnd: props.onSessionEnd ?? 'end',
      timedOutExitCode: props.timedOutExitCode ?? -1,
    };
    this.registry = new Registry({ file: join(stateDirectory, 'runtimes.json'), clock, region, account, transition: props.transition ?? 0 });
    this.workspaces = new Workspaces(join(stateDirectory, 'workspaces'), clock);
    this.logs = new SessionLog(join(stateDirectory, 'logs'));
    this.sessions = new Sessions(this.registry, {
      driver: sandbox,
      clock,
      workspaces: this.workspaces,
      stateDirectory,
      environment: ({ runtimeId }) => ({
        ...hostEnvironment(region, sandbox.image !== undefined),
        ...serviceEnvironment(this.endpoint, this.accessKeyIds.get(runtimeId) ?? 'AKIDLOCAL', props.environment),
        ...props.environment,
      }),
      shared: [...(props.sharedDirectories ?? []).map((directory) => ({ source: directory, target: directory })), ...props.mounts ?? []],
      agent: ({ runtimeId }, version) => {
        const runtime = this.registry.find(runtimeId);
        return this.agents.find(runtime, version) ?? props.agentFor?.(runtime, version);
      },
      log: (key, text) => this.logs.append(key, text),
      notStarted: (failure) => this.startFailures.add(failure),
      warn: (key, text) => {
        const warning = `${sessionName(key)}${text}`;
        if (!this.warnings.includes(warning)) {
          this.warnings.push(warning);
        }
      },
    });
    this.http = createServer((request, response) => void this.handle(request, response));
    this.http.requestTimeout = 0; // a command may take an hour
    this.http.keepAliveTimeout = 0; // a request that comes just when its idle connection is closed would look cut off
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /**
   * Deploys a runtime: creates it if none has that name, or makes a new version of it if its configuration has changed, as a deployment with
   * CloudFormation would. Called again after a restart with the same state directory, it finds the runtime and its workspaces.
   */
  createRuntime(props: RuntimeProps): { arn: string; id: string; version: string } {
    const { runtime, version } = deploy(this.registry, props);
    this.agents.set(runtime, version, props.agent);
    if (props.accessKeyId !== undefined) this.accessKeyIds.set(runtime.id, props.accessKeyId);
    return { arn: runtime.arn, id: runtime.id, version: version.version };
  }

  /** The session goes on in a new microVM: no process and nothing of the ephemeral disk is left, the workspace is. */
  async replaceMicrovm(runtimeArn: string, sessionId: string, qualifier = 'DEFAULT'): Promise<void> {
    await this.sessions.get(runtimeArn, qualifier, sessionId).replaceMicrovm();
  }

  async wipeWorkspace(runtimeArn: string, sessionId: string, qualifier = 'DEFAULT'): Promise<void> {
    await this.sessions.get(runtimeArn, qualifier, sessionId).wipeWorkspace();
  }

  /** Returns the session's mounts, with their directories on the host. */
  mounts(runtimeArn: string, sessionId: string, qualifier = 'DEFAULT'): readonly SandboxMount[] {
    return this.sessions.get(runtimeArn, qualifier, sessionId).filesystems;
  }

  /** Returns the directory of the session's own storage on the host. */
  workspaceDirectory(runtimeArn: string, sessionId: string, qualifier = 'DEFAULT'): string {
    return this.workspaces.data(this.sessions.get(runtimeArn, qualifier, sessionId).key);
  }

  /** Those of one session, when its workspace has been looked through. */
  async warningsOf(runtimeArn: string, sessionId: string, qualifier = 'DEFAULT'): Promise<readonly string[]> {
    const session = this.sessions.get(runtimeArn, qualifier, sessionId);
    await session.inspected();
    const name = sessionName(session.key);
    return this.warnings.filter(warning => warning.startsWith(name)).map(warning => warning.slice(name.length));
  }

  /** Ends all sessions and connections. Workspaces stay. */
  async close(): Promise<void> {
    const closed = new Promise(done => this.http.close(done)); // calls back when it is closed already, too
    await this.sessions.close();
    this.http.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.headers['x-amz-target']?.toString();
    const isS3 = S3.test(request.headers.authorization ?? '');
    const found = target === undefined && !isS3 ? route(request.method ?? 'GET', request.url ?? '/') : undefined;
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) {
      return; // the client has gone
    }
    const call = new Call(found?.operation ?? nameOf(request, isS3), found?.runtime, found?.qualifier ?? 'DEFAULT', body, this.clock.now());
    call.sessionId = request.headers[SESSION_HEADER]?.toString(); // also of a call that is refused before anything looks at it
    const exchange = new Exchange(request, response, call, this.faults, this.calls, this.clock);
    try {
      if (!found) {
        await strikeBeforeStart(exchange);
        const answer = await this.answer?.(otherRequest(request, body));
        if (answer) {
          await strikeBeforeReply(exchange);
          if (answer.bytes !== undefined) exchange.bytes(answer.status, answer.bytes, answer.headers);
          else exchange.json(answer.status, answer.body, answer.headers ?? { 'content-type': 'application/x-amz-json-1.0' });
          return;
        }
        exchange.json(404, { message: `not an operation of this server: ${target ?? `${request.method} ${request.url}`}` }, { 'x-amzn-errortype': 'UnknownOperationException' });
        return;
      }
      this.checkAccess(request, found);
      const { clock, sessions, registry, workspaces, unconfirmed, replies } = this;
      await found.run(exchange, { clock, sessions, registry, workspaces, unconfirmed, replies });
    } catch (error) {
      if (!(error instanceof StreamCut)) {
        await exchange.error(error);
      }
    }
  }

  private checkAccess(request: IncomingMessage, { operation, runtime, qualifier }: Routed): void {
    if (this.authorize === undefined) return;
    const resources = runtime === undefined ? ['*'] : checkedResources(operation, this.registry.find(runtime).arn, qualifier);
    const refusal = this.authorize(request.headers.authorization ?? '', `bedrock-agentcore:${operation}`, resources);
    if (refusal !== undefined) throw new ServiceError('AccessDeniedException', refusal);
  }
}

/** The path of Lambda's `Invoke`. */
const INVOKE = /^\/2015-03-31\/functions\/[^/]+\/invocations/;

/** The authorization of a request to S3, whose paths could be those of other services. */
const S3 = /Credential=[^,]*\/s3\/aws4_request/;

/** Returns the name of an operation of another service. */
function nameOf({ method = 'GET', url = '/', headers }: IncomingMessage, isS3: boolean): string {
  const ofS3: Readonly<Record<string, string>> = { PUT: 'PutObject', HEAD: 'HeadObject', GET: url.includes('list-type=2') ? 'ListObjectsV2' : 'GetObject' };
  if (isS3) return ofS3[method] ?? 'Unknown';
  return headers['x-amz-target']?.toString().split('.').pop() ?? (INVOKE.test(url) ? 'Invoke' : 'Unknown');
}

function otherRequest({ method = 'GET', url: path = '/', headers }: IncomingMessage, body: Buffer): OtherRequest {
  const header = (name: string) => headers[name]?.toString();
  const all = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString() ?? '']));
  return { target: header('x-amz-target'), method, path, authorization: headers.authorization ?? '', invocationType: header('x-amz-invocation-type'), headers: all, body };
}

/** The start of a warning. */
function sessionName({ runtimeId, endpoint, sessionId }: WorkspaceKey): string {
  return `${runtimeId} ${endpoint} ${sessionId}: `;
}

/** Keeps one byte more than any operation takes, which is enough to refuse it. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let room = LIMITS.payload + 1;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (room > 0) {
      chunks.push(chunk.subarray(0, room));
      room -= chunk.length;
    }
  }
  return Buffer.concat(chunks);
}
