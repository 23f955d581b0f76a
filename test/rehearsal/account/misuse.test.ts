import { commandLine } from '../../support/command-line';

const { AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE, AWS_CONFIG_FILE } = process.env;
beforeAll(() => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) delete process.env[name];
  process.env.AWS_CONFIG_FILE = '/nonexistent';
});
afterAll(() => {
  for (const [name, value] of Object.entries({ AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE, AWS_CONFIG_FILE })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const REGION = /^there is no region: give --region/;

test.each<[string, string[], RegExp]>([
  ['a stack that is not named', ['runs'], /^--stack is missing: name the stack of the loop, or give the ARN/],
  ['a prompt without quotes', ['run', '--stack', 'S', '--prompt', 'Fix', 'the', 'test'], /^"the test" is unexpected: put a value with spaces in quotes/],
  ['several things at once', ['run', '--update', '--name', 'a b'], /^4 things are wrong:\n {2}- --stack is missing[^]*- --update and --on-top need --session[^]*- --name must be[^]*- --prompt is missing/],
  ['an input that is not there', ['run', '--stack', 'S', '--input', `${__dirname}/misuse.test.tss`], /^--input \S+\.tss: there is no such file: did you mean \S+misuse\.test\.ts\?\n"/],
  ['an input that is no JSON', ['run', '--stack', 'S', '--input', __filename], /^--input \S+ is not valid JSON: [^\n]+\n"/],
  ['an empty name of a loop', ['runs', 'stop', '--all', '--yes', '--stack', 'S', '--loop', ''], /^--loop is empty: give it a value, or leave it out/],
  ['an empty name of a run', ['runs', 'stop', '', '--stack', 'S'], /^"runs stop" needs the name of a run/],
  ['a region that is not named', ['run', '--stack', 'S', '--prompt', 'Fix the test'], REGION],
  ['a region that is not named, for the ARN of a run', ['runs', 'show', 'arn:aws:states:us-east-1:123456789012:execution:Fix:one'], REGION],
  ['a region that is not named, for the ARN of a loop', ['runs', '--loop', 'arn:aws:states:us-east-1:123456789012:stateMachine:Fix'], REGION],
])('what the command line alone shows is reported before a region is needed: %s', async (_, args, message) => {
  const { exitCode, stderr } = await commandLine(...args);

  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
});
