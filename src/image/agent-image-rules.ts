import { Token } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import type { AgentImageOptions } from './agent-image-options';
import { type DockerfileUser, type ParsedDockerfile, type Stage, lineage } from './dockerfile';
import { type ToolEntry, slug, versionOf } from './tool-entry';
import type { AgentDefinition } from '../agent/constants';
import type { Rule } from '../private/validation';

/** The options of an image and what is on disk. */
export interface OptionsRequest {
  readonly options: AgentImageOptions;
  /** The path of the Dockerfile in the directory. */
  readonly file: string;
  /** @default - the image has no files of the user */
  readonly directory?: string;
  readonly directoryExists: boolean;
  readonly fileExists: boolean;
}

const ARM_ONLY = 'the only platform that AgentCore starts';

/** An image reference. Characters that end a line or an argument of the Dockerfile would inject instructions. */
const IMAGE_REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/;

const isLiteral = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);

const brokenImage = (value: string | undefined) => value !== undefined && (Token.isUnresolved(value) || !IMAGE_REFERENCE.test(value));

const imageMessage = (name: string, value: string | undefined) =>
  `"${name}" must be the literal reference of an image, not ${Token.isUnresolved(value) ? 'a token' : JSON.stringify(value)}: `
  + "use one such as 'public.ecr.aws/docker/library/debian:bookworm-slim'";

const WITHOUT_DOCKERFILE = ['base', 'command', 'setup'] as const;

/** Options that are written into the Dockerfile and the scripts verbatim. */
const WRITTEN = ['command', 'setup', 'miseSettings'] as const;

function unresolvedIn(options: AgentImageOptions): string[] {
  return WRITTEN.filter((name) => {
    const value = options[name];
    return Token.isUnresolved(value) || Object.values(value ?? {}).some((part) => Token.isUnresolved(part));
  });
}

/** Determines whether the program of an agent could not begin, as the check in the build would find. */
function isWithoutModel({ program, provider, arguments: list = [], environment = {} }: Partial<AgentDefinition> = {}): boolean {
  return program === 'aider' && provider === undefined && !list.includes('--model') && !('AIDER_MODEL' in environment);
}

/** Rules for the options. */
export const OPTION_RULES: readonly Rule<OptionsRequest>[] = [
  {
    broken: ({ directory, directoryExists }) => directory !== undefined && !directoryExists,
    message: () => '"directory" must be an existing directory: use the path of the agent\'s files, relative to the working directory of the app',
  },
  {
    broken: ({ options }) => options.platform !== undefined && options.platform.platform !== Platform.LINUX_ARM64.platform,
    message: ({ options }) => `"platform" must be linux/arm64, ${ARM_ONLY}, not '${options.platform!.platform}': leave it out, or use Platform.LINUX_ARM64`,
  },
  {
    broken: ({ file }) => file.split(/[\\/]/).includes('..') || file.startsWith('/'),
    message: ({ file }) => `"file" must be a path within the directory, not '${file}': move the Dockerfile into the directory`,
  },
  {
    broken: ({ options, directory }) => options.agent?._directory !== undefined && options.agent._directory !== directory,
    message: () => '"agent" must not have a directory of its own: use AgentImage.forAgent, which copies it',
  },
  {
    broken: ({ options }) => isWithoutModel(options.agent?._definition()),
    message: () => '"agent" must have a model, since aider would otherwise choose one by the API keys that it finds: set "model" of CodingAgent.aider, or name one of another provider in its "arguments" ("--model")',
  },
  {
    broken: ({ options, directory, fileExists }) => fileExists && options.agent?._directory !== undefined && options.agent._directory === directory,
    message: ({ file }) => `the directory of the agent must not have a ${file}, which AgentImage.forAgent would not build: remove it, or keep the agent in a directory of its own`,
  },
  {
    broken: ({ options, fileExists, directoryExists }) => directoryExists && options.file !== undefined && !fileExists,
    message: ({ file }) => `"file" must exist in the directory, not '${file}': correct the path, or leave it out to generate the Dockerfile`,
  },
  {
    broken: ({ options, fileExists }) => options.target !== undefined && !fileExists,
    message: ({ options }) => `"target" must be a stage of a Dockerfile, not '${options.target}', since there is no Dockerfile: leave it out`,
  },
  {
    broken: ({ options, fileExists }) => !fileExists && (options.command === undefined ? options.agent === undefined : options.command.length === 0),
    message: ({ file }) =>
      `"command" must be set if the directory has no ${file}: use the command that starts the agent, such as ['node', 'agent.js']`,
  },
  {
    broken: ({ options, fileExists }) => fileExists && WITHOUT_DOCKERFILE.some((name) => options[name] !== undefined),
    message: ({ options, file }) =>
      `"${WITHOUT_DOCKERFILE.filter((name) => options[name] !== undefined).join('", "')}" must not be set if the directory has a Dockerfile: `
      + `change ${file} instead`,
  },
  { broken: ({ options }) => brokenImage(options.base), message: ({ options }) => imageMessage('base', options.base) },
  { broken: ({ options }) => brokenImage(options.miseImage), message: ({ options }) => imageMessage('miseImage', options.miseImage) },
  {
    broken: ({ options }) => options.base === 'scratch',
    message: () => '"base" must have apt, dnf, microdnf or apk, not be \'scratch\': use an image of a distribution',
  },
  {
    broken: ({ options }) => options.user !== undefined && (Token.isUnresolved(options.user) || !/^\d+(:\d+)?$/.test(options.user)),
    message: ({ options }) =>
      '"user" must be a number, since the service cannot start images of many layers with the name of a user, '
      + `not ${isLiteral(options.user) ? `'${options.user}'` : 'a token'}: use a number such as '1000', or one with a group, '1000:1000'`,
  },
  {
    broken: ({ options }) => unresolvedIn(options).length > 0,
    message: ({ options }) =>
      `"${unresolvedIn(options).join('", "')}" must be known at synth, not a token, since the image is built before the deployment: use a literal`,
  },
  {
    broken: ({ options }) => Object.keys(options.miseSettings ?? {}).some((name) => !/^MISE_[A-Z0-9_]+$/.test(name)),
    message: ({ options }) =>
      `"miseSettings" must have names of mise's environment variables, not ${Object.keys(options.miseSettings!).filter((name) => !/^MISE_[A-Z0-9_]+$/.test(name)).map((name) => JSON.stringify(name)).join(', ')}: `
      + 'use names such as MISE_NODE_MIRROR_URL',
  },
];

