import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../../rehearsal/common/did-you-mean';
import { commandLine, WorkingCopy } from '../../support/command-line';
import { RehearsedLoop } from '../../support/rehearsed-loop';

jest.setTimeout(60_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ 'input.json': '{ "promt": "x", "taskId": "a task" }', 'part/file': '', 'list.json': '[]', 'broken.json': '{ "prompt": ' });
});
afterEach(() => copy.remove());

const refused = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await commandLine('rehearse', ...args, '--state', copy.state);
  expect([exitCode, stdout, existsSync(copy.state)]).toEqual([2, '', false]); // nothing was created
  return stderr;
};

test('reports all mistakes together, and creates nothing', async () => {
  const message = await refused('--repositry', 'x', '--repository', `${copy.directory}s`, '--gate', 'npm test', '--gate', 'te/st=true', '--agent', ' ',
    '--input', join(copy.directory, 'input.json'), '--max-repairs', '21', '--sandbox', 'conatiner', '--env', 'PAHT', '--json=yes', '--ref', 'x', '--ref', 'y');

  expect(message.split('\n')).toEqual([
    '13 things are wrong:',
    '  - --repositry is not an option: did you mean --repository?',
    '  - --json=yes: --json takes no value',
    '  - --ref is given 2 times: give it once',
    '  - --max-repairs must be a whole number from 0 to 20, not "21"',
    '  - --env PAHT: the variable is not set here: did you mean PATH?',
    '  - --gate must be NAME=COMMAND, such as test=\'npm test\', not "npm test"',
    '  - --sandbox must be namespace, container or auto, not "conatiner": did you mean container?',
    '  - --prompt is missing: say what the agent has to do, with --prompt or in the file of --input',
    '  - --agent has an empty command: say what to run',
    '  - --gate "te/st" must have a name of 1 to 40 letters, digits, spaces, "-" and "_" that starts with a letter or digit: rename it',
    `  - --input ${join(copy.directory, 'input.json')}: "promt" is not a field of the input: did you mean prompt?`,
    '  - "taskId" must be 1 to 64 characters of A-Z, a-z, 0-9, ".", "_" and "-"',
    `  - --repository ${copy.directory}s cannot be cloned: there is no such directory: did you mean ${copy.directory}?`,
    '"cdk-agentcore-workbench --help" lists the options',
    '',
  ]);
});

const LOOP = ['--agent', 'true', '--gate', 'test=true', '--prompt', 'x'];

