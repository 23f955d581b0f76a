import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentTurn, Gate, RunArtifacts, Verification } from '../../src';
import type { RunRecord } from '../../src/loop/steps/records';
import { LoopFixture, LoopFixtureProps, useLoops } from '../support/loop-fixture';

const start = useLoops();

const artifacts = RunArtifacts.inBucket(undefined, { prefix: 'runs/' });
/** Wrong in the first round, right in the second. */
const twoRounds = (turn: number) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt';

/** The directory of a bucket's files. */
function bucketOf({ deployment: { files, stack } }: LoopFixture): string {
  return join(files.artifacts, stack.find('AWS::S3::Bucket').toLowerCase());
}

function keysOf(loop: LoopFixture): string[] {
  const bucket = bucketOf(loop);
  if (!existsSync(bucket)) return [];
  return readdirSync(bucket, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(bucket, name)).isFile()).sort();
}

function read(loop: LoopFixture, record: RunRecord | undefined, name: string): string {
  return readFileSync(join(bucketOf(loop), record!.artifacts!.prefix, name), 'utf8');
}

async function run(loop: LoopFixture, input: object = {}, options: object = {}): Promise<RunRecord> {
  return (await loop.run(input, options)).record as unknown as RunRecord;
}

const named = (loop: LoopFixture, record: RunRecord) => keysOf(loop).map((key) => key.replace(record.artifacts!.prefix, ''));
const warnings = (loop: LoopFixture) => loop.logs.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)).filter(({ level }) => level === 'WARN');

test('a run leaves its record, the logs of its gates and its change', async () => {
  const loop = await start({ agent: twoRounds, loop: { artifacts, bootstrap: ['echo "it is prepared"'] } });
  const record = await run(loop, {}, { name: 'my-run' });
  expect(record.artifacts).toEqual({ bucket: loop.deployment.stack.find('AWS::S3::Bucket').toLowerCase(), prefix: 'runs/my-run/' });
  expect(named(loop, record)).toEqual(['bootstrap.log', 'change.patch', 'gates/1-test.log', 'gates/2-test.log', 'record.json', 'report.html', 'story.txt']);
  expect(read(loop, record, 'gates/1-test.log')).toBe('value is wrong-a\n');
  expect(read(loop, record, 'gates/2-test.log')).toBe('value is right\n');
  expect(read(loop, record, 'bootstrap.log')).toBe('it is prepared\n');
  expect(JSON.parse(read(loop, record, 'record.json'))).toEqual(record);
  const story = read(loop, record, 'story.txt');
  expect(story).toContain('→ repair 1 of 3');
  expect(story).toContain('COMMITTED after 2 turns');
  expect(story).toContain(record.commit!.id.slice(0, 12));
  expect(read(loop, record, 'report.html')).toMatch(/^<!doctype html>[^]*value is wrong-a/i);
  expect(loop.deployment.authorizer.missing).toEqual([]);
});

test('the report names the file with the change, of a run that fails, too, and not if there is none', async () => {
  const agents = ['echo wrong-a > value.txt', 'echo right > value.txt', 'true'];
  const loop = await start({ loop: { artifacts, maxRepairs: 0 }, agent: (turn) => agents[turn] });
  const reports = [];
  for (const name of ['red', 'green', 'unchanged']) reports.push(read(loop, await run(loop, { taskId: name }, { name }), 'report.html'));
  expect(reports.map((report) => report.includes('<a href="change.patch">change.patch</a>'))).toEqual([true, true, false]);
});

test('a change with what looks like a secret is kept as it is, and the log says so', async () => {
  const token = `ghp_${'aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x'}`;
  const loop = await start({ loop: { artifacts }, agent: `echo right > value.txt; echo ${token} > token.txt` });
  expect(read(loop, await run(loop), 'change.patch')).toContain(`+${token}\n`);
  await loop.deployment.close();
  expect(warnings(loop).filter(({ message }) => message === 'the change has text that looks like a secret').map(({ name }) => name)).toEqual(['change.patch']);
});

