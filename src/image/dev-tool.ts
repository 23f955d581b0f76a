import { osToolNamed } from './os-packages';
import { type ToolEntry, customEntry, miseEntry, npmEntry, osEntry, packageEntry, pipEntry } from './tool-entry';
import { checkCommand, checkName, checkNpmVersion, checkPipVersion, checkVersion } from './tool-rules';
import { pinnedVersion } from './versions';

/** A tool that neither the package manager of the image nor mise, npm or pip brings. */
export interface CustomToolOptions {
  /** The tool's name in messages and in `/etc/agent-image.json`. */
  readonly name: string;

  /**
   * Installs it: a POSIX shell command, run as root while the image is built, after all other tools.
   *
   * Download by a pinned version and check what came (`sha256sum -c`); the command is part of the image's hash, what it downloads is not.
   */
  readonly install: string;

  /** Succeeds if the tool is there, and best prints its version: `terraform version`. Run as root, in the finished image. */
  readonly verify: string;
}

/**
 * A developer tool in an agent's image.
 *
 * Tools of the operating system come from the package manager of the base image, in the version that it has. Language runtimes and the
 * tools of mise's registry come in a pinned version: a full one is taken as it is, a short one (`'22'`) stands for the newest of its line
 * when this release of the library was made, so that two builds agree. `latest` is possible, and warns.
 */
export class DevTool {
  /** Bash. Always in, since commands of a session are run by it. */
  static readonly BASH = DevTool.ofOs('bash');

  /** A C and C++ compiler and make. Rust needs it to link, npm and pip need it for native modules. */
  static readonly BUILD_ESSENTIAL = DevTool.ofOs('build-essential');

  /** CMake. */
  static readonly CMAKE = DevTool.ofOs('cmake');

  /** curl. */
  static readonly CURL = DevTool.ofOs('curl');

  /** git. Always in, since a session's work is committed by it. */
  static readonly GIT = DevTool.ofOs('git');

  /** Git Large File Storage. */
  static readonly GIT_LFS = DevTool.ofOs('git-lfs');

  /** GnuPG. With it in the image, mise checks the signatures of Node's releases too. */
  static readonly GNUPG = DevTool.ofOs('gnupg');

  /** jq, for JSON in shell scripts. */
  static readonly JQ = DevTool.ofOs('jq');

  /** The client of OpenSSH, for git over ssh. */
  static readonly OPENSSH_CLIENT = DevTool.ofOs('openssh-client');

  /** patch. */
  static readonly PATCH = DevTool.ofOs('patch');

  /** pkg-config. */
  static readonly PKG_CONFIG = DevTool.ofOs('pkg-config');

  /** ps, pgrep, top. */
  static readonly PROCPS = DevTool.ofOs('procps');

  /** The distribution's own Python 3, with pip; `python()` brings a version of one's choice instead. */
  static readonly PYTHON3 = DevTool.ofOs('python3');

  /** ripgrep, which most coding agents search with. Amazon Linux has no package of it: take `DevTool.mise('ripgrep', '14.1.1')` there. */
  static readonly RIPGREP = DevTool.ofOs('ripgrep');

  /** rsync. */
  static readonly RSYNC = DevTool.ofOs('rsync');

  /** ShellCheck. */
  static readonly SHELLCHECK = DevTool.ofOs('shellcheck');

  /** The command line of SQLite. */
  static readonly SQLITE = DevTool.ofOs('sqlite');

  /** tar. */
  static readonly TAR = DevTool.ofOs('tar');

  /** unzip. */
  static readonly UNZIP = DevTool.ofOs('unzip');

  /** wget. */
  static readonly WGET = DevTool.ofOs('wget');

  /** xz, for `.tar.xz`. */
  static readonly XZ = DevTool.ofOs('xz');

  /** zip. */
  static readonly ZIP = DevTool.ofOs('zip');

  /**
   * Node.js with npm and npx.
   *
   * @param version `'22'` for the pinned release of a line (20, 22, 24, 26), or a full version such as `'22.23.3'`
   */
  static nodejs(version: string): DevTool {
    return DevTool.runtime('nodejs', 'node', version, 'node --version && npm --version');
  }

  /**
   * Python with pip.
   *
   * @param version `'3.12'` for the pinned release of a line (3.10 to 3.15), or a full version such as `'3.12.16'`
   */
  static python(version: string): DevTool {
    return DevTool.runtime('python', 'python', version, 'python3 --version && python3 -m pip --version');
  }

  /**
   * A Java development kit.
   *
   * @param version `'21'` for the pinned release of Eclipse Temurin (17, 21, 25), or any of mise's, such as `'corretto-21.0.8.9.1'`
   */
  static java(version: string): DevTool {
    return DevTool.runtime('java', 'java', version, 'java -version && javac -version');
  }

  /**
   * Go.
   *
   * @param version `'1.26'` for the pinned release of a line (1.24 to 1.27), or a full version such as `'1.26.10'`
   */
  static go(version: string): DevTool {
    return DevTool.runtime('go', 'go', version, 'go version');
  }

  /**
   * Rust with cargo. To link programs it needs `DevTool.BUILD_ESSENTIAL` as well.
   *
   * @param version `'1.90'` for the pinned release of a line (1.90, 1.97, 1.98), or a full version such as `'1.90.0'`
   */
  static rust(version: string): DevTool {
    return DevTool.runtime('rust', 'rust', version, 'rustc --version && cargo --version');
  }

