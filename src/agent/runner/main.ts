import { readFileSync } from 'node:fs';
import { check } from './check';
import { readDefinition } from './definition';
import { RUNNER_LIMITS } from './limits';
import { failure } from './programs/failures';
import { reportLine } from './report';
import { serve } from './serve';
import { turn } from './turn';
import { AGENT_ERRORS, AgentReport, RUNNER, RUNNER_VARIABLES } from '../constants';

const USAGE = `Usage: ${RUNNER.command} turn | serve | check

  turn   runs one turn of the agent in the current directory, with the prompt from ${RUNNER_VARIABLES.PROMPT_FILE} or the standard input
  serve  serves the container contract of AgentCore on port 8080
  check  prints the agent's name and version, and whether it could begin
`;

async function main([command, ...rest]: readonly string[]): Promise<number> {
  if (rest.length > 0) return usage();
  switch (command) {
    case 'turn': return turnHere();
    case 'serve': return serveHere();
    case 'check': return checkHere();
    default: return usage();
  }
}

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

/** Runs one turn. Its report is the last line of the output, whatever happens. */
async function turnHere(): Promise<number> {
  const report = await reported();
  process.stdout.write(`${reportLine(report)}\n`);
  return report.error === undefined ? 0 : 1;
}

async function reported(): Promise<AgentReport> {
  const { env: environment } = process;
  let name = 'agent';
  try {
    const definition = readDefinition(environment);
    name = definition.name ?? definition.program;
    const request = {
      prompt: promptOf(environment[RUNNER_VARIABLES.PROMPT_FILE]),
      taskId: environment[RUNNER_VARIABLES.TASK_ID],
      instructions: environment[RUNNER_VARIABLES.INSTRUCTIONS],
      directory: process.cwd(),
      environment,
    };
    const output = {
      progress: (text: string) => void process.stdout.write(`${text}\n`),
      errors: (text: string) => void process.stderr.write(`${text}\n`),
    };
    return await turn(definition, request, output, ended());
  } catch (error) {
    return { name, error: failure(AGENT_ERRORS.FAILED, (error as Error).message) };
  }
}

function promptOf(file: string | undefined): string {
  const prompt = readFileSync(file === undefined || file === '' ? 0 : file);
  if (prompt.length > RUNNER_LIMITS.promptBytes) throw new Error(`the prompt has ${prompt.length} bytes: shorten it to ${RUNNER_LIMITS.promptBytes}`);
  if (prompt.toString().trim() === '') throw new Error(`the prompt is empty: give it as the standard input, or name its file in ${RUNNER_VARIABLES.PROMPT_FILE}`);
  return prompt.toString();
}

async function serveHere(): Promise<number> {
  const server = await serve(readDefinition(process.env), { environment: process.env, signal: ended() });
  await server.closed;
  return 0;
}

async function checkHere(): Promise<number> {
  const { faults, ...agent } = await check(process.env);
  process.stdout.write(`${JSON.stringify(agent)}\n`);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}

/** Returns the signal that is aborted when the runner should end. */
function ended(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

main(process.argv.slice(2)).then((code) => process.exit(code), (error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
