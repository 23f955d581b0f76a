import { existsSync, readFileSync, statSync } from 'fs';
import { basename, join } from 'path';
import { Validations } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, type CfnRuntime, type Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { DockerImageAsset, type DockerImageAssetProps, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import type { AgentImageOptions, BasicImageOptions } from './agent-image-options';
import { OPTION_RULES, type OptionsRequest, stageFaults, toolFaults, userFaults } from './agent-image-rules';
import { type AgentStep, agentStep } from './agent-step';
import { APPLICATION_CONTEXT } from './constants';
import { DevTool } from './dev-tool';
import { type DockerfileUser, type ParsedDockerfile, type Stage, parseDockerfile, stageNamed, userAt } from './dockerfile';
import { type ToolSteps, type ToolStepsOptions, amendDockerfile, newDockerfile, toolSteps } from './dockerfile-writer';
import type { ICodingAgent } from './i-coding-agent';
import { releaseContext, stageContext } from './image-context';
import type { ToolEntry } from './tool-entry';
import type { NamedUser } from './verify-script';
import { DEFAULT_BASE, MISE_IMAGE } from './versions';
import { RUNNER } from '../agent/constants';
import { sorted } from '../private/sorted';
import { ValidationError, faultsOf } from '../private/validation';
import { artifactsOfAgents, environmentsOfArtifacts } from '../runtime/agents-of-artifacts';
import { environmentOf } from '../runtime/introspection';

/**
 * Builds container images with developer tools, for agents whose sessions run commands.
 *
 * ## Limitations
 * The service accepts images of up to 2 GB, and starts smaller ones faster. The user of a session can run the tools, but cannot change them.
 */
export class AgentImage {
  /**
   * Builds an image with developer tools from a directory on disk.
   *
   * If the directory contains a Dockerfile, the tools are added to its last stage, or to `target`, and the rest stays as it is. Otherwise, a
   * Dockerfile is generated that installs the tools and then copies the directory to `/app`. The directory itself does not change.
   *
   * The last step of the build verifies that all tools work, and lists them in `/etc/agent-image.json` in the image.
   *
   * @param directory The directory that contains the agent's files
   * @param options Options for the image
   * @throws an error with all faults of the options, the tools and the Dockerfile
   */
  static fromDirectory(directory: string, options: AgentImageOptions = {}): AgentRuntimeArtifact {
    return artifactOf(`AgentImage.fromDirectory('${directory}')`, directory, options);
  }

  /**
   * Builds an image for a coding agent, without a server of yours: with the agent's program, and with the server that the service calls.
   *
   * The image has the command `workbench-agent`, which runs a turn of the agent, serves the service's requests, and checks whether the agent could
   * begin. The last step of the build runs that check, and verifies that all tools work. No credentials are needed for it.
   *
   * The role of a runtime with this image may invoke the agent's models. An `AgentRuntime` also gets the agent's environment variables; pass
   * `agent.environment` to the official `Runtime`.
   *
   * @param agent The agent
   * @param options Options for the image
   * @throws an error with all faults of the options and the tools
   */
  static forAgent(agent: ICodingAgent, options: BasicImageOptions = {}): AgentRuntimeArtifact {
    return artifactOf(`AgentImage.forAgent(${agent.name})`, agent._directory, { ...options, agent });
  }

  private constructor() {}
}

function artifactOf(place: string, directory: string | undefined, options: AgentImageOptions): AgentRuntimeArtifact {
  const file = options.file ?? 'Dockerfile';
  const request: OptionsRequest = {
    options,
    file,
    directory,
    directoryExists: directory !== undefined && existsSync(directory) && statSync(directory).isDirectory(),
    fileExists: directory !== undefined && existsSync(join(directory, file)),
  };
  const step = options.agent === undefined ? undefined : agentStep(options.agent._definition());
  const entries = [...toolsOf(options).flatMap((tool) => tool._entries), ...step === undefined ? [] : [step.entry]];
  throwOn(place, [...faultsOf(request, OPTION_RULES), ...toolFaults(entries)]);

  const unique = [...new Map(entries.map((entry) => [entry.name, entry])).values()];
  const image = request.fileExists ? amended(place, directory!, file, unique, options, step) : written(unique, options, directory, step);
  const { agent, base, command, setup, tools: _tools, user, miseImage, miseSettings, exclude: _, ignoreMode, target, ...asset } = options;
  const context = stageContext({
    directory,
    exclude: excludedFrom(options),
    ignoreMode,
    followSymlinks: options.followSymlinks,
    file,
    ...image,
    scripts: image.steps.scripts,
    files: image.steps.files,
  });
  const artifact = new AgentImageArtifact(
    { ...sorted(asset), directory: context, file, target: image.target, platform: Platform.LINUX_ARM64 },
    unique.filter(({ floating }) => floating !== undefined).map(({ name, floating }) => `${name} (${floating})`),
    agent,
  );
  if (agent !== undefined) environmentsOfArtifacts.set(artifact, agent.environment);
  if (agent !== undefined && command === undefined && !request.fileExists) artifactsOfAgents.add(artifact);
  return artifact;
}

/** Returns patterns of files that the image does not have. An environment of Python is for the machine that it was made on. */
function excludedFrom({ agent, exclude }: AgentImageOptions): string[] | undefined {
  return agent?._directory === undefined ? exclude : ['.venv', '**/__pycache__', ...exclude ?? []];
}

/** Returns the tools of the image. One that the user names replaces the agent's own, and so does the distribution's Python. */
function toolsOf({ agent, tools = [] }: AgentImageOptions): DevTool[] {
  const given = new Set(tools.flatMap(({ _entries: entries }) => entries.map(({ name }) => (name === 'python3' ? 'python' : name))));
  const ofAgent = (agent?.tools ?? []).filter(({ _entries: entries }) => !entries.some(({ name }) => given.has(name)));
  return [DevTool.BASH, DevTool.GIT, ...ofAgent, ...tools];
}

/** The ID of the warning about a tool whose version is not pinned. Users acknowledge it by this ID: do not change it. */
const FLOATING_VERSION = 'cdk-agentcore-workbench:floatingToolVersion';

/** The ID of the warning about a runtime without the environment variables of its agent. Users acknowledge it by this ID: do not change it. */
const AGENT_ENVIRONMENT = 'cdk-agentcore-workbench:agentEnvironment';

/**
 * An image asset, as `AgentRuntimeArtifact.fromAsset` creates it.
 *
 * That artifact grants only the first runtime permission to pull the image. This one grants it to every runtime, warns about versions that are
 * not pinned, and removes the build context when the asset has been staged.
 */
class AgentImageArtifact extends AgentRuntimeArtifact {
  private asset?: DockerImageAsset;

  constructor(
    private readonly assetProps: DockerImageAssetProps,
    private readonly floatingTools: readonly string[],
    private readonly agent: ICodingAgent | undefined,
  ) {
    super();
  }

  public bind(scope: Construct, runtime: Runtime): void {
    if (this.floatingTools.length > 0) {
      Validations.of(scope).addWarning(FLOATING_VERSION,
        `two builds of this image may have different versions of ${this.floatingTools.join(', ')}: use full versions`);
    }
    this.asset ??= new DockerImageAsset(scope, 'AgentRuntimeArtifact', this.assetProps);
    this.asset.repository.grantPull(runtime.role);
    if (this.agent !== undefined) {
      this.agent._bind(runtime);
      warnAboutEnvironment(scope, runtime, this.agent);
    }
    releaseContext(this.assetProps.directory, Boolean(scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT)));
  }

  /** @internal */
  public _render(): CfnRuntime.AgentRuntimeArtifactProperty {
    return AgentRuntimeArtifact.fromImageUri(this.asset!.imageUri)._render();
  }
}

