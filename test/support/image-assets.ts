import { readFileSync, readdirSync } from 'fs';
import { join } from 'path';
import { App, Stack } from 'aws-cdk-lib';
import { type AgentRuntimeArtifact, Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentImage, type AgentImageOptions } from '../../src';

/** An image in the cloud assembly, which is what a deployment builds. */
export interface ImageAsset {
  readonly hash: string;
  /** The build context. */
  readonly context: string;
  readonly dockerfile: string;
  /** The scripts that the library adds, by the name of their step. */
  readonly scripts: { readonly packages: string; readonly verify: string; readonly runtimes?: string };
  /** The options that the assembly passes to the builder. */
  readonly source: { readonly [option: string]: unknown };
}

export function assetOf(artifact: AgentRuntimeArtifact, outdir?: string): ImageAsset {
  const app = new App({ outdir });
  const stack = new Stack(app, 'Stack');
  new Runtime(stack, 'Runtime', { agentRuntimeArtifact: artifact });
  const assembly = app.synth();
  const manifest = JSON.parse(readFileSync(join(assembly.directory, 'Stack.assets.json'), 'utf8'));
  const [[hash, { source }]] = Object.entries<{ source: { directory: string; dockerFile: string } }>(manifest.dockerImages);
  const context = join(assembly.directory, source.directory);
  const directory = join(context, '.agent-image');
  const script = (step: string) => readdirSync(directory).filter((name) => name.startsWith(step)).map((name) => readFileSync(join(directory, name), 'utf8'))[0];
  return {
    hash,
    context,
    dockerfile: readFileSync(join(context, source.dockerFile), 'utf8'),
    scripts: { packages: script('packages'), verify: script('verify'), runtimes: script('runtimes') },
    source: { ...source },
  };
}

/** Synthesizes an image from a directory and returns its asset. */
export function imageOf(directory: string, options?: AgentImageOptions): ImageAsset {
  return assetOf(AgentImage.fromDirectory(directory, options));
}
