import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitHubOpenApi } from './github-openapi';
import { ForgeRepository, ForgeServer } from '../../rehearsal/forge';
import { GitHubApi, GitHubRepositoryState } from '../../rehearsal/forge/github';
import { ForgeConfig } from '../../src/forge/constants';
import { ForgeClient } from '../../src/forge/publish/forge-client';
import { gitHubClient } from '../../src/forge/publish/github/github-client';
import { Clock } from '../../src/handler/clock';

export type GitHubConfig = Extract<ForgeConfig, { kind: 'github' }>;

/** A key for all tests of a file: making one takes a while. PKCS #1 is the form in which GitHub gives keys. */
const KEYS = generateKeyPairSync('rsa', {
  modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
export const { privateKey: PRIVATE_KEY, publicKey: PUBLIC_KEY } = KEYS;

export const APP: GitHubConfig = { kind: 'github', secretArn: 'arn:key', app: { appId: '4711' } };
export const TOKEN: GitHubConfig = { kind: 'github', secretArn: 'arn:token', readSecretArn: 'arn:read' };

/** The forge with the repository `octo/shop`, in which the branch `workbench/task` is one commit ahead of `main`. */
export class GitHubForge {
  static async start(): Promise<GitHubForge> {
    const root = mkdtempSync(join(tmpdir(), 'github-'));
    const openApi = new GitHubOpenApi();
    let api: GitHubApi;
    const server = await ForgeServer.start({
      root,
      api: (store, origin) => {
        api = new GitHubApi(store, origin);
        return async (request) => {
          const reply = await api.answer(request);
          openApi.check(request, reply);
          return reply;
        };
      },
    });
    const { store } = server;
    store.app = { id: '4711', publicKey: PUBLIC_KEY, slug: 'workbench' };
    const repository = await store.createRepository('octo/shop');
    await store.moveBranch(repository, 'main');
    await store.moveBranch(repository, 'workbench/task');
    store.addToken({ value: 'ghp_userTokenOfOctocat', repositories: ['octo/shop'], permissions: { contents: 'write', pull_requests: 'write', issues: 'write', statuses: 'write' }, login: 'octocat' });
    return new GitHubForge(root, server, api!, openApi, repository);
  }

  /** The seconds that were slept. */
  readonly slept: number[] = [];
  readonly secrets: Record<string, string> = { 'arn:key': PRIVATE_KEY, 'arn:token': 'ghp_userTokenOfOctocat\n', 'arn:read': 'ghp_readTokenOfOctocat' };
  /** Reads a secret in place of `secrets`. */
  readSecret?: (arn: string) => Promise<string>;
  clock: Clock = {
    now: () => Date.now() + this.sleptMilliseconds,
    sleep: async (seconds) => void this.slept.push(seconds),
  };

  private constructor(
    private readonly root: string,
    readonly server: ForgeServer,
    readonly api: GitHubApi,
    readonly openApi: GitHubOpenApi,
    readonly repository: ForgeRepository,
  ) {
    server.store.now = () => this.clock.now();
  }

  get sleptMilliseconds(): number {
    return this.slept.reduce((sum, seconds) => sum + seconds * 1_000, 0);
  }

  get shop(): GitHubRepositoryState {
    return this.api.state.of(this.repository);
  }

  /** The requests to the API so far, such as `POST /repos/octo/shop/pulls`. */
  get requests(): string[] {
    return this.server.requests.filter(({ operation }) => operation === 'api').map(({ name }) => name.replace('/api/v3', '').replace(/\?.*/, ''));
  }

  client(config: GitHubConfig = APP, url = 'https://github.com/octo/shop.git'): ForgeClient {
    const readSecret = this.readSecret ?? (async (arn: string) => this.secrets[arn]);
    return gitHubClient(config, url, { readSecret, localOrigin: this.server.origin, clock: this.clock });
  }

  async stop(): Promise<void> {
    await this.server.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}
