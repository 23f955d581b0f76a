/**
 * What an `AgentRuntime` costs a synth: importing the package, and synthesizing ten runtimes, against the official construct.
 *
 * Usage: npx jsii --silence-warnings=reserved-word && npx ts-node --project tsconfig.dev.json benchmark/foundation.ts
 *
 * Each sample is a process of its own. Both kinds take turns, so that whatever else the machine does falls on both; only ratios count.
 * Fails when a ratio is above its limit.
 */
import { execFileSync } from 'child_process';
import { join } from 'path';

const ROUNDS = 21;
const LIMIT = 1.1;
const ROOT = join(__dirname, '..');

/** What a sample measures, in milliseconds. */
interface Sample {
  readonly import: number;
  readonly synth: number;
}

/** A program that imports the class, makes ten of it, synthesizes and prints its sample. */
function program(library: string, className: string): string {
  return `
    const { performance } = require('perf_hooks');
    const start = performance.now();
    const { App, Stack } = require('aws-cdk-lib');
    const { AgentRuntimeArtifact } = require('aws-cdk-lib/aws-bedrockagentcore');
    const { ${className}: Runtime } = require('${library}');
    const imported = performance.now();
    const app = new App({ outdir: require('fs').mkdtempSync(require('os').tmpdir() + '/benchmark-') });
    const stack = new Stack(app, 'Stack');
    const agentRuntimeArtifact = AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1');
    for (let i = 0; i < 10; i++) new Runtime(stack, 'Agent' + i, { agentRuntimeArtifact });
    app.synth();
    console.log(JSON.stringify({ import: imported - start, synth: performance.now() - imported }));
    require('fs').rmSync(app.outdir, { recursive: true });
  `;
}

const sample = (code: string): Sample => JSON.parse(execFileSync(process.execPath, ['-e', code], { cwd: ROOT, encoding: 'utf8' }));

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

const official = program('aws-cdk-lib/aws-bedrockagentcore', 'Runtime');
const ours = program(ROOT, 'AgentRuntime');
const samples: { readonly official: Sample; readonly ours: Sample }[] = [];
for (let round = 0; round < ROUNDS; round++) samples.push({ official: sample(official), ours: sample(ours) });

let failed = false;
const phases: [string, (of: Sample) => number][] = [
  ['import', (of) => of.import], ['synth of ten', (of) => of.synth], ['both', (of) => of.import + of.synth],
];
console.log('| | official, ms | ours, ms | ratio |\n|---|---|---|---|');
for (const [name, of] of phases) {
  const [theirs, own] = [median(samples.map((pair) => of(pair.official))), median(samples.map((pair) => of(pair.ours)))];
  // Of pairs that ran side by side, so that a slow moment of the machine cancels out.
  const ratio = median(samples.map((pair) => of(pair.ours) / of(pair.official)));
  failed ||= ratio > LIMIT;
  console.log(`| ${name} | ${theirs.toFixed(0)} | ${own.toFixed(0)} | ${ratio.toFixed(2)} |`);
}
process.exit(failed ? 1 : 0);
