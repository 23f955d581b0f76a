import type { ExecOptions, ExecResult, Sandbox } from './sandbox';

/** Runs a command to its end, or until the call is given up. */
export async function execute(sandbox: Pick<Sandbox, 'spawn'>, options: ExecOptions): Promise<ExecResult> {
  const started = await sandbox.spawn(options);
  const kill = () => started.kill();
  options.signal?.addEventListener('abort', kill);
  if (options.signal?.aborted) {
    kill();
  }
  try {
    return await started.ended;
  } finally {
    options.signal?.removeEventListener('abort', kill);
  }
}
