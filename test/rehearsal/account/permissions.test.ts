import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { AgentHandler } from '../../../rehearsal/agentcore';
import { accessKeyOf } from '../../../rehearsal/iam/authorizer';
import { GitRepository } from '../../../src';
import { commandLine, ending } from '../../support/command-line';
import { awsEnvironment, setAwsEnvironment } from '../../support/moto';
import { RehearsedLoop, writes } from '../../support/rehearsed-loop';

jest.setTimeout(120_000);

const PAGE = readFileSync(resolve(__dirname, '../../../docs/runs-in-an-account.md'), 'utf8');

interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** The policy of the page, for the names of the test. */
function policyOfPage(): Policy {
  const [, text] = /```json\n([^`]+)```/.exec(PAGE)!;
  return JSON.parse(text.replace(/MyStack/g, 'Stack').replace(/:Fix\*/g, ':Loop*')) as Policy;
}

let loop: RehearsedLoop;
afterEach(async () => loop.close());

/** Runs command lines with credentials that have a policy. Returns what was missing. */
async function withPolicy(policy: object, agent: AgentHandler, use: () => Promise<void>): Promise<string[]> {
  loop = new RehearsedLoop();
  const assembly = loop.synth({
    loop: (stack) => {
      // The server knows a caller by the function whose role has the policy.
      const role = new Role(stack, 'OperatorRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), inlinePolicies: { Policy: PolicyDocument.fromJson(policy) } });
      new LambdaFunction(stack, 'Operator', { role, runtime: Runtime.NODEJS_20_X, handler: 'index.handler', code: Code.fromInline('exports.handler = () => {}') });
      return { repository: GitRepository.fromUrl('https://example.com/app.git') };
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
  return deployment.authorizer.missing.map(({ action }) => action);
}

const STACK = ['--stack', 'Stack'];

test('the policy of the page is enough to start, follow, list, look at and stop a run', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'report-'));
  const missing = await withPolicy(policyOfPage(), writes('42'), async () => {
    await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'allowed'));
    for (const command of ['show', 'watch', 'logs', 'stop']) await ending(0, commandLine('runs', command, 'allow', ...STACK));
    await ending(0, commandLine('runs', 'report', 'allowed', ...STACK, '--output', join(directory, 'report.html')));
    await ending(0, commandLine('runs', ...STACK));
    await ending(0, commandLine('runs', 'stop', '--all', '--yes', ...STACK));
  });
  rmSync(directory, { recursive: true });

  expect(missing).toEqual([]);
});

const ACTIONS = policyOfPage().Statement.flatMap(({ Action }) => Action).filter((action) => /^(cloudformation|states|bedrock)/.test(action));

test.each(ACTIONS)('a missing permission for %s is said, with the statement that would allow it', async (action) => {
  const policy = { ...policyOfPage(), Statement: [...policyOfPage().Statement, { Effect: 'Deny', Action: action, Resource: '*' }] };
  const said: string[] = [];
  const missing = await withPolicy(policy, () => new Promise(() => {}), async () => {
    for (const args of [['run', '--prompt', 'mend it', '--name', 'denied', '--detach'], ['runs'], ['runs', 'stop', 'denied']]) {
      const { exitCode, stdout, stderr } = await commandLine(...args, ...STACK);
      if (exitCode === 3) said.push(`${stdout}${stderr}`);
    }
  });

  expect(missing).toContain(action);
  expect(said[0]).toContain(`missing permission: the caller may not perform ${action} on arn:aws:`);
  expect(said[0]).toContain(`{"Effect":"Allow","Action":"${action}","Resource":"arn:aws:`);
});
