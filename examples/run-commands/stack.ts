import { Duration, Stack, StackProps } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { AgentImage, AgentRuntime, Command, InvokeAgent, Mount, RunCommand, StopSession } from '../../src';

const WORKSPACE = '/mnt/workspace';

/**
 * Asks the agent, checks its work with a command, and stops the session whatever the result.
 *
 * Input `{ session: { id }, prompt, check: [program, argument, …] }`.
 */
export class AskAndCheckStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const runtime = new AgentRuntime(this, 'Agent', {
      agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/agent`, {
        base: 'public.ecr.aws/docker/library/node:24-slim',
        command: ['node', 'server.mjs'],
      }),
      mounts: [Mount.sessionStorage(WORKSPACE)],
      environmentVariables: { WORKSPACE },
    });
    const session = { runtime, sessionId: sfn.JsonPath.stringAt('$.session.id') };

    const ask = new InvokeAgent(this, 'Ask the agent', {
      ...session,
      payload: sfn.TaskInput.fromObject({ prompt: sfn.JsonPath.stringAt('$.prompt') }),
      resultPath: '$.turn',
    });
    const check = new RunCommand(this, 'Check', {
      ...session,
      // Words from the state are passed to the program unchanged; a shell would interpret them.
      command: Command.exec(sfn.JsonPath.listAt('$.check')),
      timeout: Duration.minutes(30),
      resultPath: '$.checked',
    });

    const stop = (name: string) => new StopSession(this, name, { ...session, resultPath: sfn.JsonPath.DISCARD });
    const passed = stop('Stop').next(new sfn.Succeed(this, 'Passed'));
    const notPassed = stop('Stop after it did not pass').next(new sfn.Fail(this, 'Not passed', {
      error: 'NotPassed',
      causePath: sfn.JsonPath.format('{}: {}', sfn.JsonPath.stringAt('$.checked.verdict'), sfn.JsonPath.stringAt('$.checked.tail')),
    }));
    const failed = stop('Stop after an error').next(new sfn.Fail(this, 'Failed', {
      // A custom name: the caught error may have a name that Step Functions reserves, such as States.Timeout.
      error: 'Broken',
      causePath: sfn.JsonPath.format('{}: {}', sfn.JsonPath.stringAt('$.error.Error'), sfn.JsonPath.stringAt('$.error.Cause')),
    }));

    ask.addCatch(failed, { resultPath: '$.error' });
    check.addCatch(failed, { resultPath: '$.error' });
    new sfn.StateMachine(this, 'AskAndCheck', {
      // Longer than everything that it waits for; without a timeout, a wait could keep the session, and its cost, forever.
      timeout: Duration.hours(2),
      definitionBody: sfn.DefinitionBody.fromChainable(ask.next(check).next(new sfn.Choice(this, 'Passed?')
        .when(sfn.Condition.stringEquals('$.checked.verdict', 'PASSED'), passed)
        .otherwise(notPassed))),
    });
  }
}
