import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { atGitHub, atGitLab, ForgeDescription } from './forge-description';
import { LocalRepository } from './local-repository';
import { FORGE_ENVIRONMENT, ForgeConfig } from '../../src/forge/constants';
import type { LocalDeployment, LoopDescription } from '../deployment';
import { Access, ForgeServer, RepositoryOptions } from '../forge';
import { GitHubApi } from '../forge/github';
import { GitLabApi } from '../forge/gitlab';

/** The state of the repository at the forge of a rehearsal. */
export type ForgeOptions = Pick<RepositoryOptions, 'private' | 'archived' | 'rules'>;

type Permissions = Readonly<Record<string, Access>>;

/** The permissions of a token that may do everything that the publisher does. */
const EVERYTHING: Permissions = { api: 'write', contents: 'write', pull_requests: 'write', issues: 'write', statuses: 'write', checks: 'write', metadata: 'read' };
const READ: Permissions = { contents: 'read', metadata: 'read' };

/** A token that was made up, for the repositories that runs work on. */
interface MadeUp {
  readonly value: string;
  readonly permissions: Permissions;
  readonly username?: string;
}

/** The emulated API of the forge. A forge of any other kind uses GitHub's, and does not call it. */
interface Apis {
  github?: GitHubApi;
  gitlab?: GitLabApi;
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
    const apis: Apis = {};
    // Sessions that continue know the forge by its port.
    const file = join(directory, 'port');
    const server = await ForgeServer.start({
      root: join(directory, 'forge'),
      port: existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined,
      api: (store, origin) => (config.kind === 'gitlab' ? apis.gitlab = new GitLabApi(store, origin) : apis.github = new GitHubApi(store, origin)).answer,
    });
    writeFileSync(file, new URL(server.origin).port);
    // Sessions without a token of the forge clone with what the image or the network gives them, which is not here.
    const isRead = config.readSecretArn !== undefined || (config.kind === 'github' && config.app !== undefined);
    const forge = new LocalForge(server, apis, join(directory, 'repositories'), { private: isRead, ...options });
    deployment.provide({ environment: { [FORGE_ENVIRONMENT.LOCAL]: server.origin }, secrets: forge.makeUp(config) });
    return forge;
  }

  private readonly credentials: MadeUp[] = [];

  private constructor(
    /** The server: tests inject faults with `server.faults`, and set rules with `server.store`. */
    readonly server: ForgeServer,
    private readonly apis: Apis,
    /** The directory of the copies of repositories. Unlike those of a rehearsal without a forge, sessions do not see it. */
    readonly copies: string,
    private readonly options: ForgeOptions,
  ) {}

  /** The API of GitHub, with its state. Missing if the forge is GitLab. */
  get github(): GitHubApi | undefined {
    return this.apis.github;
  }

  /** The API of GitLab, with its state. Missing unless the forge is GitLab. */
  get gitlab(): GitLabApi | undefined {
    return this.apis.gitlab;
  }

  /** Takes a copy of a repository into the forge. @param named the URL that the loop or the input has, if any */
  serve(repository: LocalRepository, named: string | undefined): Served {
    const { store } = this.server;
    const fullName = named !== undefined && named.includes('://') ? fullNameOf(named) : `rehearsal/${nameOf(basename(repository.source))}`;
    if (store.repository(fullName)?.directory !== repository.directory) {
      const { owner } = store.addRepository(fullName, repository.directory, this.options);
      this.github?.state.installation(owner); // the app is installed
      for (const { value, permissions, username } of this.credentials) {
        const known = store.tokens.get(value)?.repositories ?? [];
        store.addToken({ value, permissions, username, login: 'workbench', repositories: [...known, fullName] });
      }
    }
    return { fullName, url: this.server.url(fullName) };
  }

  /** Describes what a run left at the forge. */
  describe(fullName: string, since: RunStart, commit?: { readonly id: string; readonly branch: string }): ForgeDescription {
    const { store, origin } = this.server;
    const repository = store.repository(fullName)!;
    const place = { url: `${origin}/${fullName}`, commit, since: since.time };
    const { github, gitlab } = this;
    return {
      repository: fullName,
      ...gitlab === undefined ? atGitHub(github!.state.of(repository), place) : atGitLab(gitlab.state.of(repository), place),
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
function forgeConfigOf(deployment: LocalDeployment, { publisher }: LoopDescription): ForgeConfig | undefined {
  const [, logicalId] = /:function:([^:]+)/.exec(publisher ?? '') ?? [];
  if (logicalId === undefined) return undefined;
  const { Environment } = deployment.properties<{ readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> } }>(logicalId);
  const config = JSON.parse(Environment?.Variables?.[FORGE_ENVIRONMENT.FORGE] ?? 'null') as ForgeConfig | null;
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
