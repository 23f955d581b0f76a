import { Duration, SecretValue, Stack, Token } from 'aws-cdk-lib';
import { LifecycleConfiguration } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentRuntime, InvokeAgent, InvokeAgentProps, StopSession } from '../../src';
import { statesOfChain } from '../support/definitions';
import { endpointNamed, IMAGE, messageOf, newStack } from '../support/stacks';

const SESSION = 'a-session-of-more-than-33-characters';
const runtimeIn = (stack: Stack) => new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE });
const payload = sfn.TaskInput.fromObject({ prompt: sfn.JsonPath.stringAt('$.prompt') });
const CALLBACK = sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN;
const TOKEN = { integrationPattern: CALLBACK, payload: sfn.TaskInput.fromObject({ token: sfn.JsonPath.taskToken }) };

function invoke(props: Partial<InvokeAgentProps> = {}, stack: Stack = newStack()): InvokeAgent {
  return new InvokeAgent(stack, 'Ask', { runtime: runtimeIn(stack), sessionId: SESSION, payload, ...props });
}

/** A session of the runtime lives for so long. */
function living(maxLifetime: Duration, props: Partial<InvokeAgentProps> = {}): () => InvokeAgent {
  const stack = newStack();
  const lifecycleConfiguration: LifecycleConfiguration = { idleRuntimeSessionTimeout: Duration.seconds(60), maxLifetime };
  return () => invoke({ runtime: new AgentRuntime(stack, 'Living', { agentRuntimeArtifact: IMAGE, lifecycleConfiguration }), ...props }, stack);
}

const fault = (props: Partial<InvokeAgentProps>) => messageOf(() => invoke(props)).split('\n  at ')[0];