test('the change can be applied to what the run started from', async () => {
  const agent = 'printf "\\0\\1binary" > "ümlaut name.bin"; git rm -q test.sh; echo right > value.txt; printf x > "a b"; chmod +x "a b"; ln -s value.txt link';
  const loop = await start({ agent, loop: { artifacts, gates: [Gate.command('test', 'true')] } });
  const record = await run(loop);
  const directory = mkdtempSync(join(tmpdir(), 'patched-'));
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, encoding: 'utf8' });
    git('clone', '--quiet', loop.remote, '.');
    git('apply', '--index', join(bucketOf(loop), record.artifacts!.prefix, 'change.patch'));
    expect(git('write-tree')).toBe(loop.git('rev-parse', `${record.commit!.id}^{tree}`));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the record in the bucket grows with the run', async () => {
  const seen: RunRecord[] = [];
  const props: LoopFixtureProps = {
    loop: { artifacts },
    agent: (turn) => {
      const [key] = keysOf(loop).filter((name) => name.endsWith('record.json'));
      seen.push(JSON.parse(readFileSync(join(bucketOf(loop), key), 'utf8')));
      return twoRounds(turn);
    },
  };
  const loop = await start(props);
  await run(loop);
  expect(seen.map(({ outcome, rounds, gates }) => [outcome, rounds, gates.map(({ verdict }) => verdict)])).toEqual([['RUNNING', 1, []], ['RUNNING', 2, ['FAILED']]]);
  expect(seen[1].feedback!.gate).toBe('test');
  expect(seen[1].error).toBeUndefined();
});

test('the logs of a verification are kept, though its session ends with it', async () => {
  const gates = [Gate.command('unit test', 'echo "in $(pwd)"; [[ $(cat value.txt) == right ]]')];
  const loop = await start({ loop: { artifacts, gates, checkBase: false, verification: Verification.inFreshSession() } });
  const record = await run(loop);
  expect(named(loop, record)).toEqual(['change.patch', 'gates/1-unit.test.log', 'record.json', 'report.html', 'story.txt', 'verification/1-unit.test.log']);
  expect(read(loop, record, 'gates/1-unit.test.log')).toBe('in /mnt/workspace/repo\n');
  expect(read(loop, record, 'verification/1-unit.test.log')).toBe('in /tmp/.workbench-verification/repo\n');
});

test('a gate that fails in the verification has its log in the bucket', async () => {
  const gates = [Gate.command('test', 'pwd; [[ $(pwd) == /mnt/* ]]')];
  const loop = await start({ loop: { artifacts, gates, maxRepairs: 0, verification: Verification.inFreshSession() } });
  const record = await run(loop);
  expect(record.outcome).toBe('CodingLoop.Red');
  expect(read(loop, record, 'verification/1-test.log')).toBe('/tmp/.workbench-verification/repo\n');
  expect(JSON.parse(read(loop, record, 'record.json'))).toEqual(record);
});

test('the log of a gate that failed outlives the workspace', async () => {
  const loop: LoopFixture = await start({
    loop: { artifacts },
    agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt' : `rm -rf /mnt/workspace/.workbench/jobs; echo wrong-${turn} > value.txt`,
  });
  const record = await run(loop);
  expect(record.error).toBeDefined();
  expect(read(loop, record, 'gates/1-test.log')).toBe('value is wrong-a\n');
});

test('what is left of a run whose storage is wiped is in the bucket', async () => {
  const loop = await start({ loop: { artifacts }, agent: twoRounds });
  const id = loop.sessionOf('wiped').id;
  const wiped = loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'wipeWorkspace', match: ({ sessionId, command = '' }) => sessionId === id && command.includes('snapshot-1'),
  });
  const record = await run(loop, {}, { name: 'wiped' });
  expect([wiped.fired, record.outcome]).toEqual([1, 'CodingLoop.WorkspaceLost']);
  expect(read(loop, record, 'gates/1-test.log')).toBe('value is wrong-a\n');
  expect(read(loop, record, 'change.patch')).toContain('+wrong-a');
  expect(JSON.parse(read(loop, record, 'record.json'))).toEqual(record);
});

