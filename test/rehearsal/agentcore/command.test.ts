import { InvokeAgentRuntimeCommandCommand } from '@aws-sdk/client-bedrock-agentcore';
import { newSessionId, ServerFixture, shellLine } from '../../support/agentcore';

const KIB = 1024;
let fixture: ServerFixture;
let others: ServerFixture[] = [];
beforeAll(async () => {
  fixture = await ServerFixture.start();
});
afterEach(async () => {
  await Promise.all(others.map(other => other.close()));
  others = [];
});
afterAll(() => fixture.close());

async function another(...props: Parameters<typeof ServerFixture.start>): Promise<ServerFixture> {
  const other = await ServerFixture.start(...props);
  others.push(other);
  return other;
}

describe('a command', () => {
  test('is run by bash in /, and its stdout, stderr and exit code are streamed', async () => {
    expect(await fixture.command('pwd; until [ -s /tmp/x ]; do echo x >/tmp/x; done; echo "to stderr" >&2; exit 3')).toMatchObject({
      stdout: '/\n', stderr: 'to stderr\n', exitCode: 3, status: 'COMPLETED',
    });
  });

  test('starts with contentStart and ends with contentStop even if it prints nothing', async () => {
    expect((await fixture.command('true')).events).toEqual(['contentStart', 'contentStop']);
  });

  test.each([
    ['exit 255', 255],
    ['no-such-program', 127],
    ['/etc/passwd', 126],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ])('%s has the exit code %d', async (command, exitCode) => {
    expect(await fixture.command(command)).toMatchObject({ exitCode, status: 'COMPLETED' });
  });

  test('has the environment of the runtime, and the variables of the host that find programs, but no credentials', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'of-the-host';
    const other = await another({ environment: { FROM_RUNTIME: 'yes' } });
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const { stdout } = await other.command('env');
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['FROM_RUNTIME=yes', `PATH=${process.env.PATH}`, 'AWS_REGION=us-east-1']));
    expect(stdout).not.toContain('of-the-host');
  });

  test('can open its outputs by name, as pipes', async () => {
    expect(await fixture.command('echo out >/dev/stdout; echo err >/dev/stderr; echo tee | tee /dev/fd/2')).toMatchObject({ stdout: 'out\ntee\n', stderr: 'err\ntee\n' });
  });

  test('reads an empty stdin', async () => {
    expect(await fixture.command('cat; echo end')).toMatchObject({ stdout: 'end\n', exitCode: 0 });
  });

  test('arrives unchanged, whatever characters it contains', async () => {
    const text = 'a\'b"c\\d $(e) `f` *.g ü € 😀 \n end';
    expect((await fixture.command(`printf %s '${text.replace(/'/g, "'\\''")}'`)).stdout).toBe(text);
  });

  test('runs concurrently with others of its session, and sees their files', async () => {
    const [waiting] = await Promise.all([
      fixture.command('until [ -e /tmp/signal ]; do sleep 0.01; done; echo seen'),
      fixture.command('touch /tmp/signal'),
    ]);
    expect(waiting.stdout).toBe('seen\n');
  });

  test('gets a new session if no session id is given', async () => {
    const send = () => fixture.client.send(new InvokeAgentRuntimeCommandCommand({ agentRuntimeArn: fixture.arn, body: { command: 'true' } }));
    const [one, two] = [await send(), await send()];
    expect(one.runtimeSessionId).toHaveLength(36);
    expect(two.runtimeSessionId).not.toBe(one.runtimeSessionId);
    await Promise.all([one, two].map(async ({ stream }) => {
      for await (const event of stream!) { expect(event.chunk).toBeDefined(); }
    }));
  });

  test('is written to the log of its session', async () => {
    const sessionId = newSessionId();
    await fixture.command('echo $((1 + 1))', { runtimeSessionId: sessionId });
    const key = { runtimeId: fixture.arn.split('/')[1], endpoint: 'DEFAULT', sessionId };
    expect(fixture.server.logs.read(key)).toContain('echo $((1 + 1))');
  });
});

