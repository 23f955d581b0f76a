import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIFFERENCES, explain, SAME } from './differences';
import { FirstEngine } from './first-engine';
import { Scenario, scenariosOf, success } from './scenarios';
import { definitionOf, Outcome, SecondEngine } from './second-engine';
import { AgentTurn, Commit, Gate } from '../../src';
import { DefinitionJson } from '../support/definitions';
import { useLoops } from '../support/loop-fixture';

const ROOT = join(__dirname, '../..');
const MACHINE = { Id: 'arn:aws:states:us-east-1:123456789012:stateMachine:Loop', Name: 'Loop' };
const INPUT = { prompt: 'Make it right', taskId: 'task-1' };

const start = useLoops();
jest.setTimeout(600_000);

let second: SecondEngine;
beforeAll(() => {
  second = SecondEngine.start();
});
afterAll(() => second.close());

/** Performs tasks as a scenario says, and records their inputs. */
class Script {
  readonly asked: unknown[] = [];
  private readonly tries = new Map<string, number>();

  constructor(private readonly definition: DefinitionJson, private readonly scenario: Scenario) {}

  readonly onTask = (state: string, payload: unknown): Outcome => {
    const number = this.tries.get(state) ?? 0;
    this.tries.set(state, number + 1);
    const { startedAt, taskToken, ...rest } = payload as { readonly [field: string]: unknown }; // unique to each execution
    this.asked.push([state, rest]);
    return this.scenario.outcomes[state]?.[number] ?? success(this.definition.States[state]);
  };
}

const explained = new Set<string>();

describe.each([
  ['as it is by default', {}],
  ['with jobs that outlive a call', { bootstrap: ['npm ci'], turn: AgentTurn.command('agent'), gates: [Gate.command('lint', 'a'), Gate.command('test', 'b')] }],
  ['with callbacks and a local commit', { turn: AgentTurn.callback(), commit: Commit.local() }],
  ['with gates before the first turn', { gatesBefore: true }],
])('a loop %s', (_, loop) => {
  test('has the same outcome in both engines for every result of its steps', async () => {
    const definition = definitionOf((await start({ loop })).deployment);
    const first = new FirstEngine(definition, MACHINE);
    const scenarios = scenariosOf(definition);
    expect(scenarios.length).toBeGreaterThan(400);
    const asked = [];
    for (const scenario of scenarios) {
      const scripts = [new Script(definition, scenario), new Script(definition, scenario)];
      const ours = await first.run('one', INPUT, scripts[0].onTask);
      const theirs = await second.run(definition, MACHINE, 'one', INPUT, scripts[1].onTask);
      const reason = explain(ours, theirs);
      expect({ scenario: scenario.name, reason, ours, theirs }).toMatchObject({ reason: expect.any(String) });
      explained.add(reason!);
      if (reason === SAME) asked.push(scripts.map((script) => ({ scenario: scenario.name, asked: script.asked })));
    }
    expect(asked.map(([here]) => here)).toEqual(asked.map(([, there]) => there));
  });
});

test('each difference in the table occurs', () => {
  expect([...explained].sort()).toEqual([SAME, ...DIFFERENCES.map(({ what }) => what)].sort());
  const table = readFileSync(join(ROOT, 'rehearsal/FEATURES.md'), 'utf8');
  for (const { what, right } of DIFFERENCES) expect(table).toContain(`| ${what} | ${right} |`);
});
