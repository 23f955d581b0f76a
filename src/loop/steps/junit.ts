import { TextDecoder } from 'util';
import { SaxesParser } from './saxes';

/** The limits of reports. */
export const REPORT_LIMITS = {
  /** The depth of elements. Real reports have at most a few nested suites. */
  depth: 64,
  /** The number of test cases in all reports of a gate. */
  testCases: 100_000,
  /** The length of a test's name, in characters. */
  name: 300,
  /** The length of a failure's message, in characters. */
  message: 500,
} as const;

/** The results of a gate's tests, from its JUnit reports. */
export interface TestResults {
  /** The number of test cases, including skipped ones. */
  readonly tests: number;
  /** The number of entries in `failing`. */
  readonly failed: number;
  readonly skipped: number;
  /**
   * The failing test cases, in the order of the reports; a name may occur more than once. A suite is among them if it counts failures, errors or
   * tests that none of its test cases is.
   */
  readonly failing: readonly { readonly name: string; readonly message: string }[];
}

/** A report cannot be read. The message names the file, the line and the reason. */
export class ReportError extends Error {
  constructor(file: string, line: number | undefined, reason: string) {
    super([plain(file, REPORT_LIMITS.name), ...line === undefined ? [] : [`line ${line}`], plain(reason, REPORT_LIMITS.message)].join(': '));
    this.name = 'ReportError';
  }
}

/** A `testsuite` or `testsuites` that is open, with the sums of what is inside. */
interface Suite {
  readonly name: string;
  readonly isRoot: boolean;
  /** The numbers in its attributes. */
  readonly counts: { readonly [name in typeof COUNTS[number]]?: number };
  /** True if `tests` and `failures` are numbers of assertions. */
  readonly countsAssertions: boolean;
  tests: number;
  failing: number;
  skipped: number;
  /** The numbers of tests, and of failures and errors, that suites inside count and do not contain. */
  missing: number;
  unexplained: number;
  /** The number of skipped or disabled tests that suites inside count. */
  countedSkips: number;
  hasSuites: boolean;
  /** True if a suite inside has the attribute `errors`. */
  countsErrors: boolean;
}

interface Results {
  tests: number;
  skipped: number;
  readonly failing: { readonly name: string; readonly message: string }[];
}

interface TestCase {
  readonly name: string;
  /** The message of the first failure that has one. */
  message?: string;
  skipped: boolean;
}

const COUNTS = ['tests', 'failures', 'errors', 'skipped', 'disabled'] as const;

const FAILURES = ['failure', 'error', 'internalError']; // the last one is Catch2's

/** Values of `status` or `result` of tools that write an element for them as well, or none. */
const FAILED = /^(?:fail(?:ed|ure)?|errors?)$/i;
const SKIPPED = /^(?:skipped|disabled|notrun|suppressed|pending)$/i;

/** Messages that say nothing: the text of the failure is better. */
const NO_MESSAGE = /^(?:(?:test )?failed|failure|error)?[.!:]?$/i;

/** Lines that gotestsum copies from `go test` and that say nothing. */
const GO_PROGRESS = /^(?:=== (?:RUN|PAUSE|CONT|NAME)|[ \t]*--- (?:FAIL|SKIP)).*$/gm;

/** Colors of terminals, also as a reference to the character and as pytest writes it. */
// eslint-disable-next-line no-control-regex -- an escape sequence begins with the control character ESC, which this removes
const COLOR = /(?:\x1b|&#(?:x0*1b|0*27);|#x1b)\[[\d;]*m/gi;

/** Control characters, which tools copy from the output of tests. XML 1.0 forbids them, even as references. */
// eslint-disable-next-line no-control-regex -- XML forbids these control characters, which this replaces before parsing
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:x0*(?:[0-8bcef]|1[\da-f])|0*(?:[0-8]|1[124-9]|2\d|3[01]));/gi;

/** The most text of a failure that is considered for its message. */
const TEXT = 4_000;

/** Reads the JUnit XML reports of a gate. Throws a `ReportError` if one of them is not a complete report. */
export function readReports(files: readonly { readonly name: string; readonly xml: Buffer }[]): TestResults {
  const results: Results = { tests: 0, skipped: 0, failing: [] };
  for (const file of files) new Report(file.name, results).read(file.xml);
  return { ...results, failed: results.failing.length };
}

