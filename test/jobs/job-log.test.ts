import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { LocalJobs } from '../support/local-jobs';

const jobs = new LocalJobs();
const tools = mkdtempSync(join(tmpdir(), 'tools-'));
const path = jobs.path;
afterEach(() => {
  jobs.path = path;
  jobs.before = undefined;
});
afterAll(() => {
  jobs.close();
  rmSync(tools, { recursive: true });
});

/** Replaces one of the tools that the protocol uses by one that does something first. */
function replaceTool(name: string, before: string): void {
  writeFileSync(join(tools, name), `#!/bin/bash\n${before}\nPATH=${path} exec ${name} "$@"\n`, { mode: 0o755 });
  jobs.path = `${tools}:${path}`;
}

test('a job has all of its command\'s output, even if writing the log takes longer than the command', async () => {
  replaceTool('dd', 'sleep 3');
  const { end, output } = await jobs.call({ job: 'slow-log', command: 'echo late' });
  expect(end).toMatchObject({ state: 'EXITED', exitCode: 0, bytes: 5 });
  expect(output.toString()).toBe('late\n');
});

describe('a full workspace', () => {
  /** Fills the workspace until no byte and no file fits. */
  const FILL = 'head -c 1M /dev/zero > fill; i=0; while : > "empty-$((i++))"; do :; done';

  test.each([['job is ended at its timeout', 'sleep 60', 'TIMED_OUT', 143], ['job says how it ended', 'exit 3', 'EXITED', 3]])('a %s', async (name, command, state, exitCode) => {
    jobs.before = `mount -t tmpfs -o size=128k,nr_inodes=40 tmpfs ${jobs.mount}`;
    const { end } = await jobs.call({ job: name.replace(/ /g, '-'), command: `exec 2>&-; ${FILL}; ${command}`, timeoutSeconds: 2, budgetSeconds: 20 });
    expect(end).toMatchObject({ state, exitCode });
  }, 30_000);

  test('a job is refused', async () => {
    jobs.before = `mount -t tmpfs -o size=128k,nr_inodes=40 tmpfs ${jobs.mount}; cd ${jobs.mount}; mkdir -p .workbench/jobs; (exec 2>&-; ${FILL})`;
    const { end, stderr } = await jobs.call({ job: 'next', budgetSeconds: 25 });
    expect(end).toMatchObject({ state: 'REFUSED', detail: 'mount' });
    expect(stderr).toContain('cannot create a directory');
  }, 30_000);
});

test('a job ends soon after its command, even if a process that the command left keeps writing', async () => {
  const { end } = await jobs.call({ job: 'chatty', command: 'while [ -d "$PWD" ] && sleep 0.01; do echo more; done & echo done', budgetSeconds: 60, timeoutSeconds: 60 });
  expect(end).toMatchObject({ state: 'EXITED', exitCode: 0 });
});

test('a job whose records are wiped while its output is sent is lost, unless it has no output', async () => {
  await jobs.call({ job: 'wiped', command: 'echo out' });
  replaceTool('tail', `rm -r ${jobs.mount}/.workbench`);
  const { end, output } = await jobs.call({ job: 'wiped', mode: 'attach' });
  expect({ end, output: output.toString() }).toMatchObject({ end: { state: 'LOST', detail: 'workspace' }, output: '' });
});