test('a bucket that is not there, or that refuses, fails no run: the record and the log say so', async () => {
  const loop = await start({ agent: twoRounds, loop: { artifacts } });
  const refusal = jest.spyOn(loop.deployment.authorizer, 'refusalOfRequest').mockImplementation((_, action) => action === 's3:PutObject' ? 'denied' : undefined);
  const record = await run(loop);
  refusal.mockRestore();
  await loop.deployment.close();
  expect([record.outcome, record.artifacts]).toEqual(['COMMITTED', { ...record.artifacts, error: 'AccessDenied' }]);
  expect(warnings(loop).filter(({ message }) => message === 'artifact not kept').map(({ name, error }) => [name, error])).toEqual(expect.arrayContaining([
    ['gates/1-test.log', 'AccessDenied'], ['change.patch', 'AccessDenied'], ['record.json', 'AccessDenied'],
  ]));
});

test('a bucket that is slow to answer, or fails for a while, gets the files all the same', async () => {
  const loop = await start({ agent: twoRounds, loop: { artifacts } });
  const faults = (['throttle', 'internal', 'reset'] as const).map((kind) => loop.server.faults.add({ operation: 'PutObject', at: kind === 'reset' ? 'beforeEnd' : 'beforeStart', kind }));
  const record = await run(loop);
  expect(faults.map(({ fired }) => fired)).toEqual([1, 1, 1]);
  expect(record.artifacts!.error).toBeUndefined();
  expect(named(loop, record)).toEqual(['change.patch', 'gates/1-test.log', 'gates/2-test.log', 'record.json', 'report.html', 'story.txt']);
});

test('a bucket that always fails does not change the outcome', async () => {
  const loop = await start({ loop: { artifacts } });
  loop.server.faults.add({ operation: 'PutObject', at: 'beforeStart', kind: 'internal', times: 1_000 });
  const record = await run(loop);
  expect([record.outcome, record.artifacts!.error]).toEqual(['COMMITTED', expect.stringContaining('500')]);
});

test('a log of 20 MiB is kept whole, with its bytes as they are and secrets masked', async () => {
  const script = 'printf "\\377\\376 \\303\\244\\n"; head -c 20971520 /dev/zero | tr "\\0" x | fold -w 100; printf "\\ntoken ghp""_aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x\\nthe end\\n"; exit 7';
  const loop = await start({ loop: { artifacts, maxRepairs: 0, gates: [Gate.command('test', script)] } });
  const record = await run(loop);
  const log = readFileSync(join(bucketOf(loop), record.artifacts!.prefix, 'gates/1-test.log'));
  expect(log.subarray(0, 6)).toEqual(Buffer.from([0xff, 0xfe, 0x20, 0xc3, 0xa4, 0x0a]));
  const end = '\ntoken ***\nthe end\n';
  expect(log.toString('latin1').slice(-end.length)).toBe(end);
  expect(log.length).toBe(6 + 20_971_520 + Math.ceil(20_971_520 / 100) - 1 + end.length);
});

test('a log of 80 MiB has its beginning and its end, and says how much is missing', async () => {
  const script = 'echo "the beginning"; head -c 83886080 /dev/zero | tr "\\0" x | fold -w 100; printf "\\nthe end\\n"; exit 7';
  const loop = await start({ loop: { artifacts, maxRepairs: 0, gates: [Gate.command('test', script)] } });
  const record = await run(loop);
  const log = readFileSync(join(bucketOf(loop), record.artifacts!.prefix, 'gates/1-test.log'), 'latin1');
  expect([log.startsWith('the beginning\n'), log.endsWith('\nthe end\n')]).toEqual([true, true]);
  const gaps = [...log.matchAll(/\n\[(\d+) bytes of output were not kept\]\n/g)];
  const missing = gaps.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  expect(log.length).toBeLessThan(34_000_000);
  const noted = gaps.reduce((sum, [text]) => sum + text.length, 0);
  expect(log.length - noted + missing).toBe('the beginning\n'.length + 83_886_080 + Math.ceil(83_886_080 / 100) - 1 + '\nthe end\n'.length);
});

test('a run that is refused leaves its record', async () => {
  const loop = await start({ loop: { artifacts } });
  const record = await run(loop, { prompt: '' });
  expect(record.outcome).toBe('CodingLoop.BadInput');
  expect(JSON.parse(read(loop, record, 'record.json'))).toEqual(record);
  expect(named(loop, record)).toEqual(['record.json']);
});

