import { Duration, Lazy, Stack, Token } from 'aws-cdk-lib';
import * as fc from 'fast-check';
import { sorted } from '../../src/private/sorted';

test('gives the same value, in the same text, whatever the order of its keys', () => {
  fc.assert(fc.property(fc.jsonValue(), fc.infiniteStream(fc.nat()), (value, numbers) => {
    const shuffled = (item: unknown): unknown => Array.isArray(item) ? item.map(shuffled)
      : typeof item === 'object' && item !== null
        ? Object.fromEntries(Object.entries(item).map(([key, inner]) => [numbers.next().value, key, shuffled(inner)] as const)
          .sort(([one], [other]) => one - other).map(([, key, inner]) => [key, inner]))
        : item;
    expect(sorted(value)).toEqual(value);
    expect(JSON.stringify(sorted(shuffled(value)))).toBe(JSON.stringify(sorted(value)));
  }));
});

test('does not change what is not a map: a token, a construct, a class of the CDK', () => {
  const values = { a: Lazy.any({ produce: () => 1 }), b: new Stack(), c: Duration.minutes(1), d: Token.asString({ Ref: 'X' }), e: undefined };
  expect(Object.values(sorted(values)).every((value, index) => value === Object.values(values)[index])).toBe(true);
});
