import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LocalRepository } from './local-repository';
import { FORGE_ENVIRONMENT, ForgeConfig } from '../../src/forge/constants';
import { NotEmulatedError } from '../assembly';
import type { LocalDeployment, LoopDescription } from '../deployment';
import { Access, ForgeRequest, ForgeServer, RepositoryOptions } from '../forge';
import { GitHubApi, GitHubRepositoryState } from '../forge/github';

/** The state of the repository at the forge of a rehearsal. */
export type ForgeOptions = Pick<RepositoryOptions, 'private' | 'archived' | 'rules'>;

/** A pull request, as a run left it. */
export interface PullRequestDescription {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly head: string;
  readonly base: string;
  readonly draft: boolean;
  readonly labels: readonly string[];
  readonly reviewers: readonly string[];
  readonly teams: readonly string[];
  /** The method with which the forge would merge it. */
  readonly autoMerge?: string;
}

/** The forge of a run, as the run left it. */
export interface ForgeDescription {
  /** `owner/name`. */
  readonly repository: string;
  readonly pullRequest?: PullRequestDescription;
  /** The check runs and the statuses of the run's commit. */
  readonly checks: readonly { readonly name: string; readonly conclusion: string; readonly title?: string; readonly summary?: string }[];
  /** The comments that the run wrote. */
  readonly comments: readonly { readonly issue: number; readonly body: string }[];
  /** The requests of the run. They have no credentials. */
  readonly requests: readonly ForgeRequest[];
}

type Permissions = Readonly<Record<string, Access>>;

/** The permissions of a token that may do everything that the publisher does. */
const EVERYTHING: Permissions = { contents: 'write', pull_requests: 'write', issues: 'write', statuses: 'write', checks: 'write', metadata: 'read' };
const READ: Permissions = { contents: 'read', metadata: 'read' };

/** A token that was made up, for the repositories that runs work on. */
interface MadeUp {
  readonly value: string;
  readonly permissions: Permissions;
  readonly username?: string;
}

/** The time and the number of requests when a run started. */
export interface RunStart {
  readonly requests: number;
  readonly time: Date;
}

/** A repository at the forge. */
interface Served {
  readonly fullName: string;
  readonly url: string;
}

/** The forge of a rehearsal's loop, with credentials that are made up: a rehearsal needs none of the user's. */
export class LocalForge {
  /** Returns nothing for a loop without a forge. @param directory keeps repositories from one rehearsal to the next */
  static async start(
    directory: string, deployment: LocalDeployment, loop: LoopDescription, options: ForgeOptions = {},
  ): Promise<LocalForge | undefined> {
    const config = forgeConfigOf(deployment, loop);
    if (config === undefined) return undefined;
    mkdirSync(directory, { recursive: true });
    let github: GitHubApi | undefined;
    // Sessions that continue know the forge by its port.
    const file = join(directory, 'port');
    const server = await ForgeServer.start({
      root: join(directory, 'forge'),
      port: existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined,
      api: (store, origin) => (github = new GitHubApi(store, origin)).answer,
    });
    writeFileSync(file, new URL(server.origin).port);
    // Sessions without a token of the forge clone with what the image or the network gives them, which is not here.
    const isRead = config.readSecretArn !== undefined || (config.kind === 'github' && config.app !== undefined);
    const forge = new LocalForge(server, github!, join(directory, 'repositories'), { private: isRead, ...options });
    deployment.provide({ environment: { [FORGE_ENVIRONMENT.LOCAL]: server.origin }, secrets: forge.makeUp(config) });
    return forge;
  }

  private readonly credentials: MadeUp[] = [];

  private constructor(
    /** The server: tests inject faults with `server.faults`, and set rules with `server.store`. */
    readonly server: ForgeServer,
    /** The part of the forge that is not git. */
    readonly github: GitHubApi,
    /** The directory of the copies of repositories. Unlike those of a rehearsal without a forge, sessions do not see it. */
    readonly copies: string,
    private readonly options: ForgeOptions,
  ) {}

  /** Takes a copy of a repository into the forge. @param named the URL that the loop or the input has, if any */
  serve(repository: LocalRepository, named: string | undefined): Served {
    const { store } = this.server;
    const fullName = named !== undefined && named.includes('://') ? fullNameOf(named) : `rehearsal/${nameOf(basename(repository.source))}`;
    if (store.repository(fullName)?.directory !== repository.directory) {
      const { owner } = store.addRepository(fullName, repository.directory, this.options);
      this.github.state.installation(owner); // the app is installed
      for (const { value, permissions, username } of this.credentials) {
        const known = store.tokens.get(value)?.repositories ?? [];
        store.addToken({ value, permissions, username, login: 'workbench', repositories: [...known, fullName] });
      }
    }
    return { fullName, url: this.server.url(fullName) };
  }

