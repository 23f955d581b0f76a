import { COMMAND_MODES } from '../../rehearsal/agentcore';
import { AgentTurn, Commit, Gate } from '../../src';
import { LoopFixtureProps, useLoops } from '../support/loop-fixture';

const start = useLoops();
const HARD = 'it\'s "quoted" $(touch /tmp/run) `id` \\ \n\nsecond line: é 漢 \u{1F600}\ttab\n--option\n';

/** All kinds of commands that a loop sends, each with text that is hard to parse. */
function props(commandMode: typeof COMMAND_MODES[number]): LoopFixtureProps {
  return {
    service: { commandMode },
    loop: {
      bootstrap: ["echo 'it'\\''s ready' > ignored-by-hand; mkdir -p ignored && echo \"it's\" > ignored/ready", 'printf "%s\\n" \'$HOME "x"\''],
      turn: AgentTurn.command("cat > \"input-$WORKBENCH_ROUND.txt\"; [[ $WORKBENCH_ROUND == 0 ]] || echo 'right' > value.txt; [[ ! -e /tmp/run ]]"),
      gates: [
        Gate.command('test', './test.sh'),
        Gate.command('words', '[[ $TEXT == "it\'s \\"all\\" \\$here" ]] && test \'a b\' = \'a b\'', { environment: { TEXT: 'it\'s "all" $here' } }),
      ],
      commit: Commit.push({ message: "It's {prompt}" }),
      environment: { NAME: "O'Brien & \"sons\"" },
    },
  };
}

test.each(COMMAND_MODES)('a run with a bootstrap, a repair and text full of quotes commits in each mode of interpreting commands: %s', async (mode) => {
  const loop = await start(props(mode));
  const { record, cause } = await loop.run({ prompt: HARD });
  expect({ outcome: record?.outcome, rounds: record?.rounds, cause }).toEqual({ outcome: 'COMMITTED', rounds: 2, cause: undefined });
  expect(loop.show(undefined, 'input-0.txt')).toBe(HARD);
  expect(loop.git('log', '-1', '--format=%s', 'workbench/task-1')).toBe('It\'s it\'s "quoted" $(touch /tmp/run) `id` \\\n');
});

test('a run\'s own commands are readable in the service\'s log', async () => {
  const loop = await start({ agent: () => 'echo right > value.txt' });
  expect((await loop.run()).record).toMatchObject({ outcome: 'COMMITTED' });
  const commands = loop.server.calls.of('InvokeAgentRuntimeCommand').map(({ command = '' }) => command);
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.filter((command) => command.includes(':base64='))).toEqual([]);
});
