import { fork } from 'node:child_process';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, RunBrake, RunBrakeProps } from '../../src';
import { useLoops, LoopFixture } from '../support/loop-fixture';
import { IMAGE } from '../support/stacks';

const start = useLoops();

function synth(props: RunBrakeProps = {}, more: (stack: Stack, brake: RunBrake) => void = () => undefined, loop: Partial<CodingLoopProps> = {}) {
  const stack = new Stack(new App(), 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  const brake = new RunBrake(stack, 'Brake', props);
  new CodingLoop(stack, 'Loop', {
    runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], brake, ...loop,
  });
  more(stack, brake);
  return Template.fromStack(stack);
}

/** An SSM that has one parameter, whatever its name. */
class Parameters {
  readonly asked: string[] = [];
  /** The value, or the name of the error. */
  value: string | { readonly error: string } = 'off';
  type = 'String';
  /** The number of requests that are throttled first: more than the tries of one call. */
  throttled = 0;

  /** Answers the requests that functions of the loop send to SSM. */
  serve({ deployment, server }: LoopFixture): void {
    const { answer } = server;
    server.answer = (request) => {
      if (request.target !== 'AmazonSSM.GetParameter') return answer!(request);
      const { Name } = JSON.parse(request.body.toString('utf8')) as { readonly Name: string };
      const refusal = deployment.authorizer.refusalOfRequest(
        request.authorization, 'ssm:GetParameter', [`arn:aws:ssm:us-east-1:123456789012:parameter/${Name.replace(/^\//, '')}`],
      );
      this.asked.push(refusal ?? Name);
      if (this.throttled-- > 0) return { status: 400, body: { __type: 'ThrottlingException', message: 'Rate exceeded' } };
      if (typeof this.value !== 'string') return { status: 400, body: { __type: this.value.error, message: 'no' } };
      return { status: 200, body: { Parameter: { Name, Type: this.type, Value: this.value, Version: 1 } } };
    };
  }
}

const loop = (): Partial<CodingLoopProps> => {
  const stack = new Stack(new App(), 'Other');
  const parameter = ssm.StringParameter.fromStringParameterName(stack, 'Parameter', '/coding/brake');
  return { brake: new RunBrake(stack, 'Brake', { parameter }) };
};

async function braked(value: Parameters['value'], agent?: (turn: number) => string) {
  const made = await start({ loop, agent });
  const parameters = new Parameters();
  parameters.value = value;
  parameters.serve(made);
  return { made, parameters };
}

test('a run does its work while the brake is off, and looks at it when it starts and before each turn', async () => {
  const { made, parameters } = await braked('off', (turn) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt');
  expect((await made.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(parameters.asked).toEqual(['/coding/brake', '/coding/brake', '/coding/brake']);
});

test.each(['on', 'On', ' on\n'])('no run begins while the brake is %j: it is refused, and starts nothing', async (value) => {
  const { made } = await braked(value);
  const { status, error, record } = await made.run();
  expect([status, error]).toEqual(['FAILED', 'CodingLoop.Braked']);
  expect(record).toMatchObject({
    outcome: 'CodingLoop.Braked', rounds: 0, session: { stopped: false }, error: { name: 'CodingLoop.Braked', message: 'the brake /coding/brake is on' },
  });
  expect(made.entered.slice(-1)).toEqual(['Refused, nothing was started']);
  expect(made.server.calls.of('InvokeAgentRuntimeCommand')).toEqual([]);
});

test('a wrong input is refused as such, whatever the brake says', async () => {
  const { made, parameters } = await braked('on');
  expect((await made.run({ prompt: '' })).error).toBe('CodingLoop.BadInput');
  expect(parameters.asked).toEqual([]);
});

test('a run in progress ends at its next turn: its session is stopped, and its work is kept for the next run', async () => {
  const { made, parameters } = await braked('off', (turn) => {
    if (turn === 0) parameters.value = 'on'; // while the agent works
    return turn === 0 ? 'echo wrong-a > value.txt; echo kept > work.txt' : 'cat work.txt && echo right > value.txt';
  });
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'CodingLoop.Braked', session: { stopped: true }, feedback: { gate: 'test' }, rounds: 1 });
  expect(made.entered.slice(-1)).toEqual(['Not committed']);
  expect(made.turns).toHaveLength(1);
  parameters.value = 'off';
  expect((await made.run({ session: record.session })).record.outcome).toBe('COMMITTED');
  expect(made.show(undefined, 'work.txt')).toBe('kept\n');
});

test.each([
  ['AccessDeniedException', 1],
  ['ParameterNotFound', 1],
  ['InternalServerError', 4],
])('a brake that cannot be read (%s) stops the run, after %i tries', async (error, tries) => {
  const { made, parameters } = await braked({ error });
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'CodingLoop.Braked', error: { message: expect.stringContaining(`the brake /coding/brake cannot be read, so it could not stop the run: ${error}`) } });
  expect(parameters.asked).toHaveLength(tries);
});

test('a brake that is pulled between two tries of the first step leaves no session of the first one', async () => {
  const { made, parameters } = await braked('off');
  const cut = made.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand',
    at: 'beforeEnd',
    kind: 'internal',
    times: 6,
    match: ({ command = '' }) => {
      parameters.value = 'on';
      return command.includes('job=prepare');
    },
  });
  const { error, record } = await made.run();
  expect([cut.fired, error, record.session.stopped]).toEqual([6, 'CodingLoop.Braked', false]);
  expect(made.server.calls.of('StopRuntimeSession').map(({ sessionId, outcome }) => [sessionId, outcome?.statusCode])).toEqual([[record.session.id, 200]]);
});

