import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { readReports, REPORT_LIMITS, ReportError, TestResults } from '../../src/loop/steps/junit';

/** Reads one report that is written in the test. */
const read = (xml: string | Buffer, name = 'reports/junit.xml') => readReports([{ name, xml: Buffer.from(xml as string) }]);

function errorOf(action: () => unknown): Error | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const summary = ({ tests, failed, skipped, failing }: TestResults) => ({ tests, failed, skipped, failing: failing.map(({ name }) => name) });

describe('a failure', () => {
  const testCase = (inside: string, attributes = '') => `<testsuite name="s"><testcase classname="c" name="n" ${attributes}>${inside}</testcase></testsuite>`;
  const c = { tests: 1, failed: 1, skipped: 0, failing: ['c n'] };

  test.each([
    ['a failure', '<failure/>'],
    ['an error', '<error message="m"/>'],
    ['Catch2\'s internal error', '<internalError/>'],
    ['both, which is one failing test', '<failure/><error/>'],
    ['a failure and a skip', '<skipped/><failure/>'],
    ['a failure below another element', '<properties><x><failure/></x></properties>'],
    ['a failure after retries', '<rerunFailure/><rerunError/><failure/>'],
  ])('is %s', (_, inside) => {
    expect(summary(read(testCase(inside)))).toEqual(c);
  });

  test.each(['status="failed"', 'result="error"', 'status="FAIL"'])('is a test case with %s and no element', (attribute) => {
    expect(summary(read(testCase('', attribute)))).toEqual(c);
    expect(summary(read(testCase('<skipped/>', attribute)))).toEqual(c);
  });

  test.each(['', '<flakyFailure message="m"><stackTrace>failure</stackTrace></flakyFailure>', '<flakyError/>', '<rerunFailure/>', '<system-out>&lt;failure/></system-out>',
    '<system-out><![CDATA[<failure/>]]></system-out>', '<warning/>', '<!-- <failure/> -->'])('is not %j', (inside) => {
    expect(summary(read(testCase(inside)))).toEqual({ tests: 1, failed: 0, skipped: 0, failing: [] });
  });

  test.each(['<skipped/>', '<skipped message="later">text</skipped>'])('is not %s, which is a skip', (inside) => {
    expect(summary(read(testCase(inside)))).toEqual({ tests: 1, failed: 0, skipped: 1, failing: [] });
  });

  test.each(['status="notrun" result="suppressed"', 'status="disabled"'])('is not %s of GoogleTest or CTest, which is a skip', (attributes) => {
    expect(summary(read(testCase('', attributes)))).toEqual({ tests: 1, failed: 0, skipped: 1, failing: [] });
  });

  test('of a suite as a whole is one of a test with its name', () => {
    expect(summary(read('<testsuites><testsuite name="s"><error message="no database"/><testcase name="n"/></testsuite></testsuites>')))
      .toEqual({ tests: 1, failed: 1, skipped: 0, failing: ['s'] });
    expect(read('<testsuites><failure>died</failure></testsuites>').failing).toEqual([{ name: 'reports/junit.xml', message: 'died' }]);
  });

  test('has the first message that says something', () => {
    const message = (inside: string) => read(testCase(inside)).failing[0].message;
    expect(message('<failure/>')).toBe('failed');
    expect(message('<failure message="Failed">why\n\tit did</failure>')).toBe('why it did');
    expect(message('<failure message=""><![CDATA[why]]></failure>')).toBe('why');
    expect(message('<failure message="why">a stack</failure>')).toBe('why');
    expect(message('<failure message="why">why: a stack</failure>')).toBe('why: a stack');
    expect(message('<failure message="first"/><error message="second"/>')).toBe('first');
    expect(message('<failure/><error message="second"/>')).toBe('second');
    expect(message('<failure>a<b>c</b>d</failure>')).toBe('acd');
    expect(message('<failure>outer<error message="inner"/></failure>')).toBe('outer');
  });

  test.each([
    ['c', 'n', 'c n'], ['', 'n', 'n'], [undefined, 'n', 'n'], ['c', '', 'c'], ['n', 'n', 'n'], [' n', ' n', 'n'],
    ['a b', 'a b c', 'a b c'], ['edge', 'discount edge', 'discount edge'], ['a.B', 'a.B.c', 'a.B.c'],
    ['a', 'ab', 'a ab'], ['b', 'ab', 'b ab'], ['', '', 'a test without a name'], ['', 'TestMain', 's TestMain'],
  ])('of class %j and name %j is one of the test %j', (classname, name, expected) => {
    const attributes = `${classname === undefined ? '' : `classname="${classname}" `}name="${name}"`;
    expect(summary(read(`<testsuite name="s"><testcase ${attributes}><failure/></testcase></testsuite>`)).failing).toEqual([expected]);
  });
});

