import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, relative } from 'path';
import { releaseContext, stageContext } from '../../src/image/image-context';
import { directoryOf } from '../support/image-parts';

describe('the files of an image, in an app whose output has a name of its own', () => {
  const outputBefore = process.env.CDK_OUTDIR;
  let directory: string;

  beforeEach(() => { directory = directoryOf({ 'agent.js': '', 'lib/util.js': '' }); });

  afterEach(() => {
    rmSync(directory, { recursive: true });
    delete process.env.CDK_OUTDIR;
    if (outputBefore !== undefined) process.env.CDK_OUTDIR = outputBefore;
  });

  function filesWithOutput(output: string, of = directory): string[] {
    process.env.CDK_OUTDIR = output;
    const context = stageContext({ directory: of, file: 'Dockerfile', dockerfile: '', scripts: [], application: 'application' });
    const files = readdirSync(join(context, 'application'), { recursive: true }).map(String).sort();
    releaseContext(context, false);
    return files;
  }

  test('hold a folder that is called what an output elsewhere is called', () => {
    for (const output of ['lib', join(tmpdir(), 'lib'), join(directory, '../lib'), `${directory}-lib`]) {
      expect(filesWithOutput(output)).toEqual(['agent.js', 'lib', 'lib/util.js']);
    }
  });

  test('do not hold an output that is among them, at the root or deeper', () => {
    expect(filesWithOutput(join(directory, 'lib'))).toEqual(['agent.js']);
    expect(filesWithOutput(relative(process.cwd(), join(directory, 'lib')))).toEqual(['agent.js']);
    mkdirSync(join(directory, 'lib/out'));
    writeFileSync(join(directory, 'lib/out/manifest.json'), '');
    expect(filesWithOutput(join(directory, 'lib/out'))).toEqual(['agent.js', 'lib', 'lib/util.js']);
  });

  test('do not hold an output that is among them by another path', () => {
    const link = `${directory}-link`;
    symlinkSync(directory, link);
    expect(filesWithOutput(join(directory, 'lib'), link)).toEqual(['agent.js']);
    rmSync(link);
  });

  test('are all there where the output is the directory itself', () => {
    expect(filesWithOutput(directory)).toEqual(['agent.js', 'lib', 'lib/util.js']);
  });
});
