import { NPM_PREFIX, RUNTIME_PATHS } from './constants';
import { type OsLibraries, type OsPackageNames, type OsTool, RUNTIME_LIBRARIES, osToolForPackage } from './os-packages';
import { expectedOfMise, expectedOfNpm, expectedOfPip, isFloating, isFullNpmVersion, isPipVersion } from './versions';
import { singleQuoted } from '../private/quote';

/** By the package manager of the image. */
export interface OsInstall {
  readonly kind: 'os';
  readonly packages: OsPackageNames;
  /** Commands that make an installation unnecessary if all of them exist. If empty, the package manager always runs. */
  readonly commands: readonly string[];
}

/** By mise, under its own name of the tool. */
export interface MiseInstall {
  readonly kind: 'mise';
  readonly tool: string;
  readonly version: string;
}

export interface NpmInstall {
  readonly kind: 'npm';
  readonly package: string;
  readonly version: string;
  /** The script of the package that npm should have run, for versions of npm that run none. It runs if `verify` fails. */
  readonly postinstall?: string;
}

export interface PipInstall {
  readonly kind: 'pip';
  readonly package: string;
  readonly version: string;
  /** The command of a program that is installed apart from the image's Python. */
  readonly program?: string;
  /** Packages beside that program, with their versions: `name==version`. */
  readonly beside?: readonly string[];
}

/** By the step that brings the runner of an agent. */
export interface RunnerInstall {
  readonly kind: 'runner';
}

/** By a shell command of the user's own. */
export interface CustomInstall {
  readonly kind: 'custom';
  readonly command: string;
}

/** One line of the manifest: a tool, how it is installed, and the command that shows that it is there. */
export interface ToolEntry {
  /** The name in the manifest and in messages; two entries of one name are the same tool. */
  readonly name: string;
  readonly install: OsInstall | MiseInstall | NpmInstall | PipInstall | CustomInstall | RunnerInstall;
  /** @default - the package manager is asked whether it has the package of that name */
  readonly verify?: string;
  /** Version that the output of `verify` has to hold, where the exact one is known: another copy earlier on `PATH` must not pass. */
  readonly expect?: string;
  /** Libraries that have to be in the image for the tool to start. */
  readonly libraries?: OsLibraries;
  /** The part of the entry that may differ between two builds at different times. */
  readonly floating?: string;
}

/** The version of an entry, where it has one of its own. */
export function versionOf(entry: ToolEntry): string | undefined {
  return 'version' in entry.install ? entry.install.version : undefined;
}

/** A name that is safe as a file name and in JSON. */
export function slug(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^-+/, '');
}

export function osEntry(tool: OsTool): ToolEntry {
  return {
    name: tool.name,
    install: { kind: 'os', packages: tool.packages, commands: tool.commands },
    verify: tool.verify ?? `${tool.commands[0]} --version`,
  };
}

/** Returns the entry for a package. A name in the table of tools is mapped to the name of each distribution. */
export function packageEntry(name: string): ToolEntry {
  const known = osToolForPackage(name);
  return known ? osEntry(known) : { name, install: { kind: 'os', packages: { apt: [name], dnf: [name], apk: [name] }, commands: [] } };
}

/** Returns the entry for a tool of mise. Without a `verify` command, the build only checks that mise installed some command. */
export function miseEntry(tool: string, version: string, verify?: string): ToolEntry {
  const floating = isFloating(tool, version);
  return {
    name: tool,
    install: { kind: 'mise', tool, version },
    verify: verify ?? `ls -L ${singleQuoted(`${RUNTIME_PATHS}/${slug(tool)}`)} | grep .`,
    expect: floating || verify === undefined ? undefined : expectedOfMise(tool, version),
    libraries: RUNTIME_LIBRARIES[tool],
    ...floatingVersion(floating, version),
  };
}

export function npmEntry(name: string, version: string): ToolEntry {
  const floating = !isFullNpmVersion(version);
  return {
    name: `npm:${name}`,
    install: { kind: 'npm', package: name, version },
    verify: `node -p ${singleQuoted(`require("${NPM_PREFIX}/lib/node_modules/${name}/package.json").version`)}`,
    expect: floating ? undefined : expectedOfNpm(version),
    ...floatingVersion(floating, version),
  };
}

export function pipEntry(name: string, version: string): ToolEntry {
  const floating = !isPipVersion(version);
  return {
    name: `pip:${name}`,
    install: { kind: 'pip', package: name, version },
    verify: `python3 -m pip show ${singleQuoted(name)} | sed -n 's/^Version: //p' | grep .`,
    expect: floating ? undefined : expectedOfPip(version),
    ...floatingVersion(floating, version),
  };
}

/** Returns the entry for a program of npm, which has to run: some bring it in a package per platform, which a script puts in place. */
export function npmProgramEntry(name: string, version: string, command: string, postinstall?: string): ToolEntry {
  const { install, ...entry } = npmEntry(name, version);
  return { ...entry, install: { kind: 'npm', package: name, version, postinstall }, verify: `${command} --version` };
}

/** Returns the entry for a program of PyPI with an environment of its own. */
export function pipProgramEntry(name: string, version: string, command: string, beside: readonly string[] = []): ToolEntry {
  return { ...pipEntry(name, version), install: { kind: 'pip', package: name, version, program: command, beside }, verify: `${command} --version` };
}

/** Returns the entry for a package of PyPI that others may replace by another version: it has to be importable. */
export function pipImportEntry(name: string, version: string, statement: string): ToolEntry {
  return { ...pipEntry(name, version), verify: `python3 -c ${singleQuoted(statement)} && python3 -m pip show ${singleQuoted(name)}`, expect: undefined };
}

export function customEntry(name: string, install: string, verify: string): ToolEntry {
  return { name, install: { kind: 'custom', command: install }, verify };
}

function floatingVersion(floating: boolean, version: string): { floating?: string } {
  return floating ? { floating: version } : {};
}