describe('what a suite counts and does not contain', () => {
  test.each([
    ['<testsuite name="s" tests="0" errors="1"/>', ['s'], 'the report counts 1 failures and errors here, and contains 0'],
    ['<testsuites name="all" errors="1"/>', ['all'], 'the report counts 1 failures and errors here, and contains 0'],
    ['<testsuites><testsuite name="s" failures="2"><testcase name="n"><failure message="m"/></testcase></testsuite></testsuites>', ['n', 's'], 'the report counts 2 failures and errors here, and contains 1'],
    ['<testsuites failures="1" errors="1"><testsuite name="a" failures="1"/><testsuite name="b" errors="1"/></testsuites>', ['a', 'b'], 'the report counts 1 failures and errors here, and contains 0'],
    ['<testsuite name="s" tests="5"><testcase name="n"/></testsuite>', ['s'], 'the report counts 5 tests, and contains 1'],
    ['<testsuites name="all" tests="3" skipped="1"><testsuite name="s"><testcase name="n"/></testsuite></testsuites>', ['all'], 'the report counts 2 tests, and contains 1'],
    // A suite with more than it counts does not make up for another.
    ['<testsuites name="all"><testsuite tests="0"><testcase name="n"/></testsuite><testsuite tests="1"/></testsuites>', ['all'], 'the report counts 2 tests, and contains 1'],
    ['<testsuite name="s" tests="2" skipped="1"><testcase name="n"><skipped/></testcase></testsuite>', ['s'], 'the report counts 2 tests, and contains 1'],
  ])('is a failure: %s', (xml, failing, message) => {
    const results = read(xml);
    expect(results.failing.map(({ name }) => name)).toEqual(failing);
    expect(results.failing.at(-1)!.message).toBe(message);
  });

  test.each([
    ['skipped tests that are left out', '<testsuites tests="3" skipped="2"><testsuite tests="3"><testcase name="n"/></testsuite></testsuites>'],
    ['disabled tests that are left out', '<testsuites tests="2" disabled="1"><testsuite tests="1"><testcase name="n"/></testsuite></testsuites>'],
    ['lines of the standard error, at the root of gotestsum', '<testsuites tests="1" errors="2"><testsuite tests="1" failures="0"><testcase name="n"/></testsuite></testsuites>'],
    ['assertions, in Catch2', '<testsuites><testsuite name="s" tests="9" hostname="tbd"><testcase name="n"/></testsuite></testsuites>'],
    ['tests of nested suites again', '<testsuites tests="1"><testsuite tests="1"><testsuite tests="1"><testcase name="n"/></testsuite></testsuite></testsuites>'],
    ['nothing', '<testsuite tests="" errors=" " skipped=""><testcase name="n"/></testsuite>'],
    ['fewer, as Surefire does after retries', '<testsuite tests="1"><testcase name="m"/><testcase name="n"/></testsuite>'],
  ])('is none if these are %s', (_, xml) => {
    expect(read(xml).failing).toEqual([]);
  });

  test('is a failure in Catch2 only if no test case failed', () => {
    const catch2 = (inside: string) => summary(read(`<testsuites><testsuite name="s" tests="9" failures="3" hostname="tbd">${inside}</testsuite></testsuites>`)).failing;
    expect(catch2('<testcase name="n"><failure/><failure/><failure/></testcase>')).toEqual(['n']);
    expect(catch2('<testcase name="n"/>')).toEqual(['s']);
  });
});

