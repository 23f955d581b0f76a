import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LocalFunction } from '../../../rehearsal/lambda';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'function-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A function whose code is below another project. */
function make(files: Record<string, string>): LocalFunction {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  return new LocalFunction({
    name: 'made', arn: 'arn:aws:lambda:us-east-1:123456789012:function:made', directory: join(home, 'cdk.out/asset'), handler: 'index.handler', region: 'us-east-1', environment: {},
  });
}

async function invoke(files: Record<string, string>): Promise<unknown> {
  const made = make(files);
  try {
    return await made.invoke({ asked: true });
  } finally {
    await made.kill();
  }
}

const COMMON_JS = 'exports.handler = async () => ({ root: process.env.LAMBDA_TASK_ROOT, kind: typeof module });';
const ES_MODULE = 'export const handler = async ({ asked }) => ({ asked, url: import.meta.url });';

test('loads a CommonJS bundle as such, whatever the surrounding project declares', async () => {
  const outcome = await invoke({ 'package.json': '{ "type": "module" }', 'cdk.out/asset/index.js': COMMON_JS });

  expect(outcome).toEqual({ result: { root: expect.any(String), kind: 'object' } });
  const { result } = outcome as { result: { root: string } };
  expect(existsSync(result.root)).toBe(false); // its copy is removed with the function
});

test.each([
  ['by its file name', { 'cdk.out/asset/index.mjs': ES_MODULE }],
  ['by its own package.json', { 'cdk.out/asset/package.json': '{ "type": "module" }', 'cdk.out/asset/index.js': ES_MODULE }],
])('loads an ES module that is declared %s', async (_, files) => {
  expect(await invoke({ 'package.json': '{}', ...files })).toEqual({ result: { asked: true, url: expect.stringMatching(/^file:/) } });
});

test.each([
  ['no file', {}, 'Runtime.ImportModuleError'],
  ['no export', { 'cdk.out/asset/index.js': 'exports.other = 1;' }, 'Runtime.HandlerNotFound'],
  ['a syntax error', { 'cdk.out/asset/index.js': 'exports.handler = ;' }, 'SyntaxError'],
])('fails as Lambda does for a handler with %s', async (_, files, errorType) => {
  mkdirSync(join(home, 'cdk.out/asset'), { recursive: true });
  expect(await invoke(files)).toMatchObject({ failure: { errorType } });
});

test('a request that arrives while the function\'s processes are killed has the code too', async () => {
  const made = make({ 'cdk.out/asset/index.js': COMMON_JS });
  const { result: first } = await made.invoke({}) as { result: { root: string } };
  const killed = made.kill();
  const asked = made.invoke({});
  await killed;
  const { result: second } = await asked as { result: { root: string } };
  expect(second.root).not.toBe(first.root);
  await made.kill();
  expect([first, second].map(({ root }) => existsSync(root))).toEqual([false, false]);
});