test.each([
  ['an option without its value', [...LOOP, '--repository', 'PROJECT', '--task'], /^--task has no value: add one after it\n/],
  ['an option where a value should be', [...LOOP, '--repository', 'PROJECT', '--task', '-x'], /^--task is followed by "-x", which looks like another option: write --task=-x if/],
  ['a time without a unit', [...LOOP, '--repository', 'PROJECT', '--timeout', 'test=40'], /^--timeout must be NAME=TIME with a time from 1s to 8h, such as test=40m, not "test=40"\n/],
  ['a time that is too long', [...LOOP, '--repository', 'PROJECT', '--timeout', 'test=481m'], /^--timeout must be .*, not "test=481m"/],
  ['an empty time', [...LOOP, '--repository', 'PROJECT', '--timeout', 'test=0s'], /^--timeout must be .*, not "test=0s"/],
  ['the time of an unknown gate', [...LOOP, '--repository', 'PROJECT', '--timeout', 'tset=8h'], /^--timeout tset: there is no gate with that name: did you mean test\?\n/],
  ['a time that is given twice', [...LOOP, '--repository', 'PROJECT', '--timeout', 'test=40m', '--timeout', 'test=2h'], /^--timeout is given twice for "test": give it once for each gate\n/],
  ['a report without a gate', [...LOOP, '--repository', 'PROJECT', '--report', 'junit.xml'], /^--report must be NAME=GLOB with the path of files in the repository, such as test='reports\/\*\.xml', not "junit\.xml"\n/],
  ['a report without a path', [...LOOP, '--repository', 'PROJECT', '--report', 'test='], /^--report must be .*, not "test="\n/],
  ['a blank report', [...LOOP, '--repository', 'PROJECT', '--report', 'test= '], /^--report must be .*, not "test= "\n/],
  ['a report outside of the repository', [...LOOP, '--repository', 'PROJECT', '--report', 'test=../*.xml'], /^--report must be .*, not "test=\.\.\/\*\.xml"\n/],
  ['a report with an absolute path', [...LOOP, '--repository', 'PROJECT', '--report', 'test=/tmp/x.xml'], /^--report must be .*, not "test=\/tmp\/x\.xml"\n/],
  ['a report that is too long', [...LOOP, '--repository', 'PROJECT', '--report', `test=${'x'.repeat(501)}`], /^--report must be /],
  ['a report of two lines', [...LOOP, '--repository', 'PROJECT', '--report', 'test=a\nb'], /^--report must be /],
  ['two reports of a gate', [...LOOP, '--repository', 'PROJECT', '--report', 'test=a', '--report', 'test=b'], /^--report is given twice for "test": give it once for each gate\n/],
  ['the report of an unknown gate', [...LOOP, '--repository', 'PROJECT', '--report', 'tset=a'], /^--report tset: there is no gate with that name: did you mean test\?\n/],
  ['retries of an unknown gate', [...LOOP, '--repository', 'PROJECT', '--retries', 'lint=1'], /^--retries lint: there is no gate with that name; the gates are test\n/],
  ['too many retries', [...LOOP, '--repository', 'PROJECT', '--retries', 'test=6'], /^--retries must be NAME=N with a whole number from 0 to 5, such as test=1, not "test=6"\n/],
  ['retries without a number', [...LOOP, '--repository', 'PROJECT', '--retries', 'test'], /^--retries must be .*, not "test"\n/],
  ['a depth that is not a number', [...LOOP, '--repository', 'PROJECT', '--depth', 'all'], /^--depth must be a whole number of commits, such as 1 for only the newest or 0 for all, not "all"\n/],
  ['a negative depth', [...LOOP, '--repository', 'PROJECT', '--depth=-1'], /^--depth must be .*, not "-1"/],
  ['a depth that is not a whole number', [...LOOP, '--repository', 'PROJECT', '--depth', '1.5'], /^--depth must be .*, not "1.5"/],
  ['an update without a session', [...LOOP, '--repository', 'PROJECT', '--update'], /^--update needs --session: name the session, or leave out --update/],
  ['--on-top without a branch', [...LOOP, '--repository', 'PROJECT', '--on-top'], /^--on-top needs --session: name the session, or give the branch to start from with --ref\n/],
  ['a misspelled option', [...LOOP, '--repository', 'PROJECT', '--updat'], /^--updat is not an option: did you mean --update\?\n/],
  ['an unknown command', ['session'], /^"session" is not a command of "rehearse": did you mean sessions\?\n/],
  ['a prompt without quotes', ['--agent', 'true', '--gate', 'test=true', '--repository', 'PROJECT', '--prompt', 'Fix', 'the', 'test'], /^"the test" is unexpected: put a value with spaces in quotes, such as --prompt 'Fix the failing test'\n"cdk/],
  ['a session with more words', ['logs', 'a', 'b'], /^"b" is unexpected: put a value with spaces in quotes/],
  ['an input file that does not exist, without a prompt', ['--agent', 'true', '--gate', 'test=true', '--repository', 'PROJECT', '--input', 'PROJECT/none'], /^--input \S+: there is no such file\n"cdk/],
  ['a directory inside a repository', [...LOOP, '--repository', 'PROJECT/part'], /^--repository \S+ cannot be cloned: it is a subdirectory of a repository: name \S+\/project\n/],
  ['an unknown reference', [...LOOP, '--repository', 'PROJECT', '--ref', 'mian'], /^"mian" is not a branch, tag or commit of \S+: did you mean main\?\n/],
  ['an input file that does not exist', ['--agent', 'true', '--gate', 'test=true', '--repository', 'PROJECT', '--prompt', 'x', '--input', 'PROJECT/inputs.json'], /^--input \S+: there is no such file: did you mean \S+\/input\.json\?\n/],
  ['an input that is not JSON', [...LOOP, '--repository', 'PROJECT', '--input', 'PROJECT/broken.json'], /^--input \S+ is not valid JSON: /],
  ['an input that is not an object', [...LOOP, '--repository', 'PROJECT', '--input', 'PROJECT/list.json'], /^--input \S+ must be a JSON object, such as \{ "prompt": /],
])('fails for %s', async (_, args, message) => {
  expect(await refused(...args.map((word) => word.replace('PROJECT', copy.directory)))).toMatch(message);
});

test('fails for an unknown stack, loop or app directory, with the known ones', async () => {
  const loop = new RehearsedLoop();
  try {
    const app = loop.synth();
    const run = ['--prompt', 'x', '--repository', copy.directory];
    expect(await refused('--app', app, '--stack', 'Stakc', ...run)).toMatch(/^--app: \S+ has no stack "Stakc": name one of Stack with "stack" \(--stack\): did you mean Stack\?\n/);
    expect(await refused('--app', app, '--loop', 'Lop', ...run)).toMatch(/^stack Stack has no CodingLoop "Lop"; the stack has Stack\/Loop: did you mean Loop\?\n/);
    expect(await refused('--app', app.replace(/out$/, 'uot'), ...run)).toMatch(/^--app: there is no directory \S+; run "cdk synth" first: did you mean \S+cdk\.out\?\n/);
    expect(await refused('--app', join(app, '..'), ...run)).toMatch(/is not a cloud assembly: it has no manifest\.json; did you mean \S+cdk\.out\?\n/);
  } finally {
    await loop.close();
  }
});

test('suggests a session for an unknown one, and does not ask for options that the session would provide', async () => {
  mkdirSync(join(copy.state, 'runs', 'one'), { recursive: true });
  writeFileSync(join(copy.state, 'runs', 'one', 'record.json'), JSON.stringify({ target: {}, record: { startedAt: '1', session: { id: 'rehearsal-1a2b' } } }));

  const { exitCode, stderr } = await commandLine('rehearse', '--session', 'rehearsal-1a3b', '--prompt', 'x', '--state', copy.state);

  expect([exitCode, stderr.split('\n')[0]]).toEqual([2, `--session rehearsal-1a3b: there is no such session in ${copy.state}; "rehearse sessions" lists them: did you mean rehearsal-1a2b?`]);
});

test.each([
  ['gate', ['gates', 'agent'], 'gates'],
  ['teh', ['the', 'tea'], 'the'],
  ['command-moed', ['command-mode', 'commit'], 'command-mode'],
  ['max', ['max-repairs', 'agent'], 'max-repairs'],
  ['Main', ['main', 'maintenance'], 'main'],
  ['zebra', ['gate', 'agent'], undefined],
  ['', ['a'], undefined],
])('suggests, for "%s" and %j, %s', (written, known, expected) => {
  expect(nearest(written, known)).toBe(expected);
});