test('a throttled brake is read again by the state machine, and a run goes on when it can be read', async () => {
  const { made, parameters } = await braked('off', () => 'echo right > value.txt');
  parameters.throttled = 6;
  expect((await made.run()).record).toMatchObject({ outcome: 'COMMITTED' });
  expect(parameters.asked).toHaveLength(8);
});

test('a run does not begin if its brake stays throttled', async () => {
  const { made } = await braked({ error: 'ThrottlingException' });
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'Workbench.Throttled', rounds: 0 });
  expect(made.turns).toHaveLength(0);
});

test('a brake whose value is encrypted stops the run', async () => {
  const { made, parameters } = await braked('off');
  parameters.type = 'SecureString';
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'CodingLoop.Braked', error: { message: 'the brake /coding/brake cannot be read: its parameter is a SecureString, and must be a String' } });
});

test('the driver may read the parameter, and nothing of it may set it', () => {
  const template = synth();
  template.hasResourceProperties('AWS::SSM::Parameter', { Type: 'String', Value: 'off' });
  template.hasResourceProperties('AWS::IAM::Role', {
    Policies: Match.arrayWith([Match.objectLike({
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: 'ssm:GetParameter' })]) },
    })]),
  });
  expect(JSON.stringify(template.toJSON())).not.toContain('ssm:PutParameter');
  template.resourceCountIs('AWS::Lambda::Function', 1);
});

test('a parameter of your own is used as it is', () => {
  const template = synth({}, (stack) => {
    const parameter = ssm.StringParameter.fromStringParameterName(stack, 'Mine', '/mine');
    new RunBrake(stack, 'Other', { parameter });
  });
  template.resourceCountIs('AWS::SSM::Parameter', 1);
});

test('who may set the brake may do that alone', () => {
  const template = synth({}, (stack, brake) => brake.grantSet(new iam.User(stack, 'Operator')));
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: [Match.objectLike({ Action: ['ssm:GetParameter', 'ssm:PutParameter'], Effect: 'Allow' })] },
  });
});

test('alarms pull the brake by one function, which may do that alone', () => {
  const template = synth({}, (stack, brake) => {
    for (const id of ['One', 'Two']) {
      new cloudwatch.Alarm(stack, id, { metric: new cloudwatch.Metric({ namespace: 'n', metricName: 'm' }), threshold: 1, evaluationPeriods: 1 }).addAlarmAction(brake);
    }
  });
  template.resourceCountIs('AWS::Lambda::Function', 2);
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^BrakePull'), 'Arn'] }] });
  template.resourcePropertiesCountIs('AWS::Lambda::Permission', {
    Principal: 'lambda.alarms.cloudwatch.amazonaws.com', SourceAccount: { Ref: 'AWS::AccountId' },
  }, 1);
  template.hasResourceProperties('AWS::IAM::Role', {
    Policies: [{ PolicyName: 'Pull', PolicyDocument: Match.objectLike({ Statement: [Match.anyValue(), Match.objectLike({ Action: 'ssm:PutParameter' })] }) }],
  });
});

/** Acts as Lambda: loads a bundle, passes it one event and sends back the result. */
const RUNNER = `
  process.once('message', ({ bundle, event }) => {
    require(bundle).handler(event).then(
      (result) => process.send({ result }),
      ({ name }) => process.send({ error: name }),
    ).finally(() => process.disconnect());
  });`;

describe('the function of the alarms', () => {
  let server: Server;
  let status = 200;
  const requests: { readonly target?: string; readonly body: unknown }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        requests.push({ target: request.headers['x-amz-target'] as string, body: JSON.parse(Buffer.concat(chunks).toString()) });
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify(status === 200 ? { Version: 2, Tier: 'Standard' } : { __type: 'AccessDeniedException', message: 'no' }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());
  beforeEach(() => {
    requests.length = 0;
    status = 200;
  });

  /** Calls the bundle in a process of its own, as Lambda does. */
  async function call(state: string): Promise<{ readonly result?: unknown; readonly error?: string }> {
    const child = fork('-e', [RUNNER], {
      execArgv: [],
      env: {
        PATH: process.env.PATH,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'k',
        AWS_SECRET_ACCESS_KEY: 's',
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        WORKBENCH_BRAKE_PARAMETER: '/coding/brake',
      },
    });
    child.send({ bundle: join(__dirname, '../../assets/operate/run-brake.lambda/index.js'), event: { alarmData: { alarmName: 'a', state: { value: state } } } });
    return new Promise((resolve) => child.once('message', resolve as never));
  }

  test('sets the parameter when the alarm goes off', async () => {
    expect(await call('ALARM')).toEqual({ result: { brake: 'on' } });
    expect(requests).toEqual([{ target: 'AmazonSSM.PutParameter', body: { Name: '/coding/brake', Value: 'on', Overwrite: true } }]);
  });

  test('does not release the brake when the alarm is over', async () => {
    expect(await call('OK')).toEqual({ result: { brake: 'left as it is' } });
    expect(requests).toEqual([]);
  });

  test('fails if it may not set the parameter, so that Lambda repeats it', async () => {
    status = 400;
    expect(await call('ALARM')).toEqual({ error: 'AccessDeniedException' });
  });
});
