/**
 * Measures the synth time of a stack with a `CodingLoop`, compared with a stack that has the same resources and as many states from
 * official constructs: a runtime, a function with the same bundle, a state machine and a rule.
 *
 * Usage: npx projen compile && npx ts-node --transpile-only --project tsconfig.dev.json benchmark/loop-synth.ts
 *
 * Each sample is a separate process and includes the imports; the variants take turns, and only ratios count. Fails over the limit.
 */
import { execFileSync } from 'child_process';
import { join } from 'path';

const ROUNDS = 21;
const LIMIT = 1.15;
const ROOT = join(__dirname, '..');

const BEGIN = `
  const start = performance.now();
  const { App, Stack, Duration } = require('aws-cdk-lib');
  const agentcore = require('aws-cdk-lib/aws-bedrockagentcore');
  const app = new App({ outdir: require('fs').mkdtempSync(require('os').tmpdir() + '/benchmark-') });
  const stack = new Stack(app, 'Stack');
  const agentRuntimeArtifact = agentcore.AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1');
`;
const END = `
  app.synth();
  console.log(performance.now() - start);
  require('fs').rmSync(app.outdir, { recursive: true });
`;

const PROGRAMS = {
  ours: `${BEGIN}
    const { AgentRuntime, CodingLoop, Gate, GitRepository, Mount } = require('${ROOT}');
    const runtime = new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact, mounts: [Mount.sessionStorage('/mnt/workspace')] });
    new CodingLoop(stack, 'Fix', {
      runtime,
      repository: GitRepository.fromUrl('https://git.example.com/app.git'),
      bootstrap: ['npm ci'],
      gates: [Gate.command('lint', 'npm run lint'), Gate.command('test', 'npm test')],
    });
    ${END}`,
  official: `${BEGIN}
    const events = require('aws-cdk-lib/aws-events');
    const targets = require('aws-cdk-lib/aws-events-targets');
    const iam = require('aws-cdk-lib/aws-iam');
    const lambda = require('aws-cdk-lib/aws-lambda');
    const logs = require('aws-cdk-lib/aws-logs');
    const sfn = require('aws-cdk-lib/aws-stepfunctions');
    const tasks = require('aws-cdk-lib/aws-stepfunctions-tasks');
    const runtime = new agentcore.Runtime(stack, 'Agent', { agentRuntimeArtifact });
    const logGroup = new logs.LogGroup(stack, 'Logs');
    const fn = new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', retryAttempts: 0, tracing: lambda.Tracing.ACTIVE, logGroup,
      code: lambda.Code.fromAsset('${ROOT}/assets/driver/session-driver.lambda'), timeout: Duration.minutes(15),
    });
    fn.addToRolePolicy(new iam.PolicyStatement({ actions: ['bedrock-agentcore:InvokeAgentRuntimeCommand'], resources: [runtime.agentRuntimeArn] }));
    const failed = new sfn.Fail(stack, 'Failed');
    const task = (id) => new tasks.LambdaInvoke(stack, id, { lambdaFunction: fn, payloadResponseOnly: true, resultPath: '$.loop' });
    const stopFailed = task('StopFailed');
    stopFailed.next(failed);
    const chain = ['Prepare', 'Bootstrap', 'Turn', 'Snapshot', 'Lint', 'Test', 'Commit', 'Stop'].map((id) => task(id).addCatch(stopFailed, { resultPath: '$.error' }));
    chain.slice(0, -1).forEach((state, index) => {
      const following = chain[index + 1];
      if (index < 3) return state.next(following);
      return state.next(new sfn.Choice(stack, 'Choice' + index)
        .when(sfn.Condition.stringEquals('$.loop.next', 'GO_ON'), following)
        .when(sfn.Condition.stringEquals('$.loop.next', 'REPAIR'), chain[2])
        .otherwise(stopFailed));
    });
    const machine = new sfn.StateMachine(stack, 'Runs', {
      definitionBody: sfn.DefinitionBody.fromChainable(chain[0]), tracingEnabled: true, logs: { destination: logGroup, level: sfn.LogLevel.ERROR },
    });
    new events.Rule(stack, 'CutOff', {
      eventPattern: { source: ['aws.states'], detail: { stateMachineArn: [machine.stateMachineArn] } }, targets: [new targets.LambdaFunction(fn)],
    });
    ${END}`,
};

const sample = (code: string): number => Number(execFileSync(process.execPath, ['-e', code], { cwd: ROOT, encoding: 'utf8' }));
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const rounds = Array.from({ length: ROUNDS }, () => ({ official: sample(PROGRAMS.official), ours: sample(PROGRAMS.ours) }));
const ratio = median(rounds.map(({ official, ours }) => ours / official));
console.log('| official, ms | ours, ms | ratio |\n|---|---|---|');
console.log(`| ${median(rounds.map(({ official }) => official)).toFixed(0)} | ${median(rounds.map(({ ours }) => ours)).toFixed(0)} | ${ratio.toFixed(2)} |`);
process.exit(ratio > LIMIT ? 1 : 0);
