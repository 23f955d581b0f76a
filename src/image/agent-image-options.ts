import type { DockerImageAssetOptions } from 'aws-cdk-lib/aws-ecr-assets';
import type { DevTool } from './dev-tool';

/** Options of `AgentImage.fromDirectory`. The options of the official image asset are passed on to it. */
export interface AgentImageOptions extends DockerImageAssetOptions {
  /**
   * The developer tools to install, in addition to Bash and git.
   *
   * @default - Bash and git only
   */
  readonly tools?: DevTool[];

  /**
   * The base image, for a directory without a Dockerfile. It must have apt, dnf, microdnf or apk.
   *
   * @default 'public.ecr.aws/docker/library/debian:bookworm-slim' - every language runtime has binaries for it
   */
  readonly base?: string;

  /**
   * The command that starts the agent's server in `/app`. The server must listen on port 8080. Required for a directory without a Dockerfile.
   *
   * @default - the command of the Dockerfile
   */
  readonly command?: string[];

  /**
   * Bash commands that prepare the agent, such as `npm ci`, for a directory without a Dockerfile. They run as root in `/app`, after the
   * agent's files have been copied, and again after each change to these files.
   *
   * @default - no commands
   */
  readonly setup?: string[];

  /**
   * The number of the user at run time, optionally with the number of its group: `'1000'`, `'1000:1000'`. Required if a Dockerfile
   * has a user by name and does not contain its number, because the service cannot start images of more than 53 layers with the name of a user.
   * In a Dockerfile without `USER`, the steps after the tools run as root.
   *
   * @default - the user of the Dockerfile; 1000 for a directory without a Dockerfile
   */
  readonly user?: string;

  /**
   * The image that contains mise, used only during the build: a mirror of the default image, or the same image by digest.
   *
   * @default 'ghcr.io/jdx/mise:2026.9.11' - the version that this release of the library was tested with
   */
  readonly miseImage?: string;

  /**
   * Settings of mise, by the names of its environment variables, such as `MISE_NODE_MIRROR_URL` for a private mirror. They are
   * readable in the cloud assembly, so they must not contain secrets. Pass a token for the GitHub API as the build secret `GITHUB_TOKEN` in
   * `buildSecrets`. Only mise has it in its environment, but its file is mounted during the whole step that installs the runtimes and then the
   * npm, pip and custom tools.
   *
   * @default - the defaults of mise
   */
  readonly miseSettings?: { readonly [name: string]: string };
}
