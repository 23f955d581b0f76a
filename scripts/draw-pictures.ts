/** Draws the pictures of state machines in docs/ from the definitions themselves. */
import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount } from '../src';
import { ROLLOUT_SEQUENCE } from './rollout-sequence';
import { stateGraph } from '../src/journal/report/state-graph';
import { definitionOf } from '../test/support/definitions';

const outdir = mkdtempSync(join(tmpdir(), 'pictures-'));
const stack = new Stack(new App({ outdir }), 'Pictures');
new CodingLoop(stack, 'Loop', {
  runtime: new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  }),
  repository: GitRepository.fromInput(),
  bootstrap: ['npm ci'],
  gates: [Gate.command('lint', 'npm run lint'), Gate.command('test', 'npm test')],
});
writeFileSync(join(__dirname, '../docs/coding-loop.svg'), `${stateGraph(definitionOf(stack))}\n`);
writeFileSync(join(__dirname, '../docs/runtime-rollout.svg'), `${stateGraph(ROLLOUT_SEQUENCE)}\n`);
rmSync(outdir, { recursive: true, force: true });
