import { IN_PROCESS } from '../support/loop-fixture';

// The same paths once more, here and in in-process-input.test.ts: elsewhere they run through the deployed bundle, which coverage does not see.
process.env[IN_PROCESS] = '1';

describe('with the handlers in this process', () => {
  for (const file of ['paths', 'paths-turn']) jest.requireActual(`./${file}.test`);
});
