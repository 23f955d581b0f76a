import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AgentRuntime, AgentTurn, CodingLoop, CodingLoopProps, Commit, Gate, GitRepository, Mount } from '../../src';
import { ERRORS, LAMBDA_ERRORS, LIMITS, TIMEOUT_ERRORS } from '../../src/jobs/constants';
import { LOOP_ERRORS, LOOP_LIMITS } from '../../src/loop/steps/constants';
import { StateJson, statesOf } from '../support/definitions';
import { useLoops } from '../support/loop-fixture';
import { IMAGE, newStack } from '../support/stacks';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- it has no types
const validate = require('asl-validator') as (definition: object, options?: object) => { isValid: boolean; errorsText(): string };

const start = useLoops();

function stackWith(props: Partial<CodingLoopProps> = {}): Stack {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'npm test')], ...props });
  return stack;
}

const KINDS: readonly (readonly [string, Partial<CodingLoopProps>])[] = [
  ['as it is by default', {}],
  ['with everything', {
    bootstrap: ['npm ci'],
    bootstrapTimeout: Duration.hours(2),
    turn: AgentTurn.command('claude -p', { timeout: Duration.hours(4) }),
    gates: [Gate.command('lint', 'a'), Gate.command('test', 'b', { timeout: Duration.hours(3) })],
  }],
  ['with a callback and a local commit', { turn: AgentTurn.callback(), bootstrap: ['npm ci'], commit: Commit.local() }],
  ['with gates before the first turn', { bootstrap: ['npm ci'], gates: [Gate.command('lint', 'a'), Gate.command('test', 'b')], gatesBefore: true }],
];

function sources(directory: string): string {
  return readdirSync(directory, { withFileTypes: true }).map((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? sources(path) : entry.name.endsWith('.ts') && entry.name !== 'constants.ts' ? readFileSync(path, 'utf8') : '';
  }).join('\n');
}

const SRC = sources(join(__dirname, '../../src'));
const keyOf = (errors: object, name: string) => Object.entries(errors).find(([, value]) => value === name)?.[0];

