import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import { blocksOf } from '../support/page';

// This reads the types of the library and of the CDK.
jest.setTimeout(180_000);

const ROOT = join(__dirname, '../..');
const FIXTURE = readFileSync(join(ROOT, 'rosetta/default.ts-fixture'), 'utf8');

/** The TypeScript of the pages in docs/, as files that exist for the compiler only. The build compiles the code of the README and of docstrings. */
const FILES = new Map(
  readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).flatMap((name) => blocksOf(`docs/${name}`)
    // A block that starts with the name of a file is run by test/package/pages.test.ts.
    .filter(({ language, notRun, text }) => language === 'ts' && notRun === undefined && !/^\/\/ \S+\n/.test(text))
    .map(({ line, text }): [string, string] => [
      join(ROOT, `docs/${name}.line-${line}.ts`),
      FIXTURE.replace('/// here', text.replace(/^declare const (\w+): (.*);$/gm, 'const $1 = {} as unknown as $2;')),
    ])),
);

test('the TypeScript of every page compiles', () => {
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(ROOT, 'tsconfig.dev.json'), ts.sys.readFile).config, ts.sys, ROOT);
  const settings: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    composite: false,
    incremental: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    skipLibCheck: true,
    paths: { 'cdk-agentcore-workbench': [join(ROOT, 'src/index.ts')] },
  };
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => FILES.has(path) || fileExists.call(host, path);
  host.readFile = (path) => FILES.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, target, ...rest) => (
    FILES.has(path) ? ts.createSourceFile(path, FILES.get(path)!, target) : getSourceFile.call(host, path, target, ...rest)
  );

  const program = ts.createProgram([...FILES.keys()], settings, host);
  const errors = [...FILES.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      .map(({ messageText }) => `${path.slice(ROOT.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  });

  expect(FILES.size).toBeGreaterThan(8);
  expect(errors).toEqual([]);
});
