import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForgeServer } from '../../rehearsal/forge';
import { GitLabApi, GitLabProject } from '../../rehearsal/forge/gitlab';
import type { ForgeClient } from '../../src/forge/publish/forge-client';
import { gitLabClient } from '../../src/forge/publish/gitlab/gitlab-client';

const PROJECT = 'group/sub/app';

/** The content of a merge request, as the publisher passes it. */
export const CONTENT = {
  head: 'workbench/task', base: 'main', title: 'Mend', body: 'It was wrong.', draft: false, labels: [], reviewers: [], teamReviewers: [],
};

/** GitLab on this machine, with one project, and the client of the publisher. */
export class GitLabForge {
  static async start(): Promise<GitLabForge> {
    const root = mkdtempSync(join(tmpdir(), 'gitlab-'));
    let api: GitLabApi | undefined;
    const server = await ForgeServer.start({ root, api: (store, origin) => (api = new GitLabApi(store, origin)).answer });
    const repository = await server.store.createRepository(PROJECT);
    await server.store.moveBranch(repository, 'main');
    await server.store.moveBranch(repository, CONTENT.head);
    server.store.addToken({ value: 'glpat-token', repositories: [PROJECT], permissions: { contents: 'write', api: 'write' }, login: 'bot' });
    return new GitLabForge(root, server, api!);
  }

  /** The pauses of the client, in seconds. */
  readonly slept: number[] = [];

  private constructor(private readonly root: string, readonly server: ForgeServer, readonly api: GitLabApi) {}

  get project(): GitLabProject {
    return this.api.state.of(this.server.store.repository(PROJECT)!);
  }

  client(secret = 'glpat-token\n', config: { readonly readSecretArn?: string } = {}): ForgeClient {
    return gitLabClient({ kind: 'gitlab', secretArn: 'arn:token', ...config }, `https://gitlab.com/${PROJECT}.git`, {
      readSecret: async () => secret,
      localOrigin: this.server.origin,
      clock: { now: Date.now, sleep: async (seconds: number) => void this.slept.push(seconds) },
    });
  }

  /** Answers a number of requests in GitLab's place. */
  answerFirst(times: number, reply: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }, match = /./): void {
    const { api } = this.server;
    this.server.api = async (request) => {
      if (times <= 0 || !match.test(`${request.method} ${request.path}`)) return api!(request);
      times--;
      return { ...reply, headers: reply.headers ?? {} };
    };
  }

  async stop(): Promise<void> {
    await this.server.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}
