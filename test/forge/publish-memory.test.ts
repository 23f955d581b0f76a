import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { ForgeServer } from '../../rehearsal/forge';

/** The memory of a process that publishes 100 MB, in MiB: the function has 512, and a pack that is held twice does not fit. */
const MEMORY = 400;

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

test(`a pack of 100 MB is published in ${MEMORY} MiB`, async () => {
  await server.store.createRepository('octo/shop');
  server.store.addToken({ value: 'writer', repositories: ['octo/shop'], permissions: { contents: 'write' }, login: 'writer' });
  const git = (...args: string[]) => execFileSync('git', ['-C', join(directory, 'work'), ...args], { encoding: 'utf8', maxBuffer: 1e9 }).trim();
  execFileSync('git', ['init', '--quiet', join(directory, 'work')]);
  const file = createWriteStream(join(directory, 'work/large'));
  for (let part = 0; part < 95; part++) file.write(randomBytes(1_048_576));
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
  expect(mebibytes).toBeLessThan(MEMORY);
  expect(mebibytes).toBeGreaterThan(20);
}, 120_000);
