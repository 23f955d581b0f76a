/**
 * Measures the cost of an `AgentRuntime` at synth, compared with the official construct: importing the package and synthesizing ten runtimes.
 *
 * Usage: npx projen compile && npx ts-node --project tsconfig.dev.json benchmark/foundation.ts
 *
 * Each sample is a separate process. The variants take turns, so that other load on the machine affects all of them; only ratios count.
 * Fails if the whole package exceeds its limit.
 */
import { execFileSync } from 'child_process';
import { join } from 'path';

const ROUNDS = 21;
const LIMIT = 1.1;
const ROOT = join(__dirname, '..');

/** A sample, in milliseconds. */
interface Sample {
  readonly import: number;
  readonly synth: number;
}

/** Returns a program that imports the class, creates ten instances, synthesizes and prints its sample. */
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

const PROGRAMS = {
  official: program('aws-cdk-lib/aws-bedrockagentcore', 'Runtime'),
  foundation: program(`${ROOT}/lib/runtime`, 'AgentRuntime'),
  package: program(ROOT, 'AgentRuntime'),
};
type Kind = keyof typeof PROGRAMS;

const rounds: Record<Kind, Sample>[] = [];
for (let round = 0; round < ROUNDS; round++) {
  rounds.push({ official: sample(PROGRAMS.official), foundation: sample(PROGRAMS.foundation), package: sample(PROGRAMS.package) });
}

// The CDK loads its modules on first use, so an import that saves time can cost time at synth: only the sum has a limit.
const PHASES: { readonly name: string; readonly of: (taken: Sample) => number; readonly limited?: boolean }[] = [
  { name: 'import', of: (taken) => taken.import },
  { name: 'synth of ten', of: (taken) => taken.synth },
  { name: 'both', of: (taken) => taken.import + taken.synth, limited: true },
];

let failed = false;
console.log('| | official, ms | runtime/ alone | the whole package |\n|---|---|---|---|');
for (const { name, of, limited } of PHASES) {
  // Ratios of runs side by side, so that a slow moment of the machine cancels out.
  const ratio = (kind: Kind) => median(rounds.map((round) => of(round[kind]) / of(round.official)));
  failed ||= limited === true && ratio('package') > LIMIT;
  const official = median(rounds.map((round) => of(round.official)));
  console.log(`| ${name} | ${official.toFixed(0)} | ${ratio('foundation').toFixed(2)} | ${ratio('package').toFixed(2)} |`);
}
process.exit(failed ? 1 : 0);
