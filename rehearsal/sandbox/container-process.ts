import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { EXEC_SCRIPT, KILL_SCRIPT } from './container-script';
import type { ContainerTool } from './container-tool';
import { MarkedStream } from './marked-stream';
import type { ExecResult, ProcessOptions, SandboxProcess } from './sandbox';

/** One command in a container, by an `exec` of the tool. */
export class ContainerProcess implements SandboxProcess {
  readonly ended: Promise<ExecResult>;
  /** Its process group, as the container counts; none if it could not be started. */
  private readonly group: Promise<string | undefined>;

  constructor(private readonly tool: ContainerTool, private readonly container: string, options: ProcessOptions, isSandboxKilled: () => boolean) {
    const id = randomUUID();
    const mark = `\x1e${id}:`; // begins with what hardly anything prints, so that hardly anything is held back
    const client = tool.start([
      'exec', container, 'bash', '--norc', '-c', EXEC_SCRIPT, 'exec', mark, id, options.leftovers ?? 'keep', options.workingDirectory ?? '/', ...options.command,
    ], options.environment ?? {});
    client.stdin.on('error', () => undefined).end();
    const exited = new Promise<number>(resolve => {
      client.once('error', () => resolve(126));
      client.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
    const stdout = new MarkedStream(client.stdout, Buffer.from(mark));
    const stderr = new MarkedStream(client.stderr, Buffer.from(mark));
    this.group = stderr.section(options.onStderr);
    this.ended = Promise.all([stdout.section(options.onStdout), this.group.then(() => stderr.section(options.onStderr))]).then(async ([, code]) => {
      const sandboxKilled = isSandboxKilled();
      stdout.discard();
      stderr.discard();
      // If the command has no exit code of its own, the container ended or could not be reached.
      return { exitCode: code === undefined ? await exited : Number(code), sandboxKilled };
    });
  }

  kill(): void {
    void this.group.then(group => group === undefined ? '' : this.tool.run([
      'exec', '--user', '0', this.container, 'bash', '--norc', '-c', KILL_SCRIPT, 'kill', group,
    ])).catch(() => undefined); // it had ended
  }
}
