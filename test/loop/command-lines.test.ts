import { AgentTurn, CodingLoopProps, Gate } from '../../src';
import { useLoops } from '../support/loop-fixture';

// Commands that are shell text: every command in them must pass.
const start = useLoops();

async function outcomeOf(loop: Partial<CodingLoopProps>): Promise<string> {
  const files = { 'careless.sh': '#!/bin/bash\nfalse | true\nfalse\ntrue\n' };
  return (await (await start({ files, loop: { gates: [Gate.command('test', './test.sh')], maxRepairs: 0, ...loop } })).run()).record.outcome;
}

describe('a gate', () => {
  test.each<[string, string]>([
    ['a program in a pipe', './test.sh | grep wrong | cat'],
    ['a line before the last', 'grep -q wrong value.txt\ntrue'],
    ['a command before the last', 'grep -q wrong value.txt; true'],
    ['the last line', 'true\ngrep -q wrong value.txt'],
    ['a line of a function', 'check() {\nfalse\ntrue\n}\ncheck\ntrue'],
  ])('is red if %s fails', async (_, line) => {
    expect(await outcomeOf({ gates: [Gate.command('lines', line)] })).toBe('CodingLoop.Red');
  });

  test.each<[string, string]>([
    ['the failure is caught', 'false || true\nif false; then exit 1; fi\n! false\n{ false | cat; } || ./test.sh'],
    ['a program that it starts ignores its own failures', './careless.sh\nbash -c "false | true"\n/bin/sh -c "false; true"'],
    ['it allows that', 'set +o pipefail; false | cat'],
  ])('is green if %s', async (_, line) => {
    expect(await outcomeOf({ gates: [Gate.command('lines', line)] })).toBe('COMMITTED');
  });

  test('without "pipefail" is green if the last program of a pipe passes, and red if a line fails', async () => {
    expect(await outcomeOf({ gates: [Gate.command('pipe', 'yes | head -n 1', { pipefail: false })] })).toBe('COMMITTED');
    expect(await outcomeOf({ gates: [Gate.command('pipe', 'false | cat\nfalse\ntrue', { pipefail: false })] })).toBe('CodingLoop.Red');
  });

  test('is inert if a program in a pipe is missing', async () => {
    expect(await outcomeOf({ gates: [Gate.command('lint', 'no-such-linter | cat')] })).toBe('CodingLoop.Inert');
  });
});

test.each(['false | cat', 'false\ntrue', 'false; true'])('a bootstrap command fails as a gate does: %j', async (line) => {
  expect(await outcomeOf({ bootstrap: ['true', line, 'true'] })).toBe('CodingLoop.BootstrapFailed');
});

test('an agent that is a command follows bash: its last command decides', async () => {
  expect(await outcomeOf({ turn: AgentTurn.command('read -r prompt; false | cat; echo right > value.txt') })).toBe('COMMITTED');
  expect(await outcomeOf({ turn: AgentTurn.command('echo right > value.txt; false') })).toBe('CodingLoop.TurnFailed');
});
