import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { CodingLoopProps, SessionPolicy } from './coding-loop-props';
import { Commit } from './commit';
import { stopCutOffRuns } from './cut-off-runs';
import { loopInstructions } from './loop-instructions';
import { MeasuredLoop } from './loop-metrics';
import { warnAboutLimits } from './loop-operations';
import { checksBase, planOf, turnOf } from './loop-plan';
import { loopRole } from './loop-role';
import { loopFaults } from './loop-rules';
import { loopConfig, loopPublisher, promptBytesOf, warnAboutAnyRepository } from './loop-settings';
import { LoopSources, loopSources } from './loop-sources';
import { loopStates } from './loop-states';
import { kindFaults } from './prop-kinds';
import { LOOP_ERRORS } from './steps/constants';
import { Verification } from './verification';
import { SessionDriver } from '../driver/session-driver';
import { RUN_EVENTS } from '../operate/constants';
import { LoopAlarms } from '../operate/loop-alarms';
import { addTopic, ruleOf, RunEventSource } from '../operate/run-rules';
import { throwOnFaults } from '../private/validation';
import { warnAboutDefaultEndpoint } from '../runtime/endpoint';
import { INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, STOP_SESSION_ACTIONS } from '../runtime/perms';

/**
 * Runs an agent on a repository until all gates pass, and only then commits its change.
 *
 * ```text
 * Prepare → Bootstrap → Turn → Record → Gate lint → Gate test → Verify → Commit → Stop → done
 *                        ↑_________________ red, repairs left _______________|   any error → Stop → failed
 * ```
 *
 * The input of a run is `{ prompt, taskId, repository?, session? }`. The output is a record, `{ outcome, taskId, rounds, commit?, gates, session }`,
 * with the outcome `COMMITTED` or `NO_CHANGES`. If a gate still fails after the last repair, the run fails with `CodingLoop.Red` and the record as
 * its cause. A run whose input contains the `session` of an earlier record continues in that workspace.
 *
 * The loop records the files as a git tree before the gates, and commits exactly this tree, on which every gate has passed. A gate that changes files
 * of the repository fails. A verification runs the bootstrap and the gates again on this tree, in a new session, separate from the agent's.
 *
 * ## Limitations
 *
 * - In the agent's session, gates protect against mistakes: anyone who can write to the workspace can forge their results. The verification is out of
 *   the agent's reach. It does not detect a change that weakens its own tests.
 * - The logs of the runtime contain commands and prompts, because the service logs every command. The history of executions contains prompts.
 * - Without a forge, sessions push with a credential of their own, which the agent can also use. With one, sessions have at most a token that reads.
 * - A session can be used by one run at a time. Another run fails with `CodingLoop.SessionBusy`.
 * - The `session` of an input must come from an execution of this state machine that Step Functions still knows, which ended at most 90 days ago.
 * - The driver can read the executions of all state machines in the account and Region, unless `stateMachineName` is set.
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
export class CodingLoop extends MeasuredLoop implements iam.IGrantable {
  /** The state machine that runs the loop. Each of its executions is a run. */
  public readonly stateMachine: sfn.StateMachine;
  /** The principal to grant permissions to: the role of the state machine. */
  public readonly grantPrincipal: iam.IPrincipal;
  /** The function that holds the credential of the forge, and commits. Missing if the repository has no forge. */
  public readonly publisher?: lambda.IFunction;
  /** The bucket that the driver writes the files of runs to, such as for `grantRead`. Missing if the loop has no `artifacts`. */
  public readonly artifactsBucket?: s3.IBucket;
  /** The alarms of the loop. Its methods create alarms. */
  public readonly alarms: LoopAlarms;
  /**
   * The sources of a dashboard: the runtimes of the loop's sessions, and its log groups.
   *
   * @internal
   */
  public readonly _sources: LoopSources;

  private readonly runEvents: RunEventSource;
  private readonly topics = new Set<sns.ITopic>();

  constructor(scope: Construct, id: string, props: CodingLoopProps) {
    super(scope, id);
    throwOnFaults(this, kindFaults(props));
    const { verification = Verification.inFreshSession() } = props;
    const plan = planOf(props);
    throwOnFaults(this, loopFaults(this, props, plan));
    warnAboutDefaultEndpoint(this, props.runtime, props.endpoint);
    warnAboutAnyRepository(this, props.repository);
    warnAboutLimits(this, props);

    const driver = props.driver ?? SessionDriver.getOrCreate(this);
    for (const actions of [INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, STOP_SESSION_ACTIONS]) driver._allow(props.runtime, actions, props.endpoint);
    if (verification._runtime !== undefined) {
      for (const actions of [INVOKE_COMMAND_ACTIONS, STOP_SESSION_ACTIONS]) driver._allow(verification._runtime, actions, verification._endpoint);
    }
    driver._allowExecutions(this, props.stateMachineName, props.encryptionKey);

    const { gates, bootstrap = [], commit = Commit.push() } = props;
    const turn = turnOf(props);
    const publisher = loopPublisher(this, props, verification);
    if (publisher !== undefined) driver._allowCalls(publisher);
    this.publisher = publisher;
    const config = loopConfig(this, props, { driver, publisher });
    this.artifactsBucket = props.artifacts?._bucketOf(this);
    const instructions = turn._reports ? [loopInstructions(props)] : [];
    const target = {
      driver,
      publisher: commit.pushes ? publisher : undefined,
      runtimeArn: props.runtime.agentRuntimeArn,
      config,
      stop: (props.sessionPolicy ?? SessionPolicy.STOP) === SessionPolicy.STOP,
    };
    const start = loopStates(this, {
      ...target,
      prepare: {
        timeoutSeconds: plan.run,
        promptBytes: promptBytesOf([gates.map((gate) => gate._config()), bootstrap, turn._command, config, ...instructions], props),
        branchPrefix: commit._branchPrefix,
        ...props.repository._ofInput(),
      },
      queueSeconds: plan.queue,
      bootstrap,
      bootstrapSeconds: plan.bootstrap,
      turn,
      instructions: instructions[0],
      gates,
      gatesBefore: props.gatesBefore ?? false,
      checkBase: checksBase(props),
      maxRepairs: props.maxRepairs ?? 3,
      verification,
      protect: props.protectedPaths?._config(),
      commit,
    });

    const role = loopRole(this, [driver.function, ...publisher === undefined ? [] : [publisher]], props);
    this.grantPrincipal = role;
    this.stateMachine = new sfn.StateMachine(this, 'Runs', {
      stateMachineName: props.stateMachineName,
      definitionBody: sfn.DefinitionBody.fromChainable(start),
      role: role.withoutPolicyUpdates(),
      // The run's own timeout comes first, and ends the run in order. This one is the last resort.
      timeout: Duration.seconds(plan.queue + plan.run + 3_600),
      logs: props.logs ?? { destination: driver.logGroup, level: sfn.LogLevel.ERROR, includeExecutionData: false },
      tracingEnabled: props.tracingEnabled ?? true,
      ...(props.encryptionKey === undefined ? {} : { encryptionConfiguration: new sfn.CustomerManagedEncryptionConfiguration(props.encryptionKey) }),
    });
    stopCutOffRuns(this, this.stateMachine, target);
    this.runEvents = { scope: this, events: props.events, stateMachineArn: this.stateMachine.stateMachineArn };
    this.node.defaultChild = this.stateMachine;
    this.alarms = LoopAlarms._of(this, this);
    this._sources = loopSources(props, driver, publisher);
  }

  /**
   * Grants permission to start runs.
   *
   * @param grantee The principal to grant permission to
   */
  public grantStartExecution(grantee: iam.IGrantable): iam.Grant {
    return this.stateMachine.grantStartExecution(grantee);
  }

  /**
   * Creates a rule for runs that start. Fails if the loop has no `events`.
   *
   * @param id The ID of the rule in the loop
   * @param options The target and other options of the rule
   */
  public onStarted(id: string, options: events.OnEventOptions = {}): events.Rule {
    return ruleOf(this.runEvents, 'onStarted', RUN_EVENTS.types.STARTED, id, options);
  }

  /**
   * Creates a rule for rounds that end: a turn and the gates after it. Fails if the loop has no `events`.
   *
   * @param id The ID of the rule in the loop
   * @param options The target and other options of the rule
   */
  public onRound(id: string, options: events.OnEventOptions = {}): events.Rule {
    return ruleOf(this.runEvents, 'onRound', RUN_EVENTS.types.ROUND, id, options);
  }

  /**
   * Creates a rule for runs that end, with any outcome. Fails if the loop has no `events`.
   *
   * @param id The ID of the rule in the loop
   * @param options The target and other options of the rule
   */
  public onFinished(id: string, options: events.OnEventOptions = {}): events.Rule {
    return ruleOf(this.runEvents, 'onFinished', RUN_EVENTS.types.FINISHED, id, options);
  }

  /**
   * Creates a rule for runs that end with `CodingLoop.Red` or `CodingLoop.Stuck`: a gate did not pass. Fails if the loop has no `events`.
   *
   * @param id The ID of the rule in the loop
   * @param options The target and other options of the rule
   */
  public onRed(id: string, options: events.OnEventOptions = {}): events.Rule {
    return ruleOf(this.runEvents, 'onRed', RUN_EVENTS.types.FINISHED, id, options, [LOOP_ERRORS.RED, LOOP_ERRORS.STUCK]);
  }

  /**
   * Creates a rule that sends a message to a topic when a run ends, as a custom notification for Amazon Q Developer in chat
   * applications (AWS Chatbot). Fails if the loop has no `events`. All topics are targets of one rule, which has 5 at most.
   *
   * The topic gets a policy, which replaces its default one. If alarms also publish to it, grant them permission:
   * `topic.grantPublish(new iam.ServicePrincipal('cloudwatch.amazonaws.com'))`.
   *
   * @param topic The SNS topic. The policy of an imported topic must allow `sns:Publish` to `events.amazonaws.com`
   */
  public notifyOnFinished(topic: sns.ITopic): events.Rule {
    const known = this.node.tryFindChild('NotifyOnFinished') as events.Rule | undefined;
    const rule = known ?? this.onFinished('NotifyOnFinished', { description: 'Sends a message about each run that ends' });
    return addTopic(rule, this.topics, topic);
  }
}
