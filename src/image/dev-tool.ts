import { osToolNamed } from './os-packages';
import { type ToolEntry, customEntry, miseEntry, npmEntry, osEntry, packageEntry, pipEntry } from './tool-entry';
import { checkCommand, checkName, checkNpmVersion, checkPipVersion, checkVersion } from './tool-rules';
import { pinnedVersion } from './versions';

/** Options for `DevTool.custom`. */
export interface CustomToolOptions {
  /** The name of the tool, which is used in messages and in `/etc/agent-image.json`. */
  readonly name: string;

  /**
   * The POSIX shell command that installs the tool. It runs as root during the build, after all other tools have been installed.
   *
   * Download a pinned version and verify its checksum (`sha256sum -c`), because the hash of the image covers the command, but not what it downloads.
   */
  readonly install: string;

  /**
   * The command that verifies the tool, such as `terraform version`. It must succeed if the tool works, and should print its version. It runs
   * as root at the end of the build.
   */
  readonly verify: string;
}

/**
 * A developer tool that is installed in an agent's image.
 *
 * The package manager of the base image installs operating system tools, in the version that it provides. Language runtimes and tools of the
 * mise registry have a pinned version: a full version is installed as specified, and a short one such as `'22'` is the newest version of its
 * line as of this release of the library, so that all builds install the same version. `'latest'` is accepted with a warning.
 */
export class DevTool {
  /** Bash. It is always installed, because it runs the commands of a session. */
  static readonly BASH = DevTool.ofOs('bash');

  /** A C and C++ compiler and make. Rust requires them to link, and npm and pip to build native modules. */
  static readonly BUILD_ESSENTIAL = DevTool.ofOs('build-essential');

  /** CMake. */
  static readonly CMAKE = DevTool.ofOs('cmake');

  /** curl. */
  static readonly CURL = DevTool.ofOs('curl');

  /** git. It is always installed, because it commits the work of a session. */
  static readonly GIT = DevTool.ofOs('git');

  /** Git Large File Storage. */
  static readonly GIT_LFS = DevTool.ofOs('git-lfs');

  /** GnuPG. If it is installed, mise also verifies the signatures of Node.js releases. */
  static readonly GNUPG = DevTool.ofOs('gnupg');

  /** jq, for JSON in shell scripts. */
  static readonly JQ = DevTool.ofOs('jq');

  /** The OpenSSH client, for git over SSH. */
  static readonly OPENSSH_CLIENT = DevTool.ofOs('openssh-client');

  /** patch. */
  static readonly PATCH = DevTool.ofOs('patch');

  /** pkg-config. */
  static readonly PKG_CONFIG = DevTool.ofOs('pkg-config');

  /** ps, pgrep and top. */
  static readonly PROCPS = DevTool.ofOs('procps');

  /** The distribution's Python 3, with pip. Use `python()` for a specific version. */
  static readonly PYTHON3 = DevTool.ofOs('python3');

  /** ripgrep, which most coding agents use to search. Amazon Linux has no package for it: use `DevTool.mise('ripgrep', '14.1.1')` there. */
  static readonly RIPGREP = DevTool.ofOs('ripgrep');

  /** rsync. */
  static readonly RSYNC = DevTool.ofOs('rsync');

  /** ShellCheck. */
  static readonly SHELLCHECK = DevTool.ofOs('shellcheck');

  /** The SQLite command-line shell. */
  static readonly SQLITE = DevTool.ofOs('sqlite');

  /** tar. */
  static readonly TAR = DevTool.ofOs('tar');

  /** unzip. */
  static readonly UNZIP = DevTool.ofOs('unzip');

  /** wget. */
  static readonly WGET = DevTool.ofOs('wget');

  /** xz, for `.tar.xz` archives. */
  static readonly XZ = DevTool.ofOs('xz');

  /** zip. */
  static readonly ZIP = DevTool.ofOs('zip');

  /**
   * Node.js with npm and npx.
   *
   * @param version A release line (20, 22, 24 or 26), such as `'22'`, for its pinned version, or a full version such as `'22.23.3'`
   */
  static nodejs(version: string): DevTool {
    return DevTool.runtime('nodejs', 'node', version, 'node --version && npm --version');
  }

  /**
   * Python with pip.
   *
   * @param version A release line (3.10 to 3.15), such as `'3.12'`, for its pinned version, or a full version such as `'3.12.16'`
   */
  static python(version: string): DevTool {
    return DevTool.runtime('python', 'python', version, 'python3 --version && python3 -m pip --version');
  }

  /**
   * A Java development kit.
   *
   * @param version A release line (17, 21 or 25), such as `'21'`, for its pinned version of Eclipse Temurin, or any version that mise knows, such
   * as `'corretto-21.0.8.9.1'`
   */
  static java(version: string): DevTool {
    return DevTool.runtime('java', 'java', version, 'java -version && javac -version');
  }

  /**
   * Go.
   *
   * @param version A release line (1.24 to 1.27), such as `'1.26'`, for its pinned version, or a full version such as `'1.26.10'`
   */
  static go(version: string): DevTool {
    return DevTool.runtime('go', 'go', version, 'go version');
  }

  /**
   * Rust with cargo. It requires `DevTool.BUILD_ESSENTIAL` to link programs.
   *
   * @param version A release line (1.90, 1.97 or 1.98), such as `'1.90'`, for its pinned version, or a full version such as `'1.90.0'`
   */
  static rust(version: string): DevTool {
    return DevTool.runtime('rust', 'rust', version, 'rustc --version && cargo --version');
  }

