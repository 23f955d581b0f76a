import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, RequestListener, Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { commitOf, idOf, withCommit } from '../../src/forge/publish/git-object';
import { FLUSH, lineOf, listsOf, packetOf } from '../../src/forge/publish/pkt-line';
import { announced, ForgeError, pushed } from '../../src/forge/publish/smart-http';
import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { GitHttpServer } from '../support/git-http';

// Pushes without git on this side, to git's own http-backend.
let directory: string;
let server: GitHttpServer;
let base: string;
const git = (...args: string[]) => execFileSync('git', ['-C', join(directory, 'remote.git'), ...args], { encoding: 'utf8' }).trim();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'smart-http-'));
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(directory, 'remote.git')]);
  git('config', 'http.receivepack', 'true');
  const tree = git('hash-object', '-t', 'tree', '-w', '--stdin');
  base = git('-c', 'user.name=a', '-c', 'user.email=b', 'commit-tree', '-m', 'base', tree);
  git('update-ref', 'refs/heads/main', base);
  server = await GitHttpServer.start(directory);
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const remote = () => ({ url: `${server.url}/remote.git` });
const REFERENCE = 'refs/heads/workbench/task';

/** Returns a commit on top of the base with one file, and the pack of its objects without the commit. */
function change(text: string) {
  const other = mkdtempSync(join(directory, 'change-'));
  const run = (args: string[], input = '') => execFileSync('git', ['-C', other, ...args], { input });
  run(['init', '--quiet', '--bare']);
  const blob = run(['hash-object', '-w', '--stdin'], text).toString().trim();
  const tree = run(['mktree'], `100644 blob ${blob}\tfile\n`).toString().trim();
  const pack = run(['pack-objects', '--stdout', '-q'], `${blob}\n${tree}\n`);
  const commit = commitOf({ tree, parents: [base], author: { name: 'a', email: 'b' }, seconds: 1, message: 'change\n' });
  return { id: idOf('commit', commit), commit, pack };
}

async function* once(bytes: Buffer) {
  yield bytes;
}

async function push({ id, commit, pack }: ReturnType<typeof change>, from?: string) {
  return pushed(remote(), await announced(remote()), { reference: REFERENCE, from, to: id }, withCommit(once(pack), commit));
}

test('a remote announces its references, and an empty one none', async () => {
  expect(await announced(remote())).toMatchObject({ url: remote().url, references: new Map([['refs/heads/main', base]]), format: 'sha1' });
  execFileSync('git', ['init', '--quiet', '--bare', join(directory, 'empty.git')]);
  execFileSync('git', ['-C', join(directory, 'empty.git'), 'config', 'http.receivepack', 'true']);
  const empty = await announced({ url: `${server.url}/empty.git/` });
  expect(empty.references.size).toBe(0);
  expect([...empty.capabilities]).toContain('report-status');
});

test('a push makes a branch, and updates it', async () => {
  const first = change('one');
  expect(await push(first)).toEqual({ said: '' });
  expect(git('show', `${REFERENCE}:file`)).toBe('one');
  const second = change('two');
  expect(await push(second, first.id)).toEqual({ said: '' });
  expect(git('rev-parse', REFERENCE)).toBe(second.id);
  git('fsck', '--strict');
});

describe('a push is rejected, and changes nothing,', () => {
  test('if the branch is not what it was expected to be', async () => {
    await push(change('theirs'));
    const there = git('rev-parse', REFERENCE);
    expect((await push(change('mine'))).rejected).toMatch(/./);
    expect((await push(change('mine'), base)).rejected).toMatch(/./);
    expect(git('rev-parse', REFERENCE)).toBe(there);
  });

  test('if the pack lacks objects: a pack cannot change what a commit names', async () => {
    const { id, commit } = change('one');
    expect((await push({ id, commit, pack: change('another').pack })).rejected).toMatch(/missing|unpack|index-pack/);
    expect(git('for-each-ref', REFERENCE)).toBe('');
  });

  test('if a rule of the remote refuses it, with the remote\'s words', async () => {
    const hook = join(directory, 'remote.git/hooks/pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho "error: GH013: Repository rule violations found" >&2\nexit 1\n');
    chmodSync(hook, 0o755);
    expect(await push(change('one'))).toEqual({ rejected: 'pre-receive hook declined', said: 'error: GH013: Repository rule violations found\n' });
  });
});

