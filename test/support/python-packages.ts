import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { AIDER_BOTO3, PROGRAM_VERSIONS } from '../../src/agent/versions';

/** Programs from PyPI that tests run for real, in the versions that were seen to work. */
export const PYTHON_AGENTS: { readonly [name in 'strands-agents' | 'aider-chat' | 'bedrock-agentcore' | 'moto']: readonly string[] } = {
  'strands-agents': [`strands-agents==${PROGRAM_VERSIONS.strands}`],
  // boto3, because LiteLLM signs requests to Amazon Bedrock with it.
  'aider-chat': [`aider-chat==${PROGRAM_VERSIONS.aider}`, `boto3==${AIDER_BOTO3}`],
  // The official SDK, whose server is compared with ours.
  'bedrock-agentcore': ['bedrock-agentcore==1.25.0'],
  // AWS on loopback: Step Functions, CloudFormation, Systems Manager and S3 on the wire.
  'moto': ['moto[server]==5.2.5'],
};

/** The directories in which Python is searched: those of the system, which every user can read. */
export const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * Returns a directory with a program from PyPI, which belongs in `PYTHONPATH`, and its `bin` in `PATH`. It is installed once on a machine, and all
 * tests use it. Tests of another worker that install it at the same time do not disturb it: the first complete directory is kept.
 */
export function pythonPackages(name: keyof typeof PYTHON_AGENTS): string {
  const packages = PYTHON_AGENTS[name];
  const cache = join(tmpdir(), `workbench-python-${userInfo().uid}`);
  const directory = join(cache, packages.join('+').replace(/==/g, '-'));
  if (existsSync(directory)) return directory;
  mkdirSync(cache, { recursive: true });
  const own = mkdtempSync(join(cache, 'new-'));
  try {
    // Readable for the users of a container too.
    chmodSync(own, 0o755);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--target', own, ...packages];
    const { status, stderr, error } = spawnSync('python3', pip, { encoding: 'utf8', env: { ...process.env, PATH: SYSTEM_PATH } });
    if (status !== 0) throw new Error(`pip cannot install ${packages.join(' and ')}, which needs Python 3.10 to 3.12 and its registry: ${error ?? stderr}`);
    renameSync(own, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return directory;
}
