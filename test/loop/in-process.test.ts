import { IN_PROCESS } from '../support/loop-fixture';

// Repeats the paths with in-process-input.test.ts: elsewhere they run through the deployed bundle, which coverage does not see.
process.env[IN_PROCESS] = '1';

describe('with handlers in this process', () => {
  for (const file of ['paths', 'paths-turn']) jest.requireActual(`./${file}.test`);
});
