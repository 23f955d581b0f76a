import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { PRIVATE_KEY, PUBLIC_KEY } from './github-forge';
import { GitHubOpenApi } from './github-openapi';
import { LoopFixture, LoopFixtureProps } from './loop-fixture';
import { ForgeRepository, ForgeServer, ForgeToken } from '../../rehearsal/forge';
import { GitHubApi, GitHubRepositoryState } from '../../rehearsal/forge/github';
import { GitLabApi, GitLabProject } from '../../rehearsal/forge/gitlab';
import { ExecutionEvent, ExecutionOptions } from '../../rehearsal/stepfunctions';
import { CodingLoopProps, Forge, GitHubApp, GitRepository } from '../../src';
import { FORGE_ENVIRONMENT } from '../../src/forge/constants';
import { STEPS } from '../../src/loop/steps/constants';

/** The ID of the app that the forge knows. */
const APP_ID = '4711';

/** The repository of the loop. */
export const REPOSITORY = 'octo/shop';

export interface ForgeLoopProps extends Omit<LoopFixtureProps, 'loop'> {
  /** The repository of the loop; gets a secret by its name. @default - a forge of which only its credentials are known */
  readonly repository?: (secret: (name: string) => ISecret) => GitRepository;
  readonly loop?: Partial<CodingLoopProps>;
  /** @default 'github' */
  readonly host?: 'github' | 'gitlab';
  /** The values of secrets. @default - those that the forge accepts */
  readonly secrets?: (forge: ForgeServer) => Readonly<Record<string, string>>;
}

/** A loop whose repository is private, at a forge on this machine. */
export class ForgeLoop {
  static async start({ repository, loop, secrets, host, ...props }: ForgeLoopProps = {}): Promise<ForgeLoop> {
    const root = mkdtempSync(join(tmpdir(), 'forge-'));
    const openApi = new GitHubOpenApi();
    let gitHub!: GitHubApi;
    let gitLab: GitLabApi | undefined;
    const forge = await ForgeServer.start({
      root,
      api: (store, origin) => {
        if (host === 'gitlab') return (gitLab = new GitLabApi(store, origin)).answer;
        gitHub = new GitHubApi(store, origin);
        return async (request) => {
          const reply = await gitHub.answer(request);
          openApi.check(request, reply);
          return reply;
        };
      },
    });
    forge.store.app = { id: APP_ID, publicKey: PUBLIC_KEY, slug: 'workbench' };
    const made = new ForgeLoop(root, forge, gitHub, gitLab);
    const given = secrets?.(forge) ?? { write: made.token('write').value, read: made.token('read').value, key: PRIVATE_KEY };
    made.loop = await LoopFixture.start({
      ...props,
      loop: { repository: repository?.(secretNamed) ?? basicRepository(), verification: undefined, ...loop },
      deployment: { secrets: given, environment: { [FORGE_ENVIRONMENT.LOCAL]: forge.origin } },
    });
    made.repository = forge.store.addRepository(REPOSITORY, made.loop.remote);
    made.loop.git('config', 'http.receivepack', 'true');
    return made;
  }

  loop!: LoopFixture;
  repository!: ForgeRepository;
  private readonly states: unknown[] = [];

  private constructor(
    private readonly root: string, readonly forge: ForgeServer, private readonly gitHub: GitHubApi, private readonly gitLab?: GitLabApi,
  ) {}

  /** The repository as a project of GitLab. */
  get project(): GitLabProject {
    return this.gitLab!.state.of(this.repository);
  }

  /** Pull requests, comments, check runs and statuses of the repository. */
  get state(): GitHubRepositoryState {
    return this.gitHub.state.of(this.repository);
  }

  /** All secrets that exist: tokens, and a line of the private key of the app. */
  get secrets(): string[] {
    return [...this.forge.store.tokens.keys(), PRIVATE_KEY.split('\n')[3]];
  }

  /** Returns the secrets in what the run has left on this machine, with the place of each. */
  leaks(result: unknown): string[] {
    const texts: [place: string, text: string][] = [
      ['logs of functions', this.loop.logs.join('\n')],
      ['result', JSON.stringify(result)],
      ['states', JSON.stringify(this.states)],
    ];
    const found = texts.flatMap(([place, text]) => this.secrets.filter((secret) => text.includes(secret)).map((secret) => `${place}: ${secret}`));
    const files = this.loop.directories.flatMap((directory) => this.secrets.flatMap((secret) => {
      const { stdout } = spawnSync('grep', ['-rlaF', '--', secret, directory], { encoding: 'utf8' });
      return stdout.split('\n').filter((line) => line !== '').map((file) => `${file}: ${secret}`);
    }));
    return [...found, ...files];
  }

  /** Makes a token for the repository. */
  token(access: 'read' | 'write'): ForgeToken {
    const value = `${access}-${Math.random().toString(36).slice(2)}-token-of-the-forge`;
    return this.forge.store.addToken({ value, repositories: [REPOSITORY], permissions: { contents: access, api: access }, login: access });
  }

  /** Runs the loop. The forge on this machine takes the place of the real one. */
  async run(input: object = {}, options: ExecutionOptions = {}) {
    const onEvent = (event: ExecutionEvent) => {
      this.states.push(event);
      options.onEvent?.(event);
    };
    return this.loop.run(input, { ...options, onEvent, rewrite: (parameters) => this.onForge(parameters) });
  }

  async close(): Promise<void> {
    await this.loop?.close();
    await this.forge.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  private onForge(parameters: unknown): unknown {
    const request = parameters as { readonly operation?: string; readonly config?: object };
    if (request.operation !== STEPS.PREPARE) return parameters;
    return { ...request, config: { ...request.config, repository: { url: this.forge.url(REPOSITORY) } } };
  }
}

/** Returns a loop's repository at GitHub, with an app. */
export function gitHubRepository(secret: (name: string) => ISecret): GitRepository {
  return GitRepository.fromGitHub(REPOSITORY, { app: GitHubApp.fromSecret(secret('key'), { appId: APP_ID }) });
}

/** Returns a loop's repository with a token that writes, and one that reads. */
function basicRepository(): GitRepository {
  return GitRepository.fromUrl('https://git.example.com/octo/shop.git', { forge: Forge.basic(secretNamed('write'), { readSecret: secretNamed('read') }) });
}

function secretNamed(name: string): ISecret {
  return Secret.fromSecretNameV2(new Stack(), 'Secret', name);
}

/** Returns a function that starts loops; each is stopped after its test. */
export function useForgeLoops(): (props?: ForgeLoopProps) => Promise<ForgeLoop> {
  const open: ForgeLoop[] = [];
  jest.setTimeout(120_000);
  afterEach(async () => {
    await Promise.all(open.splice(0).map((loop) => loop.close()));
  });
  return async (props) => {
    const loop = await ForgeLoop.start(props);
    open.push(loop);
    return loop;
  };
}
