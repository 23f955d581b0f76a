import { existsSync, readFileSync, statSync } from 'fs';
import { basename, join } from 'path';
import { Validations } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { DockerImageAsset, type DockerImageAssetOptions, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { OPTION_RULES, type Request, faultsOfStage, faultsOfTools, faultsOfUser } from './agent-image-rules';
import { DevTool } from './dev-tool';
import { type ParsedDockerfile, type Stage, parseDockerfile, stageNamed } from './dockerfile';
import { type ToolSteps, type ToolStepsOptions, toolSteps } from './dockerfile-steps';
import { type DockerfileUser, userAt } from './dockerfile-user';
import { APPLICATION_CONTEXT, amendDockerfile, newDockerfile } from './dockerfile-writer';
import { releaseContext, stageContext } from './image-context';
import type { ToolEntry } from './tool-entry';
import type { NamedUser } from './verify-script';
import { DEFAULT_BASE, MISE_IMAGE } from './versions';
import { sorted } from '../private/sorted';
import { ValidationError, faultsOf } from '../private/validation';

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

/**
 * Container images for agents whose sessions run commands.
 *
 * ## Limitations
 * The service takes images of 2 GB at most, and starts small ones sooner. A session's user can read the tools, not change them.
 */
export class AgentImage {
  /**
   * An image from a directory, with developer tools.
   *
   * With a Dockerfile in the directory, the tools are added to its last stage (or to `target`), and it stays as it is otherwise. Without
   * one, the whole Dockerfile is written: tools first, then the directory as `/app`. Nothing is written into the directory. The build
   * fails if one of the tools is missing at its end; the image has a list of them at `/etc/agent-image.json`.
   *
   * @param directory where the agent's files are
   * @throws all faults at once, if an option, a tool or the Dockerfile cannot be used
   */
  static fromDirectory(directory: string, options: AgentImageOptions = {}): AgentRuntimeArtifact {
    const place = `AgentImage.fromDirectory('${directory}')`;
    const file = options.file ?? 'Dockerfile';
    const request: Request = {
      options,
      file,
      directoryExists: existsSync(directory) && statSync(directory).isDirectory(),
      fileExists: existsSync(join(directory, file)),
    };
    const tools = [DevTool.BASH, DevTool.GIT, ...options.tools ?? []];
    const entries = tools.flatMap((tool) => tool._entries);
    throwOn(place, [...faultsOf(request, OPTION_RULES), ...faultsOfTools(entries)]);

    const unique = [...new Map(entries.map((entry) => [entry.name, entry])).values()];
    const image = request.fileExists ? amended(place, directory, file, unique, options) : written(unique, options);
    const { base, command, setup, tools: _tools, user, miseImage, miseSettings, exclude, ignoreMode, target, ...asset } = options;
    const context = stageContext({
      directory, exclude, ignoreMode, followSymlinks: options.followSymlinks, file, ...image, scripts: image.steps.scripts,
    });
    const artifact = AgentRuntimeArtifact.fromAsset(context, { ...sorted(asset), file, target: image.target, platform: Platform.LINUX_ARM64 });
    TOOLS.set(artifact, tools);
    return whenBound(artifact, context, unique);
  }

  private constructor() {}
}

/** Warned with where a tool's version is not pinned. */
const FLOATING_VERSION = 'cdk-agentcore-workbench:floatingToolVersion';

const TOOLS = new WeakMap<AgentRuntimeArtifact, readonly DevTool[]>();

/**
 * The tools that are known to be in an image; `undefined` for one that did not come from `AgentImage`, about which nothing is known.
 *
 * @internal
 */
export function toolsOf(artifact: AgentRuntimeArtifact): readonly DevTool[] | undefined {
  return TOOLS.get(artifact);
}

interface Image {
  readonly dockerfile: string;
  readonly steps: ToolSteps;
  readonly application: string;
  readonly target?: string;
}

function throwOn(place: string, faults: readonly string[]): void {
  if (faults.length > 0) throw new ValidationError(faults, place);
}

function stepsFor(entries: readonly ToolEntry[], options: AgentImageOptions, users: Pick<ToolStepsOptions, 'user' | 'createUser'>): ToolSteps {
  return toolSteps({
    entries,
    miseImage: options.miseImage ?? MISE_IMAGE,
    miseSettings: options.miseSettings ?? {},
    githubTokenSecret: Object.keys(options.buildSecrets ?? {}).find((name) => name === 'GITHUB_TOKEN'),
    ...users,
  });
}

function written(entries: readonly ToolEntry[], options: AgentImageOptions): Image {
  const user = options.user ?? '1000';
  const steps = stepsFor(entries, options, { createUser: user.split(':')[0] });
  const dockerfile = newDockerfile({
    base: options.base ?? DEFAULT_BASE,
    command: options.command!, // a rule of OPTION_RULES
    setup: options.setup ?? [],
    user,
    steps,
    entries,
  });
  return { dockerfile, steps, application: APPLICATION_CONTEXT };
}

function amended(place: string, directory: string, file: string, entries: readonly ToolEntry[], options: AgentImageOptions): Image {
  const text = readFileSync(join(directory, file), 'utf8');
  const buildArgs = options.buildArgs ?? {};
  const parsed = parseDockerfile(text, buildArgs);
  throwOn(place, parsed.faults.map((fault) => `${basename(file)} cannot be built: ${fault}`));

  const stage = targetStage(parsed, options.target);
  throwOn(place, faultsOfStage(file, parsed, options.target, stage));
  const user = userAt(parsed, stage!, buildArgs);
  throwOn(place, faultsOfUser(file, user, options.user));

  const number = options.user ?? user?.number;
  const steps = stepsFor(entries, options, { user: namedUser(user, number) });
  const dockerfile = amendDockerfile({ text, parsed, stage: stage!, buildArgs, user: number, steps, entries });
  return { dockerfile, steps, application: '.', target: options.target };
}

/** The stage that is built: the one of that name or number, as `docker build --target` takes it, or the last. */
function targetStage(parsed: ParsedDockerfile, target: string | undefined): Stage | undefined {
  if (target === undefined) return parsed.stages[parsed.stages.length - 1];
  return stageNamed(parsed.stages, target) ?? (/^\d+$/.test(target) ? parsed.stages[Number(target)] : undefined);
}

/** What can only be compared in the build. A variable of the base image is in nobody's hands here. */
function namedUser(user: DockerfileUser | undefined, number: string | undefined): NamedUser | undefined {
  if (user === undefined || number === undefined) return undefined;
  const [name, group] = user.text.split(':').map((part) => (/^[A-Za-z_][\w.-]*$/.test(part) && part !== 'root' ? part : undefined));
  return name === undefined && group === undefined ? undefined : { name, group, number };
}

/** Says at a construct what could not be said without one, and lets every runtime that the image is for pull it. */
function whenBound(artifact: AgentRuntimeArtifact, context: string, entries: readonly ToolEntry[]): AgentRuntimeArtifact {
  const bind = artifact.bind.bind(artifact);
  let asset: DockerImageAsset | undefined;
  artifact.bind = (scope, runtime) => {
    const floating = entries.filter((entry) => entry.floating !== undefined).map((entry) => `${entry.name} (${entry.floating})`);
    if (floating.length > 0) {
      Validations.of(scope).addWarning(FLOATING_VERSION,
        `two builds of this image may have different versions of ${floating.join(', ')}; give full versions`);
    }
    bind(scope, runtime);
    // The official artifact makes its asset for the first runtime, and lets that one alone pull it.
    asset?.repository.grantPull(runtime.role);
    asset ??= scope.node.children.find((child) => child instanceof DockerImageAsset);
    releaseContext(context, Boolean(scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT)));
  };
  return artifact;
}