  /** Describes what a run left at the forge. */
  describe(fullName: string, since: RunStart, commit?: { readonly id: string; readonly branch: string }): ForgeDescription {
    const state = this.github.state.of(this.server.store.repository(fullName)!);
    const pull = commit && state.pulls.filter(({ head }) => head === commit.branch).at(-1);
    return {
      repository: fullName,
      ...pull === undefined ? {} : {
        pullRequest: {
          number: pull.number,
          url: `${this.server.origin}/${fullName}/pull/${pull.number}`,
          title: pull.title,
          body: pull.body ?? '',
          head: pull.head,
          base: pull.base,
          draft: pull.draft,
          labels: [...pull.labels],
          reviewers: [...pull.reviewers],
          teams: [...pull.teams],
          ...pull.autoMerge === undefined ? {} : { autoMerge: pull.autoMerge.method },
        },
      },
      checks: checksOf(state, commit?.id),
      // Times at the forge are in whole seconds.
      comments: state.comments.filter(({ updated }) => Date.parse(updated) + 1_000 > since.time.getTime())
        .map(({ issue, body }) => ({ issue, body })),
      requests: this.server.requests.slice(since.requests).map((request) => ({ ...request, faults: [...request.faults] })),
    };
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  /** Makes up the values of the secrets that the publisher reads, by their ARNs. */
  private makeUp(config: ForgeConfig): Readonly<Record<string, string>> {
    const secrets: Record<string, string> = {};
    const token = (arn: string, permissions: Permissions, username?: string) => {
      const value = `rehearsal-${randomBytes(24).toString('hex')}`;
      this.credentials.push({ value, permissions, username });
      secrets[arn] = value;
    };
    if (config.readSecretArn !== undefined) token(config.readSecretArn, READ);
    if (config.kind === 'github' && config.app !== undefined) {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', {
        modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      });
      const { appId: id, installationId } = config.app;
      this.server.store.app = { id, publicKey, slug: 'workbench', ...installationId === undefined ? {} : { installationId: Number(installationId) } };
      secrets[config.secretArn] = privateKey;
    } else {
      token(config.secretArn, EVERYTHING, config.kind === 'basic' ? config.username : undefined);
    }
    return secrets;
  }
}

/** Returns the configuration of a loop's forge, as its publisher gets it. */
function forgeConfigOf(deployment: LocalDeployment, { path, publisher, proposes }: LoopDescription): ForgeConfig | undefined {
  const [, logicalId] = /:function:([^:]+)/.exec(publisher ?? '') ?? [];
  if (logicalId === undefined) return undefined;
  const { Environment } = deployment.properties<{ readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> } }>(logicalId);
  const config = JSON.parse(Environment?.Variables?.[FORGE_ENVIRONMENT.FORGE] ?? 'null') as ForgeConfig | null;
  if (config?.kind === 'gitlab' && proposes) {
    throw new NotEmulatedError(`${path} cannot be rehearsed: its merge request needs GitLab, which is not emulated: rehearse it with Commit.push()`);
  }
  return config ?? undefined;
}

/** Returns the owner and the name of a repository in its URL: the last two parts of the path. */
function fullNameOf(url: string): string {
  const parts = new URL(url).pathname.split('/').filter((part) => part !== '');
  const [owner, name] = parts.length === 1 ? ['rehearsal', parts[0]] : parts.slice(-2);
  return `${nameOf(owner ?? 'rehearsal')}/${nameOf(name ?? 'repository')}`;
}

function nameOf(text: string): string {
  return decodeURIComponent(text).replace(/\.git$/, '').replace(/[^A-Za-z0-9._-]/g, '-').replace(/^\.+$/, '') || 'repository';
}

function checksOf({ checkRuns, statuses }: GitHubRepositoryState, commit: string | undefined): ForgeDescription['checks'] {
  const last = new Map(statuses.filter((status) => status.commit === commit).map((status) => [status.context, status]));
  return [
    ...checkRuns.filter((run) => run.commit === commit).map(({ name, conclusion, status, title, summary }) => (
      { name, conclusion: conclusion ?? status, ...title === null ? {} : { title }, ...summary === null ? {} : { summary } })),
    ...[...last.values()].map(({ context, state, description }) => (
      { name: context, conclusion: state, ...description === null ? {} : { title: description } })),
  ];
}
