/**
 * Versions that are installed when a tool is asked for by a shorter one, or by none.
 *
 * Looked up on 2026-11-22: Node in the versions of npm's package `node`, Python in the downloads that uv 0.13.9 lists
 * (python-build-standalone, which mise installs too), Go from 1.25 on in `golang.org/toolchain` of the Go module proxy, Bun, Deno and uv in
 * their own packages on npm and PyPI; Go 1.24, Java (Temurin), Rust, the GitHub CLI and the AWS CLI in public mise configurations.
 *
 * A short version is the newest of its line at that date. Whoever needs a newer one names it in full.
 */
export const PINNED_VERSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'node': { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' },
  'python': {
    '3.10': '3.10.22', '3.11': '3.11.18', '3.12': '3.12.16', '3.13': '3.13.18', '3.14': '3.14.10', '3.15': '3.15.2',
  },
  'java': { 17: 'temurin-17.0.20+8', 21: 'temurin-21.0.12+8.0.LTS', 25: 'temurin-25.0.4+7.0.LTS' },
  'go': { 1.24: '1.24.13', 1.25: '1.25.14', 1.26: '1.26.10', 1.27: '1.27.3' },
  'rust': { '1.90': '1.90.0', '1.97': '1.97.1', '1.98': '1.98.0' },
  'bun': { 1: '1.4.5' },
  'deno': { 2: '2.9.6' },
  'uv': { 0.13: '0.13.9' },
  'github-cli': { 2: '2.98.0' },
  'aws-cli': { 2: '2.37.6' },
};

/**
 * The image that brings mise: a scratch image with the static binary alone, checked by its makers against the release's signatures.
 *
 * By version and not by digest, since a digest names one registry's copy; `miseImage` takes either.
 */
export const MISE_VERSION = '2026.9.11';
export const MISE_IMAGE = `ghcr.io/jdx/mise:${MISE_VERSION}`;

/** Debian, since every language runtime has binaries for it; from Amazon's public registry, which asks for no account. */
export const DEFAULT_BASE = 'public.ecr.aws/docker/library/debian:bookworm-slim';

/** The version that is installed for the version that was asked for. */
export function pinnedVersion(tool: string, version: string): string {
  return PINNED_VERSIONS[tool]?.[version] ?? version;
}

/** Returns whether two builds at different times may install different versions. */
export function isFloating(tool: string, version: string): boolean {
  // Tools without a table have their own version schemes, so only words and a lone major version are known not to be pinned.
  const exact = tool in PINNED_VERSIONS ? /\d+\.\d+\.\d+/ : /\d+\.\d+|\d{5,}/;
  return !exact.test(version);
}

/** The numbers of npm; a `v` before them is not npm's own way to write one. */
const NPM_NUMBERS = /^v?(\d+|x)(\.(\d+|x)(\.(\d+|x)(-[\w.-]+)?(\+[\w.-]+)?)?)?$/i;

/** Returns whether npm has exactly one version of that name. */
export function isFullNpmVersion(version: string): boolean {
  return /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/.test(version);
}

/** Returns whether npm takes the newest of several versions, as for `5.9` and `5.x`. Anything else is a tag to npm, such as `latest`. */
export function isNpmRange(version: string): boolean {
  return NPM_NUMBERS.test(version) && !isFullNpmVersion(version);
}

/** Returns whether a version has the form that PyPI shows. pip does not take a short version for a range: `1.16` is `1.16.0` and nothing else. */
export function isPipVersion(version: string): boolean {
  return /^\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?$/.test(version);
}

/**
 * Vendors whose numbers are those of the JDK inside. Others have their own: `zulu-17.60.17.0` says 17.0.16 of itself, and
 * `graalvm-22.3.1+java17` something else again. Before 9, a JDK calls itself `1.8.0_462`.
 */
const JDK = /^(?:(?:openjdk|temurin|microsoft|oracle|oracle-graalvm|graalvm-community|sapmachine|liberica|semeru-openj9)-)?((?:9|[1-9]\d)(?:\.\d+){0,3})(?![\d.])/;

/** Its own number is in what it prints, besides the JDK's. */
const CORRETTO = /^corretto-(\d+(?:\.\d+)*)$/;

function javaVersion(version: string): string | undefined {
  // A JDK omits trailing zeros: the first version of a line, 25.0.0, is just 25.
  return CORRETTO.exec(version)?.[1] ?? JDK.exec(version)?.[1].replace(/(\.0)+$/, '');
}

/** Returns the number of a version of mise, without what mise or a vendor adds to it. */
export function expectedOfMise(tool: string, version: string): string | undefined {
  return tool === 'java' ? javaVersion(version) : /^v?(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)/.exec(version)?.[1];
}

/** Returns the version that npm publishes, which does not include the name of a build. */
export function expectedOfNpm(version: string): string {
  return version.replace(/\+.*/, '');
}

/** Returns the shortest form of a version of PyPI: pip takes `2024.07.04` and `2024.7.4` for the same version, and `1.16` and `1.16.0`. */
export function expectedOfPip(version: string): string {
  return version.replace(/(^|\.)0+(?=\d)/g, '$1').replace(/(\.0)+$/, '');
}