describe('fails, and never passes, if a report', () => {
  test.each([
    ['is empty', '', 'the file is empty'],
    ['is white space', ' \n ', /: line 2: not well-formed XML: document must contain a root element$/],
    ['is text', 'ok 1\n', /: line \d: not well-formed XML: /],
    ['is Checkstyle\'s', '<?xml version="1.0"?>\n<checkstyle version="8"><file name="a"/></checkstyle>', 'line 2: not a JUnit report: the root element must be "testsuites" or "testsuite", not "checkstyle"'],
    ['is HTML', '<!DOCTYPE html>\n<html></html>', 'line 1: a document type is not allowed'],
    ['is HTML without a document type', '<html><body></body></html>', /not a JUnit report/],
    ['begins with a test case', '<testcase name="n"/>', /not a JUnit report/],
    ['has another name with a prefix', '<x:testsuite xmlns:x="y"/>', /not a JUnit report/],
    ['is cut off', '<testsuite>\n<testcase name="n">\n', /: line 3: not well-formed XML: unclosed tag: testcase$/],
    ['has two roots', '<testsuite/><testsuite/>', /only one root/],
    ['has text after its root', '<testsuite/>\nFAILED', /text data outside of root node/],
    ['has tags that do not match', '<testsuite><testcase name="n"></testsuite></testcase>', /unexpected close tag/],
    ['has an attribute twice', '<testsuite failures="0" failures="1"/>', /duplicate attribute: failures/],
    ['has an attribute without quotes', '<testsuite failures=0/>', /unquoted attribute value/],
    ['has a bare ampersand', '<testsuite name="a & b"/>', /not well-formed XML/],
    ['has an entity of its own', '<!DOCTYPE t [<!ENTITY e "x">]>\n<testsuite name="&e;"/>', /a document type is not allowed/],
    ['has an unknown entity', '<testsuite name="&nbsp;"/>', /undefined entity/],
    ['has half a surrogate pair', '<testsuite name="&#xD800;"/>', /malformed character entity/],
    ['counts with a word', '<testsuite\ntests="many"/>', 'line 2: "tests" must be a number, not "many"'],
    ['counts with a negative number', '<testsuite errors="-1"/>', /"errors" must be a number/],
    ['counts with a fraction', '<testsuite failures="0.5"/>', /"failures" must be a number/],
    ['counts with an overlong number', '<testsuite failures="10000000000"/>', /"failures" must be a number/],
    ['says that it is in another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><testsuite/>', 'line 1: the encoding must be UTF-8, not ISO-8859-1'],
    ['is in Latin-1', Buffer.from('<testsuite name="é"/>', 'latin1'), 'the encoding must be UTF-8'],
    ['is in UTF-16', Buffer.from('\ufeff<testsuite/>', 'utf16le'), 'the encoding must be UTF-8'],
    ['is in UTF-16 without a mark', Buffer.from('<testsuite/>', 'utf16le'), /not well-formed XML/],
    ['is compressed', Buffer.from([0x1f, 0x8b, 8, 0, 0]), 'the encoding must be UTF-8'],
  ])('%s', (_, xml, message) => {
    expect(() => read(xml)).toThrow(ReportError);
    expect(() => read(xml)).toThrow(message);
  });

  test('is the second of two', () => {
    expect(() => readReports([{ name: 'a.xml', xml: Buffer.from('<testsuite/>') }, { name: 'b.xml', xml: Buffer.from('<testsuite>') }])).toThrow('b.xml: line 1: not well-formed XML');
  });

  test('has a name or contents that would forge a line of the message', () => {
    expect(() => read('<testsuite/>x', 'a\n\u001b[31mb.xml')).toThrow(/^a \[31mb\.xml: line 1: /);
    expect(() => read(`<${'x'.repeat(10_000)}/>`)).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{300,600}…$/) }));
  });
});

test.each([
  ['a mark of UTF-8', '\ufeff<testsuite><testcase name="é"><failure/></testcase></testsuite>', 'é'],
  ['UTF-8 in its declaration', '<?xml version="1.0" encoding="utf8"?><testsuite><testcase name="日本"><failure/></testcase></testsuite>', '日本'],
  ['entities of XML and characters by number', '<testsuite><testcase name="&lt;&amp;&gt;&quot;&apos;&#233;&#x1F600;"><failure/></testcase></testsuite>', '<&>"\'é😀'],
  ['comments, instructions and namespaces', '<?pi x?><!-- c --><testsuite xmlns="y" xmlns:z="w" z:a="b"><testcase name="n"><failure/></testcase></testsuite>', 'n'],
  ['XML 1.1', '<?xml version="1.1"?><testsuite><testcase name="n"><failure/></testcase></testsuite>', 'n'],
  ['attributes with names of an object', '<testsuite><testcase __proto__="x" constructor="y" name="toString"><failure/></testcase></testsuite>', 'toString'],
])('a report may have %s', (_, xml, name) => {
  expect(summary(read(xml)).failing).toEqual([name]);
});