test('two runs of the same task have files of their own', async () => {
  const loop = await start({ loop: { artifacts } });
  const first = await run(loop, {}, { name: 'first' });
  const second = await run(loop, {}, { name: 'second' });
  expect([first.artifacts!.prefix, second.artifacts!.prefix]).toEqual(['runs/first/', 'runs/second/']);
  expect(keysOf(loop).filter((key) => key.endsWith('record.json'))).toEqual(['runs/first/record.json', 'runs/second/record.json']);
});

test('the reports of a gate are kept', async () => {
  const xml = '<testsuite tests="1"><testcase classname="a" name="b"/></testsuite>';
  const gates = [Gate.command('unit', `mkdir -p out; printf '%s' '${xml}' > out/one.xml; printf '%s' '${xml}' > "out/two three.xml"`, { report: 'out/*.xml' })];
  const loop = await start({ files: { '.gitignore': 'out/\n' }, loop: { artifacts, gates } });
  const record = await run(loop);
  expect(named(loop, record)).toEqual(['change.patch', 'gates/1-unit.log', 'record.json', 'report.html', 'reports/1-unit/1-one.xml', 'reports/1-unit/2-two.three.xml', 'story.txt']);
  expect(read(loop, record, 'reports/1-unit/1-one.xml')).toBe(xml);
});

test('the turns of an agent that is a program have logs', async () => {
  const loop = await start({ loop: { artifacts, turn: AgentTurn.command('echo "turn $WORKBENCH_ROUND"; echo right > value.txt') } });
  const record = await run(loop);
  expect(read(loop, record, 'turns/1.log')).toBe('turn 0\n');
});

test('the story is in the bucket after each round, while the agent repairs', async () => {
  const loop: LoopFixture = await start({ loop: { artifacts, maxRepairs: 1 }, agent: (turn) => `echo wrong-${turn} > value.txt` });
  loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'wipeWorkspace', match: ({ command = '' }) => command.includes('job=snapshot-1') });
  const record = await run(loop, {}, { name: 'told' });
  expect(record.outcome).toBe('CodingLoop.WorkspaceLost');
  expect(read(loop, record, 'story.txt')).toMatch(/repair 1 of 1[^]*CodingLoop\.WorkspaceLost/);
});

test('the story of a run is told although Step Functions throttles the requests for its history', async () => {
  const loop = await start({ loop: { artifacts } });
  const throttled = (['GetExecutionHistory', 'DescribeExecution', 'DescribeStateMachineForExecution'] as const)
    .map((operation) => loop.server.faults.add({ operation, at: 'beforeStart', kind: 'throttle', times: 3 }));
  const record = await run(loop);
  expect(throttled.map(({ fired }) => fired)).toEqual([3, 3, 3]);
  expect(read(loop, record, 'story.txt')).toContain('COMMITTED after 1 turn');
});

test('a run that is aborted leaves its last state, its story and its report', async () => {
  const loop: LoopFixture = await start({ loop: { artifacts }, agent: 'sleep 600' });
  const execution = loop.deployment.startExecution(undefined, { prompt: 'p', taskId: 'task-9' }, { name: 'aborted' });
  while (loop.turns.length === 0) await new Promise((resolve) => setImmediate(resolve));
  execution.abort();
  const { status } = await execution.result;
  const executionArn = loop.executionOf('aborted');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await loop.deployment.notifyEnd({ executionArn, stateMachineArn, name: 'aborted', status, input: JSON.stringify({ prompt: 'p', taskId: 'task-9' }) });
  const directory = join(bucketOf(loop), 'runs/aborted');
  const record = JSON.parse(readFileSync(join(directory, 'record.json'), 'utf8'));
  expect(record).toMatchObject({ outcome: 'ABORTED', taskId: 'task-9', session: { id: loop.sessionOf('aborted').id, stopped: true } });
  expect(readFileSync(join(directory, 'story.txt'), 'utf8')).toContain('INTERRUPTED');
  expect(readFileSync(join(directory, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/i);
});
