import type { DockerImageAssetOptions } from 'aws-cdk-lib/aws-ecr-assets';
import type { DevTool } from './dev-tool';
import type { ICodingAgent } from './i-coding-agent';

/** Options for every image with developer tools, in addition to those of an official image asset. */
export interface BasicImageOptions extends DockerImageAssetOptions {
  /**
   * The developer tools to install, in addition to Bash, git and those of the agent. One that the agent has, too, replaces that.
   *
   * @default - Bash and git, and the tools of the agent
   */
  readonly tools?: DevTool[];

  /**
   * The base image, for a directory without a Dockerfile. It must contain apt, dnf, microdnf or apk.
   *
   * @default 'public.ecr.aws/docker/library/debian:bookworm-slim' - all language runtimes provide binaries for it
   */
  readonly base?: string;

  /**
   * Bash commands that prepare the agent, such as `npm ci`, for a directory without a Dockerfile. They run as root in `/app` after the agent's
   * files have been copied, and again whenever these files change.
   *
   * @default - no commands
   */
  readonly setup?: string[];

  /**
   * The numeric ID of the user at run time, optionally with the ID of its group, such as `'1000'` or `'1000:1000'`.
   *
   * It is required if a Dockerfile names a user without containing its ID, because the service cannot start images of more than 53 layers with
   * the name of a user. In a Dockerfile without `USER`, the steps after the tools run as root.
   *
   * @default - the user of the Dockerfile. Without a Dockerfile, 1000, or root (0) for an image of a coding agent: root can run the gates of a
   * verification as a user of their own, who cannot forge their results
   */
  readonly user?: string;

  /**
   * The image that contains mise, which is used only during the build. Set it to use a mirror of the default image, or a digest of it.
   *
   * @default 'ghcr.io/jdx/mise:2026.9.11' - the version that this release was tested with
   */
  readonly miseImage?: string;

  /**
   * Environment variables with settings of mise, such as `MISE_NODE_MIRROR_URL` for a private mirror.
   *
   * They are readable in the cloud assembly, so they must not contain secrets. Pass a token for the GitHub API as the build secret
   * `GITHUB_TOKEN` in `buildSecrets`. Only mise has it in its environment, but its file is mounted during the entire step that installs the
   * runtimes and then the npm, pip and custom tools.
   *
   * @default - the defaults of mise
   */
  readonly miseSettings?: { readonly [name: string]: string };
}

/** Options for `AgentImage.fromDirectory`, in addition to those of an official image asset. */
export interface AgentImageOptions extends BasicImageOptions {
  /**
   * A coding agent that the image has besides the files of the directory, such as a server of your own that starts it, or that serves other requests.
   * The runtime's role gets permission to invoke its model.
   *
   * @default - none
   */
  readonly agent?: ICodingAgent;

  /**
   * The command that starts the agent's server in `/app`, for a directory without a Dockerfile, where it is required unless there is an
   * `agent`. The server must listen on port 8080.
   *
   * @default - the command of the Dockerfile; with an `agent`, the server of the library
   */
  readonly command?: string[];
}
