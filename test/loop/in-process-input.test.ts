import { IN_PROCESS } from '../support/loop-fixture';

// The other half of in-process.test.ts, so that two processors share the tests.
process.env[IN_PROCESS] = '1';

describe('with handlers in this process', () => {
  for (const file of ['paths-input', 'paths-session']) jest.requireActual(`./${file}.test`);
});