class Report {
  private readonly parser = new SaxesParser();
  private readonly suites: Suite[] = [];
  private readonly testCases: TestCase[] = [];
  private depth = 0;
  /** The failure that is open: its depth, its message and its text. */
  private failure?: { readonly depth: number; readonly message: string; text: string };

  constructor(private readonly file: string, private readonly results: Results) {}

  read(xml: Buffer): void {
    const text = this.decode(xml);
    const { parser } = this;
    parser.on('error', ({ message }) => this.refuse(`not well-formed XML: ${message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')}`));
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding && !/^(?:utf-?8|us-ascii)$/i.test(encoding)) this.refuse(`the encoding must be UTF-8, not ${encoding}`);
    });
    parser.on('doctype', () => this.refuse('a document type is not allowed'));
    parser.on('opentag', ({ name, attributes }) => this.open(name, attributes));
    parser.on('closetag', ({ name }) => this.close(name));
    parser.on('text', (part) => this.add(part));
    parser.on('cdata', (part) => this.add(part));
    parser.write(text).close();
  }

  private decode(xml: Buffer): string {
    if (xml.length === 0) throw new ReportError(this.file, undefined, 'the file is empty');
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(xml).replace(COLOR, '').replace(FORBIDDEN, ' ');
    } catch {
      throw new ReportError(this.file, undefined, 'the encoding must be UTF-8');
    }
  }

  private refuse(reason: string): never {
    throw new ReportError(this.file, this.parser.line, reason);
  }

  private open(element: string, attributes: Readonly<Record<string, string>>): void {
    if (this.depth === 0 && element !== 'testsuites' && element !== 'testsuite') {
      this.refuse(`not a JUnit report: the root element must be "testsuites" or "testsuite", not "${element}"`);
    }
    this.depth++;
    if (this.depth > REPORT_LIMITS.depth) this.refuse(`more than ${REPORT_LIMITS.depth} levels of elements`);

    if (element === 'testsuites' || element === 'testsuite') this.openSuite(attributes);
    else if (element === 'testcase') this.openTestCase(attributes);
    else if (FAILURES.includes(element)) this.failure ??= { depth: this.depth, message: attributes.message ?? '', text: '' };
    else if (element === 'skipped') this.skip();
  }

  private openSuite(attributes: Readonly<Record<string, string>>): void {
    const counts = Object.fromEntries(COUNTS.map((name) => [name, this.count(name, attributes[name])]));
    this.suites.push({
      name: plain(attributes.name, REPORT_LIMITS.name) || plain(this.file, REPORT_LIMITS.name),
      isRoot: this.depth === 1,
      counts,
      countsAssertions: attributes.hostname === 'tbd', // Catch2's own constant; it counts assertions
      tests: 0,
      failing: 0,
      skipped: 0,
      missing: 0,
      unexplained: 0,
      countedSkips: 0,
      hasSuites: false,
      countsErrors: false,
    });
  }

  private count(name: string, value: string | undefined): number | undefined {
    if (!value?.trim()) return undefined; // some tools write an empty attribute
    if (!/^\s*\d{1,9}\s*$/.test(value)) this.refuse(`"${name}" must be a number, not "${value}"`);
    return Number(value);
  }

  private openTestCase({ name, classname, status, result }: Readonly<Record<string, string>>): void {
    this.results.tests++;
    if (this.results.tests > REPORT_LIMITS.testCases) this.refuse(`more than ${REPORT_LIMITS.testCases} test cases`);
    const states = [status, result].filter((state) => state !== undefined);
    // The name that gotestsum gives to a package that cannot be built or started.
    const group = name === 'TestMain' && !classname ? this.suites.at(-1)!.name : classname;
    this.testCases.push({
      name: nameOf(group, name) || 'a test without a name',
      message: states.find((state) => FAILED.test(state)),
      skipped: states.some((state) => SKIPPED.test(state)),
    });
  }

  private skip(): void {
    const testCase = this.testCases.at(-1);
    if (testCase) testCase.skipped = true;
  }

  private add(text: string): void {
    if (this.failure && this.failure.text.length < TEXT) this.failure.text += text.slice(0, TEXT);
  }

  private close(element: string): void {
    if (this.failure?.depth === this.depth) this.closeFailure(this.failure);
    else if (element === 'testcase') this.closeTestCase(this.testCases.pop()!);
    else if (element === 'testsuites' || element === 'testsuite') this.closeSuite(this.suites.pop()!, this.suites.at(-1));
    this.depth--;
  }

  private closeFailure({ message, text }: { readonly message: string; readonly text: string }): void {
    this.failure = undefined;
    const given = plain(message, REPORT_LIMITS.message);
    const said = plain(text.replace(GO_PROGRESS, ''), REPORT_LIMITS.message);
    const best = (NO_MESSAGE.test(given) || said.startsWith(given) ? said : given) || given || 'failed';
    const testCase = this.testCases.at(-1);
    // A suite may have failed as a whole, before its first test case or after its last.
    if (!testCase) this.fail(this.suites.at(-1)!.name, best);
    else if (testCase.message === undefined || NO_MESSAGE.test(testCase.message)) testCase.message = best;
  }

  private closeTestCase({ name, message, skipped }: TestCase): void {
    const suite = this.suites.at(-1)!;
    suite.tests++;
    if (message !== undefined) {
      this.fail(name, message);
    } else if (skipped) {
      suite.skipped++;
      this.results.skipped++;
    }
  }

  private fail(name: string, message: string): void {
    this.suites.at(-1)!.failing++;
    this.report(name, message);
  }

  private report(name: string, message: string): void {
    if (this.results.failing.length >= REPORT_LIMITS.testCases) this.refuse(`more than ${REPORT_LIMITS.testCases} failures`);
    this.results.failing.push({ name, message });
  }

  /**
   * Compares what a suite counts with what it contains. A tool that could not start a suite may say so only in the suite's `errors`; one that
   * was stopped may have counted tests that it did not run.
   */
  private closeSuite(suite: Suite, parent: Suite | undefined): void {
    const { counts } = suite;
    // gotestsum's root counts lines of the standard error as errors, and its suites do not have the attribute.
    const errors = suite.isRoot && suite.hasSuites && !suite.countsErrors ? 0 : counts.errors ?? 0;
    const counted = (counts.failures ?? 0) + errors;
    const unexplained = suite.countsAssertions && suite.failing > 0 ? 0 : counted - suite.failing;
    if (unexplained > suite.unexplained) {
      this.report(suite.name, `the report counts ${counted} failures and errors here, and contains ${suite.failing}`);
    }
    suite.unexplained = Math.max(suite.unexplained, unexplained);

    const tests = suite.countsAssertions ? 0 : counts.tests ?? 0;
    suite.missing = Math.max(suite.missing, tests - suite.tests);
    suite.countedSkips = Math.max(suite.countedSkips, (counts.skipped ?? 0) + (counts.disabled ?? 0));
    if (parent) {
      parent.tests += suite.tests;
      parent.failing += suite.failing;
      parent.skipped += suite.skipped;
      parent.missing += suite.missing;
      parent.unexplained += suite.unexplained;
      parent.countedSkips += suite.countedSkips;
      parent.hasSuites = true;
      parent.countsErrors ||= suite.countsErrors || counts.errors !== undefined;
      return;
    }
    // Some tools count skipped tests and leave them out, such as mocha-junit-reporter, which has their number only at the root.
    const missing = suite.missing - Math.max(0, suite.countedSkips - suite.skipped);
    if (missing > 0) {
      this.report(suite.name, `the report counts ${suite.tests + missing} tests, and contains ${suite.tests}`);
    }
  }
}

/** Returns the name by which a reader recognizes a test. Some tools repeat a part of the name as the class. */
function nameOf(classname: string | undefined, name: string | undefined): string {
  const [group, own] = [plain(classname, TEXT), plain(name, TEXT)];
  const repeats = own === group || own.endsWith(` ${group}`) || [' ', '.', ':', '/', '#', '$'].some((separator) => own.startsWith(group + separator));
  return plain(repeats ? own : `${group} ${own}`, REPORT_LIMITS.name);
}

/** Returns text as one line without control characters, and cut. */
function plain(text: string | undefined, length: number): string {
  const line = (text ?? '').slice(0, 4 * TEXT).replace(/[\p{C}\s]+/gu, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
