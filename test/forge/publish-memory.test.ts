import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { ForgeServer } from '../../rehearsal/forge';
import { PUBLISHER_MEMORY_MEBIBYTES } from '../../src/forge/constants';
import { FLUSH, packetOf } from '../../src/forge/publish/pkt-line';
import { publish } from '../../src/forge/publish/publish';

const MEBIBYTE = 1_048_576;

/** The maximum number of bytes between a pack and its remote: one piece, and the buffers of the sockets. */
const UNDERWAY = 32 * MEBIBYTE;

describe('a remote that reads slowly', () => {
  const NONE = '0'.repeat(40);
  let taken = 0;
  let received = 0;
  let most = 0;
  let remote: Server;

  beforeAll(async () => {
    remote = createServer((request, response) => {
      if (request.method === 'GET') {
        response.setHeader('content-type', 'application/x-git-receive-pack-advertisement');
        const references = packetOf(`${NONE} capabilities^{}\0report-status`);
        return response.end(Buffer.concat([packetOf('# service=git-receive-pack\n'), FLUSH, references, FLUSH]));
      }
      request.on('data', (part: Buffer) => {
        received += part.length;
        request.pause();
        setImmediate(() => request.resume());
      });
      return request.once('end', () => {
        response.setHeader('content-type', 'application/x-git-receive-pack-result');
        response.end(Buffer.concat([packetOf('unpack ok\n'), packetOf('ok refs/heads/workbench/task\n'), FLUSH]));
      });
    });
    await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => remote.close());

  /** A pack of 96 MiB, which says how much of it was taken. */
  async function* pack(): AsyncGenerator<Buffer> {
    const hash = createHash('sha1');
    const part = randomBytes(4 * MEBIBYTE);
    const pieces = [Buffer.from('PACK\0\0\0\x02\0\0\0\x01', 'latin1'), ...Array<Buffer>(24).fill(part)];
    for (const piece of pieces) {
      hash.update(piece);
      taken += piece.length;
      most = Math.max(most, taken - received);
      yield piece;
    }
    yield hash.digest();
  }

  test('is not sent more than it reads: no more of the pack is held', async () => {
    const commit = { tree: 'a'.repeat(40), parents: [], author: { name: 'a', email: 'b' }, seconds: 1, message: 'large' };
    const url = `http://127.0.0.1:${(remote.address() as AddressInfo).port}/octo/shop`;
    const result = await publish({ remote: { url }, branch: 'workbench/task', commit, pack }, { now: Date.now, sleep: async () => undefined });
    expect(result.kind).toBe('PUBLISHED');
    expect(received).toBeGreaterThan(96 * MEBIBYTE);
    expect(most).toBeLessThan(UNDERWAY);
  }, 120_000);
});

describe('a forge with real git', () => {
  let directory: string;
  let server: ForgeServer;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'publish-memory-'));
    server = await ForgeServer.start({ root: join(directory, 'forge') });
  });
  afterAll(async () => {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('a pack of 100 MB is published within the memory of the function', async () => {
    await server.store.createRepository('octo/shop');
    server.store.addToken({ value: 'writer', repositories: ['octo/shop'], permissions: { contents: 'write' }, login: 'writer' });
    const git = (...args: string[]) => execFileSync('git', ['-C', join(directory, 'work'), ...args], { encoding: 'utf8', maxBuffer: 1e9 }).trim();
    execFileSync('git', ['init', '--quiet', join(directory, 'work')]);
    const file = createWriteStream(join(directory, 'work/large'));
    for (let part = 0; part < 95; part++) file.write(randomBytes(MEBIBYTE));
    await new Promise((resolve) => file.end(resolve));
    git('add', 'large');
    const tree = git('write-tree');
    writeFileSync(join(directory, 'pack'), execFileSync('git', ['-C', join(directory, 'work'), 'pack-objects', '--revs', '--stdout', '-q'], { input: `${tree}\n`, maxBuffer: 1e9 }));

    writeFileSync(join(directory, 'main.ts'), `
      import { createReadStream } from 'fs';
      import { publish } from ${JSON.stringify(join(__dirname, '../../src/forge/publish/publish'))};
      const [url, tree, pack] = process.argv.slice(2);
      const authorization = 'Basic ' + Buffer.from('x:writer').toString('base64');
      const commit = { tree, parents: [], author: { name: 'a', email: 'b' }, seconds: 1, message: 'large' };
      const pieces = () => createReadStream(pack, { highWaterMark: 4_194_304 });
      publish({ remote: { url, authorization }, branch: 'workbench/task', commit, pack: pieces as never }, { now: Date.now, sleep: async () => undefined })
        .then((result) => console.log(JSON.stringify({ ...result, mebibytes: process.resourceUsage().maxRSS / 1_024 })));
    `);
    buildSync({ entryPoints: [join(directory, 'main.ts')], bundle: true, platform: 'node', outfile: join(directory, 'main.js'), logLevel: 'error' });
    const { stdout } = await promisify(execFile)(process.execPath, [join(directory, 'main.js'), server.url('octo/shop'), tree, join(directory, 'pack')]);
    const { kind, mebibytes } = JSON.parse(stdout);
    expect(kind).toBe('PUBLISHED');
    expect(mebibytes).toBeLessThan(PUBLISHER_MEMORY_MEBIBYTES);
    expect(mebibytes).toBeGreaterThan(20);
  }, 120_000);
});
