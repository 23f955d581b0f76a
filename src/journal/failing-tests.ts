import { stripVTControlCharacters } from 'node:util';

/** Names of the tests that an output says have failed, by the runners that people use, each once and in the output's order. */
export function failingTests(output: string): string[] {
  const lines = stripVTControlCharacters(output).split(/\r?\n/);
  return [...new Set(READERS.flatMap((read) => read(lines)).map((name) => name.trim()).filter((name) => name !== ''))];
}

type Reader = (lines: readonly string[]) => string[];

/** Each line by itself: what the pattern's first group has, or all that `name` makes of it. */
function linesLike(pattern: RegExp, name: (...groups: string[]) => string | undefined = (text) => text): Reader {
  return (lines) => lines.flatMap((line) => {
    const match = pattern.exec(line);
    return match === null ? [] : name(...match.slice(1)) ?? [];
  });
}

/** `node --test` where no terminal is, before version 23, and whatever else speaks TAP. A suite that only holds a failing test is left out. */
const tap: Reader = (lines) => {
  const suites: string[] = [];
  return lines.flatMap((line, index) => {
    const [, indent = '', suite] = /^( *)# Subtest: (.*)$/.exec(line) ?? [];
    const depth = indent.length / 4;
    if (suite !== undefined) suites.splice(depth, Infinity, suite);
    const [, space, name] = /^( *)not ok \d+ (?:- )?(?!.* # (?:SKIP|TODO)\b)(.+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const end = lines.findIndex((each, position) => position > index && /^ *\.\.\.$/.test(each));
    const details = lines.slice(index, end === -1 ? index : end);
    return details.some((each) => each.includes("failureType: 'subtestsFailed'")) ? [] : [[...suites.slice(0, space.length / 4), name].join(' > ')];
  });
};

/** `node --test` on a terminal, and since version 23. A suite has a line with ▶ where it begins. */
const nodeSpec: Reader = (lines) => {
  const suites: string[] = [];
  const end = lines.findIndex((line) => line === '✖ failing tests:');
  return lines.slice(0, end === -1 ? undefined : end).flatMap((line) => {
    const [, indent, mark, text] = /^( *)([▶✖✔]) (.+)$/.exec(line) ?? [];
    const depth = (indent ?? '').length / 2;
    if (mark === '▶') suites.splice(depth, Infinity, text);
    const [, name] = mark === '✖' ? /^(.+) \([\d.]+ms\)/.exec(text) ?? [] : [];
    return name === undefined || suites[depth] === name ? [] : [[...suites.slice(0, depth), name].join(' > ')];
  });
};

const jestSummary: Reader = (lines) => {
  let file = '';
  return lines.flatMap((line) => {
    file = /^FAIL (\S.*?)(?: \([\d.]+ m?s\))?$/.exec(line)?.[1] ?? file;
    const [, name] = /^ {2}● (?!Console$)(.+)$/.exec(line) ?? [];
    return name === undefined ? [] : [name === 'Test suite failed to run' ? `${file}: ${name}` : name];
  });
};

/** A name may take several lines, from the outermost suite to the test; the last ends with a colon. */
const mocha: Reader = (lines) => {
  const begin = lines.findIndex((line) => /^ +\d+ failing$/.test(line));
  return begin === -1 ? [] : lines.slice(begin).flatMap((line, index, list) => {
    if (!/^ {2}\d+\) /.test(line)) return [];
    const rest = list.slice(index, index + 10);
    const end = rest.findIndex((each) => each.endsWith(':'));
    return end === -1 ? [] : [rest.slice(0, end + 1).map((each) => each.replace(/^ +(?:\d+\) )?/, '')).join(' > ').slice(0, -1)];
  });
};

const SUMMARY = linesLike(/^(?:FAILED|ERROR) ([^\s:]+\.py(?:::.+?)?)(?: - .*)?$/);
/** Reads the summary, or the headings of the failures if there is none. */
const pytest: Reader = (lines) => {
  const named = SUMMARY(lines);
  return named.length > 0 ? named : linesLike(/^_{3,} (?!summary)(\S.*?) _{3,}$/)(lines);
};

/** Since Python 3.11 the name stands in the parentheses, too. */
const unittest = linesLike(/^(?:FAIL|ERROR): (\w+) \(([\w.]+)\)/, (test, where) => where.endsWith(`.${test}`) ? where : `${where}.${test}`);

/** The test that has failed, and not those around it; and packages that do not compile. */
const go: Reader = (lines) => {
  const names = linesLike(/^\s*--- FAIL: (\S+) \(/)(lines);
  return [...names.filter((name) => !names.some((other) => other.startsWith(`${name}/`))), ...linesLike(/^FAIL\t(\S+ \[(?:build|setup) failed\])$/)(lines)];
};

/** Surefire 3 has two dashes behind the name, surefire 2 has none. */
const maven = linesLike(/^(?:\[ERROR\] )?([\w$.]+(?:\([^)]*\))?(?:\[[^\]]*\])?) +(?:-- )?Time elapsed: .* <<< (?:FAILURE|ERROR)!/);

/** Each by its own reader: what one prints hardly looks like another's. */
const READERS: readonly Reader[] = [
  tap,
  nodeSpec,
  jestSummary,
  linesLike(/^ FAIL {2}(.+?)(?: \[.*\])?$/), // vitest
  mocha,
  linesLike(/^ *✘ \[fail\]: (.+?)(?: Error thrown in test| Rejected promise returned by test)?$/), // AVA
  pytest,
  unittest,
  go,
  linesLike(/^test (.+) \.\.\. FAILED$/), // cargo
  maven,
  linesLike(/^([\w$][^>]* > .+) FAILED$/), // Gradle
  linesLike(/^ {2}(?:X|Failed) (\S.*?) \[(?:< )?[\d.]+ ?m?s\]$/), // dotnet
  linesLike(/^rspec (\S+ # .+)$/),
  linesLike(/^\d+\) ([\w\\]+::\S.*)$/), // PHPUnit
];
