import { Duration, SecretValue, Stack, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentRuntime, AgentTurn, CodingLoop, CodingLoopProps, Commit, Gate, GitRepository, Mount, SessionDriver, SessionPolicy } from '../../src';
import { endpointNamed, IMAGE, newStack } from '../support/stacks';

const GATE = Gate.command('test', 'npm test');
const REPOSITORY = GitRepository.fromUrl('https://example.com/a.git');
const token = () => Token.asString({ Ref: 'Given' });

function runtimeIn(stack: Stack, props: Partial<agentcore.RuntimeProps> & { readonly mounts?: Mount[] } = {}): AgentRuntime {
  return new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace/')], ...props });
}

function loopIn(stack: Stack, props: Partial<CodingLoopProps> = {}): CodingLoop {
  const runtime = props.runtime ?? runtimeIn(stack);
  return new CodingLoop(stack, 'Loop', { runtime, repository: REPOSITORY, gates: [GATE], ...props });
}

const make = (props: Partial<CodingLoopProps> = {}) => () => loopIn(newStack(), props);

/** Returns the definition as text, with placeholders for values that are unknown at synth. */
function definitionOf(stack: Stack): string {
  const [machine] = Object.values(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'));
  const { DefinitionString: text } = machine.Properties;
  return typeof text === 'string' ? text : text['Fn::Join'][1].map((part: unknown) => typeof part === 'string' ? part : '<ref>').join('');
}

function statementsOf(stack: Stack, name: string) {
  const [role] = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Role')).filter(([id]) => id.startsWith(name)).map(([, resource]) => resource);
  return role.Properties.Policies.flatMap((policy: { readonly PolicyDocument: { readonly Statement: object[] } }) => policy.PolicyDocument.Statement);
}

describe('fails at synth', () => {
  test.each<[string, Partial<CodingLoopProps>, RegExp]>([
    ['without a gate', { gates: [] }, /"gates" must have 1 to 20 gates, not 0: without a gate/],
    ['with gates that plain JavaScript omits', { gates: undefined as unknown as Gate[] }, /"gates" must have 1 to 20 gates, not 0: without a gate/],
    ['with 21 gates', { gates: Array.from({ length: 21 }, (_, index) => Gate.command(`g${index}`, 'x')) }, /"gates" must have 1 to 20 gates, not 21/],
    ['with two gates of one name', { gates: [GATE, GATE] }, /"gates" must not have "test" twice: give each/],
    ['with a gate without a name', { gates: [Gate.command('', 'x')] }, /"name" must be 1 to 40 letters.*: rename the gate/],
    ['with a gate whose name has 41 characters', { gates: [Gate.command('x'.repeat(41), 'x')] }, /"name" must be 1 to 40 letters.*: rename the gate/],
    ['with a gate whose name starts with a dash', { gates: [Gate.command('-x', 'x')] }, /"name" must be 1 to 40 letters.*: rename the gate/],
    ['with a gate without a command', { gates: [Gate.command('a', ' ')] }, /gate "a": "command" must not be empty/],
    ['with a gate whose command is too long', { gates: [Gate.command('a', 'x'.repeat(32_769))] }, /gate "a": "command" must have at most 32768 bytes/],
    ['with a gate of zero seconds', { gates: [Gate.command('a', 'x', { timeout: Duration.seconds(0) })] }, /gate "a": "timeout" must be 1 to 28800 seconds, not 0/],
    ['with a gate that outlives a session', { gates: [Gate.command('a', 'x', { timeout: Duration.seconds(28_801) })] }, /"timeout" must be \d+ to \d+ seconds, not 28801/],
    ['with a gate of half a second', { gates: [Gate.command('a', 'x', { timeout: Duration.millis(1_500) })] }, /must be a whole number of seconds, not 1.5/],
    ['with a gate outside the repository', { gates: [Gate.command('a', 'x', { workingDirectory: 'b/../../c' })] }, /"workingDirectory" must be a directory of the repository, not "b\/..\/..\/c"/],
    ['with a gate in an absolute directory', { gates: [Gate.command('a', 'x', { workingDirectory: '/b' })] }, /"workingDirectory" must be a directory of the repository, not "\/b"/],
    ['with an empty pattern', { gates: [Gate.command('a', 'x', { failFast: [''] })] }, /"failFast" must not have an empty pattern/],
    ['with an invalid pattern', { gates: [Gate.command('a', 'x', { failFast: ['('] })] }, /"failFast" must have regular expressions of JavaScript, not "\("/],
    ['with a gate environment that no shell accepts', { gates: [Gate.command('a', 'x', { environment: { 'A-B': 'x' } })] }, /"environment" must have names of .*, not "A-B"/],
    ['with a secret in a gate', { gates: [Gate.command('a', 'x', { environment: { A: SecretValue.secretsManager('s').unsafeUnwrap() } })] }, /"environment.A" must not contain a value from Secrets Manager/],
    ['with a secret in the environment', { environment: { A: `ghp_${'x'.repeat(36)}` } }, /"environment.A" must not contain an access token/],
    ['with a secret in the bootstrap', { bootstrap: ['curl https://a:b@example.com'] }, /"bootstrap" must not contain a URL with a password/],
    ['with a secret in the turn', { turn: AgentTurn.command(`KEY=sk-${'x'.repeat(32)} agent`) }, /"turn" must not contain an API key/],
    ['with an environment that no shell accepts', { environment: { '1A': 'x' } }, /"environment" must have names of .*, not "1A"/],
    ['with an empty bootstrap command', { bootstrap: ['npm ci', ' '] }, /"bootstrap" must not have an empty command/],
    ['with a bootstrap command that is too long', { bootstrap: ['x'.repeat(32_000)] }, /"bootstrap" must have at most 31 KiB/],
    ['with a bootstrap of zero seconds', { bootstrapTimeout: Duration.seconds(0) }, /"bootstrapTimeout" must be \d+ to \d+ seconds, not 0/],
    ['with a bootstrap that outlives a session', { bootstrapTimeout: Duration.seconds(28_801) }, /"bootstrapTimeout" must be \d+ to \d+ seconds, not 28801/],
    ['with a timeout of less than a minute', { timeout: Duration.seconds(59) }, /"timeout" must be 60 to 2592000 seconds, not 59/],
    ['with a timeout of more than a month', { timeout: Duration.seconds(2_592_001) }, /"timeout" must be \d+ to \d+ seconds, not 2592001/],
    ['with -1 repairs', { maxRepairs: -1 }, /"maxRepairs" must be a whole number from 0 to 20, not -1/],
    ['with 21 repairs', { maxRepairs: 21 }, /"maxRepairs" must be a whole number from 0 to 20, not 21/],
    ['with parts that take longer than the run', {
      timeout: Duration.seconds(60),
      turn: AgentTurn.invoke({ timeout: Duration.seconds(61) }),
      bootstrapTimeout: Duration.seconds(62),
      gates: [Gate.command('a', 'x', { timeout: Duration.seconds(63) })],
    }, /"bootstrapTimeout" must be at most 60 seconds, the timeout of the run, not 62: shorten it[^]*"turn.timeout" must .* not 61[^]*gate "a": "timeout" must .* not 63/],
    ['with half a repair', { maxRepairs: 0.5 }, /"maxRepairs" must be a whole number from 0 to 20, not 0.5/],
    ['with an invoke of 881 seconds', { turn: AgentTurn.invoke({ timeout: Duration.seconds(881) }) }, /"turn.timeout" must be 1 to 880 seconds, not 881: use AgentTurn.command/],
    ['with a command turn that outlives a session', { turn: AgentTurn.command('x', { timeout: Duration.seconds(28_801) }) }, /"turn.timeout" must be \d+ to \d+ seconds, not 28801/],
    ['with an empty command turn', { turn: AgentTurn.command(' ') }, /"turn" must have a command that is not empty/],
    ['with a command turn that is too long', { turn: AgentTurn.command('x'.repeat(32_769)) }, /"turn" must have a command of at most 32768 bytes/],
    ['with a heartbeat as long as the turn', { turn: AgentTurn.callback({ timeout: Duration.minutes(6), heartbeat: Duration.minutes(6) }) }, /"turn.heartbeat" must be 10 to 359 seconds, not 360/],
    ['with a turn as short as the usual heartbeat', { turn: AgentTurn.callback({ timeout: Duration.minutes(5) }) }, /"turn.heartbeat" must be 10 to 299 seconds, not 300/],
    ['with a heartbeat of 9 seconds', { turn: AgentTurn.callback({ heartbeat: Duration.seconds(9) }) }, /"turn.heartbeat" must be \d+ to \d+ seconds, not 9/],
    ['with a URL that runs programs', { repository: GitRepository.fromUrl('ext::sh') }, /"repository" must be an https, .*, not "ext::sh"/],
    ['with a password in the URL', { repository: GitRepository.fromUrl('https://me:se@cr/et@example.com/x.git') }, /"repository" must be an https, .*, not "https:\/\/…@example.com\/x.git"/],
    ['with a token as the user in the URL', { repository: GitRepository.fromUrl('https://token@example.com/x.git') }, /"repository" must be an https, .*, not "https:\/\/…@example.com\/x.git": .*credential helper/],
    ['with a user in a URL that is unknown until deployment', { repository: GitRepository.fromUrl(`https://bot:${token()}@example.com/x.git`) }, /"repository" must be an https, .*, not "https:\/\/…@example.com\/x.git"/],
    ['with a secret in the URL', { repository: GitRepository.fromUrl(SecretValue.secretsManager('s').unsafeUnwrap()) }, /"repository" must not contain a value from Secrets Manager/],
    ['with a secret in the ref', { repository: GitRepository.fromInput({ ref: `ghp_${'x'.repeat(36)}` }) }, /"ref" must not contain an access token/],
    ['with a secret in the message', { commit: Commit.push({ message: SecretValue.secretsManager('s').unsafeUnwrap() }) }, /"message" must not contain a value from Secrets Manager/],
    ['with a secret in the branch prefix', { commit: Commit.push({ branchPrefix: `ghp_${'x'.repeat(36)}/` }) }, /"branchPrefix" must not contain an access token/],
    ['with a secret in the author', { commit: Commit.local({ authorName: `AKIA${'A'.repeat(16)}`, authorEmail: SecretValue.ssmSecure('/x').unsafeUnwrap() }) }, /"authorName" must not contain an AWS access key[^]*"authorEmail" must not contain a SecureString/],
    ['with a pattern of repositories that has a wildcard as the host', { repository: GitRepository.fromInput({ allow: ['https://*/a'] }) }, /"allow" must have https, .*, not "https:\/\/\*\/a": write/],
    ['with a query in the URL', { repository: GitRepository.fromUrl('https://example.com/x.git?token=abc') }, /"repository" must be an https, .*, not "https:\/\/example.com\/x.git\?…"/],
    ['with a ref that is an option', { repository: GitRepository.fromInput({ ref: '-x' }) }, /"ref" must be a branch, a tag or a commit, not "-x"/],
    ['with a negative depth', { repository: GitRepository.fromInput({ depth: -1 }) }, /"depth" must be a whole number, not -1/],
    ['with a depth that is not a whole number', { repository: GitRepository.fromInput({ depth: 1.5 }) }, /"depth" must be a whole number, not 1.5/],
    ['with an impossible name of an endpoint', { endpoint: endpointNamed('*') }, /"endpoint" must have a name .*, not "\*"/],
    ['with a relative mount', { mountPath: 'mnt' }, /"mountPath" must be an absolute path, not "mnt"/],
    ['with a branch prefix that git refuses', { commit: Commit.push({ branchPrefix: '-a b/' }) }, /"branchPrefix" must be the start of a valid branch name, not "-a b\/"/],
    ['with an author that git refuses', { commit: Commit.push({ authorName: 'a <b' }) }, /"authorName" must be text without .*, not "a <b"/],
    ['with an author without a name', { commit: Commit.push({ authorName: '' }) }, /"authorName" must be text without .*, not ""/],
    ['with an address that git refuses', { commit: Commit.push({ authorEmail: 'a\nb' }) }, /"authorEmail" must be text without/],
    ['with an empty message', { commit: Commit.push({ message: ' ' }) }, /"message" must not be empty/],
    ['with a message that is too long', { commit: Commit.push({ message: 'x'.repeat(4_097) }) }, /"message" must have at most 4096 characters, not 4097/],
  ])('%s', (_, props, message) => {
    expect(make(props)).toThrow(message);
  });

  test('for a runtime without session storage, unless a mount is named', () => {
    const official = (stack: Stack) => new agentcore.Runtime(stack, 'Official', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE });
    const stack = newStack();
    expect(() => loopIn(stack, { runtime: official(stack) })).toThrow(/"runtime" must have session storage/);
    const other = newStack();
    expect(() => loopIn(other, { runtime: official(other), mountPath: '/mnt/efs/' })).not.toThrow();
    expect(definitionOf(other)).toContain('"mount":"/mnt/efs"');
  });

  test('for a gate or a turn that outlives the runtime\'s sessions', () => {
    const short = (props: Partial<CodingLoopProps>, seconds = 3_600) => () => {
      const stack = newStack();
      const lifecycleConfiguration = { idleRuntimeSessionTimeout: Duration.minutes(10), maxLifetime: Duration.seconds(seconds) };
      return loopIn(stack, { runtime: runtimeIn(stack, { lifecycleConfiguration }), ...props });
    };
    expect(short({ gates: [Gate.command('a', 'x', { timeout: Duration.seconds(3_600) })], turn: AgentTurn.command('x') })).not.toThrow();
    expect(short({ gates: [Gate.command('a', 'x', { timeout: Duration.seconds(3_601) })] })).toThrow(/gate "a": "timeout" must be at most 3600 seconds, the lifetime of the runtime's sessions, not 3601/);
    const gates = [Gate.command('a', 'x', { timeout: Duration.seconds(60) })];
    expect(short({ gates }, 880)).not.toThrow();
    expect(short({ gates }, 879)).toThrow(/"turn.timeout" must be at most 879 seconds, the lifetime of the runtime's sessions, not 880/);
    expect(short({ turn: AgentTurn.command('x', { timeout: Duration.seconds(3_601) }) })).toThrow(/"turn.timeout" must be at most 3600 seconds, the lifetime of the runtime's sessions, not 3601/);
  });

  test('for timeouts that are unknown until deployment', () => {
    const later = Duration.seconds(Token.asNumber({ Ref: 'Seconds' }));
    const turn = AgentTurn.callback({ timeout: later, heartbeat: later });
    expect(make({ timeout: later, bootstrapTimeout: later, turn, gates: [Gate.command('a', 'x', { timeout: later })] }))
      .toThrow(/gate "a": "timeout" must be known[^]*"turn.timeout" must be known[^]*"turn.heartbeat"[^]*"bootstrapTimeout"[^]*"timeout"/);
  });

  test('not for a loop whose inputs may name any repository, but warns', () => {
    const warningsOf = (repository: GitRepository) => {
      const stack = newStack();
      loopIn(stack, { repository });
      return Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('may name any repository that is reached by https'));
    };
    const repositories = [GitRepository.fromInput(), GitRepository.fromInput({ allow: ['https://git.example.com/*'] }), GitRepository.fromUrl('https://git.example.com/a')];
    expect(repositories.map((repository) => warningsOf(repository).length)).toEqual([1, 0, 0]);
  });

  test('with all errors at once', () => {
    expect(make({ gates: [], maxRepairs: 99 })).toThrow(/"gates"[^]*"maxRepairs"/);
  });
});

describe('accepts', () => {
  test.each<[string, Partial<CodingLoopProps>]>([
    ['20 gates', { gates: Array.from({ length: 20 }, (_, index) => Gate.command(`g${index}`, 'x')) }],
    ['a gate of 40 characters and 32 KiB', { gates: [Gate.command(`a b_-${'x'.repeat(35)}`, 'x'.repeat(32_768), { timeout: Duration.hours(8), workingDirectory: 'a/b', failFast: ['^x'] })] }],
    ['a gate of one second', { gates: [Gate.command('a', 'x', { timeout: Duration.seconds(1) })] }],
    ['0 repairs', { maxRepairs: 0 }],
    ['20 repairs', { maxRepairs: 20 }],
    ['a timeout of one minute', {
      timeout: Duration.seconds(60),
      turn: AgentTurn.invoke({ timeout: Duration.seconds(60) }),
      bootstrapTimeout: Duration.seconds(60),
      gates: [Gate.command('a', 'x', { timeout: Duration.seconds(60) })],
    }],
    ['a timeout of one month', { timeout: Duration.days(30) }],
    ['an invoke of 880 seconds', { turn: AgentTurn.invoke({ timeout: Duration.seconds(880) }) }],
    ['a heartbeat a second shorter than the turn', { turn: AgentTurn.callback({ timeout: Duration.minutes(5), heartbeat: Duration.seconds(299) }) }],
    ['the complete history', { repository: GitRepository.fromInput({ depth: 0 }) }],
    ['a bootstrap of 8 hours', { bootstrap: ['x'], bootstrapTimeout: Duration.hours(8) }],
  ])('%s', (_, props) => {
    expect(make(props)).not.toThrow();
  });

  test('values that are unknown until deployment', () => {
    const stack = newStack();
    loopIn(stack, {
      repository: GitRepository.fromUrl(token(), { ref: token(), depth: Token.asNumber({ Ref: 'Depth' }) }),
      gates: [Gate.command('test', token(), { workingDirectory: token(), environment: { A: token() } })],
      commit: Commit.push({ branchPrefix: token(), authorName: token(), authorEmail: token(), message: token() }),
      maxRepairs: Token.asNumber({ Ref: 'Repairs' }),
      mountPath: token(),
      endpoint: endpointNamed(token()),
      environment: { A: token() },
      turn: AgentTurn.command(token()),
    });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });
});

describe('the roles of a loop', () => {
  test('allow the state machine to call the driver, log, trace and use the key, and nothing else', () => {
    const stack = newStack();
    loopIn(stack, { encryptionKey: new kms.Key(stack, 'Key') });
    expect(statementsOf(stack, 'LoopRole')).toEqual([
      { Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: { 'Fn::GetAtt': [expect.stringMatching(/^AgentcoreWorkbenchSessionDriver/), 'Arn'] } },
      { Action: expect.arrayContaining(['logs:CreateLogDelivery', 'logs:PutResourcePolicy']), Effect: 'Allow', Resource: '*' },
      { Action: ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Effect: 'Allow', Resource: '*' },
      { Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Effect: 'Allow', Resource: { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] } },
    ]);
    Template.fromStack(stack).resourceCountIs('AWS::IAM::Policy', 1); // the policy of the runtime
  });

  test('have no statements for features that are not used', () => {
    const stack = newStack();
    loopIn(stack, { tracingEnabled: false });
    expect(statementsOf(stack, 'LoopRole').flatMap(({ Action }: { readonly Action: string | string[] }) => Action).filter((action: string) => /^(xray|kms):/.test(action))).toEqual([]);
    Template.fromStack(stack).hasResourceProperties('AWS::StepFunctions::StateMachine', { TracingConfiguration: { Enabled: false }, EncryptionConfiguration: Match.absent() });
  });

  test('allow the driver to reach only the given endpoint', () => {
    const stack = newStack();
    loopIn(stack, { endpoint: endpointNamed('v7') });
    const resources = statementsOf(stack, 'AgentcoreWorkbenchSessionDriver').filter(({ Action }: { readonly Action: string | string[] }) => String(Action).startsWith('bedrock-agentcore:'));
    expect(resources.length).toBeGreaterThan(2);
    for (const { Resource } of resources) expect(JSON.stringify(Resource)).toMatch(/AgentRuntimeArn.*runtime-endpoint\/v7/);
  });

  test('allow a grantee to start runs', () => {
    const stack = newStack();
    const loop = loopIn(stack);
    loop.grantStartExecution(new iam.User(stack, 'User'));
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [{ Action: 'states:StartExecution', Effect: 'Allow', Resource: { Ref: stack.getLogicalId(loop.stateMachine.node.defaultChild as sfn.CfnStateMachine) } }] },
    });
    expect(stack.resolve((loop.grantPrincipal as iam.IRole).roleArn)).toEqual(stack.resolve(loop.stateMachine.role.roleArn));
    expect(loop.node.defaultChild).toBe(loop.stateMachine);
  });
});