describe('the output of a command', () => {
  /** Sizes of the messages of one reply, as their preludes give them. */
  async function messageSizes(command: string): Promise<number[]> {
    const reply = await fetch(`${fixture.server.endpoint}/runtimes/${encodeURIComponent(fixture.arn)}/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-amzn-bedrock-agentcore-runtime-session-id': fixture.sessionId },
      body: JSON.stringify({ command: shellLine(command) }),
    });
    const bytes = Buffer.from(await reply.arrayBuffer());
    const sizes: number[] = [];
    for (let at = 0; at < bytes.length; at += sizes.at(-1)!) {
      sizes.push(bytes.readUInt32BE(at));
    }
    return sizes;
  }

  test.each([
    ['plain text', 'head -c 300000 /dev/zero | tr "\\0" a'],
    ['characters that JSON makes six times as long', 'head -c 300000 /dev/zero'],
    ['characters of four bytes', 'for i in {1..60000}; do printf 😀; done'],
  ])('arrives in events of at most 64 KB: %s', async (_, command) => {
    const sizes = await messageSizes(command);
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * KIB);
  });

  test('never has a split character', async () => {
    const { stdout } = await fixture.command('yes €😀 | tr -d "\\n" | head -c 350000');
    expect(stdout).toBe('€😀'.repeat(50_000));
  });

  test('that is not UTF-8 arrives with replacement characters', async () => {
    expect((await fixture.command('printf "a\\xffb"; printf "\\xe2\\x82"')).stdout).toBe('a\ufffdb\ufffd');
  });

  test('ends with the command, although a process that was left behind keeps it open', async () => {
    expect(await fixture.command('sleep 1000 & echo done')).toMatchObject({ stdout: 'done\n', exitCode: 0 });
  });

  test('fails beyond 100 MB with an exception in the stream, and the command is killed', async () => {
    const result = await fixture.command('yes | head -c 200000000; touch /tmp/went-on');
    expect(result.error?.name).toBe('ServiceQuotaExceededException');
    expect(result.stdout.length).toBeLessThanOrEqual(100 * KIB * KIB);
    expect(result.events).not.toContain('contentStop');
    expect((await fixture.command('pgrep yes; ls /tmp/went-on')).stdout).toBe('');
  });

  test('of 100 MB blocks the command while the client does not read', async () => {
    const received = fixture.server.calls.next();
    const response = await fixture.client.send(new InvokeAgentRuntimeCommandCommand({
      agentRuntimeArn: fixture.arn, runtimeSessionId: fixture.sessionId, body: { command: shellLine('head -c 104857600 /dev/zero | tr "\\0" a; touch /tmp/written') },
    }));
    const call = await received;
    for (let sent = -1; sent !== call.bytes;) {
      sent = call.bytes;
      await fixture.command('true');
    }
    expect((await fixture.command('ls /tmp/written')).exitCode).toBe(2);
    expect(call.bytes).toBeLessThan(32 * KIB * KIB); // what the kernel's buffers took
    let length = 0;
    for await (const event of response.stream!) {
      length += event.chunk?.contentDelta?.stdout?.length ?? 0;
    }
    expect(length).toBe(104_857_600);
  });
});

describe('a timeout', () => {
  test('terminates the command with its children, and reports TIMED_OUT', async () => {
    const running = fixture.command('echo before; sleep 777; echo after', { timeout: 60 });
    await fixture.command('until pgrep -f "^sleep 777"; do sleep 0.01; done');
    await fixture.clock.advance(60_000);
    expect(await running).toMatchObject({ stdout: 'before\n', exitCode: -1, status: 'TIMED_OUT' });
    expect((await fixture.command('pgrep -f "^sleep 777"')).exitCode).toBe(1);
  });

  test('is 300 s by default', async () => {
    const running = fixture.command('sleep 888');
    await fixture.command('until pgrep -f "^sleep 888$"; do sleep 0.01; done');
    await fixture.clock.advance(290_000);
    expect((await fixture.command('pgrep -cf "^sleep 888$"')).stdout).toBe('1\n');
    await fixture.clock.advance(10_000);
    expect(await running).toMatchObject({ status: 'TIMED_OUT' });
  });

  test('may have another exit code, since the service does not document its own', async () => {
    const other = await another({}, { timedOutExitCode: 124 });
    const running = other.command('sleep 1000', { timeout: 60 });
    await other.command('until pgrep -f "^sleep 1000"; do sleep 0.01; done');
    await other.clock.advance(60_000);
    expect(await running).toMatchObject({ exitCode: 124, status: 'TIMED_OUT' });
  });
});

describe('validation', () => {
  test.each([
    ['an empty command', { body: { command: '' } }],
    ['a command of 65,537 bytes', { body: { command: 'x'.repeat(65_537) } }],
    ['NUL in a command', { body: { command: 'a\0b' } }],
    ['a timeout of 0', { body: { command: 'true', timeout: 0 } }],
    ['a timeout of 3601', { body: { command: 'true', timeout: 3601 } }],
    ['a timeout of 1.5', { body: { command: 'true', timeout: 1.5 } }],
    ['a session id of 32 characters', { runtimeSessionId: 's'.repeat(32) }],
    ['a session id of 257 characters', { runtimeSessionId: 's'.repeat(257) }],
  ])('fails on %s', async (_, input) => {
    await expect(fixture.command('true', input)).rejects.toMatchObject({ name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
  });

  test.each([
    ['a command of 65,536 bytes', { body: { command: `true ${'x'.repeat(65_531)}` } }],
    ['a timeout of 1', { body: { command: 'true', timeout: 1 } }],
    ['a timeout of 3600', { body: { command: 'true', timeout: 3600 } }],
    ['a session id of 33 characters', { runtimeSessionId: 's'.repeat(33) }],
    ['a session id of 256 characters', { runtimeSessionId: 's'.repeat(256) }],
  ])('accepts %s', async (_, input) => {
    expect(await fixture.command('true', input)).toMatchObject({ exitCode: 0 });
  });

  test('fails for a runtime or an endpoint that does not exist', async () => {
    await expect(fixture.command('true', { agentRuntimeArn: `${fixture.arn}x` })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(fixture.command('true', { qualifier: 'nowhere' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('undocumented behavior', () => {
  test.each([
    ['strict', ['a  b\n$HOME \\\n', 'a && echo $HOME\n', 'ValidationException']],
    ['split', ['a  b\n$HOME \\\n', 'a && echo $HOME\n', "it's\n"]],
    ['shell', ['a  b\n/home/me \\\n', 'a\n/home/me\n', "it's\n"]],
  ] as const)('a command may be interpreted in more than one way: %s', async (commandMode, expected) => {
    const other = await another({}, { commandMode, environment: { PATH: process.env.PATH!, HOME: '/home/me' } });
    const said = [
      '/bin/bash -c \'echo "a  b"; echo "$1"\' bash "$HOME \\\\"',
      'echo a && echo $HOME',
      "echo 'it'\\''s'",
    ].map(async text => other.text(text).then(({ stdout }) => stdout, (error: Error) => error.name));
    expect(await Promise.all(said)).toEqual(expected);
  });

  test('a command whose meaning is undefined is refused with the position, and nothing is started', async () => {
    await expect(fixture.text("touch /tmp/begun 'it'\\''s'")).rejects.toMatchObject({
      name: 'ValidationException', message: expect.stringContaining('at character 22, '),
    });
    expect((await fixture.command('ls /tmp/begun')).exitCode).toBe(2);
  });

  const detached = '(setsid sleep 555 & sleep 555 &) ; true';

  test('processes that a command leaves behind may stay', async () => {
    const other = await another({}, { leftovers: 'keep' });
    await other.command(detached);
    expect((await other.command('until [ $(pgrep -cf "^sleep 555") = 2 ]; do sleep 0.01; done')).exitCode).toBe(0);
  });

  test('processes that a command leaves behind may be killed, but not those of other commands', async () => {
    const other = await another({}, { leftovers: 'kill' });
    const running = other.command('sleep 556');
    await other.command('until pgrep -f "^sleep 556"; do sleep 0.01; done');
    await other.command(detached);
    expect((await other.command('pgrep -f "^sleep 55"; pkill -f "^sleep 556"')).stdout.trim().split('\n')).toHaveLength(1);
    expect(await running).toMatchObject({ exitCode: 143 });
  });

  test.each([['continue', 'yes\n'], ['kill', '']] as const)('when the client disconnects, a command may %s', async (onDisconnect, stdout) => {
    const other = await another({}, { onDisconnect });
    const response = await other.client.send(new InvokeAgentRuntimeCommandCommand({
      agentRuntimeArn: other.arn, runtimeSessionId: other.sessionId, body: { command: shellLine('echo start; until [ -e /tmp/go ]; do sleep 0.01; done; echo yes >/tmp/result') },
    }));
    const finished = other.server.calls.next({}, 'finished');
    for await (const event of response.stream!) {
      if (event.chunk?.contentDelta) {
        break;
      }
    }
    other.client.destroy();
    await finished;
    expect((await other.command('touch /tmp/go; for i in {1..20}; do [ -e /tmp/result ] && break; sleep 0.01; done; cat /tmp/result')).stdout).toBe(stdout);
  });
});
