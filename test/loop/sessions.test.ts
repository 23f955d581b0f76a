import * as fc from 'fast-check';
import { executionOfRun, ownSession, provenSession, runIdOf, sessionOf } from '../../src/loop/steps/sessions';

const arn = (name: string) => `arn:aws:states:us-east-1:123456789012:execution:Loop:${name}`;
const NAME = fc.stringMatching(/^[A-Za-z0-9._+!@()='-]{1,80}$/);
const ODD_NAME = fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }).map((text) => text.replace(/:/g, '').slice(0, 80)).filter((text) => text !== '');
const ENDPOINT = fc.constantFrom(undefined, 'DEFAULT', 'v7', 'v8');

describe('the session that an execution creates', () => {
  test('has a valid id that is unique to the execution and the endpoint', () => {
    fc.assert(fc.property(fc.oneof(NAME, ODD_NAME), ENDPOINT, (name, endpointName) => {
      const { id } = ownSession(arn(name), endpointName);
      return /^[A-Za-z0-9][A-Za-z0-9_-]{32,99}$/.test(id) && id === ownSession(arn(name), endpointName).id
        && id !== ownSession(arn(`${name}x`), endpointName).id && id !== ownSession(arn(name), 'another').id;
    }), { numRuns: 2_000 });
  });

  test('starts with the execution\'s name, so that it can be found', () => {
    expect(ownSession(arn('fix-the-tests')).id).toMatch(/^fix-the-tests-[0-9a-f]{33}$/);
    expect(runIdOf(arn('fix-the-tests'))).toMatch(/^fix-the-tests-[0-9a-f]{8}$/);
  });

  test('names the execution if the id does not', () => {
    expect(ownSession(arn('a')).execution).toBeUndefined();
    for (const name of ['a.b', '-a', 'x'.repeat(61)]) expect(ownSession(arn(name)).execution).toBe(name);
  });
});

describe('a session that an input names', () => {
  test('is accepted if any execution of the state machine created it, with the endpoint of that time', () => {
    fc.assert(fc.property(NAME, ENDPOINT, ENDPOINT, (name, endpointName, newer) => {
      const session = { endpointName: 'DEFAULT', ...ownSession(arn(name), endpointName) };
      const found = provenSession(arn('another'), session, newer);
      return found?.session.id === session.id && (found.session.endpointName ?? 'DEFAULT') === (endpointName ?? 'DEFAULT') && found.maker === arn(name);
    }), { numRuns: 2_000 });
  });

  test.each<[string, unknown]>([
    ['of another state machine', ownSession(arn('a').replace('Loop', 'Docs'))],
    ['of another account', ownSession(arn('a').replace('123456789012', '210987654321'))],
    ['of another region', ownSession(arn('a').replace('us-east-1', 'us-west-2'))],
    ['of another endpoint', { ...ownSession(arn('a'), 'v7'), endpointName: 'v8' }],
    ['of an endpoint, without its name', { id: ownSession(arn('a'), 'v7').id }],
    ['of a name that is too long for the id, without that name', { id: ownSession(arn('x'.repeat(61))).id }],
    ['of another execution than it names', { ...ownSession(arn('a')), execution: 'b' }],
    ['with an execution that leads elsewhere', { ...ownSession(arn('a')), execution: 'Docs:a' }],
    ['with a wildcard for an execution', { ...ownSession(arn('*')), execution: '*' }],
    ['with a changed digest', { id: ownSession(arn('a')).id.replace(/.$/, (digit) => digit === '0' ? '1' : '0') }],
    ['that anyone may have created', { id: 'a-session-of-more-than-thirty-three-characters' }],
    ['that is not a record', 'a'],
    ['that is nothing', null],
    ['without an id', {}],
    ['with an id that is not text', { id: [ownSession(arn('a')).id] }],
    ['with an endpoint that is not text', { ...ownSession(arn('a')), endpointName: 7 }],
  ])('is refused %s', (_, session) => {
    expect(sessionOf(arn('another'), { session })).toBeUndefined();
  });

  test('is the execution\'s own if the input names none', () => {
    for (const input of [undefined, null, 'x', 1, [], {}]) expect(sessionOf(arn('a'), input)).toEqual({ session: ownSession(arn('a')), maker: arn('a') });
  });
});

describe('the run that a marker names', () => {
  test('is an execution of the same state machine, or none', () => {
    fc.assert(fc.property(fc.oneof(NAME, ODD_NAME), (name) => {
      const found = executionOfRun(arn('another'), runIdOf(arn(name)));
      return found === undefined ? !/^[\w.+!@()='-]+$/.test(name) : found === arn(name);
    }), { numRuns: 2_000 });
    for (const forged of ['', 'x', 'dead-00000000', runIdOf(arn('a').replace('Loop', 'Docs')), `Docs:${runIdOf(arn('a'))}`, 'x'.repeat(500)]) {
      expect(executionOfRun(arn('another'), forged)).toBeUndefined();
    }
  });
});