/** Returns the faults of a list of tools. A tool cannot have two versions, since only one would be found on `PATH`. */
export function toolFaults(entries: readonly ToolEntry[]): string[] {
  const byName = new Map<string, ToolEntry[]>();
  for (const entry of entries) byName.set(slug(entry.name), [...byName.get(slug(entry.name)) ?? [], entry]);
  return [...byName.values()].flatMap((same) => {
    const [first, ...others] = same;
    const other = others.find((entry) => JSON.stringify(entry) !== JSON.stringify(first));
    return other === undefined ? [] : [`"tools" must not have '${first.name}' twice, ${howOf(first)} and ${howOf(other)}: remove one`];
  });
}

function howOf(entry: ToolEntry): string {
  const version = versionOf(entry);
  return version === undefined ? `by ${entry.install.kind === 'os' ? 'the package manager' : 'a command of its own'}` : `as ${version}`;
}

/** Returns the faults of the stage that is built and its ancestors. */
export function stageFaults(file: string, parsed: ParsedDockerfile, target: string | undefined, stage: Stage | undefined): string[] {
  if (stage === undefined) {
    const names = parsed.stages.flatMap(({ alias }) => (alias ? [`'${alias}'`] : []));
    return [`"target" must be a stage of ${file}, not '${target}': use ${names.length > 0 ? names.join(', ') : 'no target, since it has no named stages'}`];
  }
  return lineage(stage).flatMap((each) => {
    const at = `${file} line ${each.from.getRange().start.line + 1}`;
    if (each.base === 'scratch') return [`"file" must start its last stage from an image with apt, dnf, microdnf or apk, not 'scratch' (${at}): use an image of a distribution`];
    const allowed = each.platform === undefined || /^linux\/arm64(\/v8)?$/.test(each.platform) || /\$\{?TARGETPLATFORM\}?$/.test(each.platform);
    return allowed ? [] : [`"file" must build for linux/arm64, ${ARM_ONLY}, not '${each.platform}' (${at}): remove --platform`];
  });
}

/** Returns a fault for a user by name whose number cannot be determined. */
export function userFaults(file: string, user: DockerfileUser | undefined, given: string | undefined): string[] {
  if (given !== undefined || user === undefined || user.number !== undefined) return [];
  return [`"user" must be set, since the service cannot start images of many layers with the name of a user, and ${file} does not contain the number `
    + `of USER '${user.text}': use a number such as '1000', or create the user with one in ${file} ('useradd --uid 1000')`];
}
