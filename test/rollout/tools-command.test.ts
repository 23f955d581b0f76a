import { spawnSync } from 'child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { toolsCommand } from '../../src/rollout/smoke-test';

let directory: string;

beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'tools-')); });
afterAll(() => rmSync(directory, { recursive: true }));

function run(file: string): { readonly status: number | null; readonly stdout: string } {
  // Nothing but bash and a shell: the image may have no other tool.
  return spawnSync('/bin/bash', ['-c', toolsCommand(file)], { encoding: 'utf8', env: { PATH: '/bin' } });
}

function manifest(...tools: object[]): string {
  const file = join(directory, 'agent-image.json');
  writeFileSync(file, `{\n  "tools": [${tools.map((tool) => `\n    ${JSON.stringify(tool).replace(/":/g, '": ').replace(/,"/g, ', "')}`).join(',')}\n  ]\n}\n`);
  return file;
}

describe('the check of an image\'s tools', () => {
  test('runs the verify command of each tool, with all escapes of JSON', () => {
    const { status, stdout } = run(manifest(
      { name: 'plain', version: '1', installedBy: 'os', verify: 'echo plain 1' },
      { name: 'quoted', version: '2', installedBy: 'custom', verify: 'printf \'%s\\n\' "a \\\\ b" "$(echo \'é\t\')"\necho next' },
      { name: 'a-package', version: '3', installedBy: 'os' },
    ));

    expect([status, stdout]).toEqual([0, 'plain: plain 1\nquoted: a \\ b\né\t\nnext\n']);
  });

  test('fails with the names of all tools that do not work, and their output', () => {
    const { status, stdout } = run(manifest(
      { name: 'gone', version: '1', installedBy: 'os', verify: 'gone --version' },
      { name: 'there', version: '1', installedBy: 'os', verify: 'true' },
      { name: 'broken', version: '1', installedBy: 'os', verify: 'echo out of order; exit 3' },
    ));

    expect(status).toBe(1);
    expect(stdout).toContain('gone: "gone --version" failed: sh: ');
    expect(stdout).toContain('broken: "echo out of order; exit 3" failed: out of order');
    expect(stdout).toContain('the image lacks: gone broken');
  });

  test('has no apostrophe, so that the service logs it unchanged', () => {
    expect(toolsCommand('/etc/agent-image.json')).not.toContain("'");
  });

  test('fails on an image without a list of its tools', () => {
    expect(run(join(directory, 'absent'))).toMatchObject({ status: 1, stdout: expect.stringContaining('the image was not built by AgentImage') });
  });
});
