import { IN_PROCESS } from '../support/loop-fixture';

// As in in-process.test.ts, for the verification of changes.
process.env[IN_PROCESS] = '1';

describe('with handlers in this process', () => {
  for (const file of ['verification', 'protected-paths']) jest.requireActual(`./${file}.test`);
});
