import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The directory of the socket in a session. */
const INSIDE = '/tmp/.ssh-agent';
const NAME = 'socket';

/**
 * Forwards an ssh agent of this machine to sessions, through a socket that exists as long as the rehearsal: an agent answers only its own
 * user, and its directory may have other files.
 */
export class SshAgent {
  /** @param socket of the agent, such as `SSH_AUTH_SOCK` */
  static async forward(socket: string): Promise<SshAgent> {
    // Not in the state directory: the path of a socket has 107 bytes.
    const directory = mkdtempSync(join(tmpdir(), 'ssh-agent-'));
    const open = new Set<Socket>();
    const server = createServer((client) => {
      const agent = connect(socket);
      for (const end of [client, agent]) {
        open.add(end);
        end.on('error', () => undefined).on('close', () => {
          open.delete(end);
          client.destroy();
          agent.destroy();
        });
      }
      client.pipe(agent).pipe(client);
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(join(directory, NAME), resolve));
    return new SshAgent(directory, server, open);
  }

  readonly environment = { SSH_AUTH_SOCK: `${INSIDE}/${NAME}` };

  private constructor(private readonly directory: string, private readonly server: Server, private readonly open: ReadonlySet<Socket>) {
    process.on('exit', this.remove); // a second Ctrl-C waits for nobody
  }

  get mount(): { readonly source: string; readonly target: string } {
    return { source: this.directory, target: INSIDE };
  }

  close(): void {
    process.off('exit', this.remove);
    this.server.close();
    this.open.forEach((socket) => socket.destroy());
    this.remove();
  }

  private readonly remove = (): void => rmSync(this.directory, { recursive: true, force: true });
}
