import { spawnSync } from 'child_process';
import { mkdtempSync, readdirSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join, resolve } from 'path';
import { type AgentImageOptions, DevTool } from '../../src';
import { singleQuoted } from '../../src/private/quote';
import { imageOf } from '../support/image-assets';
import { directoryOf } from '../support/image-parts';

const COMMAND = ['node', 'agent.js'];

const CONSTANTS = Object.values(DevTool).filter((value): value is DevTool => value instanceof DevTool);
const RUNTIMES = [
  DevTool.nodejs('22'), DevTool.python('3.12'), DevTool.java('21'), DevTool.go('1.26'), DevTool.rust('1.90'), DevTool.bun(), DevTool.deno(),
  DevTool.uv(), DevTool.githubCli(), DevTool.awsCli(), DevTool.mise('aqua:hashicorp/terraform', '1.9.5'), DevTool.mise('ripgrep-all', 'latest'),
];
const CUSTOM = DevTool.custom({
  name: 'own',
  install: 'for x in "$@" `id`; do echo \'$x\' "it\'s"; done\nif true; then :; fi # )',
  verify: 'test "$(own --version)" = \'1\' || exit 3',
});

describe('every generated script', () => {
  test.each<[what: string, options: AgentImageOptions]>([
    ['of no tools', {}],
    ['of all constants', { tools: CONSTANTS }],
    ['of all runtimes', { tools: RUNTIMES, miseSettings: { MISE_NODE_MIRROR_URL: "it's $HOME" }, buildSecrets: { GITHUB_TOKEN: 'env=X' } }],
    ['of packages', { tools: [DevTool.osPackages('libpq-dev'), DevTool.npm('@scope/x', '1.0.0'), DevTool.pip('x', 'latest'), DevTool.npm('y', 'latest')] }],
    ['of a custom tool', { tools: [CUSTOM] }],
  ])('passes ShellCheck as a plain sh script: %s', (_, options) => {
    const directory = directoryOf({ 'agent.js': '' });
    const { scripts } = imageOf(directory, { command: COMMAND, ...options });
    for (const script of Object.values(scripts).filter((text) => text !== undefined)) {
      expect(script).toMatch(/^#!\/bin\/sh\n/);
      expect(spawnSync('shellcheck', ['--shell=sh', '-'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
    }
    rmSync(directory, { recursive: true });
  });

  test.each(['app', 'app:app', '1001:app'])('passes ShellCheck for a Dockerfile with a named user: %s', (user) => {
    const directory = directoryOf({ Dockerfile: `FROM debian\nRUN groupadd -g 1001 app && useradd -g app -u 1001 app\nUSER ${user}\n` });
    const { verify } = imageOf(directory).scripts;
    expect(spawnSync('shellcheck', ['--shell=sh', '-'], { input: verify, encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
    rmSync(directory, { recursive: true });
  });
});

describe('a quoted text', () => {
  test.each(['', ' ', "'", "it's", '$(id)', '`id`', '\\', '"', '*', 'a\nb', "'; touch /x; '"])('is one unchanged word to a shell: %j', (text) => {
    const { stdout } = spawnSync('sh', ['-c', `printf '%s|' ${singleQuoted(text)}`], { encoding: 'utf8' });
    expect(stdout).toBe(`${text}|`);
  });
});

describe('the staging copy of an image', () => {
  test('is removed when its process exits, if no runtime used the image', () => {
    const temporary = mkdtempSync(join(tmpdir(), 'tmp-'));
    const directory = directoryOf({ 'agent.js': '' });
    const script = `const { AgentImage } = require(${JSON.stringify(resolve(__dirname, '../../src/image'))});
      AgentImage.fromDirectory(${JSON.stringify(directory)}, { command: ['x'] });
      console.log(require('fs').readdirSync(${JSON.stringify(temporary)}).filter((name) => name.startsWith('agent-image-')).length);`;
    const { stdout } = spawnSync(process.execPath, ['-r', 'ts-node/register/transpile-only', '-e', script], {
      cwd: resolve(__dirname, '../..'), encoding: 'utf8', env: { ...process.env, TMPDIR: temporary, TS_NODE_PROJECT: 'tsconfig.dev.json' },
    });
    expect(stdout.trim()).toBe('1');
    expect(readdirSync(temporary).filter((name) => name.startsWith('agent-image-'))).toEqual([]);
    rmSync(temporary, { recursive: true });
    rmSync(directory, { recursive: true });
  });
});
