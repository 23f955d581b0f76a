import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { createServer } from 'http';
import type { AddressInfo } from 'net';
import { tmpdir } from 'os';
import { join } from 'path';
import { type ContainerStore, fetched, sha256, succeed } from './container-store';
import { DEFAULT_BASE, MISE_IMAGE, MISE_VERSION, PINNED_VERSIONS } from '../../src/image/versions';

/**
 * Stand-ins for the parts of an image, made from what the package registries have: the Debian base image from Debian's packages, mise's
 * image from mise's npm package, and Node's downloads from Node's npm packages. Dockerfiles and scripts are built unchanged.
 */

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64';
const NODE_VERSION = PINNED_VERSIONS.node[22];
const NPM_VERSION = '10.9.9';

/** Returns a Debian root file system as a tar file. */
export function debianRootfs(): Promise<string> {
  return fetched('debian-bookworm.tar', async (path) => {
    await succeed('mmdebstrap', ['--quiet', '--variant=minbase', '--format=tar', 'bookworm', path, 'http://deb.debian.org/debian']);
  });
}

/** Unpacks an npm package and passes its directory to the function. */
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

/** Creates the default base image of AgentImage under its own name. */
export async function importBase(store: ContainerStore): Promise<void> {
  await store.importRootfs(await debianRootfs(), DEFAULT_BASE);
}

/** Creates the image that contains mise under its own name, with the binary in its usual place. */
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

/** Creates Node's archive as nodejs.org has it: the binary of the npm package `node`, with npm. */
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
  /** The value of `MISE_NODE_MIRROR_URL`. */
  readonly url: string;
  /** The requested paths. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** A mirror of nodejs.org/dist on loopback with one version. */
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

/** Creates a directory with the given files. */
export function directoryOf(files: { readonly [path: string]: string }): string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-directory-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}
