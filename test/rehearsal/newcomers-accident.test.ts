import { execFileSync, ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import type { RehearsalRecord } from '../../rehearsal/run/record';
import { commandLine } from '../support/command-line';
import { newcomersClone } from '../support/newcomers-clone';
import { blocksOf } from '../support/page';

// Each test is a whole run, the first one with a synthesis.
jest.setTimeout(300_000);

const ROOT = resolve(__dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/first-loop');
const PACKAGE = join(EXAMPLE, 'hasty-agent/discounts');

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'accident-'));
  chmodSync(home, 0o755); // commands of a verification run as another user
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the text of a command in a fresh clone of what a run has pushed. */
function inFreshClone({ commit, repository }: RehearsalRecord, ...commands: string[]): string {
  const clone = mkdtempSync(join(home, 'fresh-'));
  run('git', ['clone', '--quiet', '--branch', commit!.branch, repository.copy, clone]);
  expect(run('git', ['rev-parse', 'HEAD'], { cwd: clone }).trim()).toBe(commit!.id);
  return commands.map((command) => run('bash', ['-euo', 'pipefail', '-c', command], { cwd: clone })).join('');
}

/** Expects a run whose first turn passed the gates in the workspace, and whose second turn passed them everywhere. */
function expectRepaired(record: RehearsalRecord): void {
  expect(record).toMatchObject({ outcome: 'COMMITTED', output: { rounds: 2, verified: true, verification: { stopped: true } } });
  const [first, second] = [0, 1].map((round) => record.steps.filter((step) => step.round === round && (step.kind === 'gate' || step.kind === 'verify')));
  expect(new Set(first.filter(({ kind }) => kind === 'gate').map(({ verdict }) => verdict))).toEqual(new Set(['PASSED']));
  expect(first.find(({ kind }) => kind === 'verify')).toMatchObject({
    verdict: 'FAILED',
    failingTests: ['prices.test.mjs'],
    feedback: { gate: 'test', cleanCheckout: true, repair: 1, output: expect.stringContaining("Cannot find package '@example/discounts'") as string },
    notes: [
      'the gate "test" passes in the agent\'s workspace, but not in a clean checkout',
      'packages that the bootstrap does not install, only in the agent\'s workspace: @example/discounts',
    ],
  });
  expect(new Set(second.map(({ verdict }) => verdict))).toEqual(new Set(['PASSED']));
}

describe('the command of docs/verification.md', () => {
  const [command, printed] = blocksOf('docs/verification.md').filter(({ text }, index, blocks) => /hasty-agent/.test(text) || /hasty-agent/.test(blocks[index - 1]?.text ?? ''));
  let story: string;
  let record: RehearsalRecord;
  let report: string;

  beforeAll(() => {
    const clone = newcomersClone(home);
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
    story = run('bash', ['-euo', 'pipefail', '-c', command.text], { cwd: clone });
    const runs = join(clone, '.rehearsal/runs');
    const [id] = readdirSync(runs);
    record = (JSON.parse(readFileSync(join(runs, id, 'record.json'), 'utf8')) as { record: RehearsalRecord }).record;
    report = join(runs, id, 'report.html');
  });

  test('shows a dependency that is not declared: the gates pass, the verification does not, and the next turn repairs it', () => {
    expectRepaired(record);
    expect(record.commit!.stat).toMatch(/^ *\.gitignore +\|.*\n *discounts\.mjs +\|.*\n *prices\.mjs +\|.*\n/);
    expect(inFreshClone(record, 'node --check prices.mjs', 'npm test')).toMatch(/^ℹ pass 3$/m);
  });

  test('prints what the page shows', () => {
    const lines = plain(story).split('\n');
    const shown = plain(printed.text).split('\n').filter((line) => !/^(?:│ )?…$/.test(line));
    expect(shown.length).toBeGreaterThan(20);
    const places = shown.reduce<number[]>((found, line) => [...found, lines.indexOf(line, (found.at(-1) ?? -1) + 1)], []);
    expect(shown.filter((_, index) => places[index] < 0)).toEqual([]);
    expect(lines.slice(places[0], places.at(-1)).filter((line) => / s (?:PASSED|FAILED)/.test(line))).toEqual(shown.filter((line) => / s (?:PASSED|FAILED)/.test(line)));
  });

  test('says in the report why the verification failed, without a click', async () => {
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage();
      await page.goto(`file://${report}`);
      const open = await page.locator('details[open]').first().innerText();
      expect(open).toMatch(/^Verify in a fresh session .* FAILED, exit code 1\n\s*the gate "test" passes in the agent's workspace, but not in a clean checkout\n\s*packages .*: @example\/discounts\nfailing tests \(1\):\n\s+✖ prices\.test\.mjs\n[^]*Cannot find package '@example\/discounts'/);
    } finally {
      await browser.close();
    }
  });
});

test('a run with a bootstrap declares the dependency, with a lock file, and a fresh clone installs it', async () => {
  const repository = join(home, 'basket');
  cpSync(join(EXAMPLE, 'repository'), repository, { recursive: true });
  for (const args of [['init', '--quiet', '--initial-branch', 'main'], ['add', '--all'], ['commit', '--quiet', '--message', 'a basket that charges wrongly']]) {
    run('git', ['-c', 'user.name=x', '-c', 'user.email=x@localhost', ...args], { cwd: repository });
  }
  // A session does not see this machine's /tmp.
  const agent = `if ! grep -q "Cannot find package '@example/discounts'"; then
    sed -i "s/index = 1/index = 0/; s/sum > 10_000 ? Math.round(sum \\* 0.9)/sum >= 10_000 ? percentOff(10, sum)/; 1i import { percentOff } from '@example/discounts';" prices.mjs
    echo node_modules/ > .gitignore
    npm install --no-save --no-package-lock --install-links --offline --no-audit --no-fund '${PACKAGE}'
  else
    mkdir packages && npm pack --silent --pack-destination packages '${PACKAGE}'
    npm install --offline --no-audit --no-fund ./packages/*.tgz
  fi`;
  const bootstrap = 'if [[ -e package-lock.json ]]; then npm ci --offline --no-audit --no-fund; fi';

  const { exitCode, stdout } = await commandLine('rehearse', '--repository', repository, '--agent', agent, '--bootstrap', bootstrap,
    '--gate', 'test=npm test', '--prompt', 'A basket is charged wrongly', '--state', join(home, 'state'), '--json');

  const record = JSON.parse(stdout) as RehearsalRecord;
  expect([exitCode, record.error]).toEqual([0, undefined]);
  expectRepaired(record);
  expect(record.commit!.stat).toMatch(/package-lock\.json +\|.*\n *package\.json +\|.*\n *packages\/example-discounts-1\.0\.0\.tgz +\|.*\n *prices\.mjs/);
  expect(record.output!.judgingFiles).toMatchObject({ names: ['package.json'] });
  expect(inFreshClone(record, bootstrap, 'npm test')).toMatch(/^ℹ pass 3$/m);
});

/** Returns a text without what differs between two runs: times, ids and directories. */
function plain(text: string): string {
  return text.split('\n').map((line) => line.trim().replace(/^\d+\.\d s\s+/, '').replace(/\s+\d+\.\d+ s\b/, ' 0 s').replace(/\bcommit [0-9a-f]{12}\b/, 'commit 0').replace(/\s+/g, ' ')).join('\n');
}

function run(program: string, args: readonly string[], options: Partial<ExecFileSyncOptionsWithStringEncoding> = {}): string {
  return execFileSync(program, args, { stdio: 'pipe', ...options, encoding: 'utf8' });
}
