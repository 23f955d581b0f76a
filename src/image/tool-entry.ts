import type { OsLibraries, OsPackageNames } from './os-packages';

/** By the package manager of the image. */
export interface OsInstall {
  readonly kind: 'os';
  readonly packages: OsPackageNames;
  /** When all of these commands are there, nothing is installed. Empty: always ask the package manager. */
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
}

export interface PipInstall {
  readonly kind: 'pip';
  readonly package: string;
  readonly version: string;
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
  readonly install: OsInstall | MiseInstall | NpmInstall | PipInstall | CustomInstall;
  /** @default - the package manager is asked whether it has the package of that name */
  readonly verify?: string;
  /** Version that the output of `verify` has to hold, where the exact one is known: another copy earlier on `PATH` must not pass. */
  readonly expect?: string;
  /** Libraries that have to be in the image for the tool to start. */
  readonly libraries?: OsLibraries;
  /** What two builds at different times may disagree on. */
  readonly floating?: string;
}

/** The version of an entry, where it has one of its own. */
export function versionOf(entry: ToolEntry): string | undefined {
  return 'version' in entry.install ? entry.install.version : undefined;
}
