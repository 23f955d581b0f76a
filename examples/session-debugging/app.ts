/** A loop whose failed runs can be examined in their own session before it is gone. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  AgentImage, AgentRuntime, CodingLoop, Command, DevTool, Gate, GitRepository, Mount, RunCommand, SessionPolicy, StopSession,
} from '../../src';

const app = new App();
const stack = new Stack(app, 'SessionDebugging');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../persistent-workspace/agent`, { tools: [DevTool.GIT, DevTool.nodejs('22')] }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
  // Leaves time to examine a session, and limits the cost if nobody does.
  lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.minutes(30), maxLifetime: Duration.hours(4) },
});

const loop = new CodingLoop(stack, 'Fix', {
  runtime,
  repository: GitRepository.fromUrl('https://git.example.com/shop.git'),
  gates: [Gate.command('test', 'npm test')],
  sessionPolicy: SessionPolicy.LEAVE,
});

// A first look that needs no shell: which jobs ran, how they ended, what is left of the change, and what fills the disk.
const sessionId = sfn.JsonPath.stringAt('$.session.id');
const look = new RunCommand(stack, 'Look', {
  stateName: 'Look into the session',
  runtime,
  sessionId,
  command: Command.shell([
    'for job in .workbench/jobs/*/; do echo "== $job: $(cat "$job/exit" 2>/dev/null || echo "no end")"; tail -n 5 "$job/log"; done',
    'git -c safe.directory="*" -C repo status --short',
    'df -h /tmp /mnt/workspace; ps -eo pid,etime,args --sort=-etime | head -n 20',
  ].join('; ')),
  workingDirectory: '/mnt/workspace',
  timeout: Duration.minutes(2),
  resultPath: '$.look',
});
const examine = new sfn.StateMachine(stack, 'Examine', { definitionBody: sfn.DefinitionBody.fromChainable(look), timeout: Duration.minutes(30) });

const dispose = new sfn.StateMachine(stack, 'Dispose', {
  definitionBody: sfn.DefinitionBody.fromChainable(new StopSession(stack, 'Stop', { stateName: 'Stop the session', runtime, sessionId })),
  timeout: Duration.minutes(30),
});

// Only the on-call role may run these, and open a shell with the execution role's credentials.
const onCall = new iam.Role(stack, 'OnCall', { assumedBy: new iam.AccountPrincipal(stack.account) });
for (const stateMachine of [examine, dispose]) {
  stateMachine.grantStartExecution(onCall);
  stateMachine.grantRead(onCall);
}
runtime.grantInvokeCommand(onCall);
runtime.grantInvokeCommandShell(onCall);

new CfnOutput(stack, 'LoopArn', { value: loop.stateMachine.stateMachineArn });
new CfnOutput(stack, 'ExamineArn', { value: examine.stateMachineArn });
new CfnOutput(stack, 'DisposeArn', { value: dispose.stateMachineArn });

app.synth();
