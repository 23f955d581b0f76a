import { AgentTurn, Gate, GitRepository } from '../../src';
import { LoopFixtureProps, TurnPayload, useLoops } from '../support/loop-fixture';

const start = useLoops();
const CANARY = 'canary-5f2c';
const PROMPT = `Make it right. ${CANARY}-prompt`;
const LOUD = `echo ${CANARY}-out; echo ${CANARY}-err >&2`;

/** Returns everything that the deployed function logs at its own level during a run. */
test.each<[string, string, LoopFixtureProps, object]>([
  ['commits after a repair', 'COMMITTED', {
    agent: (turn: number, _: TurnPayload) => `${LOUD}; echo ${turn === 0 ? 'wrong-a' : 'right'} > value.txt; echo ${CANARY} > ${CANARY}.txt`,
    loop: { bootstrap: [LOUD], gates: [Gate.command('test', `${LOUD}; ./test.sh`)], environment: { LOUD: CANARY } },
  }, {}],
  ['stays red', 'CodingLoop.Red', { agent: `echo ${CANARY} > value.txt`, loop: { maxRepairs: 0 } }, {}],
  ['has a bootstrap that fails', 'CodingLoop.BootstrapFailed', { loop: { bootstrap: [`${LOUD}; exit 1`] } }, {}],
  ['has an agent that is a program and fails', 'CodingLoop.TurnFailed', { loop: { turn: AgentTurn.command(`cat; ${LOUD}; exit 1`) } }, {}],
  ['has an agent whose program does not exist', 'CodingLoop.Inert', { loop: { turn: AgentTurn.command(`${LOUD}; ${CANARY}-program`) } }, {}],
  ['has an agent that crashes', 'Workbench.ContainerError', { agent: `${LOUD}; exit 1` }, {}],
  ['has an unknown repository', 'CodingLoop.CheckoutFailed', { loop: { repository: GitRepository.fromInput({ allow: ['file:///*/none.git'] }) } }, { repository: { url: `file:///${CANARY}/none.git`, ref: CANARY } }],
  ['has an invalid input', 'CodingLoop.BadInput', {}, { [CANARY]: 'x', taskId: CANARY.repeat(9) }],
])('logs none of the content of a run that %s', async (_, outcome, props, input) => {
  const loop = await start(props);
  const { error, record } = await loop.run({ prompt: PROMPT, ...input });
  expect(error ?? record.outcome).toBe(outcome);
  const lines = loop.logs.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { level?: string; message?: string; error?: string; reason?: string });
  expect(lines.some(({ level, message }) => level === 'INFO' && message === 'done') || outcome === 'CodingLoop.BadInput').toBe(true);
  // The log of an error has its name and a reason.
  for (const failed of lines.filter(({ message }) => message === 'failed')) expect(failed.reason).toMatch(/\w/);
  expect(loop.logs.filter((line) => line.includes(CANARY))).toEqual([]);
});
