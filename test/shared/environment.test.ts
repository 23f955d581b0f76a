import { fromEnv } from '@aws-sdk/credential-provider-env';
import { defaultProvider } from '../../src/shared/credentials.client';
import { numberFromEnv, requireEnv } from '../../src/shared/environment.client';

afterEach(() => {
  delete process.env.WORKBENCH_TEST;
});

test('a setting that has to be there is read, and missed when it is not', () => {
  process.env.WORKBENCH_TEST = 'x';
  expect(requireEnv('WORKBENCH_TEST')).toBe('x');
  for (const value of [undefined, '']) {
    if (value === undefined) delete process.env.WORKBENCH_TEST;
    else process.env.WORKBENCH_TEST = value;
    expect(() => requireEnv('WORKBENCH_TEST')).toThrow('WORKBENCH_TEST is not set');
    expect(numberFromEnv('WORKBENCH_TEST', 7)).toBe(7);
  }
});

test('a number may be set to zero', () => {
  process.env.WORKBENCH_TEST = '0';
  expect(numberFromEnv('WORKBENCH_TEST', 7)).toBe(0);
});

test('credentials are those of the environment, which is where a function has them', () => {
  expect(defaultProvider).toBe(fromEnv);
});
