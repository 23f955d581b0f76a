import { AccountFixture, HeldAgent } from '../../support/account';
import { AwsBetween, jsonError } from '../../support/aws-between';
import { CommandLine, commandLine, ending } from '../../support/command-line';

jest.setTimeout(120_000);

const STACK = ['--stack', 'Stack'];
const CONTINUES = /the run continues: "runs watch (\S+) --stack Stack" follows it again, and "runs stop \1 --stack Stack" stops it\n/;

const agent = new HeldAgent(() => 42);
let account: AccountFixture;
let between: AwsBetween;

beforeAll(async () => {
  account = await AccountFixture.start(agent.handler());
  between = await account.intercept();
});
beforeEach(() => {
  between.reset();
  agent.hold();
});
afterEach(() => {
  agent.release();
  delete process.env.AWS_MAX_ATTEMPTS;
});
afterAll(() => account?.close());

test.each([
  ['the credentials expire', 2, jsonError('ExpiredTokenException', 'The security token included in the request is expired'), 'the credentials for AWS have expired: log in again'],
  ['AWS keeps throttling', 3, jsonError('ThrottlingException', 'Rate exceeded'), 'AWS keeps throttling states:GetExecutionHistory'],
])('one who follows a run is told that it continues if %s', async (_, exitCode, answer, message) => {
  process.env.AWS_MAX_ATTEMPTS = '2';
  between.afterwards('GetExecutionHistory', (text) => {
    between.answer('GetExecutionHistory', answer);
    return text;
  }, 1);
  const name = `left-${exitCode}`;
  const { stdout, stderr } = await ending(exitCode, commandLine('run', ...STACK, '--prompt', 'wait', '--name', name));
  between.reset();
  agent.release();

  expect(stdout).toMatch(CONTINUES);
  expect(stderr).toContain(message);
  expect((await ending(0, commandLine('runs', 'watch', name, ...STACK))).stdout).toContain('COMMITTED');
});

test.each([['before the story', 2], ['in the story', 6]])('a reader that leaves %s ends the command, and not the run', async (_, lines) => {
  const name = `read-${lines}`;
  const by = ['bash', '-c', `"$0" "$@" | head -n ${lines}; exit \${PIPESTATUS[0]}`];
  const { exitCode, stdout, stderr } = await new CommandLine(['run', ...STACK, '--prompt', 'wait', '--name', name], { by, env: process.env }).ended;
  agent.release();

  expect(stdout.split('\n')).toHaveLength(lines + 1);
  expect(stderr).toMatch(CONTINUES);
  expect(exitCode).toBe(130);
  expect((await ending(0, commandLine('runs', 'watch', name, ...STACK))).stdout).toContain('COMMITTED');
});

test('a run that is started and left is watched in another terminal, and again when it has ended', async () => {
  const { stdout } = await ending(0, new CommandLine(['run', ...STACK, '--prompt', 'wait', '--name', 'left', '--detach'], { env: process.env }).ended);
  const watching = new CommandLine(['runs', 'watch', 'left', ...STACK], { env: process.env });
  await watching.prints(/Prepare the run .*\d s\n/);
  agent.release();
  const watched = await ending(0, watching.ended);

  expect(stdout).toBe('left\n');
  expect((await ending(0, commandLine('runs', 'watch', 'left', ...STACK))).stdout).toBe(watched.stdout);
});

test.each([
  ['of a run that is interrupted', 130, ''],
  ['of a run to its end', 0, 'COMMITTED'],
])('with --json, the standard output %s is one document or nothing', async (_, exitCode, outcome) => {
  const following = new CommandLine(['run', ...STACK, '--prompt', 'wait', '--name', `json-${exitCode}`, '--json'], { env: process.env });
  const turn = new Promise<void>((done) => between.afterwards('GetExecutionHistory', (answer) => {
    if (answer.includes('Ask the agent')) done();
    return answer;
  }));
  await turn;
  if (exitCode === 0) agent.release();
  else following.kill('SIGINT');
  const { stdout, stderr } = await ending(exitCode, following.ended);

  expect(stdout === '' ? '' : (JSON.parse(stdout) as { readonly outcome: string }).outcome).toBe(outcome);
  expect(CONTINUES.test(stderr)).toBe(exitCode !== 0);
});
