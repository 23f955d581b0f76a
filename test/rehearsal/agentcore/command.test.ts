import { newSessionId, ServerFixture } from '../../support/agentcore';

let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await ServerFixture.start();
});
afterAll(() => fixture.close());

describe('InvokeAgentRuntimeCommand', () => {
  test('runs bash in the session and streams stdout, stderr and the exit code', async () => {
    const result = await fixture.command('pwd; echo "to stderr" >&2; exit 3');
    expect(result).toEqual({
      stdout: '/\n', stderr: 'to stderr\n', exitCode: 3, status: 'COMPLETED', events: ['contentStart', 'contentDelta', 'contentDelta', 'contentStop'],
    });
  });

  test('gives each session a workspace and a /tmp that no other session sees', async () => {
    const other = newSessionId();
    await fixture.command('echo mine >/mnt/workspace/file; echo mine >/tmp/file');
    expect((await fixture.command('ls /mnt/workspace /tmp', { runtimeSessionId: other })).stdout).toBe('/mnt/workspace:\n\n/tmp:\n');
    expect((await fixture.command('cat /mnt/workspace/file /tmp/file')).stdout).toBe('mine\nmine\n');
  });

  test('keeps the workspace over a stop, and nothing else', async () => {
    await fixture.command('echo kept >/mnt/workspace/kept; echo gone >/tmp/gone; echo gone >/var/gone; (setsid sleep 1000 &)');
    const before = (await fixture.command('cat /proc/sys/kernel/random/boot_id')).stdout;
    await fixture.stop();
    const after = await fixture.command('ls /tmp /var/gone; cat /mnt/workspace/kept; pgrep sleep; cat /proc/sys/kernel/random/boot_id >&2');
    expect(after.stdout).toBe('/tmp:\nkept\n');
    expect(after.stderr).toContain('/var/gone');
    expect(after.stderr).not.toContain(before);
  });
});
