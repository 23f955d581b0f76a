import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, relative } from 'path';
import { App, FileSystem, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentImage } from '../../src';
import { releaseContext, stageContext } from '../../src/image/image-context';
import { directoryOf } from '../support/image-parts';
import { newStack } from '../support/stacks';

describe('the files of an image, in an app whose output directory has a custom name', () => {
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

  test('include a folder with the name of another app\'s output directory', () => {
    for (const output of ['lib', join(tmpdir(), 'lib'), join(directory, '../lib'), `${directory}-lib`]) {
      expect(filesWithOutput(output)).toEqual(['agent.js', 'lib', 'lib/util.js']);
    }
  });

  test('do not include an output directory that is among them, at the root or deeper', () => {
    expect(filesWithOutput(join(directory, 'lib'))).toEqual(['agent.js']);
    expect(filesWithOutput(relative(process.cwd(), join(directory, 'lib')))).toEqual(['agent.js']);
    mkdirSync(join(directory, 'lib/out'));
    writeFileSync(join(directory, 'lib/out/manifest.json'), '');
    expect(filesWithOutput(join(directory, 'lib/out'))).toEqual(['agent.js', 'lib', 'lib/util.js']);
  });

  test('do not include an output directory that is among them under another path', () => {
    const link = `${directory}-link`;
    symlinkSync(directory, link);
    expect(filesWithOutput(join(directory, 'lib'), link)).toEqual(['agent.js']);
    rmSync(link);
  });

  test('are complete if the output directory is the directory itself', () => {
    expect(filesWithOutput(directory)).toEqual(['agent.js', 'lib', 'lib/util.js']);
  });
});

describe('the staging copy of an image', () => {
  let directory: string;

  beforeEach(() => { directory = directoryOf({ 'agent.js': '' }); });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Copies of this process only: other tests make copies at the same time. */
  function copiesMadeBy(action: () => void): string[] {
    const made: string[] = [];
    const mkdtemp = jest.spyOn(FileSystem, 'mkdtemp').mockImplementation((prefix) => {
      made.push(mkdtempSync(join(tmpdir(), prefix)));
      return made[made.length - 1];
    });
    action();
    mkdtemp.mockRestore();
    return made.filter((copy) => existsSync(copy));
  }

  test('is removed once a runtime has used the image, and a second runtime can use it too', () => {
    const left = copiesMadeBy(() => {
      const artifact = AgentImage.fromDirectory(directory, { command: ['node', 'agent.js'] });
      const stack = newStack();
      new Runtime(stack, 'First', { agentRuntimeArtifact: artifact });
      new Runtime(stack, 'Second', { agentRuntimeArtifact: artifact });
      Template.fromStack(stack).resourceCountIs('AWS::BedrockAgentCore::Runtime', 2);
    });
    expect(left).toEqual([]);
  });

  test('stays if the assembly refers to it', () => {
    const [copy] = copiesMadeBy(() => {
      const stack = new Stack(new App({ context: { 'aws:cdk:disable-asset-staging': true } }), 'Stack');
      new Runtime(stack, 'Runtime', { agentRuntimeArtifact: AgentImage.fromDirectory(directory, { command: ['node', 'agent.js'] }) });
      Template.fromStack(stack);
    });
    expect(existsSync(join(copy, 'Dockerfile'))).toBe(true);
    rmSync(copy, { recursive: true });
  });
});
