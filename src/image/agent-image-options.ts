import type { DockerImageAssetOptions } from 'aws-cdk-lib/aws-ecr-assets';
import type { DevTool } from './dev-tool';

/** Options of an agent's image; those of the official image asset are passed on. */
export interface AgentImageOptions extends DockerImageAssetOptions {
  /**
   * The developer tools that commands in a session can use.
   *
   * @default - bash and git, which are always in
   */
  readonly tools?: DevTool[];

  /**
   * The image to build on, for a directory without a Dockerfile. It has to have apt, dnf, microdnf or apk.
   *
   * @default 'public.ecr.aws/docker/library/debian:bookworm-slim' - every language runtime has binaries for it
   */
  readonly base?: string;

  /**
   * Starts the agent's server, which has to listen on port 8080, in `/app`. Required for a directory without a Dockerfile.
   *
   * @default - what the Dockerfile says
   */
  readonly command?: string[];

  /**
   * Bash commands that make the agent ready to run, such as `npm ci`, for a directory without a Dockerfile. They are run as root in `/app`,
   * after the agent's files are there, and again after each change of these.
   *
   * @default - none
   */
  readonly setup?: string[];

  /**
   * The number of the user at run time, and of its group if need be: `'1000'`, `'1000:1000'`. Needed where a Dockerfile has a user by name
   * and nothing in it says the number, since the service cannot start images of more than 53 layers by a user's name. In a Dockerfile
   * without `USER` the steps after the tools are run by root.
   *
   * @default - the Dockerfile's own user; 1000 where there is no Dockerfile
   */
  readonly user?: string;

  /**
   * The image that brings mise, for the build alone: a mirror of it, or the same by its digest.
   *
   * @default 'ghcr.io/jdx/mise:2026.9.11' - the version that this release of the library was tested with
   */
  readonly miseImage?: string;

  /**
   * Settings of mise, by the names of its environment variables, such as `MISE_NODE_MIRROR_URL` for a mirror of one's own. They are
   * readable in the assembly: nothing secret. A token for GitHub's API goes into `buildSecrets`, under the name `GITHUB_TOKEN`. mise alone
   * is given it, but its file is there for all of the step that installs the runtimes, and then the npm, pip and custom tools.
   *
   * @default - mise's own
   */
  readonly miseSettings?: { readonly [name: string]: string };
}
