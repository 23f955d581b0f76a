import { execFileSync } from 'child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'fs';
import { builtinModules } from 'module';
import { tmpdir } from 'os';
import { join } from 'path';
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentRuntime, Command, InvokeAgent, RunCommand, SessionDriver, StopSession } from '../../src';
import { ATTACHING, BEFORE_FIRST_BYTE, REPEATABLE } from '../../src/driver/retry-policies';
import { METRICS } from '../../src/jobs/constants';
import { endpointNamed, IMAGE, newStack } from '../support/stacks';

const SESSION = 'a-session-of-more-than-33-characters';
const OTHER = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/other-0123456789';

const ASSET = join(__dirname, '../../assets/driver/session-driver.lambda');

/** Reads a file of the asset, and finds the modules that it loads. */
function bundle(file: string): { readonly text: string; readonly required: readonly string[] } {
  const text = readFileSync(join(ASSET, file), 'utf8');
  return { text, required: [...text.matchAll(/require\("(?:node:)?([^"]+)"\)/g)].map(([, name]) => name) };
}

function statements(stack: Stack): { Action: string | string[]; Resource: unknown }[] {
  const [role] = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Role')).filter(([id]) => id.includes('SessionDriver'));
  return role[1].Properties.Policies[0].PolicyDocument.Statement;
}

describe('the driver', () => {
  test('is shared by all tasks of a stack, with the least permissions that they need', () => {
    const stack = newStack();
    const runtime = new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE });
    const other = Runtime.fromAgentRuntimeAttributes(stack, 'Other', {
      agentRuntimeArn: OTHER, agentRuntimeId: 'other-0123456789', agentRuntimeName: 'other', agentRuntimeVersion: '1', roleArn: 'arn:aws:iam::123456789012:role/other',
    });
    for (const id of ['One', 'Two']) new RunCommand(stack, id, { runtime, sessionId: SESSION, command: Command.shell('true'), mountPath: '/mnt/work' });
    new InvokeAgent(stack, 'Ask', { runtime: other, endpoint: endpointNamed('live'), sessionId: SESSION, payload: sfn.TaskInput.fromObject({}) });
    new StopSession(stack, 'Stop', { runtime: other, endpoint: endpointNamed('live'), sessionId: SESSION });

    Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 1);
    const arn = { 'Fn::GetAtt': ['Agent255F68E9', 'AgentRuntimeArn'] };
    expect(statements(stack).slice(2)).toEqual([
      { Action: 'bedrock-agentcore:InvokeAgentRuntimeCommand', Effect: 'Allow', Resource: [arn, { 'Fn::Join': ['', [arn, '/*']] }] },
      { Action: 'bedrock-agentcore:InvokeAgentRuntime', Effect: 'Allow', Resource: [OTHER, `${OTHER}/runtime-endpoint/live`] },
      { Action: 'bedrock-agentcore:StopRuntimeSession', Effect: 'Allow', Resource: [OTHER, `${OTHER}/runtime-endpoint/live`] },
    ]);
  });

  test('writes only its own logs and traces', () => {
    const stack = newStack();
    SessionDriver.getOrCreate(stack);
    expect(statements(stack)).toEqual([
      { Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Effect: 'Allow', Resource: { 'Fn::GetAtt': [expect.stringContaining('Logs'), 'Arn'] } },
      { Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Effect: 'Allow', Resource: '*' },
    ]);
    Template.fromStack(stack).resourceCountIs('AWS::IAM::Policy', 0);
  });

  test('is an arm64 function that is traced and that Lambda does not retry', () => {
    const stack = newStack();
    SessionDriver.getOrCreate(stack);
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::Lambda::Function', { Architectures: ['arm64'], Runtime: 'nodejs24.x', Timeout: 900, TracingConfig: { Mode: 'Active' } });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
    template.hasResource('AWS::Logs::LogGroup', { Properties: { RetentionInDays: 90 }, DeletionPolicy: 'Delete' });
  });

  test('bundles the SDK, because the version in the Lambda runtime may not know the service', () => {
    const { text, required } = bundle('index.js');
    expect(required).toContain('crypto');
    expect(required.filter((name) => ![...builtinModules, './junit', './listing', './access', './agent-report', './agent-words', './operate', './repair', './run-artifacts'].includes(name))).toEqual([]);
    expect(text).toContain('StopRuntimeSession');
  });

  test('has the reader of reports in a second file, which index.js loads when it needs it', () => {
    expect(readdirSync(ASSET).sort()).toEqual(['access.js', 'agent-report.js', 'agent-words.js', 'index.js', 'junit.js', 'listing.js', 'operate.js', 'repair.js', 'run-artifacts.js', 'run-story.js']);
    const { text, required } = bundle('junit.js');
    expect(required.filter((name) => !builtinModules.includes(name))).toEqual([]);
    expect([text, bundle('index.js').text].map((file) => file.includes('unclosed tag'))).toEqual([true, false]);
    expect([text, bundle('index.js').text].map((file) => file.includes('The ISC License'))).toEqual([true, false]);
  });

  test('has the listing of what only a workspace has in a third file', () => {
    const { text, required } = bundle('listing.js');
    expect(required.filter((name) => !builtinModules.includes(name))).toEqual([]);
    expect([text, bundle('index.js').text].map((file) => file.includes('__pycache__'))).toEqual([true, false]);
  });

  test('has the access of sessions to a forge in a fourth file', () => {
    const { text, required } = bundle('access.js');
    expect(required.filter((name) => !builtinModules.includes(name))).toEqual([]);
    expect([text, bundle('index.js').text].map((file) => file.includes('workbench-key'))).toEqual([true, false]);
  });

  test('reads reports with nothing but its own files', () => {
    const directory = mkdtempSync(join(tmpdir(), 'asset-'));
    try {
      cpSync(ASSET, directory, { recursive: true });
      const program = 'const { readReports } = require("./junit"); console.log(JSON.stringify(readReports([{ name: "a", xml: Buffer.from("<testsuite><testcase name=\'n\'/></testsuite>") }])))';
      const output = execFileSync(process.execPath, ['-e', program], { cwd: directory, encoding: 'utf8' });
      expect(JSON.parse(output)).toEqual({ tests: 1, failed: 0, skipped: 0, failing: [] });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('can be the user\'s own, with a key and a retention', () => {
    const stack = newStack();
    const driver = new SessionDriver(stack, 'Driver', {
      encryptionKey: new kms.Key(stack, 'Key'), logRetention: logs.RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN, memorySize: 1_024,
    });
    new StopSession(stack, 'Stop', { runtime: new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE }), sessionId: SESSION, driver });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::Lambda::Function', 1);
    template.hasResourceProperties('AWS::Lambda::Function', { MemorySize: 1_024 });
    template.hasResource('AWS::Logs::LogGroup', { Properties: { RetentionInDays: 365, KmsKeyId: { 'Fn::GetAtt': ['Key961B73FD', 'Arn'] } }, DeletionPolicy: 'Retain' });
  });
});

describe('the retry policies', () => {
  /** The longest total wait of a policy, in seconds. */
  const totalWait = ({ interval, backoffRate, maxAttempts, maxDelay }: sfn.RetryProps) => Array.from({ length: maxAttempts! }, (_, index) =>
    Math.min(interval!.toSeconds() * backoffRate! ** index, maxDelay?.toSeconds() ?? Infinity)).reduce((sum, seconds) => sum + seconds, 0);

  test('wait in total as long as their descriptions say', () => {
    expect(REPEATABLE.map(totalWait)).toEqual([96, 315, 90]);
    expect(totalWait(ATTACHING[3])).toBe(14);
  });

  test('never repeat what may have started', () => {
    const invokes = BEFORE_FIRST_BYTE.flatMap(({ errors }) => errors!);
    expect(invokes.filter((name) => /StreamCut|Unknown|Timeout|ServiceException/i.test(name))).toEqual([]);
  });
});

test('defines each metric name once', () => {
  expect(Object.values(METRICS.names)).toEqual([...new Set(Object.values(METRICS.names))]);
});