describe('the state machine', () => {
  test('by default, logs errors without execution data, traces, and is encrypted by AWS', () => {
    const stack = newStack();
    loopIn(stack);
    Template.fromStack(stack).hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
      TracingConfiguration: { Enabled: true },
      EncryptionConfiguration: Match.absent(),
    });
  });

  test('has the given name, logs, key and driver', () => {
    const stack = newStack();
    const destination = new logs.LogGroup(stack, 'OwnLogs');
    const driver = new SessionDriver(stack, 'OwnDriver');
    loopIn(stack, {
      stateMachineName: 'fix', logs: { destination, level: sfn.LogLevel.ALL, includeExecutionData: true }, encryptionKey: new kms.Key(stack, 'Key'), driver,
    });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'fix',
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true, Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: { 'Fn::GetAtt': [stack.getLogicalId(destination.node.defaultChild as logs.CfnLogGroup), 'Arn'] } } }] },
      EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: Match.anyValue() },
    });
    template.resourceCountIs('AWS::Lambda::Function', 1);
  });

  test('has a timeout that is an hour longer than all its parts together', () => {
    const stack = newStack();
    loopIn(stack, { maxRepairs: 1, turn: AgentTurn.invoke({ timeout: Duration.seconds(100) }), gates: [Gate.command('a', 'x', { timeout: Duration.seconds(200) })] });
    const own = 780 + 2 * (100 + 600 + 200 + 600 + (2 * 600 + 780 + 600 + 200 + 600)) + 2 * 600;
    expect(definitionOf(stack)).toContain(`"timeoutSeconds":${own}`);
    expect(definitionOf(stack)).toMatch(new RegExp(`"TimeoutSeconds":${own + 3_600}\\}$`));
  });

  test('has time for gates before the first turn, if enabled', () => {
    const stack = newStack();
    loopIn(stack, { gatesBefore: true, maxRepairs: 0, turn: AgentTurn.invoke({ timeout: Duration.seconds(100) }), gates: [Gate.command('a', 'x', { timeout: Duration.seconds(200) })] });
    expect(definitionOf(stack)).toContain(`"timeoutSeconds":${780 + (600 + 200 + 600) + (100 + 600 + 200 + 600 + (2 * 600 + 780 + 600 + 200 + 600)) + 2 * 600}`);
  });

  test('leaves to the prompt what the loop\'s own commands do not use of a state', () => {
    const bytesOf = (command: string) => {
      const stack = newStack();
      loopIn(stack, { gates: [Gate.command('a', command)] });
      return Number(/"promptBytes":(\d+)/.exec(definitionOf(stack))![1]);
    };
    expect(bytesOf('x')).toBe(221_184);
    expect(bytesOf('x'.repeat(30_000))).toBeLessThan(196_000);
  });

  test('leaves the session running if configured to', () => {
    const stack = newStack();
    loopIn(stack, { sessionPolicy: SessionPolicy.LEAVE });
    expect(definitionOf(stack)).not.toContain('"stop":true');
  });
});

describe('the metrics of a loop', () => {
  test('have suitable statistics, which can be overridden', () => {
    const loop = loopIn(newStack());
    expect(loop.metricRuns('COMMITTED')).toMatchObject({ namespace: 'AgentCoreWorkbench', metricName: 'Runs', statistic: 'Sum', dimensions: { Loop: 'Stack/Loop', Outcome: 'COMMITTED', service: 'session-driver' } });
    expect(loop.metricRounds('COMMITTED')).toMatchObject({ metricName: 'Rounds', statistic: 'Average' });
    expect(loop.metricRunSeconds('CodingLoop.Red', { statistic: 'p99' })).toMatchObject({ metricName: 'RunSeconds', statistic: 'p99', dimensions: { Outcome: 'CodingLoop.Red' } });
    expect(loop.metricGates('FAILED')).toMatchObject({ metricName: 'Gates', statistic: 'Sum', dimensions: { Verdict: 'FAILED' } });
    expect(loop.metric('Other')).toMatchObject({ metricName: 'Other', dimensions: { Loop: 'Stack/Loop' } });
  });
});
