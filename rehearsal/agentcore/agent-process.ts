import { get, IncomingMessage, request as httpRequest } from 'node:http';
import type { SandboxProcess } from '../sandbox';
import type { AgentContext, AgentRequest, AgentResponse, CommandAgent, RunningAgent } from './agent';
import { agentFailed } from './errors';
import { LIMITS } from './limits';
import { StartError } from './start-failure';

/** Milliseconds between two pings of an agent that is starting: short, since every rehearsal waits for this. */
const PING_INTERVAL = 15;

/** Characters of an error's body that are kept. */
const COMPLAINT_LENGTH = 2_000;

/** An agent that is a program of its own, spoken to over HTTP as the service does. */
export class AgentProcess implements RunningAgent {
  static async start(agent: CommandAgent, { sandbox, clock, log }: AgentContext): Promise<AgentProcess> {
    const { inside, outside } = await sandbox.agentPort();
    const started = await sandbox.spawn({
      command: agent.command,
      workingDirectory: agent.workingDirectory,
      environment: { PORT: `${inside}` },
      onStdout: chunk => log(chunk.toString()),
      onStderr: chunk => log(chunk.toString()),
    });
    const running = new AgentProcess(outside, started, log);
    await running.healthy(milliseconds => new Promise<void>(resolve => clock.setTimeout(resolve, milliseconds)));
    return running;
  }

  private exitCode?: number;

  private constructor(private readonly port: number, process: SandboxProcess, private readonly log: (text: string) => void) {
    void process.ended.then(({ exitCode }) => this.exitCode = exitCode);
  }

  async busy(): Promise<boolean> {
    return await this.ping() === 'HealthyBusy';
  }

  async invoke(request: AgentRequest, signal: AbortSignal): Promise<AgentResponse> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        host: '127.0.0.1',
        port: this.port,
        path: '/invocations',
        method: 'POST',
        signal,
        agent: false,
        headers: {
          'content-type': request.contentType,
          'content-length': request.payload.length,
          'accept': request.accept,
          ...request.traceHeaders,
          'x-amzn-bedrock-agentcore-runtime-session-id': request.sessionId,
          ...(request.userId !== undefined ? { 'x-amzn-bedrock-agentcore-runtime-user-id': request.userId } : {}),
        },
      }, response => {
        if (response.statusCode! < 400) {
          return resolve({ statusCode: response.statusCode, contentType: response.headers['content-type'], body: response });
        }
        void this.complaint(response).catch(() => '').then(body => resolve({ statusCode: response.statusCode, body }));
      });
      outgoing.on('error', error => reject(signal.aborted ? error : agentFailed(502)));
      outgoing.end(request.payload);
    });
  }

  /** The service keeps the reason to itself: for who rehearses, it is in the session's log. */
  private async complaint(response: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (text.length >= COMPLAINT_LENGTH) {
        break;
      }
    }
    text = text.slice(0, COMPLAINT_LENGTH);
    this.log(`the agent answered ${response.statusCode}: ${text}\n`);
    return text;
  }

  private async healthy(wait: (milliseconds: number) => Promise<void>): Promise<void> {
    let late = false;
    void wait(LIMITS.initialization * 1000).then(() => late = true);
    while (await this.ping() === undefined) {
      if (this.exitCode !== undefined) {
        throw new StartError(`the agent ended with exit code ${this.exitCode} before it was healthy`);
      }
      if (late) {
        throw new StartError(`Runtime initialization time exceeded. Please make sure that initialization completes in ${LIMITS.initialization}s.`);
      }
      await new Promise(resolve => setTimeout(resolve, PING_INTERVAL));
    }
  }

  private ping(): Promise<string | undefined> {
    return new Promise(resolve => {
      const call = get({ host: '127.0.0.1', port: this.port, path: '/ping', agent: false, timeout: 5_000 }, response => {
        readAll(response).then(text => resolve(response.statusCode === 200 ? statusOf(text) : undefined), () => resolve(undefined));
      });
      call.on('timeout', () => call.destroy());
      call.on('error', () => resolve(undefined));
    });
  }
}

/** An agent that answers 200 with anything else than the contract's JSON is still healthy. */
function statusOf(text: string): string {
  try {
    return (JSON.parse(text) as { status?: string }).status ?? 'Healthy';
  } catch {
    return 'Healthy';
  }
}

async function readAll(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message.setEncoding('utf8')) {
    text += chunk;
  }
  return text;
}
