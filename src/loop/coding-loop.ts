import { ArnFormat, Duration, Stack, Token, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { AgentTurn } from './agent-turn';
import { CodingLoopProps, SessionPolicy } from './coding-loop-props';
import { Commit } from './commit';
import { GitRepository } from './git-repository';
import { loopFaults, mountOf } from './loop-faults';
import { loopStates } from './loop-states';
import { LOOP_LIMITS, LOOP_METRICS, STEPS } from './steps/constants';
import { SessionDriver } from '../driver/session-driver';
import { METRICS } from '../jobs/constants';
import { sorted } from '../private/sorted';
import { throwOnFaults } from '../private/validation';
import { warnAboutDefaultEndpoint } from '../rollout/default-endpoint-warning';
import { sessionStorageMountOf } from '../runtime/introspection';
import { INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, STOP_SESSION_ACTIONS } from '../runtime/perms';
import { secondsOf } from '../tasks/checks';

/**
 * Lets an agent work on a repository until it is green, and commits only then: turn, gates, repair, commit.
 *
 * ```text
 * Prepare → Bootstrap → Turn → Record → Gate lint → Gate test → Commit → Stop → done
 *                        ↑_________________ red, repairs left ______|     any error → Stop → failed
 * ```
 *
 * A run's input is `{ prompt, taskId, repository?, session? }`, its output `{ outcome, taskId, rounds, commit?, gates, session }`
 * with `COMMITTED` or `NO_CHANGES`. A run that stays red fails with `CodingLoop.Red` and the same record as its cause. With
 * `session` from an earlier output it goes on in that workspace.
 *
 * What is committed is the tree that was recorded before the gates, and every gate has passed on it. A gate whose run leaves
 * other files behind than it found has failed.
 *
 * ## Limitations
 *
 * - Whoever can write to the workspace, such as the agent, can forge what a gate says. What gates protect from is mistakes.
 * - Prompts and commands show in the runtime's logs, since the service logs commands; prompts show in the executions.
 * - One run at a time in a session: another is refused with `CodingLoop.SessionBusy`.
 * - `session` has to be that of an execution of this state machine which Step Functions still knows: up to 90 days after its end.
 * - The driver may read the executions of all state machines of the account and region, unless the loop has a `stateMachineName`.
 *
 * @example
 * declare const runtime: agentcore.IBedrockAgentRuntime;
 * new CodingLoop(this, 'Fix', {
 *   runtime,
 *   mountPath: '/mnt/workspace',
 *   repository: GitRepository.fromUrl('https://example.com/app.git'),
 *   bootstrap: ['npm ci'],
 *   gates: [
 *     Gate.command('lint', 'npm run lint'),
 *     Gate.command('test', 'npm test', { timeout: Duration.minutes(40) }),
 *   ],
 * });
 */
export class CodingLoop extends Construct implements iam.IGrantable {
  /** What runs the loop. An execution of it is a run. */
  public readonly stateMachine: sfn.StateMachine;
  /** The state machine's role. */
  public readonly grantPrincipal: iam.IPrincipal;

  constructor(scope: Construct, id: string, props: CodingLoopProps) {
    super(scope, id);
    throwOnFaults(this, loopFaults(this, props));
    warnAboutDefaultEndpoint(this, props.runtime, props.endpointName);
    warnAboutAnyRepository(this, props.repository);

    const driver = props.driver ?? SessionDriver.of(this);
    for (const actions of [INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, STOP_SESSION_ACTIONS]) driver._allow(props.runtime, actions, props.endpointName);
    driver._allowExecutions(this, props.stateMachineName, props.encryptionKey);

    const turn = (props.turn ?? AgentTurn.invoke())._config();
    const commit = props.commit ?? Commit.push();
    const { message, branchPrefix, author } = commit._config();
    const gates = props.gates.map((gate) => gate._config());
    const maxRepairs = props.maxRepairs ?? 3;
    const bootstrapSeconds = secondsOf(props.bootstrapTimeout, LOOP_LIMITS.oneCallSeconds);
    const eachGate = gates.map((gate) => gate.timeoutSeconds + LOOP_LIMITS.gitSeconds);
    const round = turn.timeoutSeconds + LOOP_LIMITS.gitSeconds + eachGate.reduce((sum, seconds) => sum + seconds, 0);
    const rounds = 1 + (Token.isUnresolved(maxRepairs) ? LOOP_LIMITS.repairs : maxRepairs);
    const before = props.gatesBefore === true ? round - turn.timeoutSeconds : 0;
    const together = bootstrapSeconds + before + rounds * round + 2 * LOOP_LIMITS.gitSeconds;
    const timeoutSeconds = secondsOf(props.timeout, Math.min(together, 30 * 86_400));
    const mount = mountOf(props)!;
    const config = {
      name: this.node.path,
      mount,
      // A run of another session may be at work in a mount that is not the session's own.
      ...(sessionStorageMountOf(props.runtime) === mount ? {} : { shared: true }),
      ...props.repository._clone(),
      author,
      push: commit.pushes,
      ...(props.endpointName === undefined ? {} : { endpointName: props.endpointName }),
      ...(props.environment === undefined ? {} : { environment: sorted(props.environment) }),
    };

    const stop = (props.session ?? SessionPolicy.STOP) === SessionPolicy.STOP;
    const definition = loopStates(this, {
      driver,
      runtimeArn: props.runtime.agentRuntimeArn,
      config,
      prepare: {
        timeoutSeconds,
        promptBytes: promptBytesOf([gates, props.bootstrap, turn.command, config]),
        branchPrefix,
        ...(props.repository.allow === undefined ? {} : { allow: props.repository.allow }),
        ...(props.repository.url === undefined ? {} : {
          repository: { url: props.repository.url, ...(props.repository.ref === undefined ? {} : { ref: props.repository.ref }) },
        }),
      },
      bootstrap: props.bootstrap ?? [],
      bootstrapSeconds,
      turn,
      gates,
      gatesBefore: props.gatesBefore ?? false,
      maxRepairs,
      commit: { message },
      stop,
    });

    const role = this.role(driver, props);
    this.grantPrincipal = role;
    this.stateMachine = new sfn.StateMachine(this, 'Runs', {
      stateMachineName: props.stateMachineName,
      definitionBody: sfn.DefinitionBody.fromChainable(definition),
      role: role.withoutPolicyUpdates(),
      // The run's own limit comes first, and ends in order; this one is for what never should happen.
      timeout: Duration.seconds(timeoutSeconds + 3_600),
      logs: props.logs ?? { destination: driver.logGroup, level: sfn.LogLevel.ERROR, includeExecutionData: false },
      tracingEnabled: props.tracingEnabled ?? true,
      ...(props.encryptionKey === undefined ? {} : { encryptionConfiguration: new sfn.CustomerManagedEncryptionConfiguration(props.encryptionKey) }),
    });

    // An execution that is aborted, timed out or failed by Step Functions itself, as for too much data, has no last state: its
    // session is stopped from outside. Whether a failure was the run's own is seen by its cause, which no pattern can read.
    new events.Rule(this, 'CutOff', {
      description: 'Stops the session of a run that Step Functions ended',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [this.stateMachine.stateMachineArn], status: ['ABORTED', 'TIMED_OUT', 'FAILED'] },
      },
      targets: [new targets.LambdaFunction(driver.function, {
        event: events.RuleTargetInput.fromObject({
          operation: STEPS.CLEAN_UP,
          runtimeArn: props.runtime.agentRuntimeArn,
          config,
          stop,
          detail: events.EventField.fromPath('$.detail'),
        }),
      })],
    });
    this.node.defaultChild = this.stateMachine;
  }

  /** Allows to start runs. */
  public grantStartExecution(grantee: iam.IGrantable): iam.Grant {
    return this.stateMachine.grantStartExecution(grantee);
  }

  /** A metric of the loop's runs, by its name in CloudWatch. Average over 5 minutes unless told otherwise. */
  public metric(metricName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: METRICS.namespace,
      metricName,
      ...options,
      dimensionsMap: { [METRICS.dimensions.SERVICE]: METRICS.service, [LOOP_METRICS.dimension]: this.node.path, ...options.dimensionsMap },
    }).attachTo(this);
  }

  /** Runs that ended with an outcome: `COMMITTED`, `NO_CHANGES`, or an error's name, such as `CodingLoop.Red`. Sum over 5 minutes. */
  public metricRuns(outcome: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.ofOutcome(LOOP_METRICS.names.RUNS, outcome, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /** Turns of the agent in runs that ended with an outcome. Average over 5 minutes. */
  public metricRounds(outcome: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.ofOutcome(LOOP_METRICS.names.ROUNDS, outcome, options);
  }

  /** Seconds from begin to end of runs that ended with an outcome. Average over 5 minutes. */
  public metricRunSeconds(outcome: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.ofOutcome(LOOP_METRICS.names.RUN_SECONDS, outcome, options);
  }

  /** Gates that ended with a verdict, such as `FAILED`. Sum over 5 minutes. */
  public metricGates(verdict: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.GATES, {
      statistic: cloudwatch.Stats.SUM, ...options, dimensionsMap: { [LOOP_METRICS.verdictDimension]: verdict },
    });
  }

  private ofOutcome(name: string, outcome: string, options: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(name, { ...options, dimensionsMap: { [LOOP_METRICS.outcomeDimension]: outcome } });
  }

  /** With all that it needs in one inline policy: one resource less than a policy of its own. */
  private role(driver: SessionDriver, props: CodingLoopProps): iam.Role {
    const statements = [
      new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [driver.function.functionArn] }),
      // Log delivery is managed for the account, not for a log group.
      new iam.PolicyStatement({
        actions: [
          'logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies',
          'logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:UpdateLogDelivery',
        ],
        resources: ['*'],
      }),
      // X-Ray has no resources to name.
      ...(props.tracingEnabled === false ? [] : [new iam.PolicyStatement({
        actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
        resources: ['*'],
      })]),
      ...(props.encryptionKey === undefined ? [] : [new iam.PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [props.encryptionKey.keyArn],
      })]),
    ];
    const stack = Stack.of(this);
    const stateMachines = stack.formatArn({
      service: 'states', resource: 'stateMachine', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return new iam.Role(this, 'Role', {
      // The state machine's own ARN would be a cycle.
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: { 'aws:SourceArn': stateMachines },
        },
      }),
      inlinePolicies: { Runs: new iam.PolicyDocument({ statements }) },
    });
  }
}

/** What a prompt may have, so that it fits each step's request beside what the loop itself puts there. */
function promptBytesOf(requests: readonly unknown[]): number {
  const others = Buffer.byteLength(JSON.stringify(requests));
  return Math.max(0, Math.min(LOOP_LIMITS.promptBytes, LOOP_LIMITS.requestBytes - others));
}

/** Whoever may start runs of such a loop decides where the session's credentials for git go. */
function warnAboutAnyRepository(scope: Construct, { url, allow }: GitRepository): void {
  if (url !== undefined || allow !== undefined) return;
  Validations.of(scope).addWarning('cdk-agentcore-workbench:AnyRepository',
    'a run\'s input may name any repository that is reached by https, and the session\'s credentials for git go there: '
    + 'say which in "allow" of GitRepository.fromInput, such as ["https://git.example.com/team/*"]');
}
