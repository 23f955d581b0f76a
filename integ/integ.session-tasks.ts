/** The three tasks in separate state machines, for JSONPath and JSONata, and the function behind them. */
import { join } from 'path';
import { Duration, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, RuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { acknowledge, acknowledgeExecutionRole, portableApp, synthAndCheck } from './app';
import { AgentRuntime, Command, InvokeAgent, Mount, RunCommand, SessionDriver, StopSession } from '../src';

const app = portableApp();
const stack = new Stack(app, 'SessionTasksIntegStack');
const runtimeName = 'integ_session_tasks';

const runtime = new AgentRuntime(stack, 'Agent', {
  runtimeName,
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(join(__dirname, '../examples/persistent-workspace/agent'), { platform: Platform.LINUX_ARM64 }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
  environmentVariables: { WORKSPACE: '/mnt/workspace' },
});
const endpoint = RuntimeEndpoint.fromRuntimeEndpointAttributes(stack, 'Endpoint', {
  agentRuntimeArn: runtime.agentRuntimeArn,
  agentRuntimeEndpointArn: `${runtime.agentRuntimeArn}/runtime-endpoint/DEFAULT`,
  endpointName: 'DEFAULT',
});

function machine(id: string, chain: sfn.IChainable): sfn.StateMachine {
  return new sfn.StateMachine(stack, id, {
    definitionBody: sfn.DefinitionBody.fromChainable(chain),
    timeout: Duration.hours(1),
    tracingEnabled: true,
    logs: { destination: new logs.LogGroup(stack, `${id}Logs`), level: sfn.LogLevel.ALL },
  });
}

const path = { runtime, endpoint, sessionId: sfn.JsonPath.stringAt('$.session.id') };
const stopPath = new StopSession(stack, 'Stop', { ...path, resultPath: sfn.JsonPath.DISCARD });
const jsonPath = machine('JsonPath', new InvokeAgent(stack, 'Ask', {
  ...path, payload: sfn.TaskInput.fromObject({ prompt: sfn.JsonPath.stringAt('$.prompt') }), resultPath: '$.turn',
}).next(new RunCommand(stack, 'Check', {
  ...path, command: Command.shell('test -s notes.txt'), workingDirectory: '/mnt/workspace', timeout: Duration.minutes(2), resultPath: '$.checked',
}).addCatch(stopPath, { resultPath: '$.error' })).next(stopPath));

const expression = { runtime, endpoint, sessionId: '{% $states.input.session.id %}' };
const jsonata = machine('Jsonata', InvokeAgent.jsonata(stack, 'AskAndWait', {
  ...expression,
  payload: sfn.TaskInput.fromObject({ prompt: '{% $states.input.prompt %}', token: '{% $states.context.Task.Token %}' }),
  integrationPattern: sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
  heartbeat: Duration.minutes(1),
  outputs: '{% $states.input %}',
}).next(RunCommand.jsonata(stack, 'CheckAgain', {
  ...expression, command: Command.exec(['test', '-s', '/mnt/workspace/notes.txt']), outputs: '{% $states.input %}',
})).next(StopSession.jsonata(stack, 'StopAgain', expression)));

acknowledgeExecutionRole(runtime, runtimeName);
acknowledge(SessionDriver.getOrCreate(stack), { 'IAM5[Resource::*]': 'X-Ray knows no resource for PutTraceSegments and PutTelemetryRecords.' });
for (const { role } of [jsonPath, jsonata]) {
  acknowledge(role, { 'IAM5[Resource::*]': 'Deliveries of logs and traces are granted on all resources by the official construct; neither service names one.' });
}
synthAndCheck(app, stack);
