import { GIT_FOLDER } from './constants';
import { keepingTime } from './keeping-time';
import { collector, StepRequest, StepTools } from './step';
import { isTransient } from '../../jobs/errors';
import { exec } from '../../jobs/exec';

/** The maximum size of a change that is kept, in bytes. */
const PATCH_BYTES = 33_554_432;

/** The maximum duration of the command, in seconds. */
const PATCH_SECONDS = 120;

/**
 * Prints the difference of two trees in base64, and then how it ended. It is no job: whatever reads the files changes nothing in the workspace. Git
 * reads neither the configuration nor the attributes of the clone.
 */
const SCRIPT = [
  'export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory "GIT_CONFIG_VALUE_0=*"',
  'echo "@patch"',
  'git --git-dir="$1" diff-tree -r -p --binary --full-index --no-ext-diff --no-textconv --no-color "$2" "$3" | base64',
  'echo "@end ${PIPESTATUS[*]}"',
].join('; ');

/** Returns the change of a run as a patch, which `git apply` takes. Throws if the session does not print all of it, in two tries. */
export async function patchOf(request: StepRequest, tools: StepTools): Promise<Buffer> {
  try {
    return await printed(request, tools);
  } catch (error) {
    if (!isTransient(error)) throw error;
    await tools.clock.sleep(tools.backoffSeconds);
    return printed(request, tools);
  }
}

async function printed(request: StepRequest, tools: StepTools): Promise<Buffer> {
  const { run, loop } = request.state;
  const seconds = Math.min(PATCH_SECONDS, Math.floor(keepingTime(tools) / 1_000));
  if (seconds < 1) throw Object.assign(new Error('no time is left'), { name: 'NoTimeLeft' });
  const { onOutput, output } = collector(PATCH_BYTES * 1.4);
  // The service may split words in its own way, so each is plain, or is between apostrophes and has none.
  const words = ['/bin/bash', '-c', `'${SCRIPT}'`, 'workbench', `'${run.mount}/${GIT_FOLDER}'`, loop.base, loop.tree!];
  await exec(tools.client, {
    runtimeArn: request.runtimeArn,
    qualifier: run.session.endpointName,
    sessionId: run.session.id,
    command: words.join(' '),
    timeoutSeconds: seconds,
    replySeconds: seconds,
    silenceSeconds: seconds,
    deadline: AbortSignal.timeout(seconds * 1_000),
    onAnswer: () => undefined,
    onStdout: (text) => onOutput(Buffer.from(text)),
    onStderr: () => undefined,
  });
  const [, encoded] = /@patch\n([A-Za-z0-9+/=\n]*)@end 0 0\n/.exec(output().toString('latin1')) ?? [];
  if (encoded === undefined) throw Object.assign(new Error('the change could not be read'), { name: 'ChangeNotRead' });
  return Buffer.from(encoded, 'base64');
}
