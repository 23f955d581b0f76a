import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { AgentTurn } from './agent-turn';
import { Commit } from './commit';
import { Gate } from './gate';
import { LoopGraph, LoopStep, LoopTarget } from './loop-graph';
import { LOOP_LIMITS, NEXT, NOTHING_TO_STOP, QUEUE_SECONDS, QUEUED, STEPS } from './steps/constants';
import { Verification } from './verification';
import { ATTACHING } from '../driver/retry-policies';

/** The parts of a loop that its states are made of. */
export interface LoopDefinition extends LoopTarget {
  /** Configuration that only the first step reads. */
  readonly prepare: { readonly [name: string]: unknown };
  /** The time that the first step may wait for other runs, in seconds. */
  readonly queueSeconds: number;
  readonly bootstrap: readonly string[];
  readonly bootstrapSeconds: number;
  readonly turn: AgentTurn;
  /** The text about the loop for an agent that reads instructions. */
  readonly instructions?: string;
  readonly gates: readonly Gate[];
  readonly gatesBefore: boolean;
  readonly checkBase: boolean;
  readonly maxRepairs: number;
  readonly verification: Verification;
  readonly protect?: object;
  readonly commit: Commit;
}

/** Creates the states of a loop below `scope`, and returns the first. Their names are shown in the console. */
export function loopStates(scope: Construct, definition: LoopDefinition): sfn.IChainable {
  const { gates, gatesBefore, maxRepairs } = definition;
  const graph = new LoopGraph(scope, definition);
  const done = graph.stop('Stop', 'Stop the session', true, '$.output');

  const prepare = prepareState(scope, graph, definition);
  const turn = definition.turn._bind(graph, definition.instructions);
  const record = graph.caught(graph.step('Snapshot', 'Record what changed', STEPS.SNAPSHOT, { maxRepairs, ...(gatesBefore ? { gatesBefore } : {}), ...protectOf(definition) }));
  const save = definition.commit._bind(graph, gates.map(({ name }) => name), { done, record });
  const verify = definition.verification._bind(graph, verifyRequest(definition), { passed: save, repair: turn.start, record });

  const first = gatesBefore ? record : turn.start;
  follow(prepare, definition.checkBase ? baseCheck(graph, definition, first) : first, graph, definition);
  turn.next(record);

  // From the last gate to the first, since each goes on to the one after it.
  const firstGate = [...gates].reverse().reduce<sfn.State>((following, gate, index) => {
    const number = gates.length - index;
    const lastBefore = gatesBefore && index === 0;
    const run = graph.caught(gate._bind(graph, number, { maxRepairs, ...(lastBefore ? { lastBefore } : {}) }));
    return run.next(graph.choice(`Gate${number}Passed`, `Did it pass: ${gate.name}?`, [
      ...(lastBefore ? [[NEXT.BEGIN, turn.start] as const] : []),
      [NEXT.PASSED, following],
      [NEXT.REPAIR, turn.start],
      [NEXT.AGAIN, record],
      [NEXT.RUNNING, run],
    ])).startState;
  }, verify);
  record.next(graph.choice('Recorded', 'Is all of it recorded?', [[NEXT.GO_ON, firstGate], [NEXT.REPAIR, turn.start]]));
  return prepare;
}

/** Creates the states that check the base, and returns the first. */
function baseCheck(graph: LoopGraph, definition: LoopDefinition, following: sfn.State): sfn.State {
  const task = graph.caught(graph.step('CheckBase', 'Check the base', STEPS.CHECK_BASE, verifyRequest(definition)));
  const step = graph.untilDone(task, 'BaseChecked', 'Is the base checked?');
  step.next(following);
  return step.start;
}

/** The parameters of a verification: everything that judges a change comes from the state machine, never from the workspace. */
function verifyRequest({ bootstrap, bootstrapSeconds, gates, maxRepairs, protect }: LoopDefinition): object {
  return {
    ...(bootstrap.length === 0 ? {} : { bootstrap: { commands: bootstrap, timeoutSeconds: bootstrapSeconds } }),
    gates: gates.map((gate) => gate._config()),
    maxRepairs,
    ...protectOf({ protect }),
  };
}

function protectOf({ protect }: Pick<LoopDefinition, 'protect'>): object {
  return protect === undefined ? {} : { protect };
}

/** Creates the first step. It refuses a run before anything is started, so that there is no session to stop. */
function prepareState(scope: Construct, graph: LoopGraph, { config, prepare, queueSeconds }: LoopDefinition): sfn.TaskStateBase {
  const state = graph.step('Prepare', 'Prepare the run', STEPS.PREPARE, {
    config: { ...config, ...prepare },
    startedAt: sfn.JsonPath.executionStartTime,
  }, { resultPath: undefined, ...(queueSeconds === 0 ? {} : { retries: [waiting(queueSeconds), ...ATTACHING] }) });
  // Replaces the input, which may be no object and so have no place for an error. Lambda's cause is JSON, and the message in it is the record.
  const refuse = new sfn.Pass(scope, 'Refuse', {
    stateName: 'Say why it is refused',
    parameters: { Error: sfn.JsonPath.stringAt('$.Error'), failure: sfn.JsonPath.stringToJson(sfn.JsonPath.stringAt('$.Cause')) },
  });
  refuse.next(new sfn.Fail(scope, 'Refused', { stateName: 'Refused, nothing was started', errorPath: '$.Error', causePath: '$.failure.errorMessage' }));
  state.addCatch(refuse, { errors: [...NOTHING_TO_STOP], resultPath: '$' });
  return graph.caught(state);
}

/**
 * The retry of a first step that waits for other runs: every 30 seconds, without an end before the driver's own, which refuses the run. The runs that
 * wait have the order in which they started.
 */
function waiting(queueSeconds: number): sfn.RetryProps {
  return { errors: [QUEUED], interval: Duration.seconds(QUEUE_SECONDS), backoffRate: 1, maxAttempts: Math.ceil(queueSeconds / QUEUE_SECONDS) + 1 };
}

/** Connects the first step with what follows it, by way of the bootstrap commands if there are any. */
function follow(prepare: sfn.TaskStateBase, following: sfn.State, graph: LoopGraph, { bootstrap, bootstrapSeconds }: LoopDefinition): void {
  if (bootstrap.length === 0) {
    prepare.next(following);
    return;
  }
  const task = graph.caught(graph.step('Bootstrap', 'Bootstrap the workspace', STEPS.BOOTSTRAP, { commands: bootstrap, timeoutSeconds: bootstrapSeconds }));
  const step: LoopStep = bootstrapSeconds <= LOOP_LIMITS.oneCallSeconds
    ? { start: task, next: (state) => task.next(state) }
    : graph.untilDone(task, 'Bootstrapped', 'Is the workspace ready?');
  prepare.next(step.start);
  step.next(following);
}
