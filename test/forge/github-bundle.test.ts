import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { GitHubForge } from '../support/github-forge';

// The other tests run Octokit as jest translates it; functions run it as esbuild bundles it.
test('the client is small, and works as it is bundled into a function', async () => {
  const forge = await GitHubForge.start();
  const directory = mkdtempSync(join(tmpdir(), 'github-bundle-'));
  const client = join(directory, 'client.js');
  buildSync({
    entryPoints: [join(__dirname, '../../src/forge/publish/github/github-client.ts')],
    outfile: client,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
  });
  expect(statSync(client).size).toBeLessThan(70_000);
  writeFileSync(join(directory, 'main.js'), `
    const { readFileSync } = require('fs');
    const { localOrigin, config, secret } = JSON.parse(readFileSync(0, 'utf8'));
    const { gitHubClient } = require('./client.js');
    const clock = { now: Date.now, sleep: async () => undefined };
    const forge = gitHubClient(config, 'https://github.com/octo/shop', { readSecret: async () => secret, localOrigin, clock });
    const content = { head: 'workbench/task', base: 'main', title: 't', body: 'b', draft: false, labels: ['l'], reviewers: [], teamReviewers: [] };
    forge.check(['pullRequest']).then(() => forge.pullRequest(content)).then((made) => console.log(JSON.stringify(made)));
  `);
  const running = promisify(execFile)(process.execPath, [join(directory, 'main.js')]);
  const config = { kind: 'github', secretArn: 'arn:key', app: { appId: '4711' } };
  running.child.stdin!.end(JSON.stringify({ localOrigin: forge.server.origin, config, secret: forge.secrets['arn:key'] }));
  const { stdout, stderr } = await running;
  expect({ ...JSON.parse(stdout), stderr }).toEqual({ number: 1, url: `${forge.server.origin}/octo/shop/pull/1`, stderr: '' });
  expect(forge.openApi.violations).toEqual([]);
  await forge.stop();
  rmSync(directory, { recursive: true });
});
