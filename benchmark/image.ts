/**
 * Measures the cost of changing the agent's code: the first build of an image with tools, a build without changes, and a build after a
 * change to the application alone. Uses buildah with stand-ins for the base and the downloads, so that the network is not measured.
 *
 * Usage, as root: bash scripts/install-tools.sh && npx ts-node --transpile-only --project tsconfig.dev.json benchmark/image.ts
 *
 * Fails unless the build's own output says that every step of the tools came from the cache.
 */
import { rmSync, writeFileSync } from 'fs';
import { join } from 'path';
import { type AgentImageOptions, DevTool } from '../src';
import { type Build, ContainerStore } from '../test/support/container-store';
import { imageOf } from '../test/support/image-assets';
import { directoryOf, importBase, importMise, startNodeMirror } from '../test/support/image-parts';

const ROUNDS = 5;

interface Sample { readonly seconds: number; readonly build: Build }

/** Returns, for each build step that the library adds, whether it came from the cache. */
function toolSteps(build: Build): boolean[] {
  return build.output.split(/^STEP /m).filter((step) => step.includes('/run/agent-image/')).map((step) => step.includes('Using cache'));
}

async function main(): Promise<void> {
  const store = new ContainerStore();
  const mirror = await startNodeMirror();
  const directory = directoryOf({ 'agent.js': '' });
  const options: AgentImageOptions = {
    command: ['node', 'agent.js'],
    tools: [DevTool.CURL, DevTool.JQ, DevTool.RIPGREP, DevTool.PYTHON3, DevTool.BUILD_ESSENTIAL, DevTool.nodejs('22')],
    miseSettings: { MISE_NODE_MIRROR_URL: mirror.url },
  };

  const sample = async (): Promise<Sample> => {
    const start = performance.now();
    const build = await store.build(imageOf(directory, options).context, 'benchmark');
    if (build.exitCode !== 0) throw new Error(build.output);
    return { seconds: (performance.now() - start) / 1000, build };
  };

  try {
    await importBase(store);
    await importMise(store);
    const first = await sample();
    const unchanged: Sample[] = [];
    const changed: Sample[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      unchanged.push(await sample());
      writeFileSync(join(directory, 'agent.js'), `// ${round}\n`);
      changed.push(await sample());
    }
    const median = (samples: Sample[]) => samples.map(({ seconds }) => seconds).sort((a, b) => a - b)[Math.floor(samples.length / 2)];
    console.log('| build | seconds |\n|---|---|');
    console.log(`| first | ${first.seconds.toFixed(1)} |`);
    console.log(`| nothing changed | ${median(unchanged).toFixed(1)} |`);
    console.log(`| the application changed | ${median(changed).toFixed(1)} |`);

    const rebuilt = [...unchanged, ...changed].filter(({ build }) => toolSteps(build).length !== 3 || toolSteps(build).includes(false));
    if (toolSteps(first.build).includes(true)) throw new Error('the first build was not the first');
    if (rebuilt.length > 0) throw new Error(`${rebuilt.length} builds made the layers of the tools again`);
    console.log(`\nlayers of the tools: made once, taken from the cache ${unchanged.length + changed.length} times`);
  } finally {
    await mirror.close();
    await store.dispose();
    rmSync(directory, { recursive: true });
  }
}

void main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
