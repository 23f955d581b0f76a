import { maskSecrets } from '../../handler/mask';
import { GateRecord } from '../../loop/steps/records';
import { collector, runStepJob, StepRequest, StepTools } from '../../loop/steps/step';
import { quoteWord } from '../../private/quote';

/** The end of an output that is shown, in bytes. */
const TAIL_BYTES = 6_000;

/**
 * Returns the ends of the outputs of gates, by name. It decides nothing: without them, the results are shown all the same.
 *
 * @param where the request for the session that has the logs
 */
export async function outputsOf(where: StepRequest, gates: readonly GateRecord[], tools: StepTools): Promise<ReadonlyMap<string, string>> {
  const { onOutput, output } = collector(2 * TAIL_BYTES * gates.length);
  const command = gates.map(({ logPath }) => `tail -c ${TAIL_BYTES} -- ${quoteWord(logPath)} 2>/dev/null | base64 | tr -d "\\n"; echo`).join('\n');
  try {
    await runStepJob(where, { ...tools, onOutput }, { name: 'outputs of gates', command, workingDirectory: '/', timeoutSeconds: 60, isOurs: true });
  } catch {
    return new Map();
  }
  const lines = output().toString().split('\n');
  return new Map(gates.map(({ name }, index) => [name, shown(Buffer.from(lines[index] ?? '', 'base64').toString())]));
}

/** Returns text without what looks like a secret, and without what would control a terminal. */
function shown(text: string): string {
  // eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
  return maskSecrets(text).replace(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g, '');
}