describe('InvokeAgent', () => {
  test('requests one turn from the driver, and retries only errors from before the agent can have started', () => {
    const stack = newStack();
    const { Ask } = statesOfChain(stack, invoke({ resultPath: '$.turn', timeout: Duration.minutes(3), endpoint: endpointNamed('live') }, stack));
    expect(Ask.Parameters).toEqual({
      operation: 'invoke', runtimeArn: '<Agent255F68E9.AgentRuntimeArn>', qualifier: 'live', sessionId: SESSION, timeoutSeconds: 180, payload: { 'prompt.$': '$.prompt' },
    });
    const retried = Ask.Retry!.flatMap(({ ErrorEquals }) => ErrorEquals);
    expect(retried).toEqual(['Workbench.SessionStarting', 'Workbench.Conflict', 'Workbench.Throttled', 'Lambda.TooManyRequestsException', 'Workbench.ServerError']);
    expect(Ask.ResultPath).toBe('$.turn');
  });

  test('does not wait for a new session if the session has answered before', () => {
    const stack = newStack();
    const { Ask } = statesOfChain(stack, invoke({ mayStartSession: false }, stack));
    expect(Ask.Parameters).toMatchObject({ operation: 'invoke', answered: true });
    expect(Ask.Retry!.flatMap(({ ErrorEquals }) => ErrorEquals)).not.toContain('Workbench.SessionStarting');
  });

  test('waits for a task token with a heartbeat, up to the lifetime of the session', () => {
    const stack = newStack();
    const { Ask } = statesOfChain(stack, invoke(TOKEN, stack));
    expect(Ask).toMatchObject({
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      HeartbeatSeconds: 300,
      TimeoutSeconds: 28_800,
      Parameters: { Payload: { payload: { 'token.$': '$$.Task.Token' } } },
    });
  });

  test('supports JSONata', () => {
    const stack = newStack();
    const { Ask } = statesOfChain(stack, InvokeAgent.jsonata(stack, 'Ask', {
      runtime: runtimeIn(stack),
      sessionId: '{% $states.input.id %}',
      integrationPattern: CALLBACK,
      heartbeat: Duration.minutes(1),
      callbackTimeout: Duration.hours(1),
      payload: sfn.TaskInput.fromObject({ token: '{% $states.context.Task.Token %}' }),
      outputs: '{% $states.input %}',
    }));
    expect(Ask).toMatchObject({
      QueryLanguage: 'JSONata', HeartbeatSeconds: 60, TimeoutSeconds: 3_600, Arguments: { Payload: { sessionId: '{% $states.input.id %}' } }, Output: '{% $states.input %}',
    });
  });

  test('supports JSONPath', () => {
    const stack = newStack();
    const states = statesOfChain(stack, InvokeAgent.jsonPath(stack, 'Ask', { runtime: runtimeIn(stack), sessionId: sfn.JsonPath.stringAt('$.id'), payload }));
    expect(states.Ask.Parameters).toMatchObject({ 'sessionId.$': '$.id', 'timeoutSeconds': 880 });
  });

  test.each<[string, Partial<InvokeAgentProps>, string]>([
    ['no time', { timeout: Duration.seconds(0) }, '"timeout" must be 1 to 880 seconds, not 0: raise it'],
    ['more than a function can wait', { timeout: Duration.seconds(881) }, '"timeout" must be 1 to 880 seconds, not 881: let the agent report with a task token, or run the agent as a command'],
    ['a part of a second', { timeout: Duration.millis(1_500) }, '"timeout" must be a whole number of seconds, not 1.5: round it'],
    ['an endpoint that there cannot be', { endpoint: endpointNamed('*') }, '"endpoint" must have a name of 1 to 48 letters, digits and "_" that starts with a letter, not "*": use an endpoint of the runtime'],
    ['a heartbeat without a token', { heartbeat: Duration.minutes(1) }, '"integrationPattern" must be WAIT_FOR_TASK_TOKEN for "heartbeat" and "callbackTimeout": set it, or remove them'],
    ['a pattern that it does not have', { integrationPattern: sfn.IntegrationPattern.RUN_JOB },
      '"integrationPattern" must be REQUEST_RESPONSE or WAIT_FOR_TASK_TOKEN, not RUN_JOB: use WAIT_FOR_TASK_TOKEN for work that outlives an answer'],
    ['a heartbeat as long as the work', { ...TOKEN, callbackTimeout: Duration.minutes(4), heartbeat: Duration.minutes(4) },
      '"heartbeat" must be 1 to 239 seconds, not 240: make it shorter than "callbackTimeout\"'],
    ['the usual heartbeat in work of no more time', { ...TOKEN, callbackTimeout: Duration.minutes(5) },
      '"heartbeat" must be 1 to 299 seconds, not 300: make it shorter than "callbackTimeout\"'],
    ['a callback without the token', { integrationPattern: CALLBACK }, '"payload" must contain the task token: add JsonPath.taskToken, or "{% $states.context.Task.Token %}" with JSONata'],
    ['a short session id', { sessionId: 'short' }, '"sessionId" must have 33 to 100 characters, not 5: use a UUID, or read it from the state'],
    ['a callback of more than a session\'s life', { ...TOKEN, callbackTimeout: Duration.seconds(28_801) },
      '"callbackTimeout" must be 1 to 28800 seconds, not 28801: the session does not live longer'],
  ])('fails with %s', (_, props, message) => {
    expect(fault(props)).toBe(message);
  });

  test('refuses a secret in the payload, and names where secrets belong', () => {
    const token = SecretValue.secretsManager('token').unsafeUnwrap();
    expect(fault({ payload: sfn.TaskInput.fromObject({ agent: { keys: [token] } }) })).toMatch(
      /^"payload" must not contain a value from Secrets Manager, .*: fetch it in the session with the runtime's execution role/);
  });

  test('has a timeout of at most the lifetime of its session', () => {
    const seconds = (timeout: number) => ({ timeout: Duration.seconds(timeout) });
    expect(living(Duration.seconds(600), seconds(600))).not.toThrow();
    expect(messageOf(living(Duration.seconds(600), seconds(601)))).toContain(
      '"timeout" must be 1 to 600 seconds, not 601: the session does not live longer; raise its "maxLifetime"');
    const task = living(Duration.seconds(600))();
    expect(statesOfChain(Stack.of(task), task).Ask.Parameters).toMatchObject({ timeoutSeconds: 600 });
  });

  test('has a timeout that is only known at deployment', () => {
    const later = Duration.seconds(Token.asNumber({ Ref: 'Seconds' }));
    const task = living(later, { timeout: later })();
    expect(Stack.of(task).resolve(Stack.of(task).toJsonString(task.toStateJson()))).toEqual({
      'Fn::Join': ['', expect.arrayContaining([
        expect.stringMatching(/"timeoutSeconds":$/), { Ref: 'Seconds' },
      ])],
    });
    expect(messageOf(living(later, { timeout: Duration.seconds(881) }))).toContain('must be 1 to 880 seconds, not 881');
  });

  test.each([[239, 240], [28_799, undefined]])('accepts a heartbeat of %p seconds with a timeout of %p', (heartbeat, work) => {
    const callbackTimeout = work === undefined ? undefined : Duration.seconds(work);
    expect(() => invoke({ ...TOKEN, callbackTimeout, heartbeat: Duration.seconds(heartbeat) })).not.toThrow();
  });

  test.each([1, 880])('accepts %d seconds', (seconds) => {
    expect(() => invoke({ timeout: Duration.seconds(seconds) })).not.toThrow();
  });
});

describe('StopSession', () => {
  test('calls the driver in both query languages, and retries transient errors', () => {
    const stack = newStack();
    const runtime = runtimeIn(stack);
    const states = statesOfChain(stack, StopSession.jsonPath(stack, 'Stop', { runtime, sessionId: SESSION, resultPath: sfn.JsonPath.DISCARD })
      .next(StopSession.jsonata(stack, 'Again', { runtime, sessionId: '{% $states.input.id %}' })));
    expect(states.Stop).toMatchObject({ Parameters: { operation: 'stop', sessionId: SESSION }, ResultPath: null });
    expect(states.Again).toMatchObject({ QueryLanguage: 'JSONata', Arguments: { operation: 'stop', sessionId: '{% $states.input.id %}' } });
    // The last is a function that died: a stop can be asked for again, and a session that nobody stops is paid for.
    expect(states.Stop.Retry!.map(({ ErrorEquals }) => ErrorEquals[0])).toEqual(['Workbench.Conflict', 'Workbench.Throttled', 'Workbench.ServerError', 'Lambda.Unknown']);
  });

  test('refuses invalid session IDs and endpoint names', () => {
    const stack = newStack();
    const message = messageOf(() => new StopSession(stack, 'Stop', { runtime: runtimeIn(stack), sessionId: 'short', endpoint: endpointNamed('a/*') }));
    expect(message).toContain('"sessionId" must have 33 to 100 characters, not 5');
    expect(message).toContain('that starts with a letter, not "a/*"');
  });
});
