/** A tool that the image's own package manager brings, and what its packages are called there. */
export interface OsTool {
  readonly name: string;
  /** Commands that are all there once the tool is installed. A base that has them all is left as it is. */
  readonly commands: readonly string[];
  /** @default - `<first command> --version` */
  readonly verify?: string;
  readonly packages: OsPackageNames;
}

/** The packages that make up a tool, by the package manager of the distribution. */
export interface OsPackageNames {
  /** Debian, Ubuntu. */
  readonly apt: readonly string[];
  /** Fedora, Amazon Linux, UBI (by dnf or microdnf). */
  readonly dnf: readonly string[];
  /** Alpine, Wolfi. */
  readonly apk: readonly string[];
}

type Names = string | { apt?: string; dnf?: string; apk?: string };

function osTool(name: string, commands: string, names: Names = name, verify?: string): OsTool {
  const of = (manager: 'apt' | 'dnf' | 'apk') => (typeof names === 'string' ? names : names[manager] ?? name).split(' ').filter(Boolean);
  return { name, commands: commands.split(' '), verify, packages: { apt: of('apt'), dnf: of('dnf'), apk: of('apk') } };
}

/** The one table of names. A manager that is left out calls the package as we do. */
const TABLE: readonly OsTool[] = [
  osTool('bash', 'bash'),
  osTool('build-essential', 'cc c++ make', { dnf: 'gcc gcc-c++ make', apk: 'build-base' }, 'cc --version && c++ --version && make --version'),
  osTool('cmake', 'cmake'),
  osTool('curl', 'curl'),
  osTool('git', 'git'),
  osTool('git-lfs', 'git-lfs'),
  osTool('gnupg', 'gpg', { dnf: 'gnupg2' }),
  osTool('jq', 'jq'),
  osTool('openssh-client', 'ssh', { dnf: 'openssh-clients' }, 'ssh -V'),
  osTool('patch', 'patch'),
  osTool('pkg-config', 'pkg-config', { dnf: 'pkgconf-pkg-config', apk: 'pkgconf' }),
  osTool('procps', 'ps pgrep', { dnf: 'procps-ng', apk: 'procps-ng' }, 'ps --version'),
  osTool('python3', 'python3 pip3', { apt: 'python3 python3-pip python3-venv', dnf: 'python3 python3-pip', apk: 'python3 py3-pip' }),
  osTool('ripgrep', 'rg'),
  osTool('rsync', 'rsync'),
  osTool('shellcheck', 'shellcheck', { dnf: 'ShellCheck' }),
  osTool('sqlite', 'sqlite3', { apt: 'sqlite3' }, 'sqlite3 --version'),
  osTool('tar', 'tar'),
  osTool('unzip', 'unzip', 'unzip', 'unzip -v'),
  osTool('wget', 'wget'),
  osTool('xz', 'xz', { apt: 'xz-utils' }),
  osTool('zip', 'zip', 'zip', 'zip -v'),
];

const BY_NAME = new Map(TABLE.map((tool) => [tool.name, tool]));

/** A tool of the table. */
export function osToolNamed(name: string): OsTool {
  return BY_NAME.get(name)!;
}

/**
 * Returns the tool of a package, found by the tool's own name or by that of any distribution. A package that is not in the table has the same name
 * in all distributions.
 */
export function osToolForPackage(name: string): OsTool | undefined {
  return BY_NAME.get(name)
    ?? TABLE.find(({ packages }) => [packages.apt, packages.dnf, packages.apk].some((names) => names.length === 1 && names[0] === name));
}

/** Packages that a tool needs besides its own. */
export interface OsLibraries extends OsPackageNames {
  /** A command that makes them needless. @default - the package manager is asked in any case */
  readonly unless?: string;
}

/** Names of packages that a runtime's own binaries need and a small base lacks. */
export const RUNTIME_LIBRARIES: Readonly<Record<string, OsLibraries>> = {
  // Node's binaries link to both from version 26; earlier ones link to the first only.
  node: { apt: ['libstdc++6', 'libatomic1'], dnf: ['libstdc++', 'libatomic'], apk: ['libstdc++', 'libatomic'] },
  // rustup's installer, which mise runs, downloads with curl.
  rust: { unless: 'curl', apt: ['curl'], dnf: ['curl'], apk: ['curl'] },
};
