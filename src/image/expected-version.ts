/** What a tool says its version is, as far as that can be told from the version that was asked for. */

/**
 * Vendors whose numbers are those of the JDK inside. Others have their own: `zulu-17.60.17.0` says 17.0.16 of itself, and
 * `graalvm-22.3.1+java17` something else again. Before 9, a JDK calls itself `1.8.0_462`.
 */
const JDK = /^(?:(?:openjdk|temurin|microsoft|oracle|oracle-graalvm|graalvm-community|sapmachine|liberica|semeru-openj9)-)?((?:9|[1-9]\d)(?:\.\d+){0,3})(?![\d.])/;

/** Its own number is in what it prints, besides the JDK's. */
const CORRETTO = /^corretto-(\d+(?:\.\d+)*)$/;

function javaVersion(version: string): string | undefined {
  // A JDK leaves zeros out at the end: the first of a line, 25.0.0, is just 25.
  return CORRETTO.exec(version)?.[1] ?? JDK.exec(version)?.[1].replace(/(\.0)+$/, '');
}

/** Of a tool by mise: its number, without what mise or a vendor adds to that. */
export function expectedOfMise(tool: string, version: string): string | undefined {
  return tool === 'java' ? javaVersion(version) : /^v?(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)/.exec(version)?.[1];
}

/** Of a package of npm: a build's name is not part of the version that is published. */
export function expectedOfNpm(version: string): string {
  return version.replace(/\+.*/, '');
}

/** Of a package of PyPI: to pip, `2024.07.04` and `2024.7.4` are the same, as are `1.16` and `1.16.0`. */
export function expectedOfPip(version: string): string {
  return version.replace(/(^|\.)0+(?=\d)/g, '$1').replace(/(\.0)+$/, '');
}
