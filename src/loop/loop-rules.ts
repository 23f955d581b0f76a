import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { Baseline, CodingLoopProps } from './coding-loop-props';
import { checksBase, LONGEST_QUEUE, LONGEST_RUN, LoopPlan } from './loop-plan';
import { LOOP_LIMITS, QUEUE_SECONDS } from './steps/constants';
import { LIMITS } from '../jobs/constants';
import { isExpression } from '../private/expression';
import { secretFaults } from '../private/secrets';
import { durationFaults, environmentFaults, faultsOf, Rule, unknownDurationFaults } from '../private/validation';
import { endpointFaults } from '../runtime/endpoint';
import { sessionStorageMountOf } from '../runtime/introspection';

/** Returns the mount that a run works in: the one that is given, or the runtime's session storage. */
export function mountOf({ mountPath, runtime }: Pick<CodingLoopProps, 'mountPath' | 'runtime'>): string | undefined {
  return (mountPath ?? sessionStorageMountOf(runtime))?.replace(/(.)\/$/, '$1');
}

/** The bootstrap commands run as one command, with a little around each. */
const BOOTSTRAP_BYTES = LIMITS.commandBytes - 1_000;

const LOOP_RULES: readonly Rule<CodingLoopProps & { readonly mount?: string }>[] = [
  {
    broken: ({ mount }) => mount === undefined,
    message: () => '"runtime" must have session storage, since a run could not survive its microVM otherwise: give it Mount.sessionStorage or the mixin '
      + 'SessionStorage, or name a mount that outlives sessions in "mountPath"',
  },
  {
    broken: ({ mount }) => mount !== undefined && !isExpression(mount) && !mount.startsWith('/'),
    message: ({ mount }) => `"mountPath" must be an absolute path, not "${mount}": start it with "/"`,
  },
  {
    broken: ({ gates = [] }) => gates.length < 1 || gates.length > 20,
    message: ({ gates = [] }) => `"gates" must have 1 to 20 gates, not ${gates.length}: without a gate, nothing would be checked`,
  },
  {
    broken: ({ gates = [] }) => repeated(gates) !== undefined,
    message: ({ gates = [] }) => `"gates" must not have "${repeated(gates)}" twice: give each gate a different name`,
  },
  {
    broken: ({ maxRepairs }) => maxRepairs !== undefined && !Token.isUnresolved(maxRepairs)
      && !(Number.isInteger(maxRepairs) && maxRepairs >= 0 && maxRepairs <= LOOP_LIMITS.repairs),
    message: ({ maxRepairs }) => `"maxRepairs" must be a whole number from 0 to ${LOOP_LIMITS.repairs}, not ${maxRepairs}: change it`,
  },
  {
    broken: (props) => checksBase(props) && props.verification?._verifies === false,
    message: ({ baseline = Baseline.NONE }) => `"${baseline === Baseline.NONE ? 'checkBase' : 'baseline'}" must have a verification, in whose sessions the base is checked: `
      + 'leave out Verification.none()',
  },
  {
    broken: (props) => !checksBase(props) && (props.gates ?? []).some(({ _needsBase }) => _needsBase),
    message: ({ gates }) => `gate "${gates.find(({ _needsBase }) => _needsBase)!.name}": "failOnFewerTests" must come with "checkBase" or "baseline" of the loop, which count the tests of the base: `
      + 'set one of them',
  },
  {
    broken: ({ maxConcurrentRuns }) => maxConcurrentRuns !== undefined && !Token.isUnresolved(maxConcurrentRuns)
      && !(Number.isInteger(maxConcurrentRuns) && maxConcurrentRuns >= 1),
    message: ({ maxConcurrentRuns }) => `"maxConcurrentRuns" must be a whole number of at least 1, not ${maxConcurrentRuns}: change it, or use a brake to stop all runs`,
  },
  {
    broken: ({ queueTimeout, maxConcurrentRuns }) => queueTimeout !== undefined && maxConcurrentRuns === undefined,
    message: () => '"queueTimeout" must come with "maxConcurrentRuns", since no run waits otherwise: set it, or leave "queueTimeout" out',
  },
  {
    broken: ({ bootstrap = [] }) => bootstrap.some((command) => command.trim() === ''),
    message: () => '"bootstrap" must not have an empty command: remove it',
  },
  {
    broken: ({ bootstrap = [] }) => Buffer.byteLength(bootstrap.join('\n')) > BOOTSTRAP_BYTES,
    message: () => '"bootstrap" must have at most 31 KiB of commands: put them in a script of the repository or the image',
  },
];

