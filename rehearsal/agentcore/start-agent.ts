import type { Agent, AgentContext, AgentHandler, AgentRequest, AgentResponse, AgentSession, RunningAgent } from './agent';
import { AgentProcess } from './agent-process';

/** Settles when the agent is ready for invocations; a failure to get there is the service's initialization error. */
export async function startAgent(agent: Agent, context: AgentContext): Promise<RunningAgent> {
  return 'handler' in agent ? new ScriptedAgent(agent.handler, context) : AgentProcess.start(agent, context);
}

class ScriptedAgent implements RunningAgent {
  private isBusy = false;

  constructor(private readonly handler: AgentHandler, private readonly context: AgentContext) {}

  async busy(): Promise<boolean> {
    return this.isBusy;
  }

  async invoke(request: AgentRequest, signal: AbortSignal): Promise<AgentResponse> {
    const session: AgentSession = {
      ...this.context.session,
      signal,
      setBusy: busy => {
        this.isBusy = busy;
      },
    };
    try {
      const answer = await this.handler(request, session);
      return isResponse(answer) ? answer : { body: JSON.stringify(answer ?? null) };
    } catch (error) {
      this.context.log(`${error instanceof Error ? error.stack : error}\n`);
      return { statusCode: 500, body: JSON.stringify({ error: String(error) }) };
    }
  }
}

function isResponse(answer: unknown): answer is AgentResponse {
  const { body } = (answer ?? {}) as { body?: unknown };
  return typeof body === 'string' || Buffer.isBuffer(body) || (typeof body === 'object' && body !== null && Symbol.asyncIterator in body);
}
