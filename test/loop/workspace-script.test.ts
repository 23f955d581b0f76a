import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORKSPACE_SCRIPT } from '../../src/loop/workspace-script.generated';
import { LIMITS } from '../../src/session/constants';

const SOURCE = join(__dirname, '../../src/loop/workspace.sh');

test('the script is clean by shellcheck', () => {
  const check = spawnSync('shellcheck', ['--shell', 'bash', SOURCE], { encoding: 'utf8' });
  expect(check.stdout).toBe('');
  expect(check.status).toBe(0);
});

test('what is sent is the script without its comments', () => {
  const lines = readFileSync(SOURCE, 'utf8').split('\n').map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
  expect(WORKSPACE_SCRIPT.split('\n').length).toBe(lines.length);
  expect(spawnSync('bash', ['-n', '-c', WORKSPACE_SCRIPT]).status).toBe(0);
});

test('the script leaves half of a command to its variables', () => {
  expect(Buffer.byteLength(WORKSPACE_SCRIPT)).toBeLessThan(LIMITS.commandBytes / 2);
});