/** Python packages that an agent of the user's own needs. */
const INSTALL_REQUIREMENTS = 'if [ -e requirements.txt ]; then PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore '
  + 'python3 -m pip install --no-cache-dir --disable-pip-version-check --no-input -r requirements.txt; fi';

/** Warns about a runtime without the variables of its agent: only an `AgentRuntime` adds them. */
function warnAboutEnvironment(scope: Construct, runtime: Runtime, { environment }: ICodingAgent): void {
  const variables = Object.keys(environmentOf(runtime) ?? {});
  const missing = Object.keys(environment).filter((name) => !variables.includes(name));
  if (missing.length === 0) return;
  Validations.of(scope).addWarning(AGENT_ENVIRONMENT,
    `the runtime does not have the environment variables of its agent: ${missing.join(', ')}: pass "environmentVariables: agent.environment", or use an AgentRuntime`);
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

function stepsFor(entries: readonly ToolEntry[], options: AgentImageOptions, others: Pick<ToolStepsOptions, 'user' | 'createUser' | 'agent'>): ToolSteps {
  return toolSteps({
    entries,
    miseImage: options.miseImage ?? MISE_IMAGE,
    miseSettings: options.miseSettings ?? {},
    githubTokenSecret: Object.keys(options.buildSecrets ?? {}).find((name) => name === 'GITHUB_TOKEN'),
    ...others,
  });
}

function written(entries: readonly ToolEntry[], options: AgentImageOptions, directory: string | undefined, agent: AgentStep | undefined): Image {
  const user = options.user ?? (agent === undefined ? '1000' : '0');
  const steps = stepsFor(entries, options, { createUser: user.split(':')[0], agent });
  const dockerfile = newDockerfile({
    base: options.base ?? DEFAULT_BASE,
    command: options.command ?? [RUNNER.command, 'serve'], // without an agent, it is required by OPTION_RULES
    setup: [...(options.agent?._directory === undefined ? [] : [INSTALL_REQUIREMENTS]), ...options.setup ?? []],
    application: directory !== undefined,
    verifyLast: agent !== undefined,
    user,
    steps,
    entries,
  });
  return { dockerfile, steps, application: APPLICATION_CONTEXT };
}

function amended(
  place: string, directory: string, file: string, entries: readonly ToolEntry[], options: AgentImageOptions, agent: AgentStep | undefined,
): Image {
  const text = readFileSync(join(directory, file), 'utf8');
  const buildArgs = options.buildArgs ?? {};
  const parsed = parseDockerfile(text, buildArgs);
  throwOn(place, parsed.faults.map((fault) => `"file" must be a valid Dockerfile, but ${basename(file)} is not: ${fault}`));

  const stage = targetStage(parsed, options.target);
  throwOn(place, stageFaults(file, parsed, options.target, stage));
  const user = userAt(parsed, stage!, buildArgs);
  throwOn(place, userFaults(file, user, options.user));

  const number = options.user ?? user?.number;
  const steps = stepsFor(entries, options, { user: namedUser(user, number), agent });
  const dockerfile = amendDockerfile({ text, parsed, stage: stage!, buildArgs, user: number, steps, entries });
  return { dockerfile, steps, application: '.', target: options.target };
}

/** Returns the stage that is built: the one with the name or number, as in `docker build --target`, or the last one. */
function targetStage(parsed: ParsedDockerfile, target: string | undefined): Stage | undefined {
  if (target === undefined) return parsed.stages[parsed.stages.length - 1];
  return stageNamed(parsed.stages, target) ?? (/^\d+$/.test(target) ? parsed.stages[Number(target)] : undefined);
}

/** Returns the names of a user and group that the build compares with their numbers. Variables of the base image are not known here. */
function namedUser(user: DockerfileUser | undefined, number: string | undefined): NamedUser | undefined {
  if (user === undefined || number === undefined) return undefined;
  const [name, group] = user.text.split(':').map((part) => (/^[A-Za-z_][\w.-]*$/.test(part) && part !== 'root' ? part : undefined));
  return name === undefined && group === undefined ? undefined : { name, group, number };
}
