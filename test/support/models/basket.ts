/**
 * Serves a model that knows the basket of `examples/first-loop`, and prints the URL. Its first correction is incomplete: it makes the other one when
 * the prompt says which test fails. It is a process of its own, for tests that wait for commands without serving anything meanwhile.
 */
import { call, Reply, say, Turn } from './script';
import { ModelServer } from './server';

/** The tools with which agents run commands, and the name of their input. */
const SHELLS: { readonly [tool: string]: string } = { Bash: 'command', bash: 'command', shell: 'command', exec_command: 'cmd' };

/** Corrects what the prompt complains about, and then tells what it did. */
export function basket({ tools, toolResults, lastUserText }: Turn): Reply {
  if (toolResults.length > 0) return say('The basket is corrected.');
  const shell = tools.find(({ name }) => name in SHELLS)?.name;
  if (shell === undefined) return say('There is no tool to run commands with.');
  const repair = lastUserText.includes('a tenth is off at exactly 100 euros');
  const edit = repair ? 's/sum > 10_000/sum >= 10_000/' : 's/let index = 1;/let index = 0;/';
  return call(shell, { [SHELLS[shell]]: `sed -i '${edit}' prices.mjs` });
}

if (require.main === module) {
  void ModelServer.start({ script: basket }).then(({ url }) => process.stdout.write(`${url}\n`));
}
