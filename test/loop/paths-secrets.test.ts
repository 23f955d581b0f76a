import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExecutionEvent } from '../../rehearsal/stepfunctions';
import { AgentTurn, Gate } from '../../src';
import { LoopFixtureProps, useLoops } from '../support/loop-fixture';

const start = useLoops();
const TOKEN = 'aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x';
const KEY = ['Qm9ieSd0YWJsZXM'.repeat(2), 'U2VjcmV0UGllY2Vz'.repeat(2)];
/** Assembled in the session, so that no command contains the secret itself. */
const SAY = `printf '%s\\n' "token ghp""_${TOKEN}" "-----BEGIN RSA PRI""VATE KEY-----" "${KEY[0]}""${KEY[1]}" c2hvcnQ= "-----END RSA PRIVATE KEY-----"`;
const ALOUD = `${SAY}; ${SAY} >&2`;

test.each<[string, string, LoopFixtureProps]>([
  ['a gate that is repaired', 'COMMITTED', { agent: (turn) => `echo ${turn === 0 ? 'wrong-a' : 'right'} > value.txt`, loop: { gates: [Gate.command('test', `${ALOUD}; ./test.sh`)] } }],
  ['a gate that stays red', 'CodingLoop.Red', { agent: 'echo wrong-a > value.txt', loop: { maxRepairs: 0, gates: [Gate.command('test', `${ALOUD}; exit 1`)] } }],
  ['a bootstrap that fails', 'CodingLoop.BootstrapFailed', { loop: { bootstrap: [`${ALOUD}; exit 1`] } }],
  ['an agent that is a program and fails', 'CodingLoop.TurnFailed', { loop: { turn: AgentTurn.command(`${ALOUD}; exit 1`) } }],
])('output of %s that looks like a secret is masked in states, causes, logs and prompts, and unchanged in the workspace\'s log', async (_, outcome, props) => {
  const loop = await start(props);
  const states: string[] = [];
  const onEvent = (event: ExecutionEvent) => void states.push(JSON.stringify(event));
  const { error, cause, record } = await loop.run({}, { onEvent });
  expect(error ?? record.outcome).toBe(outcome);
  const everything = [...states, cause ?? '', JSON.stringify(record), ...loop.logs, ...loop.turns.map((turn) => JSON.stringify(turn))];
  for (const secret of [`ghp_${TOKEN}`, KEY.join('')]) expect(everything.filter((text) => text.includes(secret))).toEqual([]);
  const [job] = [...loop.jobs('gate-'), ...loop.jobs('bootstrap-'), ...loop.jobs('turn-')];
  expect(readFileSync(join(loop.workspace(record.session), '.workbench/jobs', job, 'log'), 'utf8')).toContain(`token ghp_${TOKEN}`);
});