  /**
   * Bun.
   *
   * @param version A full version. Defaults to the pinned version
   */
  static bun(version: string = '1'): DevTool {
    return DevTool.runtime('bun', 'bun', version, 'bun --version');
  }

  /**
   * Deno.
   *
   * @param version A full version. Defaults to the pinned version
   */
  static deno(version: string = '2'): DevTool {
    return DevTool.runtime('deno', 'deno', version, 'deno --version');
  }

  /**
   * uv, the package manager for Python.
   *
   * @param version A full version. Defaults to the pinned version
   */
  static uv(version: string = '0.13'): DevTool {
    return DevTool.runtime('uv', 'uv', version, 'uv --version');
  }

  /**
   * The GitHub CLI, `gh`.
   *
   * @param version A full version. Defaults to the pinned version
   */
  static githubCli(version: string = '2'): DevTool {
    return DevTool.runtime('githubCli', 'github-cli', version, 'gh --version');
  }

  /**
   * The AWS CLI, version 2. It requires glibc, so it cannot be installed on Alpine Linux.
   *
   * @param version A full version. Defaults to the pinned version
   */
  static awsCli(version: string = '2'): DevTool {
    return DevTool.runtime('awsCli', 'aws-cli', version, 'aws --version');
  }

  /**
   * A tool of the mise registry, or of one of the backends of mise, such as `'aqua:hashicorp/terraform'`.
   *
   * The build fails if mise installs no command for the tool, but does not verify that the command works. It does so only for tools that have
   * a method of their own.
   *
   * @param tool The name of the tool in the registry, such as `'terraform'`. Run `mise registry` for a list
   * @param version A full version. mise also accepts short ones and `'latest'`, but then two builds may differ
   */
  static mise(tool: string, version: string): DevTool {
    const place = `DevTool.mise(${JSON.stringify(tool)}, …)`;
    checkName(place, 'tool', tool);
    checkVersion(place, version);
    return new DevTool(tool, version, [miseEntry(tool, version)]);
  }

  /**
   * Operating system packages, in the version that the package manager of the base image provides.
   *
   * @param names The names of the packages in the distribution of the base image. Common packages may have the name that another distribution
   * uses, such as `build-essential`
   */
  static osPackages(...names: string[]): DevTool {
    for (const name of names) checkName('DevTool.osPackages(…)', 'name', name);
    if (names.length === 0) checkName('DevTool.osPackages(…)', 'name', '');
    return new DevTool(names.join(', '), undefined, names.map(packageEntry));
  }

  /**
   * A command from the npm registry, installed for all users. It requires npm, from `DevTool.nodejs(…)` or the base image.
   *
   * @param packageName The name of the package, such as `'@anthropic-ai/claude-code'`
   * @param version A full version, such as `'5.9.2'`. Ranges (`'5.9'`, `'5.x'`) are not allowed, and a tag such as `'latest'` causes a warning
   */
  static npm(packageName: string, version: string): DevTool {
    const place = `DevTool.npm(${JSON.stringify(packageName)}, …)`;
    checkName(place, 'packageName', packageName);
    checkNpmVersion(place, version);
    return new DevTool(`npm:${packageName}`, version, [npmEntry(packageName, version)]);
  }

  /**
   * A package from PyPI, installed into the Python of the image. It requires pip, from `DevTool.python(…)`, `DevTool.PYTHON3` or the base image.
   *
   * @param packageName The name of the package, such as `'pytest'`
   * @param version A version, such as `'8.4.2'`. Ranges are not allowed, and `'latest'` causes a warning
   */
  static pip(packageName: string, version: string): DevTool {
    const place = `DevTool.pip(${JSON.stringify(packageName)}, …)`;
    checkName(place, 'packageName', packageName);
    checkPipVersion(place, version);
    return new DevTool(`pip:${packageName}`, version, [pipEntry(packageName, version)]);
  }

  /**
   * A tool that is installed by a custom command.
   *
   * @param options Options for the tool
   */
  static custom(options: CustomToolOptions): DevTool {
    const place = `DevTool.custom(${JSON.stringify(options.name)})`;
    checkName(place, 'name', options.name);
    checkCommand(place, 'install', options.install);
    checkCommand(place, 'verify', options.verify);
    return new DevTool(options.name, undefined, [customEntry(options.name, options.install, options.verify)]);
  }

  /**
   * Returns the tool with an entry that no other method makes.
   *
   * @internal
   */
  static _ofEntry(version: string, entry: ToolEntry): DevTool {
    return new DevTool(entry.name, version, [entry]);
  }

  private static ofOs(name: string): DevTool {
    return new DevTool(name, undefined, [osEntry(osToolNamed(name))]);
  }

  private static runtime(method: string, tool: string, version: string, verify: string): DevTool {
    checkVersion(`DevTool.${method}(…)`, version);
    const pinned = pinnedVersion(tool, version);
    return new DevTool(tool, pinned, [miseEntry(tool, pinned, verify)]);
  }

  /** The name of the tool, as listed in `/etc/agent-image.json`. */
  readonly name: string;

  /**
   * The version that is installed, in full if the library pins it.
   *
   * It is `undefined` for operating system packages, whose version depends on the base image, and for custom tools.
   */
  readonly version?: string;

  /** @internal */
  readonly _entries: readonly ToolEntry[];

  private constructor(name: string, version: string | undefined, entries: readonly ToolEntry[]) {
    this.name = name;
    this.version = version;
    this._entries = entries;
  }

  /** Returns the name of the tool and its version. */
  toString(): string {
    return this.version === undefined ? this.name : `${this.name} ${this.version}`;
  }
}
