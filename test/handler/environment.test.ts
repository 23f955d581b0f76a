import { fromEnv } from '@aws-sdk/credential-provider-env';
import { defaultProvider } from '../../src/handler/credentials';
import { numberFromEnv } from '../../src/handler/environment';

afterEach(() => {
  delete process.env.WORKBENCH_TEST;
});

test('a number that is not set has its default', () => {
  expect(numberFromEnv('WORKBENCH_TEST', 7)).toBe(7);
  process.env.WORKBENCH_TEST = '';
  expect(numberFromEnv('WORKBENCH_TEST', 7)).toBe(7);
});

test('a number may be set to zero', () => {
  process.env.WORKBENCH_TEST = '0';
  expect(numberFromEnv('WORKBENCH_TEST', 7)).toBe(0);
});

test('credentials are read from the environment, where a function has them', () => {
  expect(defaultProvider).toBe(fromEnv);
});
