import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { reasonToBuild } from '../../scripts/is-built';
import { ROOT } from '../support/installed-package';

// Everything is compiled and bundled.
jest.setTimeout(600_000);

interface Task { readonly steps: { readonly spawn?: string }[] }
const { tasks } = JSON.parse(readFileSync(join(ROOT, '.projen/tasks.json'), 'utf8')) as { tasks: Record<string, Task> };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fresh-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 });

test('a fresh clone is packaged whole by one command, and is as clean after it as before', () => {
  // What a clone of the next commit would have.
  const files = git('ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate').split('\0').filter(Boolean);
  const clone = join(home, 'clone');
  for (const file of files) cpSync(join(ROOT, file), join(clone, file), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));

  execFileSync('npx', ['projen', 'package:js'], { cwd: clone, stdio: 'pipe', env: { ...process.env, CI: 'true' } });

  const packed = execFileSync('tar', ['-tzf', 'dist/js/cdk-agentcore-workbench@0.0.0.jsii.tgz'], { cwd: clone, encoding: 'utf8', maxBuffer: 64 << 20 }).split('\n');
  expect(packed).toEqual(expect.arrayContaining([
    '.jsii', 'lib/index.js', 'lib/index.d.ts', 'rehearsal-dist/cli.js', 'rehearsal-dist/index.js', 'rehearsal-dist/types/rehearsal/index.d.ts',
    'assets/session/session-driver.lambda/index.js', 'assets/rollout/runtime-rollout.lambda/index.js', 'assets/rollout/runtime-rollout-event.lambda/index.js',
  ].map((path) => `package/${path}`)));
  expect(files.filter((file) => !readFileSync(join(clone, file)).equals(readFileSync(join(ROOT, file))))).toEqual([]);
});

test.each(Object.keys(tasks).filter((name) => /^package:(js|java|python|dotnet|go)$/.test(name)))('%s makes first what it packages', (name) => {
  const first = ['package:parts', ...(name === 'package:js' ? [] : ['package:translations'])];

  expect(tasks[name].steps.slice(0, first.length).map(({ spawn }) => spawn)).toEqual(first);
});

describe('a build is needed', () => {
  const [OLD, NEW] = [new Date('2026-01-01'), new Date('2026-01-02')];
  const write = (path: string, time: Date) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(home, path));
    utimesSync(join(home, path), time, time);
  };
  const SOURCES = ['src/x.ts', 'src/job.lambda.ts', 'README.md', 'package.json'];
  const OUTPUTS = ['.jsii', 'lib/index.js', 'lib/index.d.ts', 'rehearsal-dist/cli.js', 'rehearsal-dist/index.js', 'rehearsal-dist/types/rehearsal/index.d.ts', 'assets/job.lambda/index.js'];
  beforeEach(() => {
    for (const path of SOURCES) write(path, OLD);
    for (const path of OUTPUTS) write(path, NEW);
  });

  test('not when all is there and newer than its sources', () => {
    expect(reasonToBuild(home)).toBeUndefined();
  });

  test.each(OUTPUTS)('when %s is missing', (path) => {
    rmSync(join(home, path));

    expect(reasonToBuild(home)).toBe(`${path} is missing`);
  });

  test.each(OUTPUTS)('when %s is older than a source', (path) => {
    write(path, new Date('2025-12-31'));

    expect(reasonToBuild(home)).toBe(`${path} is older than src/job.lambda.ts`);
  });
});
