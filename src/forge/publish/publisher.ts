import { basicClient, ReadSecret } from './basic';
import { commentOf } from './comment';
import { ForgeClient } from './forge-client';
import { gitHubClient } from './github/github-client';
import { gitLabClient } from './gitlab/gitlab-client';
import { ProtocolError } from './pkt-line';
import { present } from './present';
import { publish, publishSigned } from './publish';
import { seal } from './seal';
import { announced, ForgeError } from './smart-http';
import { Clock } from '../../handler/clock';
import { ERRORS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { Opened, OpenRequest, TellRequest } from '../../loop/steps/access';
import { FORGE_ERRORS } from '../../loop/steps/constants';
import { LoopError } from '../../loop/steps/errors';
import { isAllowedRepository } from '../../loop/steps/git-names';
import { ProposalConfig } from '../../loop/steps/loop-config';
import { Publication, Published } from '../../loop/steps/publication';
import { NameList } from '../../loop/steps/results';
import { LoopState } from '../../loop/steps/state';
import { StepRequest, StepTools } from '../../loop/steps/step';
import { ForgeConfig } from '../constants';

/** The parts of the world that a publisher uses. */
export interface PublisherTools {
  readonly readSecret: ReadSecret;
  readonly clock: Clock;
  readonly backoffSeconds: number;
}

/** The configuration of a publisher. */
export interface PublisherConfig {
  readonly forge: ForgeConfig;
  /** The patterns of the repositories that the credential may be sent to. */
  readonly repositories: readonly string[];
  /** The beginning of the names of branches that it may push. */
  readonly branchPrefix: string;
  /** The origin of a forge on this machine, in a rehearsal. */
  readonly local?: string;
}

/** Holds the credential of a forge, and uses it for the repositories of one loop. */
export class Publisher {
  constructor(private readonly config: PublisherConfig, private readonly tools: PublisherTools) {}

  /** Returns a token with which one session can read the repository, encrypted for it, and finds out whether the run will be able to publish. */
  public async open({ url, publicKey, check, base }: OpenRequest): Promise<Opened> {
    return this.typed(async () => {
      const client = this.client(url);
      if (check !== undefined) {
        await client.check(check);
        // A remote announces its branches for a push only to those who may push.
        const { references } = await announced({ url, authorization: await client.pushAuthorization() });
        if (base !== undefined && !references.has(`refs/heads/${base}`)) {
          throw new LoopError(FORGE_ERRORS.NOT_FOUND, `the repository has no branch "${base}" for the pull request: create it, or change "base" of Commit.pullRequest`);
        }
      }
      const credential = publicKey === undefined ? undefined : await client.fetchCredential();
      return credential === undefined ? {} : { sealed: seal(credential, publicKey!) };
    });
  }

  /** Makes a commit and pushes it. @param isSigned determines whether the forge makes the commit, and signs it */
  public async publish({ url, ...publication }: Publication, isSigned: boolean): Promise<Published> {
    return this.typed(async () => {
      const client = this.client(url);
      const { branchPrefix } = this.config;
      if (!publication.branch.startsWith(branchPrefix)) {
        throw new LoopError(FORGE_ERRORS.FORBIDDEN, `the publisher pushes branches that begin with "${branchPrefix}" only, not ${publication.branch}`);
      }
      const { clock, backoffSeconds } = this.tools;
      const attempt = async (wasRefused: boolean) => {
        const remote = { url, authorization: await client.pushAuthorization(wasRefused) };
        if (!isSigned) return publish({ ...publication, remote }, clock, backoffSeconds);
        return publishSigned({ ...publication, remote }, () => client.signedCommit!(publication.commit), clock, backoffSeconds);
      };
      // A token may end in the middle.
      return attempt(false).catch(async (error: Error) => {
        if (error.name !== FORGE_ERRORS.UNAUTHORIZED) throw error;
        return attempt(true);
      });
    });
  }

  /** Writes on an issue how a run goes, in one comment. */
  public async tell(request: TellRequest): Promise<object> {
    return this.typed(async () => {
      await this.client(request.url).comment?.(request.issue, request.taskId, commentOf(request));
      return {};
    });
  }

  /** Shows a pushed commit to people. */
  public async present(
    request: StepRequest, proposal: ProposalConfig | undefined, tools: StepTools, changed?: NameList,
  ): Promise<Pick<LoopState, 'pullRequest'>> {
    return this.typed(() => present(request, proposal, this.client(request.state.run.repository.url), tools, changed));
  }

  private client(url: string): ForgeClient {
    const { forge, repositories, local } = this.config;
    // A local forge has no certificate.
    const isSafe = url.startsWith('https://') || local !== undefined;
    if (!isSafe || !isAllowedRepository(url, [...repositories, ...local === undefined ? [] : [`${local}/*/*`, `${local}/*/*/*`]])) {
      throw new LoopError(FORGE_ERRORS.FORBIDDEN, `the publisher sends its credential to ${repositories.join(', ')} only, not to ${url}`);
    }
    switch (forge.kind) {
      case 'basic': return basicClient(forge, this.tools.readSecret);
      case 'github': return gitHubClient(forge, url, { readSecret: this.tools.readSecret, localOrigin: local, clock: this.tools.clock });
      case 'gitlab': return gitLabClient(forge, url, { readSecret: this.tools.readSecret, localOrigin: local, clock: this.tools.clock });
      default: throw new TypeError(`not a forge: ${(forge as ForgeConfig).kind}`);
    }
  }

  /** Gives errors the names that state machines see: those that a retry may help are retried. */
  private async typed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ProtocolError) throw new LoopError(FORGE_ERRORS.UNEXPECTED, 'the remote does not answer as git\'s protocol says', error.message);
      if (!(error instanceof ForgeError)) throw error;
      if (error.name === FORGE_ERRORS.UNAVAILABLE) throw new SessionError(ERRORS.SERVER, error.summary, { quote: error.quote });
      if (error.name === FORGE_ERRORS.RATE_LIMITED) throw new SessionError(ERRORS.THROTTLED, error.summary, { quote: error.quote });
      throw new LoopError(error.name, error.summary, error.quote);
    }
  }
}