function repeated(gates: CodingLoopProps['gates']): string | undefined {
  const names = gates.map(({ name }) => name);
  return names.find((name, index) => names.indexOf(name) !== index);
}

/** A part that may take longer than a session or the run would be cut off by it, and the record would not say what took so long. */
function outlivingFaults({ timeout, bootstrapTimeout }: CodingLoopProps, plan: LoopPlan): string[] {
  const gates = plan.gates.map(({ name, seconds }) => [`gate "${name}": "timeout"`, seconds] as const);
  const bySession = [...gates, ['"turn.timeout"', plan.turn] as const].filter(([, seconds]) => seconds > plan.session)
    .map(([prop, seconds]) => `${prop} must be at most ${plan.session} seconds, the lifetime of the runtime's sessions, not ${seconds}: shorten it, or raise the runtime's "maxLifetime"`);
  if (timeout === undefined || timeout.isUnresolved()) return bySession;
  const parts = [...bootstrapTimeout === undefined ? [] : [['"bootstrapTimeout"', plan.bootstrap] as const], ['"turn.timeout"', plan.turn] as const, ...gates];
  return [...bySession, ...parts.filter(([, seconds]) => seconds > plan.run)
    .map(([prop, seconds]) => `${prop} must be at most ${plan.run} seconds, the timeout of the run, not ${seconds}: shorten it, or raise "timeout"`)];
}

/** Returns everything that is wrong with the props of a loop. */
export function loopFaults(scope: IConstruct, props: CodingLoopProps, plan: LoopPlan): string[] {
  const { bootstrap = [], environment = {}, repository, commit, turn } = props;
  return [
    ...faultsOf({ ...props, mount: mountOf(props) }, LOOP_RULES),
    ...endpointFaults(props.endpoint),
    ...repository._faults(),
    ...(props.gates ?? []).flatMap((gate) => gate._faults(scope)),
    ...turn?._faults() ?? [],
    ...outlivingFaults(props, plan),
    ...unknownDurationFaults('bootstrapTimeout', props.bootstrapTimeout),
    ...unknownDurationFaults('timeout', props.timeout),
    ...unknownDurationFaults('queueTimeout', props.queueTimeout),
    ...durationFaults('queueTimeout', props.queueTimeout, QUEUE_SECONDS, LONGEST_QUEUE, 'a run waits 1 day at most'),
    ...props.budget?._faults() ?? [],
    ...durationFaults('bootstrapTimeout', props.bootstrapTimeout, 1, plan.session, 'a session of the runtime does not live longer'),
    ...durationFaults('timeout', props.timeout, 60, LONGEST_RUN, 'a run takes 30 days at most'),
    ...environmentFaults('environment', environment),
    ...commit?._faults() ?? [],
    ...(commit?._proposal !== undefined && repository.forge?._proposes !== true
      ? ['"commit" must not be Commit.pullRequest for a repository whose forge has no pull requests: use GitRepository.fromGitHub, a "forge" such as GitLab.token, or Commit.push()'] : []),
    ...(commit?._proposal?.signed === true && repository.forge?._signs !== true
      ? ['"signed" must not be true for a forge that does not sign commits: use a GitHubApp, or leave it out'] : []),
    ...props.verification?._faults() ?? [],
    ...props.protectedPaths?._faults() ?? [],
    ...secretFaults(scope, {
      bootstrap: bootstrap.join('\n'),
      turn: turn?._command,
      repository: repository.url,
      ref: repository.ref,
      allow: repository.allow,
      message: commit?._message,
      pullRequest: commit?._proposal,
      branchPrefix: commit?._branchPrefix,
      authorName: commit?._author.name,
      authorEmail: commit?._author.email,
      ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [`environment.${name}`, value])),
    }),
  ];
}
