import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LOOP_ERRORS, STEPS } from '../../src/loop/steps/constants';
import type { LoopState } from '../../src/loop/steps/state';
import type { Secret } from '../common/mask-values';
import { TaskError } from '../stepfunctions';

/**
 * Fails the commit step if the change contains the value of a variable that was passed to the sessions. Only what the change adds is
 * searched, names of files and the agent's summary included: what the repository had before is not the run's.
 */
export class Withheld {
  /** Names of the variables whose values were found. */
  readonly names: string[] = [];

  /** @param repository where the run's own git directory is on this machine; nothing if it cannot be looked at */
  constructor(private readonly secrets: readonly Secret[], private readonly repository: () => string | undefined) {}

  readonly check = async (parameters: unknown): Promise<void> => {
    const { operation, state } = parameters as { readonly operation?: string; readonly state?: { readonly loop: LoopState } };
    if (operation !== STEPS.COMMIT || this.secrets.length === 0 || state?.loop.tree === undefined) return;
    const repository = this.repository();
    if (repository === undefined) return;
    const { base, tree, agent } = state.loop;
    const found = new Map<string, string>();
    const find = (line: string, where: string) => {
      for (const { name, parts } of this.secrets) {
        if (!found.has(name) && parts.some((part) => line.includes(part))) found.set(name, where);
      }
    };
    const difference = (...options: string[]) => git(repository, 'diff-tree', '-r', '--no-renames', '--diff-filter=d', ...options, base, tree);
    if (agent?.summary !== undefined) find(agent.summary, 'what the agent says');
    for (const path of (await text(difference('--name-only', '-z'))).split('\0')) find(path, 'the name of a file');
    let file = '';
    for await (const line of difference('-p', '-U0', '--text', '--no-ext-diff', '--no-textconv', '--no-color', '--src-prefix=a/', '--dst-prefix=b/')) {
      if (line.startsWith('+++ b/')) file = line.slice('+++ b/'.length);
      else if (line.startsWith('+')) find(line, file);
    }
    if (found.size === 0) return;
    this.names.push(...found.keys());
    const where = [...found].map(([name, path]) => `the value of ${name} in ${path}`).join(', ');
    throw failed(`the commit would contain ${where}, which the sessions have from --env: nothing is committed; if it is not a secret, set it in the command that needs it`);
  };
}

async function text(lines: AsyncIterable<string>): Promise<string> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all.join('\n');
}

/** The lines that git prints, configured nowhere. What cannot be looked at is not committed. */
async function* git(repository: string, ...args: string[]): AsyncGenerator<string> {
  const child = spawn('git', ['-c', 'safe.directory=*', '-c', 'core.quotePath=false', '--git-dir', repository, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/nonexistent' },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => { said += part; });
  const ended = new Promise<number | null>((settle, reject) => child.once('error', reject).once('close', settle));
  yield* createInterface({ input: child.stdout, crlfDelay: Infinity });
  if (await ended !== 0) throw failed(`the change cannot be searched for values of --env: ${said.trim()}`);
}

function failed(errorMessage: string): TaskError {
  return new TaskError(LOOP_ERRORS.COMMIT_FAILED, JSON.stringify({ errorType: LOOP_ERRORS.COMMIT_FAILED, errorMessage }));
}
