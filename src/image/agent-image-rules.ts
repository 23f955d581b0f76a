import { Token } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import type { AgentImageOptions } from './agent-image-options';
import { type DockerfileUser, type ParsedDockerfile, type Stage, lineage } from './dockerfile';
import { type ToolEntry, slug, versionOf } from './tool-entry';
import type { Rule } from '../private/validation';

/** What the rules look at. */
export interface OptionsRequest {
  readonly options: AgentImageOptions;
  /** Path of the Dockerfile in the directory. */
  readonly file: string;
  readonly directoryExists: boolean;
  readonly fileExists: boolean;
}

const ARM_ONLY = 'AgentCore runs arm64 only, and a session whose image is of another platform does not start';

/** An image reference: characters that end a line or an argument of the Dockerfile would become instructions. */
const IMAGE_REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/;

const isLiteral = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);

const brokenImage = (value: string | undefined) => value !== undefined && (Token.isUnresolved(value) || !IMAGE_REFERENCE.test(value));

const imageMessage = (name: string, value: string | undefined) =>
  `"${name}" is ${Token.isUnresolved(value) ? 'only known when the stack is deployed' : JSON.stringify(value)}; `
  + "give the literal reference of an image, such as 'public.ecr.aws/docker/library/debian:bookworm-slim'";

const WITHOUT_DOCKERFILE = ['base', 'command', 'setup'] as const;

/** What is written into the Dockerfile and the scripts as it is. */
const WRITTEN = ['command', 'setup', 'miseSettings'] as const;

function unresolvedIn(options: AgentImageOptions): string[] {
  return WRITTEN.filter((name) => {
    const value = options[name];
    return Token.isUnresolved(value) || Object.values(value ?? {}).some((part) => Token.isUnresolved(part));
  });
}

/** Rules for the options alone. */
export const OPTION_RULES: readonly Rule<OptionsRequest>[] = [
  {
    broken: ({ directoryExists }) => !directoryExists,
    message: () => '"directory" is not a directory; give the path of the agent\'s files, relative to where the app is run',
  },
  {
    broken: ({ options }) => options.platform !== undefined && options.platform.platform !== Platform.LINUX_ARM64.platform,
    message: ({ options }) => `"platform" is '${options.platform!.platform}'; ${ARM_ONLY}: leave it out, or give Platform.LINUX_ARM64`,
  },
  {
    broken: ({ file }) => file.split(/[\\/]/).includes('..') || file.startsWith('/'),
    message: ({ file }) => `"file" is '${file}'; give the path of a Dockerfile within the directory`,
  },
  {
    broken: ({ options, fileExists, directoryExists }) => directoryExists && options.file !== undefined && !fileExists,
    message: ({ file }) => `"file" is '${file}', which the directory does not have; correct the path, or leave it out to have the Dockerfile written`,
  },
  {
    broken: ({ options, fileExists }) => options.target !== undefined && !fileExists,
    message: ({ options }) => `"target" is '${options.target}', but there is no Dockerfile that could have such a stage; leave it out`,
  },
  {
    broken: ({ options, fileExists }) => !fileExists && (options.command === undefined || options.command.length === 0),
    message: ({ file }) =>
      `"command" is missing; without a ${file} in the directory, give what starts the agent, such as ['node', 'agent.js']`,
  },
  {
    broken: ({ options, fileExists }) => fileExists && WITHOUT_DOCKERFILE.some((name) => options[name] !== undefined),
    message: ({ options, file }) =>
      `"${WITHOUT_DOCKERFILE.filter((name) => options[name] !== undefined).join('", "')}" is for a directory without a Dockerfile; `
      + `say it in ${file}, which is kept as it is but for the tools`,
  },
  { broken: ({ options }) => brokenImage(options.base), message: ({ options }) => imageMessage('base', options.base) },
  { broken: ({ options }) => brokenImage(options.miseImage), message: ({ options }) => imageMessage('miseImage', options.miseImage) },
  {
    broken: ({ options }) => options.base === 'scratch',
    message: () => '"base" is \'scratch\', which has no package manager and no shell; give an image that has apt, dnf, microdnf or apk',
  },
  {
    broken: ({ options }) => options.user !== undefined && (Token.isUnresolved(options.user) || !/^\d+(:\d+)?$/.test(options.user)),
    message: ({ options }) =>
      `"user" is ${isLiteral(options.user) ? `'${options.user}'` : 'only known when the stack is deployed'}; `
      + "give a number, such as '1000', or one with a group, '1000:1000': the service cannot start images of many layers by a user's name",
  },
  {
    broken: ({ options }) => unresolvedIn(options).length > 0,
    message: ({ options }) =>
      `"${unresolvedIn(options).join('", "')}" is only known when the stack is deployed; the image is built before that, so give a literal`,
  },
  {
    broken: ({ options }) => Object.keys(options.miseSettings ?? {}).some((name) => !/^MISE_[A-Z0-9_]+$/.test(name)),
    message: ({ options }) =>
      `"miseSettings" has ${Object.keys(options.miseSettings!).filter((name) => !/^MISE_[A-Z0-9_]+$/.test(name)).map((name) => JSON.stringify(name)).join(', ')}; `
      + "its names are those of mise's environment variables, such as MISE_NODE_MIRROR_URL",
  },
];

/** Faults of a list of tools: one tool cannot be there in two versions, since only one is found on PATH. */
export function toolFaults(entries: readonly ToolEntry[]): string[] {
  const byName = new Map<string, ToolEntry[]>();
  for (const entry of entries) byName.set(slug(entry.name), [...byName.get(slug(entry.name)) ?? [], entry]);
  return [...byName.values()].flatMap((same) => {
    const [first, ...others] = same;
    const other = others.find((entry) => JSON.stringify(entry) !== JSON.stringify(first));
    return other === undefined ? [] : [`"tools" has '${first.name}' twice, ${howOf(first)} and ${howOf(other)}; keep one of them`];
  });
}

function howOf(entry: ToolEntry): string {
  const version = versionOf(entry);
  return version === undefined ? `by ${entry.install.kind === 'os' ? 'the package manager' : 'a command of its own'}` : `as ${version}`;
}

/** Faults of a Dockerfile that only show once its stages are known. */
export function stageFaults(file: string, parsed: ParsedDockerfile, target: string | undefined, stage: Stage | undefined): string[] {
  if (stage === undefined) {
    const names = parsed.stages.flatMap(({ alias }) => (alias ? [`'${alias}'`] : []));
    return [`"target" is '${target}', which ${file} does not have; it has ${names.length > 0 ? names.join(', ') : 'no named stages'}`];
  }
  return lineage(stage).flatMap((each) => {
    const at = `${file} line ${each.from.getRange().start.line + 1}`;
    if (each.base === 'scratch') return [`${at}: 'scratch' has no package manager and no shell; begin the last stage with an image that has apt, dnf, microdnf or apk`];
    const allowed = each.platform === undefined || /^linux\/arm64(\/v8)?$/.test(each.platform) || /\$\{?TARGETPLATFORM\}?$/.test(each.platform);
    return allowed ? [] : [`${at}: the platform is '${each.platform}'; ${ARM_ONLY}: leave --platform out`];
  });
}

/** A user by name whose number nothing says. */
export function userFaults(file: string, user: DockerfileUser | undefined, given: string | undefined): string[] {
  if (given !== undefined || user === undefined || user.number !== undefined) return [];
  return [`${file}: the number of USER '${user.text}' cannot be told, and the service cannot start images of many layers by a user's name; `
    + `give it to the user in ${file} ('useradd --uid 1000'), or give it here as "user", such as '1000'`];
}
