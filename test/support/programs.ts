import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROGRAM_VERSIONS } from '../../src/agent/versions';

const execute = promisify(execFile);

/** The packages of coding agents. The licences of some forbid to redistribute them, so nothing of them is kept in the repository. */
const PACKAGES = {
  'claude-code': { name: '@anthropic-ai/claude-code', bin: 'claude' },
  'opencode': { name: 'opencode-ai', bin: 'opencode' },
  'codex': { name: '@openai/codex', bin: 'codex' },
} as const;
export type NpmProgram = keyof typeof PACKAGES;

/**
 * Installs a program from the registry, once per version and machine, and returns the directory of its executable.
 *
 * Workers that install at the same time do so beside each other, and the first one's result is used by all.
 */
export async function programDirectory(program: NpmProgram): Promise<string> {
  const { name, bin } = PACKAGES[program];
  const version = PROGRAM_VERSIONS[program];
  const cache = process.env.WORKBENCH_PROGRAMS ?? join(tmpdir(), 'workbench-programs');
  const target = join(cache, `${program}-${version}`);
  const directory = join(target, 'node_modules', '.bin');
  if (existsSync(join(directory, bin))) return directory;
  mkdirSync(cache, { recursive: true });
  const own = mkdtempSync(join(cache, `.${program}-`));
  // Tests run them as another user, too.
  chmodSync(own, 0o755);
  try {
    // Some fetch their executable in a script after the installation.
    await execute('npm', ['install', '--prefix', own, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--foreground-scripts', `${name}@${version}`], {
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, npm_config_ignore_scripts: 'false' },
    });
    if (!existsSync(join(own, 'node_modules', '.bin', bin))) throw new Error(`the package has no ${bin}`);
    try {
      renameSync(own, target);
    } catch (error) {
      if (!existsSync(join(directory, bin))) throw error;
    }
  } catch (error) {
    throw new Error(`${name}@${version} cannot be installed from the registry, and without it its tests say nothing: ${(error as Error).message}`);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return directory;
}
