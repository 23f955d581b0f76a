import { Duration, SecretValue, Size, Stack, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentRuntime, Command, Mount, RunCommand, RunCommandProps, StopSession } from '../../src';
import { statesOfChain } from '../support/definitions';
import { endpointNamed, IMAGE, messageOf, newStack } from '../support/stacks';

const SESSION = 'a-session-of-more-than-33-characters';

function runtimeIn(stack: Stack): AgentRuntime {
  return new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: IMAGE,
    mounts: [Mount.sessionStorage('/mnt/workspace')],
    lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.minutes(10), maxLifetime: Duration.hours(2) },
  });
}

function command(props: Partial<RunCommandProps> = {}, stack: Stack = newStack()): RunCommand {
  return new RunCommand(stack, 'Lint', {
    runtime: props.runtime ?? runtimeIn(stack), sessionId: SESSION, command: Command.shell('npm run lint'), ...props,
  });
}

const fault = (props: Partial<RunCommandProps>) => messageOf(() => command(props)).split('\n  at ')[0];

describe('the states of a command', () => {
  test.each([[undefined, undefined], [true, undefined], [false, true]])('tell the driver whether the session has answered before: mayStartSession %s', (mayStartSession, answered) => {
    const stack = newStack();
    expect(statesOfChain(stack, command({ mayStartSession }, stack)).Lint.Parameters!.answered).toBe(answered);
  });

  test('start the command, and attach until it ends', () => {
    const stack = newStack();
    const states = statesOfChain(stack, command({ timeout: Duration.minutes(90), workingDirectory: '/mnt/workspace/repo' }, stack));

    expect(Object.keys(states)).toEqual(['Lint: name the job', 'Lint', 'Lint: ended?', 'Lint: attach', 'Lint: done']);
    expect(states.Lint.Parameters).toEqual({
      'operation': 'run',
      'runtimeArn': '<Agent255F68E9.AgentRuntimeArn>',
      'sessionId': SESSION,
      'run.$': '$.command.run',
      'name': 'Lint',
      'mount': '/mnt/workspace',
      'timeoutSeconds': 5_400,
      'command': 'npm run lint',
      'workingDirectory': '/mnt/workspace/repo',
      'mode': 'start',
    });
    expect(states['Lint: attach'].Parameters).toEqual({ ...states.Lint.Parameters, 'mode': 'attach', 'previous.$': '$.command' });
    expect(states['Lint: ended?'].Choices).toEqual([{ Variable: '$.command.status', StringEquals: 'RUNNING', Next: 'Lint: attach' }]);
  });

  test('attach and do not start the command again after the function was lost', () => {
    const stack = newStack();
    const states = statesOfChain(stack, command({}, stack));
    expect(states.Lint.Catch).toEqual([{ ErrorEquals: expect.arrayContaining(['Lambda.Unknown', 'States.Timeout']), ResultPath: '$.command.error', Next: 'Lint: attach' }]);
    expect(states.Lint.Retry!.flatMap(({ ErrorEquals }) => ErrorEquals)).not.toContain('Lambda.Unknown');
    expect(states['Lint: attach'].Retry!.flatMap(({ ErrorEquals }) => ErrorEquals)).toContain('Lambda.Unknown');
  });

  test.each(['jsonPath', 'jsonata'] as const)('end with a Succeed state only if no state follows: %s', (language) => {
    const make = (stack: Stack) => language === 'jsonPath' ? command({}, stack)
      : RunCommand.jsonata(stack, 'Lint', { runtime: runtimeIn(stack), sessionId: SESSION, command: Command.shell('true') });
    const alone = newStack();
    const last = statesOfChain(alone, make(alone));
    expect(last['Lint: ended?'].Default).toBe('Lint: done');
    expect(last['Lint: done'].Type).toBe('Succeed');

    const followed = newStack();
    const inMidst = statesOfChain(followed, make(followed).next(new sfn.Pass(followed, 'More')));
    expect(inMidst['Lint: ended?'].Default).toBe('More');
    expect(Object.keys(inMidst)).not.toContain('Lint: done');
  });

  test('end with a Succeed state of their own in each branch, with the prefix of the branch', () => {
    const stack = newStack();
    const runtime = runtimeIn(stack);
    const branches = ['a', 'b'].map((name) => new RunCommand(stack, name, { runtime, sessionId: SESSION, command: Command.shell('true') }).prefixStates('Each '));
    const { Both } = statesOfChain(stack, new sfn.Parallel(stack, 'Both').branch(...branches));
    const names = (Both.Branches as { States: object }[]).map(({ States }) => Object.keys(States).filter((name) => name.endsWith('done')));
    expect(names).toEqual([['Each a: done'], ['Each b: done']]);
  });

  test('do not name a job if the run is given', () => {
    const stack = newStack();
    const states = statesOfChain(stack, command({ run: sfn.JsonPath.stringAt('$.run'), round: sfn.JsonPath.numberAt('$.round') }, stack));
    expect(Object.keys(states)).toEqual(['Lint', 'Lint: ended?', 'Lint: attach', 'Lint: done']);
    expect(states.Lint.Parameters).toMatchObject({ 'run.$': '$.run', 'round.$': '$.round' });
  });

  test('pass words with values of the state as a list', () => {
    const stack = newStack();
    const states = statesOfChain(stack, command({ command: Command.exec(['git', 'checkout', sfn.JsonPath.stringAt('$.ref')]) }, stack));
    expect(states.Lint.Parameters).toMatchObject({ 'words.$': "States.Array('git', 'checkout', $.ref)" });
  });

  test('use variables with JSONata, and do not change the input', () => {
    const stack = newStack();
    const states = statesOfChain(stack, RunCommand.jsonata(stack, 'Lint', {
      runtime: runtimeIn(stack), sessionId: '{% $states.input.session.id %}', command: Command.shell('npm run lint'), resultVariable: 'lint', assign: { done: true },
    }));
    expect(states.Lint).toMatchObject({
      QueryLanguage: 'JSONata',
      Arguments: { sessionId: '{% $states.input.session.id %}', run: '{% $lint.run %}', mode: 'start' },
      Assign: { lint: '{% $states.result %}' },
      Output: '{% $states.input %}',
    });
    expect(states['Lint: ended?']).toMatchObject({
      Choices: [{ Condition: "{% $lint.status = 'RUNNING' %}", Next: 'Lint: attach' }], Output: '{% $lint %}', Assign: { done: true },
    });
  });

  test('have a longer timeout than the function, which has a longer timeout than one call', () => {
    const stack = newStack();
    const states = statesOfChain(stack, RunCommand.jsonPath(stack, 'Lint', { runtime: runtimeIn(stack), sessionId: SESSION, command: Command.shell('true') }));
    const [{ Properties }] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
    expect(states.Lint.TimeoutSeconds).toBeGreaterThan(Properties.Timeout);
    expect(states['Lint: attach'].TimeoutSeconds).toBeGreaterThan(Properties.Timeout);
  });

  test('catch errors of both states with one handler', () => {
    const stack = newStack();
    const stop = new StopSession(stack, 'Stop', { runtime: Runtime.fromAgentRuntimeAttributes(stack, 'Other', ATTRIBUTES), sessionId: SESSION });
    const states = statesOfChain(stack, command({}, stack).addCatch(stop, { resultPath: '$.error' }));
    for (const name of ['Lint', 'Lint: attach']) {
      expect(states[name].Catch).toContainEqual({ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Stop' });
    }
  });

  test('pass every option in the units of the driver', () => {
    const stack = newStack();
    const states = statesOfChain(stack, command({
      environment: { CI: 'true' }, failFast: ['^FATAL'], tailSize: Size.kibibytes(4), logSize: Size.mebibytes(1), resultPath: '$.lint', endpoint: endpointNamed('live'),
    }, stack));
    expect(states.Lint.Parameters).toMatchObject({
      environment: { CI: 'true' }, failFast: ['^FATAL'], tailBytes: 4_096, logBytes: 1_048_576, qualifier: 'live',
    });
    expect(states.Lint.ResultPath).toBe('$.lint');
  });
});

const ATTRIBUTES = {
  agentRuntimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/other-0123456789',
  agentRuntimeId: 'other-0123456789',
  agentRuntimeName: 'other',
  agentRuntimeVersion: '1',
  roleArn: 'arn:aws:iam::123456789012:role/other',
};

describe('a command that cannot work is refused at synth', () => {
  test.each<[string, Partial<RunCommandProps>, string]>([
    ['a session id of 32 characters', { sessionId: 'x'.repeat(32) }, '"sessionId" must have 33 to 100 characters, not 32: use a UUID, or read it from the state'],
    ['a session id of 101 characters', { sessionId: 'x'.repeat(101) }, '"sessionId" must have 33 to 100 characters, not 101: use a UUID, or read it from the state'],
    ['an impossible name of an endpoint', { endpoint: endpointNamed('*') }, '"endpoint" must have a name of 1 to 48 letters, digits and "_" that starts with a letter, not "*": use an endpoint of the runtime'],
    ['a session id with a dot', { sessionId: `${'x'.repeat(40)}.` }, `"sessionId" must be letters, digits, "-" and "_", beginning with a letter or digit, not "${'x'.repeat(40)}.": change it`],
    ['an empty line', { command: Command.shell('') }, '"command" must not be empty: give a shell line, or a program and its arguments'],
    ['no words', { command: Command.exec([]) }, '"command" must not be empty: give a shell line, or a program and its arguments'],
    ['a NUL character in a line', { command: Command.shell('a\0b') }, '"command" must not contain a NUL character, because no argument can: remove it'],
    ['a NUL character in a word', { command: Command.exec(['a\0b']) }, '"command" must not contain a NUL character, because no argument can: remove it'],
    ['a line over 32 KiB', { command: Command.shell('x'.repeat(32_769)) }, '"command" must be at most 32768 bytes, not 32769: put it in a script in the repository or the image, and run that'],
    ['words over 32 KiB', { command: Command.exec(['x', 'y'.repeat(32_767)]) }, '"command" must be at most 32768 bytes, not 32769: put it in a script in the repository or the image, and run that'],
    ['a relative mount', { mountPath: 'workspace' }, '"mountPath" must be an absolute path, not "workspace": start it with "/"'],
    ['a relative directory', { workingDirectory: 'repo' }, '"workingDirectory" must be an absolute path, not "repo": start it with "/"'],
    ['a directory on another mount', { workingDirectory: '/mnt/workspaces/repo' }, '"workingDirectory" must be on the session storage at "/mnt/workspace", not "/mnt/workspaces/repo": change one of them, or name the mount in "mountPath"'],
    ['no time', { timeout: Duration.seconds(0) }, '"timeout" must be 1 to 7200 seconds, not 0: raise it'],
    ['a part of a second', { timeout: Duration.millis(1_500) }, '"timeout" must be a whole number of seconds, not 1.5: round it'],
    ['more time than the session has', { timeout: Duration.seconds(7_201) }, '"timeout" must be 1 to 7200 seconds, not 7201: the session does not live longer; raise its "maxLifetime", or split the command'],
    ['a tail over 24 KiB', { tailSize: Size.kibibytes(25) }, '"tailSize" must be 0 to 24576 bytes, not 25600: change it'],
    ['a log under 64 KiB', { logSize: Size.kibibytes(63) }, '"logSize" must be 65536 to 268435456 bytes, not 64512: change it'],
    ['a log over 256 MiB', { logSize: Size.mebibytes(257) }, '"logSize" must be 65536 to 268435456 bytes, not 269484032: change it'],
    ['an environment variable with a hyphen', { environment: { 'A-B': '' } }, '"environment" must have names of letters, digits and "_" that do not begin with a digit, not "A-B": rename it'],
    ['an empty pattern', { failFast: [''] }, '"failFast" must not have an empty pattern, which matches every line: remove it'],
    ['the whole state as result', { resultPath: '$' }, '"resultPath" must be a path below "$", not "$": use a path such as "$.lint", since the input is needed again to attach to the command'],
    ['a discarded result', { resultPath: sfn.JsonPath.DISCARD }, '"resultPath" must be a path below "$", not JsonPath.DISCARD: use a path such as "$.lint", since the input is needed again to attach to the command'],
  ])('with %s', (_, props, message) => {
    expect(fault(props)).toBe(message);
  });

  test('with an invalid regular expression', () => {
    expect(fault({ failFast: ['('] })).toMatch(/^"failFast" must have regular expressions of JavaScript, not "\(" \(.*\): correct it$/);
  });

  test('with the default timeout in a session with a shorter lifetime', () => {
    const short = (maxLifetime: Duration) => () => {
      const stack = newStack();
      const lifecycleConfiguration = { idleRuntimeSessionTimeout: Duration.seconds(60), maxLifetime };
      return command({ mountPath: '/mnt/a', runtime: new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, lifecycleConfiguration }) }, stack);
    };
    expect(short(Duration.seconds(300))).not.toThrow();
    expect(messageOf(short(Duration.seconds(299)))).toContain('"timeout" must be 1 to 299 seconds, not 300: the session does not live longer');
  });

  test('with more than eight hours, though the session\'s life is only known when it is deployed', () => {
    const stack = newStack();
    const lifecycleConfiguration = { maxLifetime: Duration.seconds(Token.asNumber({ Ref: 'Life' })) };
    const runtime = new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, lifecycleConfiguration });
    expect(messageOf(() => command({ runtime, mountPath: '/mnt/a', timeout: Duration.seconds(28_801) }, stack))).toContain('"timeout" must be 1 to 28800 seconds, not 28801');
  });

  test('without a mount, for a runtime whose storage is not known', () => {
    const stack = newStack();
    const runtime = Runtime.fromAgentRuntimeAttributes(stack, 'Imported', ATTRIBUTES);
    expect(messageOf(() => command({ runtime }, stack))).toMatch(/^"mountPath" must be set, since no session storage of the runtime is known at synth/);
    expect(() => command({ runtime, mountPath: '/mnt/data/' }, newStack())).not.toThrow();
  });

  test('with several faults, which are all reported', () => {
    expect(fault({ sessionId: 'short', timeout: Duration.hours(9), failFast: [''] }).split('\n')).toHaveLength(3);
  });

  test.each<[string, Partial<RunCommandProps>, string, RegExp]>([
    ['a value of Secrets Manager in the environment', { environment: { TOKEN: SecretValue.secretsManager('token').unsafeUnwrap() } }, 'environment.TOKEN', /a value from Secrets Manager/],
    ['a SecureString in the command', { command: Command.shell(`login ${SecretValue.ssmSecure('/token', '1').unsafeUnwrap()}`) }, 'command', /a SecureString/],
    ['an access key in a word', { command: Command.exec(['aws', 'AKIA' + 'IOSFODNN7EXAMPLE']) }, 'command', /an AWS access key/],
    ['a private key', { command: Command.shell('echo "-----BEGIN RSA ' + 'PRIVATE KEY-----"') }, 'command', /a private key/],
    ['a token of a git host', { command: Command.shell(`git clone https://ghp_${'a'.repeat(36)}.example.com`) }, 'command', /an access token of a git host/],
    ['a URL with a password', { command: Command.shell('git clone https://me:secret@git.example.com/a.git') }, 'command', /a URL with a password/],
  ])('with %s, and says where secrets belong', (_, props, prop, what) => {
    const message = fault(props);
    expect(message).toMatch(what);
    expect(message).toContain(`"${prop}" must not contain`);
    expect(message).toContain('fetch it in the session');
  });
});