test.each<[number, ForgeError['name']]>([
  [401, FORGE_ERRORS.UNAUTHORIZED], [403, FORGE_ERRORS.FORBIDDEN], [404, FORGE_ERRORS.NOT_FOUND], [429, FORGE_ERRORS.RATE_LIMITED],
  [500, FORGE_ERRORS.UNAVAILABLE], [503, FORGE_ERRORS.UNAVAILABLE], [418, FORGE_ERRORS.UNEXPECTED],
])('HTTP %d is %s, before and during a push', async (status, name) => {
  server.fate = () => status;
  await expect(announced(remote())).rejects.toMatchObject({ name });
  server.fate = (request) => request.startsWith('POST') ? status : undefined;
  await expect(push(change('one'))).rejects.toMatchObject({ name });
  expect(git('for-each-ref', REFERENCE)).toBe('');
});

test('after a connection that broke, the references tell whether the push arrived', async () => {
  const { id, ...rest } = change('one');
  for (const [fate, there] of [['cut before', undefined], ['cut after', id]] as const) {
    server.fate = (request) => request.startsWith('POST') ? fate : undefined;
    await expect(push({ id, ...rest })).rejects.toMatchObject({ name: FORGE_ERRORS.UNAVAILABLE });
    expect((await announced(remote())).references.get(REFERENCE)).toBe(there);
  }
});

