import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { AgentTurn } from './agent-turn';
import { CodingLoopProps } from './coding-loop-props';
import { Commit } from './commit';
import { LOOP_LIMITS } from './steps/constants';
import { LIMITS } from '../jobs/constants';
import { isExpression } from '../private/expression';
import { secretFaults } from '../private/secrets';
import { sessionStorageMountOf } from '../runtime/introspection';
import { durationFaults, environmentFaults, sessionSecondsOf, unknownDurationFaults } from '../tasks/checks';
import { endpointFaults } from '../tasks/session-task';

/** The mount that a run works in: the one that is given, or the runtime's session storage. */
export function mountOf({ mountPath, runtime }: Pick<CodingLoopProps, 'mountPath' | 'runtime'>): string | undefined {
  return (mountPath ?? sessionStorageMountOf(runtime))?.replace(/(.)\/$/, '$1');
}

/** A part that may take longer than the whole could only end with it, and would not be what the run says that it waited for. */
function outlivingFaults({ timeout, gates, bootstrapTimeout }: CodingLoopProps, turnSeconds: number): string[] {
  if (timeout === undefined || timeout.isUnresolved()) return [];
  const seconds = timeout.toSeconds({ integral: false });
  const parts: { readonly [name: string]: number | undefined } = {
    '"turn.timeout"': turnSeconds,
    '"bootstrapTimeout"': bootstrapTimeout?.isUnresolved() ? undefined : bootstrapTimeout?.toSeconds({ integral: false }),
    ...Object.fromEntries(gates.map((gate) => gate._config()).map((gate) => [`"timeout" of gate "${gate.name}"`, gate.timeoutSeconds])),
  };
  return Object.entries(parts).filter(([, part]) => part !== undefined && part > seconds).map(([name, part]) => (
    `${name} is ${part} seconds, but the run ends after ${seconds}: shorten it, or raise "timeout"`));
}

/** Everything that is wrong with a loop's props, before any of it is deployed. */
export function loopFaults(scope: IConstruct, props: CodingLoopProps): string[] {
  const { maxRepairs, bootstrap = [], environment = {} } = props;
  const gates = props.gates as CodingLoopProps['gates'] | undefined ?? []; // JavaScript may leave them out
  const mount = mountOf(props);
  const names = gates.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const turn = (props.turn ?? AgentTurn.invoke())._config();
  const { message, branchPrefix, author } = (props.commit ?? Commit.push())._config();
  const longest = sessionSecondsOf(props.runtime);
  return [
    ...(mount === undefined
      ? ['"runtime" has no session storage, so a run could not survive its microVM: give it Mount.sessionStorage or the mixin SessionStorage, or name a mount that outlives sessions in "mountPath"'] : []),
    ...(mount !== undefined && !isExpression(mount) && !mount.startsWith('/') ? [`"mountPath" is "${mount}", an absolute path is needed: let it begin with "/"`] : []),
    ...endpointFaults(props.endpointName),
    ...props.repository._faults(),
    ...(gates.length < 1 || gates.length > 20 ? [`"gates" has ${gates.length}, 1 to 20 are allowed: without a gate, nothing would be checked`] : []),
    ...(twice.length > 0 ? [`"gates" has "${twice[0]}" twice: give each a name of its own`] : []),
    ...gates.flatMap((gate) => gate._faults(scope)),
    ...gates.map((gate) => gate._config()).filter(({ timeoutSeconds }) => timeoutSeconds > longest).map(({ name, timeoutSeconds }) =>
      `gate "${name}": "timeout" is ${timeoutSeconds} seconds, but a session of the runtime lives ${longest}: shorten it, or raise the runtime's "maxLifetime"`),
    ...turn.faults,
    ...(turn.timeoutSeconds > longest
      ? [`"turn.timeout" is ${turn.timeoutSeconds} seconds, but a session of the runtime lives ${longest}: shorten it, or raise the runtime's "maxLifetime"`] : []),
    ...outlivingFaults(props, turn.timeoutSeconds),
    ...(maxRepairs !== undefined && !Token.isUnresolved(maxRepairs)
      && !(Number.isInteger(maxRepairs) && maxRepairs >= 0 && maxRepairs <= LOOP_LIMITS.repairs)
      ? [`"maxRepairs" is ${maxRepairs}, 0 to 20 are allowed: change it`] : []),
    ...(bootstrap.some((command) => command.trim() === '') ? ['"bootstrap" has an empty command: take it out'] : []),
    ...(Buffer.byteLength(bootstrap.join('\n')) > LIMITS.commandBytes - 1_000 ? ['"bootstrap" has more than 31 KiB of commands: put them in a script of the repository or the image'] : []),
    ...unknownDurationFaults('bootstrapTimeout', props.bootstrapTimeout),
    ...unknownDurationFaults('timeout', props.timeout),
    ...durationFaults('bootstrapTimeout', props.bootstrapTimeout, 1, longest, 'a session of the runtime does not live longer'),
    ...durationFaults('timeout', props.timeout, 60, 30 * 86_400, 'a month is the most'),
    ...environmentFaults('environment', environment),
    ...(props.commit?._faults() ?? []),
    ...secretFaults(scope, {
      bootstrap: bootstrap.join('\n'),
      turn: turn.command,
      repository: props.repository.url,
      ref: props.repository.ref,
      allow: props.repository.allow,
      message,
      branchPrefix,
      authorName: author.name,
      authorEmail: author.email,
      ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [`environment.${name}`, value])),
    }),
  ];
}
