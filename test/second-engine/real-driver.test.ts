import { Duration } from 'aws-cdk-lib';
import { definitionOf, SecondEngine } from './second-engine';
import { AgentTurn, Gate } from '../../src';
import { LoopFixture, LoopFixtureProps, useLoops } from '../support/loop-fixture';

const start = useLoops();
let second: SecondEngine;
beforeAll(() => {
  second = SecondEngine.start();
});
afterAll(() => second.close());

type Fault = Parameters<LoopFixture['server']['faults']['add']>[0];

interface End {
  readonly status: string;
  readonly error?: string;
  readonly entered: readonly string[];
  readonly record: unknown;
}

async function here(loop: LoopFixture, input: object): Promise<End> {
  const { status, error, record } = await loop.run(input, { name: 'one' });
  return { status, error, record, entered: loop.entered };
}

async function there(loop: LoopFixture, input: object): Promise<End> {
  const { deployment } = loop;
  const id = deployment.stack.find('AWS::StepFunctions::StateMachine');
  const definition = definitionOf(deployment);
  const execution = loop.executionOf('one');
  const machine = { Id: execution.replace(':execution:', ':stateMachine:').replace(/:one$/, ''), Name: id };
  deployment.executions.begin(execution, { arn: machine.Id, name: id, definition }, input, new Date());
  const { status, error, cause, output, entered } = await second.run(definition, machine, 'one', input, async (stateName, parameters) => {
    try {
      return { result: await deployment.perform(id, parameters, { stateName, resource: `${definition.States[stateName].Resource}` }) };
    } catch (failure) {
      return { failure: JSON.parse((failure as Error).message) };
    }
  });
  return { status, error, record: status === 'SUCCEEDED' ? output : JSON.parse(cause!), entered };
}

/** Returns the part of a record that is the same in two runs of one kind. */
function withoutTimes(record: unknown): unknown {
  const varies = (key: string) => /seconds|bytes|at$|^usd$/i.test(key) || ['commit', 'base'].includes(key);
  const text = JSON.stringify(record, (key, value) => varies(key) ? `some ${key}` : value);
  // The names of jobs follow from a key that each run has for itself.
  return JSON.parse(text.replace(/(?<=\/jobs\/[\w-]+-)[0-9a-f]{12}(?=\/log)/g, 'digest'));
}

describe('with the real driver, both engines have the same outcome', () => {
  test.each<[string, LoopFixtureProps, { readonly input?: object; readonly fault?: Fault }?]>([
    ['green at once', {}],
    ['green after a repair', { agent: (turn) => `echo ${turn === 0 ? 'almost' : 'right'} > value.txt` }],
    ['red until the end', { agent: (turn) => `echo ${turn} > value.txt`, loop: { maxRepairs: 1 } }],
    ['red twice in the same way', { agent: 'echo almost > value.txt' }],
    ['nothing changed', { agent: 'true' }],
    ['a program that is not there', { loop: { gates: [Gate.command('test', 'no-such-program')] } }],
    ['a gate that changes what it judges', { loop: { gates: [Gate.command('test', 'echo more >> value.txt')], maxRepairs: 0 } }],
    ['a gate over its time', { loop: { gates: [Gate.command('test', 'while :; do :; done', { timeout: Duration.seconds(1) })], maxRepairs: 0 } }],
    ['two gates, and an agent that is a command', { loop: { turn: AgentTurn.command('echo right > value.txt'), gates: [Gate.command('one', 'true'), Gate.command('two', './test.sh')] } }],
    ['a gate that ran before the first turn', { loop: { gatesBefore: true } }],
    ['a bootstrap that fails', { loop: { bootstrap: ['exit 3'] } }],
    ['an agent that fails', { agent: 'exit 1' }],
    ['an input that is refused', {}, { input: { taskId: '' } }],
    ['a session that is not this loop\'s', {}, { input: { session: { id: 's'.repeat(40), execution: 'arn:aws:states:us-east-1:123456789012:execution:Other:one' } } }],
    ['a service that throttles', {}, { fault: { operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'throttle', times: 3 } }],
    ['a service that never stops a session', {}, { fault: { operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'internal', times: 99 } }],
  ])('%s', async (...[, props, { input, fault } = {}]) => {
    const ends = [];
    for (const engine of [here, there]) {
      const loop = await start(props);
      const added = fault && loop.server.faults.add(fault);
      const { record, ...end } = await engine(loop, { prompt: 'Make it right', taskId: 'task-1', ...input });
      ends.push({ ...end, record: withoutTimes(record), branches: loop.branches(), struck: added?.fired });
    }
    expect(ends[0]).toEqual(ends[1]);
    expect(ends[0].record).toMatchObject({ taskId: expect.anything() });
  });
});
