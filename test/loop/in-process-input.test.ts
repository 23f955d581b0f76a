import { IN_PROCESS } from '../support/loop-fixture';

// The other half of in-process.test.ts: two processors share them.
process.env[IN_PROCESS] = '1';

describe('with the handlers in this process', () => {
  for (const file of ['paths-input', 'paths-session']) jest.requireActual(`./${file}.test`);
});
