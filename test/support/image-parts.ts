import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { createServer } from 'http';
import type { AddressInfo } from 'net';
import { tmpdir } from 'os';
import { join } from 'path';
import { type ContainerStore, fetched, sha256, succeed } from './container-store';
import { DEFAULT_BASE, MISE_IMAGE, MISE_VERSION, PINNED_VERSIONS } from '../../src/image/versions';

/**
 * Stand-ins for what an image is built from, made of what the package registries have: the Debian base from Debian's packages, mise's image
 * from mise's package on npm, and Node's downloads from Node's packages on npm. Dockerfiles and scripts are built unchanged.
 */

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64';
const NODE_VERSION = PINNED_VERSIONS.node[22];
const NPM_VERSION = '10.9.9';

/** A Debian root file system, as a tar. */
export function debianRootfs(): Promise<string> {
  return fetched('debian-bookworm.tar', async (path) => {
    await succeed('mmdebstrap', ['--quiet', '--variant=minbase', '--format=tar', 'bookworm', path, 'http://deb.debian.org/debian']);
  });
}

/** Unpacks a package of npm and gives its directory to the function. */
async function withPackage<T>(specification: string, use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'npm-package-'));
  try {
    const [{ filename }] = JSON.parse(await succeed('npm', ['pack', '--json', '--silent', specification], { cwd: directory }));
    await succeed('tar', ['xzf', filename], { cwd: directory });
    return await use(join(directory, 'package'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The image that AgentImage builds on by default, under its own name. */
export async function importBase(store: ContainerStore): Promise<void> {
  await store.importRootfs(await debianRootfs(), DEFAULT_BASE);
}

/** The image that brings mise, under its own name and with the binary in its own place. */
export async function importMise(store: ContainerStore): Promise<void> {
  const tar = await fetched(`mise-${MISE_VERSION}-${ARCHITECTURE}.tar`, (path) =>
    withPackage(`@jdxcode/mise-linux-${ARCHITECTURE}@${MISE_VERSION}`, async (directory) => {
      mkdirSync(join(directory, 'usr/local'), { recursive: true });
      renameSync(join(directory, 'bin'), join(directory, 'usr/local/bin'));
      chmodSync(join(directory, 'usr/local/bin/mise'), 0o755);
      await succeed('tar', ['cf', path, '-C', directory, 'usr/local/bin/mise']);
    }));
  await store.importRootfs(tar, MISE_IMAGE);
}

/** Node's archive as nodejs.org has it: the binary of npm's package `node`, with npm. */
function nodeArchive(): Promise<string> {
  const name = `node-v${NODE_VERSION}-linux-${ARCHITECTURE}`;
  return fetched(`${name}.tar.gz`, (path) => withPackage(`node-linux-${ARCHITECTURE}@${NODE_VERSION}`, (node) =>
    withPackage(`npm@${NPM_VERSION}`, async (npm) => {
      const root = join(node, name);
      mkdirSync(join(root, 'lib/node_modules'), { recursive: true });
      for (const entry of ['bin', 'include', 'share']) renameSync(join(node, entry), join(root, entry));
      cpSync(npm, join(root, 'lib/node_modules/npm'), { recursive: true });
      for (const command of ['npm', 'npx']) {
        chmodSync(join(root, `lib/node_modules/npm/bin/${command}-cli.js`), 0o755);
        symlinkSync(`../lib/node_modules/npm/bin/${command}-cli.js`, join(root, 'bin', command));
      }
      await succeed('tar', ['czf', path, '-C', node, name]);
    })));
}

export interface NodeMirror {
  /** For `MISE_NODE_MIRROR_URL`. */
  readonly url: string;
  /** The paths that were asked for. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** A mirror of nodejs.org/dist on loopback, with one version. */
export async function startNodeMirror(): Promise<NodeMirror> {
  const archive = await nodeArchive();
  const file = `node-v${NODE_VERSION}-linux-${ARCHITECTURE}.tar.gz`;
  const answers: { [path: string]: Buffer } = {
    '/index.json': Buffer.from(JSON.stringify([{ version: `v${NODE_VERSION}`, date: '2026-09-01', files: [`linux-${ARCHITECTURE}`], lts: 'Jod' }])),
    [`/v${NODE_VERSION}/${file}`]: readFileSync(archive),
    [`/v${NODE_VERSION}/SHASUMS256.txt`]: Buffer.from(`${sha256(archive)}  ${file}\n`),
  };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }),
  };
}

/** A directory with files of the given contents. */
export function directoryOf(files: { readonly [path: string]: string }): string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-directory-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}
