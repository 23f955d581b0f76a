import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { DefinitionBody, Pass, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { AgentHandler } from '../../../rehearsal/agentcore';
import { accessKeyOf } from '../../../rehearsal/iam/authorizer';
import { GitRepository, RunArtifacts, RunBrake } from '../../../src';
import { commandLine, ending } from '../../support/command-line';
import { awsEnvironment, setAwsEnvironment } from '../../support/moto';
import { RehearsedLoop, writes } from '../../support/rehearsed-loop';

jest.setTimeout(120_000);

const PAGE = readFileSync(resolve(__dirname, '../../../docs/runs-in-an-account.md'), 'utf8');

interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** A state machine that is no loop, and that the policy does not allow to describe. */
const OTHER = 'Nightly';
/** The name of the brake's parameter. */
const BRAKE = 'MyBrake';

/** The policy of the page, for the names of the test. */
function policyOfPage(): Policy {
  const [, text] = /```json\n([^`]+)```/.exec(PAGE)!;
  return JSON.parse(text.replace(/MyStack/g, 'Stack').replace(/:Fix\*/g, ':Loop*')) as Policy;
}

/** The same policy, in which some actions are denied. */
function policyWithout(...actions: string[]): Policy {
  return { ...policyOfPage(), Statement: [...policyOfPage().Statement, { Effect: 'Deny', Action: actions, Resource: '*' } as Policy['Statement'][number]] };
}

let loop: RehearsedLoop;
afterEach(async () => loop.close());

/** Runs command lines with credentials that have a policy. Returns what was missing. */
async function withPolicy(policy: object, agent: AgentHandler, use: () => Promise<void>): Promise<string[]> {
  loop = new RehearsedLoop();
  const assembly = loop.synth({
    loop: (stack) => {
      // The server knows a caller by the function whose role has the policy.
      const bucket = new Bucket(stack, 'Runs');
      const document: object = JSON.parse(JSON.stringify(policy).replace(/arn:aws:s3:::my-bucket/g, bucket.bucketArn));
      const role = new Role(stack, 'OperatorRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), inlinePolicies: { Policy: PolicyDocument.fromJson(document) } });
      new LambdaFunction(stack, 'Operator', { role, runtime: Runtime.NODEJS_20_X, handler: 'index.handler', code: Code.fromInline('exports.handler = () => {}') });
      new StateMachine(stack, OTHER, { definitionBody: DefinitionBody.fromChainable(new Pass(stack, 'Nothing')) });
      return {
        repository: GitRepository.fromUrl('https://example.com/app.git'),
        artifacts: RunArtifacts.inBucket(bucket),
        brake: new RunBrake(stack, 'Brake', { parameterName: BRAKE }),
      };
    },
  });
  const rehearsal = await loop.start(agent, { assembly });
  const { deployment } = rehearsal;
  const operator = deployment.stack.ofType('AWS::Lambda::Function').find((id) => id.startsWith('Operator'))!;
  const restore = setAwsEnvironment({ ...awsEnvironment(rehearsal.server.endpoint), AWS_ACCESS_KEY_ID: accessKeyOf(operator) });
  try {
    await use();
  } finally {
    restore();
  }
  return deployment.authorizer.missing.filter(({ resource }) => !resource.includes(`:${OTHER}`)).map(({ action }) => action);
}

const STACK = ['--stack', 'Stack', '--loop', 'Loop'];

test('the policy of the page is enough to start, follow, list, look at and stop a run', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'report-'));
  const missing = await withPolicy(policyOfPage(), writes('42'), async () => {
    await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'allowed'));
    for (const command of ['show', 'watch', 'logs', 'stop']) await ending(0, commandLine('runs', command, 'allow', ...STACK));
    await ending(0, commandLine('runs', 'report', 'allowed', ...STACK, '--output', join(directory, 'report.html')));
    await ending(0, commandLine('runs', ...STACK));
    for (const wanted of ['on', 'status', 'off']) await ending(0, commandLine('runs', 'brake', wanted, ...STACK));
    await ending(0, commandLine('runs', 'stop', '--all', '--yes', ...STACK));
  });
  rmSync(directory, { recursive: true });

  expect(missing).toEqual([]);
});

const ACTIONS = policyOfPage().Statement.flatMap(({ Action }) => Action);
const DETACHED = [['run', '--prompt', 'mend it', '--name', 'denied', '--detach'], ['runs'], ['runs', 'stop', 'denied']];

const actionsOf = (services: RegExp) => ACTIONS.filter((action) => services.test(action));

test.each(actionsOf(/^(cloudformation|states|bedrock)/))('a missing permission for %s is said, with the statement that would allow it', async (action) => {
  expect(await denied(action, () => new Promise(() => {}), DETACHED)).toEqual(saying(action));
});

test.each(actionsOf(/^ssm:/))('a missing permission for %s is said by the brake', async (action) => {
  expect(await denied(action, writes('42'), [['runs', 'brake', 'on'], ['runs', 'brake']])).toEqual(saying(action));
});

test.each(actionsOf(/^s3:/))('a missing permission for %s is said by the logs of a run', async (action) => {
  expect(await denied(action, writes('42'), [['run', '--prompt', 'mend it', '--name', 'denied'], ['runs', 'logs', 'denied']])).toEqual(saying(action));
});

/** Returns what was missing, and what the first command printed that failed. */
async function denied(
  action: string, agent: AgentHandler, commands: readonly (readonly string[])[],
): Promise<{ readonly missing: string[]; readonly text: string }> {
  let text = '';
  const missing = await withPolicy(policyWithout(action), agent, async () => {
    for (const args of commands) {
      const { exitCode, stdout, stderr } = await commandLine(...args, ...STACK);
      if (exitCode === 3) text ||= `${stdout}${stderr}`;
    }
  });
  return { missing, text };
}

/** Names the action and the resource, and the statement that would allow it. */
const saying = (action: string) => ({
  missing: expect.arrayContaining([action]),
  text: expect.stringMatching(new RegExp(`missing permission: the caller may not perform ${action} on arn:aws:[^]*` +
    `\\{"Effect":"Allow","Action":"${action}","Resource":"arn:aws:`)),
});

test('another state machine of the stack, which the policy does not allow, is named unless the loop is', async () => {
  await withPolicy(policyOfPage(), writes('42'), async () => {
    const { stderr } = await ending(3, commandLine('runs', '--stack', 'Stack'));

    expect(stderr).toMatch(/^missing permission: the caller may not perform states:DescribeStateMachine on arn:aws:states:\S+:stateMachine:Nightly\w+; this statement would allow it:\n/);
    expect(stderr).toContain('\nor name the loop with --loop, if it is another one: there is Stack/Loop\n');
    await ending(0, commandLine('runs', ...STACK));
  });
});