  /**
   * Bun.
   *
   * @param version a full version; by default the pinned one
   */
  static bun(version: string = '1'): DevTool {
    return DevTool.runtime('bun', 'bun', version, 'bun --version');
  }

  /**
   * Deno.
   *
   * @param version a full version; by default the pinned one
   */
  static deno(version: string = '2'): DevTool {
    return DevTool.runtime('deno', 'deno', version, 'deno --version');
  }

  /**
   * uv, the package manager for Python.
   *
   * @param version a full version; by default the pinned one
   */
  static uv(version: string = '0.13'): DevTool {
    return DevTool.runtime('uv', 'uv', version, 'uv --version');
  }

  /**
   * GitHub's command line, `gh`.
   *
   * @param version a full version; by default the pinned one
   */
  static githubCli(version: string = '2'): DevTool {
    return DevTool.runtime('githubCli', 'github-cli', version, 'gh --version');
  }

  /**
   * The AWS CLI, version 2. It needs glibc: an Alpine base cannot have it this way.
   *
   * @param version a full version; by default the pinned one
   */
  static awsCli(version: string = '2'): DevTool {
    return DevTool.runtime('awsCli', 'aws-cli', version, 'aws --version');
  }

  /**
   * Any tool of mise's registry, or of one of its backends (`'aqua:hashicorp/terraform'`).
   *
   * The build fails if mise installs no command for it; that the command works is only known for the tools that have a method here.
   *
   * @param tool its name there, such as `'terraform'`; see `mise registry`
   * @param version a full version; mise takes short ones and `'latest'` as well, but then two builds may differ
   */
  static mise(tool: string, version: string): DevTool {
    const place = `DevTool.mise(${JSON.stringify(tool)}, …)`;
    checkName(place, 'tool', tool);
    checkVersion(place, version);
    return new DevTool(tool, version, [miseEntry(tool, version)]);
  }

  /**
   * Packages of the base image's own package manager, in the version that it has.
   *
   * @param names their names in the distribution of the base; well-known ones (`build-essential`, `openssh-client`) are translated
   */
  static osPackages(...names: string[]): DevTool {
    for (const name of names) checkName('DevTool.osPackages(…)', 'name', name);
    if (names.length === 0) checkName('DevTool.osPackages(…)', 'name', '');
    return new DevTool(names.join(', '), undefined, names.map(packageEntry));
  }

  /**
   * A command from npm, installed for every user. Needs npm: `DevTool.nodejs(…)`, or a base that has it.
   *
   * @param packageName such as `'@anthropic-ai/claude-code'`
   * @param version a full version, such as `'5.9.2'`; ranges (`'5.9'`, `'5.x'`) are refused, a tag such as `'latest'` warns
   */
  static npm(packageName: string, version: string): DevTool {
    const place = `DevTool.npm(${JSON.stringify(packageName)}, …)`;
    checkName(place, 'packageName', packageName);
    checkNpmVersion(place, version);
    return new DevTool(`npm:${packageName}`, version, [npmEntry(packageName, version)]);
  }

  /**
   * A package from PyPI, installed into the image's Python. Needs pip: `DevTool.python(…)`, `DevTool.PYTHON3`, or a base that has it.
   *
   * @param packageName such as `'pytest'`
   * @param version one version, such as `'8.4.2'`; ranges are refused, `'latest'` warns
   */
  static pip(packageName: string, version: string): DevTool {
    const place = `DevTool.pip(${JSON.stringify(packageName)}, …)`;
    checkName(place, 'packageName', packageName);
    checkPipVersion(place, version);
    return new DevTool(`pip:${packageName}`, version, [pipEntry(packageName, version)]);
  }

  /** A tool that is installed by a command of one's own. */
  static custom(options: CustomToolOptions): DevTool {
    const place = `DevTool.custom(${JSON.stringify(options.name)})`;
    checkName(place, 'name', options.name);
    checkCommand(place, 'install', options.install);
    checkCommand(place, 'verify', options.verify);
    return new DevTool(options.name, undefined, [customEntry(options.name, options.install, options.verify)]);
  }

  private static ofOs(name: string): DevTool {
    return new DevTool(name, undefined, [osEntry(osToolNamed(name))]);
  }

  private static runtime(method: string, tool: string, version: string, verify: string): DevTool {
    checkVersion(`DevTool.${method}(…)`, version);
    const pinned = pinnedVersion(tool, version);
    return new DevTool(tool, pinned, [miseEntry(tool, pinned, verify)]);
  }

  /** The tool's name, as in the image's `/etc/agent-image.json`. */
  readonly name: string;

  /** The version that is installed, in full where the library pins it. `undefined`: the one that the base image's package manager has. */
  readonly version?: string;

  /** @internal */
  readonly _entries: readonly ToolEntry[];

  private constructor(name: string, version: string | undefined, entries: readonly ToolEntry[]) {
    this.name = name;
    this.version = version;
    this._entries = entries;
  }

  /** The tool and its version. */
  toString(): string {
    return this.version === undefined ? this.name : `${this.name} ${this.version}`;
  }
}
