import { Duration } from 'aws-cdk-lib';
import { AgentTurn, Commit, Gate } from '../../src';
import { IN_PROCESS, LoopFixture, TurnPayload, useLoops } from '../support/loop-fixture';

process.env[IN_PROCESS] = '1'; // coverage sees it
const start = useLoops();
const HARD = 'it\'s "quoted" $(touch /tmp/run) `id` \\ \n\nsecond line: é 漢 \u{1F600}\ttab\n--option\n';

describe('a turn that is a command', () => {
  test('gets the prompt byte for byte, as its input and in a file, and the run\'s variables', async () => {
    const loop = await start({
      loop: {
        turn: AgentTurn.command([
          'cat > input.txt; cmp input.txt "$WORKBENCH_PROMPT_FILE" && echo right > value.txt',
          'echo "$WORKBENCH_TASK_ID $WORKBENCH_ROUND $WORKBENCH_RUN $PWD" > environment.txt; test ! -e /tmp/run',
        ].join('\n')),
      },
    });
    const { record, cause } = await loop.run({ prompt: HARD });
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(loop.show(undefined, 'input.txt')).toBe(HARD);
    expect(loop.show(undefined, 'environment.txt')).toMatch(/^task-1 0 \S+ \/mnt\/workspace\/repo\n$/);
    expect(loop.git('log', '-1', '--format=%s', 'workbench/task-1')).toBe('it\'s "quoted" $(touch /tmp/run) `id` \\\n');
  });

  test('gets a prompt of 200 kB, and its repair', async () => {
    const prompt = `${'A line of the prompt, with "quotes" and é.\n'.repeat(4_400)}the end`;
    expect(Buffer.byteLength(prompt)).toBeGreaterThan(190_000);
    const loop = await start({
      loop: { turn: AgentTurn.command('cat > input-$WORKBENCH_ROUND.txt; [[ $WORKBENCH_ROUND == 0 ]] || echo right > value.txt') },
      files: { 'test.sh': '#!/bin/bash\nhead -c 100000 /dev/zero | tr "\\0" "\\""; [[ $(cat value.txt) == right ]]\n' },
    });
    const { record, cause } = await loop.run({ prompt });
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(loop.show(undefined, 'input-0.txt')).toBe(prompt);
    expect(loop.show(undefined, 'input-1.txt').startsWith(`${prompt}\n\n---\nYour change is not accepted yet`)).toBe(true);
  });

  test('fails with the end of the command\'s output', async () => {
    const loop = await start({ loop: { turn: AgentTurn.command('echo no credit; exit 3') } });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.TurnFailed');
    expect(record.error!.message).toMatch(/exit code 3[^]*no credit/);
    expect(record.session.stopped).toBe(true);
  });

  test('fails as inert when the program is not in the image', async () => {
    const loop = await start({ loop: { turn: AgentTurn.command('no-such-agent -p') } });
    expect((await loop.run()).error).toBe('CodingLoop.Inert');
  });

  test('leaves no process behind that writes while the gates run', async () => {
    const loop = await start({
      loop: {
        turn: AgentTurn.command('echo right > value.txt; setsid env -i /bin/bash -c "read -t 4 <> <(:); echo wrong > value.txt" >/dev/null 2>&1 &'),
        gates: [Gate.command('test', 'read -t 6 <> <(:) || ./test.sh')],
      },
    });
    const { record } = await loop.run();
    expect({ outcome: record.outcome, gates: record.gates.map(({ verdict }) => verdict) }).toEqual({ outcome: 'COMMITTED', gates: ['PASSED'] });
  });

  test('fails when it takes too long', async () => {
    const loop = await start({ loop: { turn: AgentTurn.command('sleep 60', { timeout: Duration.seconds(1) }) } });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.TurnFailed');
    expect(record.error!.message).toContain('TIMED_OUT');
  });

  test('gets its prompt again when the microVM is lost while the prompt is written', async () => {
    const loop = await start({ loop: { turn: AgentTurn.command('cat > input.txt; echo right > value.txt') } });
    const fault = loop.server.faults.add({
      operation: 'InvokeAgentRuntimeCommand', at: 'midOutput', kind: 'replaceMicrovm', match: ({ command = '' }) => /job=prompt-/.test(command),
    });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(fault.fired).toBe(1);
    expect(loop.show(undefined, 'input.txt')).toBe('Make it right');
  });
});

describe('a turn whose end the agent reports', () => {
  const reporting = (report: (loop: LoopFixture, token: string) => void) => {
    let loop: LoopFixture;
    const agent = (_: number, payload: TurnPayload & { readonly taskToken?: string }) => {
      setTimeout(() => report(loop, payload.taskToken!), 50);
      return 'echo right > value.txt';
    };
    return start({ agent, loop: { turn: AgentTurn.callback({ heartbeat: Duration.seconds(10) }) } }).then((started) => loop = started);
  };

  test('continues when the agent reports success', async () => {
    const loop = await reporting(({ deployment }, token) => deployment.tokens.sendTaskSuccess(token, '{"loop":"is discarded"}'));
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  });

  test('fails with the agent\'s error when the agent reports one, and stops the session', async () => {
    const loop = await reporting(({ deployment }, token) => deployment.tokens.sendTaskFailure(token, 'Agent.NoCredit', 'the cause of it'));
    const { error, record } = await loop.run();
    expect(error).toBe('Agent.NoCredit');
    expect(record).toMatchObject({ outcome: 'Agent.NoCredit', error: { message: 'the cause of it' }, session: { stopped: true } });
  });
});

test('a custom message contains the task, the prompt and the run', async () => {
  const loop = await start({ loop: { commit: Commit.push({ message: 'fix({taskId}): {prompt}\n\nby {run}', branchPrefix: 'fix/', authorName: 'A B', authorEmail: 'a@b' }) } });
  const { record, cause } = await loop.run({ prompt: '\n  First \u0007line\u202e  \nSecond' }, { name: 'run-1' });
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.git('log', '-1', '--format=%an <%ae>%n%B', 'fix/task-1')).toMatch(
    /^A B <a@b>\nfix\(task-1\): First {2}line\n\nby (run-1-[0-9a-f]{8})\n\nWorkbench-Task: task-1\nWorkbench-Run: \1\nWorkbench-Gate: test PASSED in \d+ s\n+$/);
});
