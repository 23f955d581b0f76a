import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { RehearsalRecord } from '../../rehearsal/run/record';
import { commandLine, WorkingCopy } from '../support/command-line';

// This downloads packages from their registries, and Go compiles its standard library for the first test.
jest.setTimeout(300_000);

/** A published package as a repository of its own, with its own test tool. */
interface Project {
  /** Fetches the package into a scratch directory, and returns the directory of its files. */
  readonly fetch: (scratch: string) => string;
  /** Files of a working copy that are not published. */
  readonly more?: Readonly<Record<string, string>>;
  readonly bootstrap?: string;
  readonly gates: readonly string[];
  readonly prompt: string;
  readonly file: string;
  readonly line: string;
  /** The line as it is broken, and as the agent first repairs it. */
  readonly broken: string;
  readonly half: string;
  /** The test tool's complaint about that: the agent makes the second repair only if it receives this. */
  readonly complaint: string;
}

/** The registries, on a machine that sets them by variables, which a session does not inherit. */
const REGISTRIES = ['PIP_INDEX_URL', 'PIP_CERT', 'HTTPS_PROXY', 'NO_PROXY', 'SSL_CERT_FILE'].filter((name) => process.env[name] !== undefined);

const run = (cwd: string, program: string, ...args: string[]) => execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });

const PROJECTS: Readonly<Record<string, Project>> = {
  'a Python package with pytest': {
    fetch: (scratch) => {
      run(scratch, 'python3', '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-compile', '--target', scratch, 'toolz==1.0.0');
      rmSync(join(scratch, 'toolz-1.0.0.dist-info'), { recursive: true });
      return scratch;
    },
    more: { '.gitignore': '__pycache__/\n.pytest_cache/\n/.packages/\n' },
    bootstrap: 'python3 -m pip install --quiet --target .packages pytest==8.4.2',
    gates: ['syntax=python3 -m compileall -q toolz', 'test=PYTHONPATH=.packages python3 -m pytest -q toolz/tests/test_itertoolz.py toolz/tests/test_dicttoolz.py'],
    prompt: 'nth() of an iterator gives the wrong element',
    file: 'toolz/itertoolz.py',
    line: 'return next(itertools.islice(seq, n, None))',
    broken: 'return next(itertools.islice(seq, n + 1, None))',
    half: 'return next(itertools.islice(seq, n - 1, None))',
    complaint: 'FAILED toolz/tests/test_itertoolz.py::test_nth',
  },
  'a Go module with go test': {
    fetch: (scratch) => (JSON.parse(run(scratch, 'go', 'mod', 'download', '-json', 'github.com/mitchellh/go-wordwrap@v1.0.1')) as { Dir: string }).Dir,
    gates: ['test=go test ./...'],
    prompt: 'Words that just fit are put on the next line',
    file: 'wordwrap.go',
    line: 'if current+wordBufLen+spaceBufLen > lim && wordBufLen < lim {',
    broken: 'if current+wordBufLen+spaceBufLen >= lim && wordBufLen < lim {',
    half: 'if current+wordBufLen > lim && wordBufLen < lim {',
    complaint: '--- FAIL: TestWrapString',
  },
  'a shell library with bats': {
    fetch: () => dirname(require.resolve('bats-support/package.json')),
    more: {
      'test/output.bats': `load ../load

@test 'two lines are more than one' {
  ! batslib_is_single_line one $'one\\ntwo'
}

@test 'one line is not' {
  batslib_is_single_line one two
}
`,
    },
    gates: ['syntax=bash -n src/*.bash', `test=${require.resolve('bats/bin/bats')} --tap test`],
    prompt: 'Two lines are taken for one',
    file: 'src/output.bash',
    line: '(( $(batslib_count_lines "$string") > 1 )) && return 1',
    broken: '(( $(batslib_count_lines "$string") > 2 )) && return 1',
    half: '(( $(batslib_count_lines "$string") > 0 )) && return 1',
    complaint: 'not ok 2 one line is not',
  },
};

test.each(Object.entries(PROJECTS))('repairs %s in two turns, to what was published', async (_, project) => {
  const scratch = mkdtempSync(join(tmpdir(), 'package-'));
  const copy = new WorkingCopy({ ...filesUnder(project.fetch(scratch)), ...project.more });
  try {
    const published = copy.git('rev-parse', 'HEAD^{tree}').trim();
    const file = join(copy.directory, project.file);
    const parts = readFileSync(file, 'utf8').split(project.line);
    expect(parts).toHaveLength(2);
    writeFileSync(file, parts.join(project.broken));
    copy.git('-c', 'user.name=x', '-c', 'user.email=x@localhost', 'commit', '--quiet', '--all', '--message', 'a mutation');

    const { stdout, stderr } = await commandLine(
      'rehearse', '--repository', copy.directory, '--agent', agentFor(project), ...project.bootstrap ? ['--bootstrap', project.bootstrap] : [],
      ...project.gates.flatMap((gate) => ['--gate', gate]), ...REGISTRIES.flatMap((name) => ['--env', name]), '--prompt', project.prompt, '--state', copy.state, '--json');

    expect(stderr).toBe('preparing …\n');
    const { outcome, error, commit, output, steps } = JSON.parse(stdout) as RehearsalRecord;
    expect([outcome, error, output?.rounds]).toEqual(['COMMITTED', undefined, 2]);
    const gates = steps.filter(({ kind }) => kind === 'gate');
    const passed = project.gates.map(() => 'PASSED');
    expect(gates.map(({ verdict }) => verdict)).toEqual([...passed.slice(1), 'FAILED', ...passed]);
    expect(gates.find(({ verdict }) => verdict === 'FAILED')?.output).toContain(project.complaint);
    expect(commit?.tree).toBe(published);
  } finally {
    copy.remove();
    rmSync(scratch, { recursive: true, force: true });
  }
});

/** Makes half of the repair first, and the rest only if the prompt has the test tool's complaint. */
function agentFor({ file, line, broken, half, complaint }: Project): string {
  const replace = (from: string, to: string) => `sed -i ${quoted(`s/${escaped(from)}/${to.replace(/[\\/&]/g, '\\$&')}/`)} ${file}`;
  return `if grep -qF -e ${quoted(complaint)} -; then ${replace(half, line)}; else ${replace(broken, half)}; fi`;
}

function quoted(text: string): string {
  return `'${text.replace(/'/g, '\'\\\'\'')}'`;
}

/** Escapes a text for a basic regular expression. */
function escaped(text: string): string {
  return text.replace(/[\\/.*[\]^$]/g, '\\$&');
}

function filesUnder(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)).filter((path) => statSync(path).isFile());
  return Object.fromEntries(files.map((path) => [relative(directory, path), readFileSync(path, 'utf8')]));
}