describe.each(KINDS)('the definition of a loop, %s,', (_, props) => {
  const states = statesOf(stackWith(props));
  const entries = Object.entries(states);
  const tasks = entries.filter(([, { Type }]) => Type === 'Task');

  test('is valid', () => {
    const { isValid, errorsText } = validate({ StartAt: 'Prepare the run', States: states }, { checkArn: false });
    expect({ isValid, text: errorsText() }).toEqual({ isValid: true, text: expect.anything() });
  });

  test('retries and catches only errors that are thrown', () => {
    const names = new Set(entries.flatMap(([, { Retry = [], Catch = [] }]) => [...Retry, ...Catch].flatMap(({ ErrorEquals }) => ErrorEquals)));
    const lambda: string[] = [...Object.values(LAMBDA_ERRORS), TIMEOUT_ERRORS].flat();
    for (const name of names) {
      if (name === 'States.ALL' || lambda.includes(name)) continue;
      const [kind, key] = name.startsWith('CodingLoop.') ? ['LOOP_ERRORS', keyOf(LOOP_ERRORS, name)] : ['ERRORS', keyOf(ERRORS, name)];
      expect({ name, key }).toEqual({ name, key: expect.any(String) });
      expect({ name, thrown: new RegExp(`\\b${kind}\\.${key}\\b`).test(SRC) }).toEqual({ name, thrown: true });
    }
    expect(names.size).toBeGreaterThan(8);
  });

  test('catches every error, and ends the run with the session stopped', () => {
    for (const [name, { Catch = [] }] of tasks) {
      const all = Catch.find(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
      expect({ name, next: all?.Next }).toEqual({ name, next: name.startsWith('Stop the session') ? 'The session may still run' : 'Stop the session after a failure' });
      expect(all!.ResultPath).toBe('$.error');
    }
  });

  test('has timeouts that are longer than those of the work that the states wait for', () => {
    for (const [name, { TimeoutSeconds, HeartbeatSeconds, Resource }] of tasks) {
      const waitsFor = String(Resource).endsWith('.waitForTaskToken') ? HeartbeatSeconds! - 1 : LIMITS.functionSeconds;
      expect({ name, longer: TimeoutSeconds! > waitsFor }).toEqual({ name, longer: true });
    }
    const machine = JSON.stringify(Object.values(Template.fromStack(stackWith(props)).findResources('AWS::StepFunctions::StateMachine'))[0]);
    const whole = Number(/\\"TimeoutSeconds\\":(\d+)\}"/.exec(machine)?.[1]);
    const own = Number(/\\"timeoutSeconds\\":(\d+),\\"promptBytes/.exec(machine)?.[1]);
    expect(whole).toBe(own + 3_600);
  });

  test('ends the run for every unknown result', () => {
    const choices = entries.filter(([, { Type }]) => Type === 'Choice');
    expect(choices.length).toBeGreaterThan(1);
    for (const [name, { Default }] of choices) expect({ name, Default }).toEqual({ name, Default: 'Stop the session after a failure' });
  });

  test('reaches the commit only from a verification that passed, and that only from the last gate, if it has passed', () => {
    const last = `Did it pass: ${(props.gates ?? [Gate.command('test', '')]).slice(-1)[0].name}?`;
    const commit = entries.map(([name]) => name).find((name) => name.startsWith('Commit'))!;
    const verify = 'Verify in a fresh session';
    const leadingTo = (name: string) => entries.filter(([, state]) => JSON.stringify(state).includes(`"${name}"`)).map(([each]) => each);
    const wayFrom = (name: string, to: string) => JSON.stringify(states[name].Choices!.filter(({ Next }) => Next === to));
    expect(leadingTo(commit)).toEqual(['Is it verified?']);
    expect(wayFrom('Is it verified?', commit)).toContain('"StringEquals":"GO_ON"');
    expect(leadingTo('Is it verified?')).toEqual([verify]);
    expect(leadingTo(verify).sort()).toEqual([last, 'Is it verified?'].sort());
    expect(wayFrom(last, verify)).toContain('"StringEquals":"PASSED"');
    expect(wayFrom('Is it verified?', verify)).toContain('"StringEquals":"RUNNING"');
  });

  test('has readable state names', () => {
    for (const [name] of entries) {
      expect(name).toMatch(/^[A-Z][a-zA-Z ,:]+\??$/);
      expect(name.length).toBeLessThanOrEqual(80);
    }
  });

  test('reaches every state', () => {
    const reached = new Set<string>();
    const follow = (name: string) => {
      if (reached.has(name)) return;
      reached.add(name);
      const { Next, Default, Choices = [], Catch = [] }: StateJson = states[name];
      const following = [Next, Default, ...[...Choices, ...Catch].map((way) => way.Next as string)];
      for (const next of following.filter((one) => one !== undefined)) follow(next);
    };
    follow('Prepare the run');
    expect([...reached].sort()).toEqual(Object.keys(states).sort());
  });
});

test('every error has a unique name that says where it comes from, and a description', () => {
  const text = readFileSync(join(__dirname, '../../src/loop/steps/constants.ts'), 'utf8');
  for (const [key, name] of Object.entries(LOOP_ERRORS)) {
    expect(name).toMatch(/^CodingLoop\.[A-Z][A-Za-z]+$/);
    expect(text).toMatch(new RegExp(`/\\*\\* [^*]+\\*/\\n  ${key}: `));
    expect(new RegExp(`\\bLOOP_ERRORS\\.${key}\\b`).test(SRC)).toBe(true);
  }
});

test('a step that must end within one call of the driver has enough time', () => {
  expect(LOOP_LIMITS.oneCallSeconds).toBeLessThan(LIMITS.functionSeconds - LIMITS.functionMarginSeconds);
  expect(LOOP_LIMITS.gitSeconds).toBeLessThan(LIMITS.functionSeconds - LIMITS.functionMarginSeconds);
});

test('a loop adds at most 8 resources', () => {
  const bare = newStack();
  new AgentRuntime(bare, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  const count = (stack: Stack) => Object.keys(Template.fromStack(stack).toJSON().Resources).length;
  expect(count(stackWith()) - count(bare)).toBeLessThanOrEqual(8);
});

test('a green run with one gate has at most 12 transitions, and a repair 7 more', async () => {
  const green = await start({ loop: { bootstrap: ['true'] } });
  await green.run();
  expect(green.entered.length).toBeLessThanOrEqual(12);
  const repaired = await start({ agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt', loop: { bootstrap: ['true'] } });
  await repaired.run();
  expect(repaired.entered.length - green.entered.length).toBeLessThanOrEqual(7);
});