describe('limits', () => {
  const nested = (levels: number) => '<testsuite>'.repeat(levels) + '</testsuite>'.repeat(levels);

  test('of depth hold at their edge', () => {
    expect(read(nested(REPORT_LIMITS.depth)).tests).toBe(0);
    expect(() => read(nested(REPORT_LIMITS.depth + 1))).toThrow('more than 64 levels of elements');
    expect(() => read('<testsuite>'.repeat(1_000_000))).toThrow('more than 64 levels of elements');
  });

  test('of test cases hold at their edge, over all reports', () => {
    const half = Buffer.from(`<testsuite>${'<testcase name="n"/>'.repeat(REPORT_LIMITS.testCases / 2)}</testsuite>`);
    const one = Buffer.from('<testsuite><testcase name="n"/></testsuite>');
    const [a, b, c] = [{ name: 'a', xml: half }, { name: 'b', xml: half }, { name: 'c', xml: one }];
    expect(readReports([a, b]).tests).toBe(REPORT_LIMITS.testCases);
    expect(() => readReports([a, b, c])).toThrow('c: line 1: more than 100000 test cases');
  });

  test('of failures hold for suites too', () => {
    expect(() => read(`<testsuites>${'<testsuite errors="1"/>'.repeat(REPORT_LIMITS.testCases + 1)}</testsuites>`)).toThrow('more than 100000 failures');
    expect(() => read(`<testsuites>${'<failure/>'.repeat(REPORT_LIMITS.testCases + 1)}</testsuites>`)).toThrow('more than 100000 failures');
  });

  test('of names and messages cut them, between characters', () => {
    const failing = (name: string, message: string) => read(`<testsuite><testcase name="${name}"><failure message="${message}"/></testcase></testsuite>`).failing[0];
    const { name, message } = REPORT_LIMITS;
    expect(failing('n'.repeat(name), 'm'.repeat(message))).toEqual({ name: 'n'.repeat(name), message: 'm'.repeat(message) });
    expect(failing('n'.repeat(name + 1), 'm'.repeat(message + 1))).toEqual({ name: `${'n'.repeat(name - 1)}…`, message: `${'m'.repeat(message - 1)}…` });
    expect(failing(`${'n'.repeat(name - 2)}😀😀`, 'm').name).toBe(`${'n'.repeat(name - 2)}…`);
    expect(failing('n', 'm'.repeat(5_000_000)).message).toHaveLength(message);
  });

  test('hold against text in many parts', () => {
    const { message } = read(`<testsuite><testcase name="n"><failure>${'<b/>&lt;'.repeat(500_000)}</failure></testcase></testsuite>`).failing[0];
    expect(message).toBe(`${'<'.repeat(REPORT_LIMITS.message - 1)}…`);
  });
});

describe('attacks', () => {
  test.each([
    ['entities that multiply', '<!DOCTYPE t [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuite name="&b;"/>'],
    ['an external entity', '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite name="&x;"/>'],
    ['an external entity of a parameter', '<!DOCTYPE t [<!ENTITY % x SYSTEM "http://localhost/x.dtd"> %x;]><testsuite/>'],
    ['an external document type', '<!DOCTYPE testsuite SYSTEM "http://localhost/x.dtd"><testsuite/>'],
  ])('%s is refused', (_, xml) => {
    expect(() => read(xml)).toThrow('a document type is not allowed');
  });

  test.each(['<testsuite><!DOCTYPE t></testsuite>', '<testsuite/><!DOCTYPE t>'])('a document type elsewhere is refused: %s', (xml) => {
    expect(() => read(xml)).toThrow(ReportError);
  });

  test('names and messages contain no control characters', () => {
    const nasty = '&#27;[31mred&#10;&#x7;\u0001\u0000\u007f\u0085\u2028\u202e\u200b\ufeff|';
    const { failing: [{ name, message }] } = read(`<testsuite><testcase name="${nasty}"><failure>${nasty}</failure></testcase></testsuite>`);
    expect([name, message]).toEqual(['red |', 'red |']);
  });

  test('an inclusion or a style sheet is not followed', () => {
    const xml = '<?xml-stylesheet href="file:///etc/passwd"?><testsuite xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/><testcase name="n"/></testsuite>';
    expect(summary(read(xml))).toEqual({ tests: 1, failed: 0, skipped: 0, failing: [] });
  });

  test('no bytes at all make anything but a result or a ReportError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, inside) => {
      const xml = inside ? Buffer.concat([Buffer.from('<testsuite>'), bytes, Buffer.from('</testsuite>')]) : Buffer.from(bytes);
      expect(errorOf(() => readReports([{ name: 'x', xml }])) ?? new ReportError('', 0, '')).toBeInstanceOf(ReportError);
    }), { numRuns: 2_000 });
  });

  test('a changed byte in a report never makes fewer failures', () => {
    const xml = readFileSync(join(__dirname, 'reports/pytest-new.xml'));
    fc.assert(fc.property(fc.nat(xml.length - 1), fc.nat(255), (at, byte) => {
      const changed = Buffer.from(xml);
      changed[at] = byte;
      let failed = Infinity;
      const error = errorOf(() => (failed = read(changed).failed));
      expect(failed).toBeGreaterThanOrEqual(2);
      expect(error ?? new ReportError('', 0, '')).toBeInstanceOf(ReportError);
    }), { numRuns: 2_000 });
  });
});

