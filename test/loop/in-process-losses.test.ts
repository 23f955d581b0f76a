import { IN_PROCESS } from '../support/loop-fixture';

// As in in-process.test.ts, for verifications that are lost, refused or cut off.
process.env[IN_PROCESS] = '1';

describe('with handlers in this process', () => {
  for (const file of ['verification-paths']) jest.requireActual(`./${file}.test`);
});