describe('a remote that is not quite one', () => {
  const open: Server[] = [];
  afterEach(() => open.splice(0).forEach((each) => each.close()));

  async function answering(listener: RequestListener): Promise<string> {
    const other = createServer(listener);
    open.push(other);
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  }

  test('may redirect to another path of its host, and not to another host: the credential would go there', async () => {
    let target = '';
    const seen: (string | undefined)[] = [];
    const url = await answering(({ url: path = '', headers }, response) => {
      seen.push(headers.authorization);
      if (path.startsWith('/old')) return void response.writeHead(301, { location: target }).end();
      response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-advertisement' });
      return void response.end(Buffer.concat([packetOf('# service=git-receive-pack\n'), FLUSH, packetOf(`${base} refs/heads/main\0report-status\n`), FLUSH]));
    });
    target = '/new.git/info/refs?service=git-receive-pack';
    expect(await announced({ url: `${url}/old.git`, authorization: 'Basic x' })).toMatchObject({ url: `${url}/new.git` });
    for (target of [`${server.url}/remote.git/info/refs`, '/old.git/info/refs', '/login']) {
      await expect(announced({ url: `${url}/old.git`, authorization: 'Basic x' })).rejects.toMatchObject({ name: FORGE_ERRORS.UNEXPECTED });
    }
    expect(new Set(seen)).toEqual(new Set(['Basic x']));
    expect(server.requests).toEqual([]);
  });

  test.each<[string, string, string]>([
    ['a page to log in', 'text/html', '<html>'],
    ['a reply that is cut off', 'application/x-git-receive-pack-advertisement', '001f# service=git-receive-pack\n0000003f'],
    ['another service', 'application/x-git-receive-pack-advertisement', '001e# service=git-upload-pack\n0000'],
    ['no packets', 'application/x-git-receive-pack-advertisement', 'hello'],
    ['nothing', 'application/x-git-receive-pack-advertisement', ''],
  ])('that answers with %s is refused', async (_, type, body) => {
    const url = await answering((__, response) => void response.writeHead(200, { 'content-type': type }).end(body));
    await expect(announced({ url })).rejects.toThrow(/remote|reply|packet/);
  });

  /** Answers an announcement as git does, and a push with a given body. */
  async function reporting(body: Buffer, capabilities = 'report-status side-band-64k'): Promise<ReturnType<typeof pushed>> {
    const url = await answering((request, response) => {
      const service = request.method === 'GET' ? 'advertisement' : 'result';
      response.writeHead(200, { 'content-type': `application/x-git-receive-pack-${service}` });
      const announcement = Buffer.concat([packetOf('# service=git-receive-pack\n'), FLUSH, packetOf(`${base} refs/heads/main\0${capabilities}\n`), FLUSH]);
      request.resume().once('end', () => response.end(service === 'result' ? body : announcement));
    });
    const { id, commit, pack } = change('one');
    return pushed({ url }, await announced({ url }), { reference: REFERENCE, to: id }, withCommit(once(pack), commit));
  }
  const list = (...lines: string[]) => Buffer.concat([...lines.map((line) => packetOf(`${line}\n`)), FLUSH]);
  const band = (number: number, data: Buffer | string) => packetOf(Buffer.concat([Buffer.from([number]), Buffer.from(data as string)]));

  test.each<[string, Buffer, object]>([
    ['in a band, with words beside it', Buffer.concat([band(2, 'checking'), band(1, list('unpack ok', `ok ${REFERENCE}`)), FLUSH]), { said: 'checking' }],
    ['in two pieces', Buffer.concat([band(1, list('unpack ok', `ok ${REFERENCE}`).subarray(0, 9)), band(1, list('unpack ok', `ok ${REFERENCE}`).subarray(9)), FLUSH]), { said: '' }],
    ['as a fatal error', Buffer.concat([band(2, 'one '), band(3, 'disk full\n'), FLUSH]), { rejected: 'disk full', said: 'one disk full\n' }],
    ['of a pack that could not be unpacked', Buffer.concat([band(1, list('unpack index-pack abnormal exit', `ng ${REFERENCE} unpacker error`)), FLUSH]), { rejected: 'index-pack abnormal exit', said: '' }],
  ])('may report %s', async (_, body, result) => {
    expect(await reporting(body)).toEqual(result);
  });

  test.each<[string, Buffer, string]>([
    ['nothing', FLUSH, 'does not report whether it unpacked'],
    ['another reference', Buffer.concat([band(1, list('unpack ok', 'ok refs/heads/other')), FLUSH]), `does not report on ${REFERENCE}`],
    ['a reference whose name only begins so', Buffer.concat([band(1, list('unpack ok', `ok ${REFERENCE}-2`)), FLUSH]), 'does not report on'],
    ['a band that does not exist', Buffer.concat([band(7, 'x'), FLUSH]), 'band 7'],
    ['an empty packet', Buffer.concat([Buffer.from('0004'), FLUSH]), 'band undefined'],
  ])('that reports %s has not taken the push', async (_, body, message) => {
    await expect(reporting(body)).rejects.toThrow(message);
  });

  test('may have no bands', async () => {
    expect(await reporting(list('unpack ok', `ok ${REFERENCE}`), 'report-status')).toEqual({ said: '' });
  });

  test('that announces what is no reference is refused', async () => {
    const url = await answering((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-advertisement' });
      response.end(Buffer.concat([packetOf('# service=git-receive-pack\n'), FLUSH, packetOf('not a reference'), FLUSH]));
    });
    await expect(announced({ url })).rejects.toThrow('the remote announces "not a reference"');
  });

  test('that answers without an end is cut off', async () => {
    const url = await answering((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-advertisement' });
      const write = () => { while (!response.destroyed && response.write(Buffer.alloc(1_048_576, '0'))); };
      response.on('drain', write);
      write();
    });
    await expect(announced({ url })).rejects.toMatchObject({ name: FORGE_ERRORS.UNAVAILABLE, quote: 'the reply has more than 67108864 bytes' });
  });

  test.each([
    ['a date in an hour', new Date(Date.now() + 3_600_000).toUTCString(), expect.any(Number)],
    ['a date that has passed', new Date(0).toUTCString(), 0],
    ['no date', 'soon', undefined],
  ])('that asks for a pause until %s', async (_, value, retryAfter) => {
    const url = await answering((__, response) => void response.writeHead(429, { 'retry-after': value }).end());
    await expect(announced({ url })).rejects.toMatchObject({ name: FORGE_ERRORS.RATE_LIMITED, retryAfter });
  });

  test('that asks for a pause names its length', async () => {
    const url = await answering((_, response) => void response.writeHead(403, { 'retry-after': '30', 'content-type': 'application/json' }).end('{"message":"secondary rate limit"}'));
    await expect(announced({ url })).rejects.toMatchObject({ name: FORGE_ERRORS.RATE_LIMITED, retryAfter: 30, quote: '{"message":"secondary rate limit"}' });
  });

  test('that says nothing is given up', async () => {
    const url = await answering(() => undefined);
    await expect(announced({ url, silence: 50 })).rejects.toMatchObject({ name: FORGE_ERRORS.UNAVAILABLE, quote: 'the forge was silent for 0.05 seconds' });
  });
});

test('packets come back from their bytes, in their lists', () => {
  fc.assert(fc.property(fc.array(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }))), (lists) => {
    const bytes = Buffer.concat(lists.flatMap((list) => [...list.map((data) => packetOf(Buffer.from(data))), FLUSH]));
    expect(listsOf(bytes).map((list) => list.map((data) => [...data]))).toEqual(lists.map((list) => list.map((data) => [...data])));
  }));
  expect(lineOf(listsOf(Buffer.from('0006a\n0000'))[0][0])).toBe('a');
});

test('a certificate that nobody vouches for is refused, and the credential is not sent', async () => {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name));
  const subject = ['-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  const requests: unknown[] = [];
  const secure = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    requests.push(request.headers);
    response.end();
  });
  await new Promise<void>((listening) => secure.listen(0, '127.0.0.1', listening));
  const url = `https://localhost:${(secure.address() as AddressInfo).port}/octo/shop.git`;
  await expect(announced({ url, authorization: 'Basic c2VjcmV0' })).rejects.toMatchObject({
    name: FORGE_ERRORS.UNAVAILABLE, summary: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
  });
  expect(requests).toEqual([]);
  secure.close();
});
