import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { reasonToBuild } from '../../scripts/is-built';
import { ROOT } from '../support/installed-package';

// Another test, pages.test.ts, follows the tutorial and so asserts that a fresh clone is packaged completely.

interface Task { readonly steps: { readonly spawn?: string }[] }
const { tasks } = JSON.parse(readFileSync(join(ROOT, '.projen/tasks.json'), 'utf8')) as { tasks: Record<string, Task> };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fresh-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test.each(Object.keys(tasks).filter((name) => /^package:(js|java|python|dotnet|go)$/.test(name)))('%s first builds what it packages', (name) => {
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
  const OUTPUTS = [
    '.jsii', 'lib/index.js', 'lib/index.d.ts', 'rehearsal-dist/account.js', 'rehearsal-dist/cli.js', 'rehearsal-dist/index.js', 'rehearsal-dist/types/rehearsal/index.d.ts',
    'assets/job.lambda/index.js', 'assets/driver/session-driver.lambda/junit.js', 'assets/driver/session-driver.lambda/listing.js',
    'assets/driver/session-driver.lambda/agent-report.js',
    'assets/driver/session-driver.lambda/repair.js',
    'assets/driver/session-driver.lambda/agent-words.js',
    'assets/forge/publisher.lambda/agent-words.js',
    'assets/agent/workbench-agent.js',
  ];
  beforeEach(() => {
    for (const path of SOURCES) write(path, OLD);
    for (const path of OUTPUTS) write(path, NEW);
  });

  test('not when all outputs exist and are newer than their sources', () => {
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