describe('with values at their limits', () => {
  test.each<[string, Partial<RunCommandProps>]>([
    ['a session id of 33 characters', { sessionId: 'x'.repeat(33) }],
    ['a session id of 100 characters', { sessionId: 'x'.repeat(100) }],
    ['a session id of the state', { sessionId: sfn.JsonPath.stringAt('$.id') }],
    ['a line of 32 KiB', { command: Command.shell('x'.repeat(32_768)) }],
    ['words of 32 KiB', { command: Command.exec(['x', 'y'.repeat(32_766)]) }],
    ['words of the state', { command: Command.exec(sfn.JsonPath.listAt('$.words')) }],
    ['words that are not known yet', { command: Command.exec(Token.asList({ Ref: 'Words' })) }],
    ['as long as the session lives', { timeout: Duration.hours(2) }],
    ['one second', { timeout: Duration.seconds(1) }],
    ['no tail', { tailSize: Size.bytes(0) }],
    ['a tail of 24 KiB', { tailSize: Size.kibibytes(24) }],
    ['a log of 64 KiB', { logSize: Size.kibibytes(64) }],
    ['a log of 256 MiB', { logSize: Size.mebibytes(256) }],
    ['the mount itself', { workingDirectory: '/mnt/workspace' }],
    ['ephemeral disk', { workingDirectory: '/tmp' }],
    ['a directory that is not known yet', { workingDirectory: Token.asString({ Ref: 'X' }) }],
    ['a pattern that is not known yet', { failFast: [Token.asString({ Ref: 'X' })] }],
  ])('%s is accepted', (_, props) => {
    expect(() => command(props)).not.toThrow();
  });

  test('warns about a shell line from the state, and not about words', () => {
    const stack = newStack();
    command({ command: Command.shell(sfn.JsonPath.stringAt('$.command')) }, stack);
    Annotations.fromStack(stack).hasWarning('/Stack/Lint', Match.stringLikeRegexp('"command" is a shell line that is read from the state.*cdk-agentcore-workbench:commandFromState'));

    const other = newStack();
    command({ command: Command.exec(sfn.JsonPath.listAt('$.words')) }, other);
    Annotations.fromStack(other).hasNoWarning('/Stack/Lint', Match.anyValue());
  });
});