describe('any list of test cases', () => {
  const RESULTS = ['passed', 'failure', 'error', 'skipped'] as const;
  const escape = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019 <>&"\'éß日😀/[].:$#'), minLength: 1, maxLength: 40 }).filter((text) => text.trim() !== '');
  const testCase = fc.record({ classname: fc.option(word), name: word, result: fc.constantFrom(...RESULTS), message: word, cdata: fc.boolean() });
  type Case = typeof testCase extends fc.Arbitrary<infer T> ? T : never;
  const suites = fc.array(fc.record({ cases: fc.array(testCase, { maxLength: 8 }), nested: fc.boolean() }), { maxLength: 5 });

  const text = ({ message, cdata }: Case) => (cdata && !message.includes(']]>') ? `<![CDATA[${message}]]>` : escape(message));
  const writeCase = (c: Case) => `<testcase${c.classname === null ? '' : ` classname="${escape(c.classname)}"`} name="${escape(c.name)}">${c.result === 'passed' ? '' : `<${c.result}>${text(c)}</${c.result}>`}</testcase>`;
  const counted = (cases: readonly Case[], ...results: string[]) => cases.filter(({ result }) => results.includes(result)).length;
  const writeSuite = (cases: readonly Case[], inside = cases.map(writeCase).join('\n')) =>
    `<testsuite name="s" tests="${cases.length}" failures="${counted(cases, 'failure')}" errors="${counted(cases, 'error')}" skipped="${counted(cases, 'skipped')}">${inside}</testsuite>`;

  test('comes back, with counts, names and messages', () => {
    fc.assert(fc.property(suites, fc.boolean(), (list, separate) => {
      const written = list.map(({ cases, nested }) => (nested ? writeSuite(cases, writeSuite(cases)) : writeSuite(cases)));
      const files = separate ? written : [`<testsuites>${written.join('')}</testsuites>`];
      const all = list.flatMap(({ cases }) => cases);
      const failing = all.filter(({ result }) => result === 'failure' || result === 'error');
      const results = readReports(files.map((xml) => ({ name: 'x.xml', xml: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`) })));
      expect([results.tests, results.failed, results.skipped]).toEqual([all.length, failing.length, counted(all, 'skipped')]);
      const line = (value: string) => value.replace(/\s+/g, ' ').trim();
      results.failing.forEach(({ name }, index) => {
        const { classname, name: own } = failing[index];
        expect([line(own), line(`${classname} ${own}`)]).toContain(name);
      });
      expect(results.failing.map(({ message }) => message)).toEqual(failing.map(({ message }) => line(message)));
    }), { numRuns: 500 });
  });

  test('does not pass if one of them is taken out, and its suite still counts it', () => {
    fc.assert(fc.property(fc.array(testCase, { minLength: 1, maxLength: 8 }), fc.nat(), (cases, at) => {
      const gone = at % cases.length;
      fc.pre(cases[gone].result !== 'skipped'); // some tools leave those out
      const rest = cases.filter((_, index) => index !== gone);
      expect(read(writeSuite(cases, rest.map(writeCase).join(''))).failed).toBeGreaterThan(counted(rest, 'failure', 'error'));
    }));
  });
});
