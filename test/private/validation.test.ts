import { Construct } from 'constructs';
import { faultsOf, firstFaultOf, Rule, throwOnFaults, ValidationError } from '../../src/private/validation';
import { newStack } from '../support/stacks';

const RULES: Rule<number>[] = [
  { broken: (value) => value < 10, message: (value) => `${value} is below 10` },
  { broken: (value) => value < 5, message: (value) => `${value} is below 5` },
];

test.each([
  [4, ['4 is below 10', '4 is below 5']],
  [5, ['5 is below 10']],
  [10, []],
])('reports all broken rules, in order: %p', (value, faults) => {
  expect(faultsOf(value, RULES)).toEqual(faults);
});

test.each([[4, ['4 is below 10']], [10, []]])('reports only the first broken rule of a graded table: %p', (value, faults) => {
  expect(firstFaultOf(value, RULES)).toEqual(faults);
});

test('fails once with all faults and the path of the construct', () => {
  const scope = new Construct(newStack(), 'Thing');

  expect(() => throwOnFaults(scope, ['one', 'two'])).toThrow(new ValidationError(['one', 'two'], 'Stack/Thing'));
  expect(() => throwOnFaults(scope, ['one', 'two'])).toThrow(expect.objectContaining({
    name: 'ValidationError', message: 'one\ntwo\n  at Stack/Thing', faults: ['one', 'two'],
  }));
});

test('throws nothing without faults', () => {
  expect(() => throwOnFaults(newStack(), [])).not.toThrow();
});
