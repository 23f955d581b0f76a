import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BedrockAgentCoreClient, InvokeAgentRuntimeCommand, InvokeAgentRuntimeCommandCommand, InvokeAgentRuntimeCommandCommandInput,
  StopRuntimeSessionCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import { BedrockAgentCoreControlClient } from '@aws-sdk/client-bedrock-agentcore-control';
import { AgentCoreServer, AgentCoreServerProps, MovableClock, RuntimeProps } from '../../rehearsal/agentcore';

// The tests run real processes, on a machine that may be busy with other tests.
jest.setTimeout(60_000);

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

/** The result of a command's stream, and the kind of each of its events. */
export interface CommandResult {
  stdout: string;
  stderr: string;
  exitCode?: number;
  status?: string;
  error?: Error;
  events: string[];
}

/** A server with one runtime that has session storage, real SDK clients and its own state directory. */
export class ServerFixture {
  static async start(runtimeProps: Partial<RuntimeProps> = {}, props: Partial<AgentCoreServerProps> = {}): Promise<ServerFixture> {
    const stateDirectory = props.stateDirectory ?? mkdtempSync(join(tmpdir(), 'agentcore-'));
    const clock = new MovableClock();
    const server = await AgentCoreServer.start({ clock, ...props, stateDirectory });
    const runtime = server.createRuntime({ name: 'coder', mounts: ['/mnt/workspace'], ...runtimeProps });
    return new ServerFixture(server, clock, runtime.arn, stateDirectory);
  }

  readonly client: BedrockAgentCoreClient;
  /** Returns another client, for code that adds middleware to it. */
  readonly newClient: () => BedrockAgentCoreClient;
  readonly control: BedrockAgentCoreControlClient;
  /** Returns another client of the control plane, for code that adds middleware to it. */
  readonly newControl: () => BedrockAgentCoreControlClient;
  readonly sessionId = newSessionId();

  private constructor(readonly server: AgentCoreServer, readonly clock: MovableClock, readonly arn: string, readonly stateDirectory: string) {
    const config = { endpoint: server.endpoint, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1 };
    this.newClient = () => new BedrockAgentCoreClient({ ...config, requestHandler: this.client?.config.requestHandler });
    this.client = this.newClient();
    this.newControl = () => new BedrockAgentCoreControlClient({ ...config, requestHandler: this.control?.config.requestHandler });
    this.control = this.newControl();
  }

  /** Runs a shell line and reads its stream to the end, however it ends. */
  async command(line: string, input: Partial<InvokeAgentRuntimeCommandCommandInput> & { timeout?: number } = {}): Promise<CommandResult> {
    return this.text(shellLine(line), input);
  }

  /** Like `command()`, but sends the text unchanged. */
  async text(command: string, input: Partial<InvokeAgentRuntimeCommandCommandInput> & { timeout?: number } = {}): Promise<CommandResult> {
    const { timeout, ...rest } = input;
    const response = await this.client.send(new InvokeAgentRuntimeCommandCommand({
      agentRuntimeArn: this.arn, runtimeSessionId: this.sessionId, body: { command, timeout }, ...rest,
    }));
    const result: CommandResult = { stdout: '', stderr: '', events: [] };
    try {
      for await (const event of response.stream!) {
        const { contentStart, contentDelta, contentStop } = event.chunk ?? {};
        result.events.push(contentStart ? 'contentStart' : contentDelta ? 'contentDelta' : contentStop ? 'contentStop' : 'unknown');
        result.stdout += contentDelta?.stdout ?? '';
        result.stderr += contentDelta?.stderr ?? '';
        Object.assign(result, contentStop);
      }
    } catch (error) {
      result.error = error as Error;
    }
    return result;
  }

  async invoke(payload: unknown, input: {
    runtimeSessionId?: string; qualifier?: string; agentRuntimeArn?: string; runtimeUserId?: string; baggage?: string; traceParent?: string;
  } = {}) {
    const response = await this.client.send(new InvokeAgentRuntimeCommand({
      agentRuntimeArn: this.arn, runtimeSessionId: this.sessionId, contentType: 'application/json', payload: Buffer.from(JSON.stringify(payload)), ...input,
    }));
    return { ...response, text: () => response.response!.transformToString() };
  }

  async stop(input: { runtimeSessionId?: string; qualifier?: string; agentRuntimeArn?: string; runtimeUserId?: string } = {}) {
    return this.client.send(new StopRuntimeSessionCommand({ agentRuntimeArn: this.arn, runtimeSessionId: this.sessionId, ...input }));
  }

  /** Stops the server. Fails if one of its mounts or a process in one of its sandboxes is left. */
  async close(options: { keepState?: boolean } = {}): Promise<void> {
    this.client.destroy();
    this.control.destroy();
    await this.server.close();
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(this.stateDirectory)) {
      throw new Error(`a mount of ${this.stateDirectory} is left`);
    }
    if (!options.keepState) {
      rmSync(this.stateDirectory, { recursive: true });
    }
  }
}

/** Returns text that runs the line in bash in each mode except `shell`. A program without arguments is the same text in all modes. */
export function shellLine(line: string): string {
  if (/^\w+$/.test(line)) return line;
  return line.includes("'") ? `/bin/bash -c "${line.replace(/["\\]/g, '\\$&')}"` : `/bin/bash -c '${line}'`;
}

let sessions = 0;

/** Returns a session id of the length that the service requires. */
export function newSessionId(): string {
  return `test-session-${process.pid}-${`${++sessions}`.padStart(24, '0')}`;
}
