import { Duration, Size } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { IConstruct } from 'constructs';
import { durationFaults, environmentFaults, sessionSecondsOf } from './checks';
import { RunCommandProps } from './run-command-props';
import { sessionFaults } from './session-task';
import { LIMITS } from '../jobs/constants';
import { isExpression } from '../private/expression';
import { secretFaults } from '../private/secrets';
import { sessionStorageMountOf } from '../runtime/introspection';

/** How long a command may take that is given no time of its own. */
export const DEFAULT_TIMEOUT = Duration.minutes(5);

/** The mount that a command's records go to: the one that is given, or the runtime's session storage. */
export function mountOf(props: RunCommandProps): string | undefined {
  return (props.mountPath ?? sessionStorageMountOf(props.runtime))?.replace(/(.)\/$/, '$1');
}

/** Everything that is wrong with the props, before any of it is deployed. */
export function runCommandFaults(scope: IConstruct, props: RunCommandProps): string[] {
  const environment = Object.entries(props.environment ?? {});
  return [
    ...sessionFaults(props),
    ...pathFaults(props),
    ...durationFaults('timeout', props.timeout ?? DEFAULT_TIMEOUT, 1, sessionSecondsOf(props.runtime),
      'the session does not live longer; raise its "maxLifetime", or split the command'),
    ...sizeFaults('tailSize', props.tailSize, LIMITS.tailBytes.min, LIMITS.tailBytes.max),
    ...sizeFaults('logSize', props.logSize, LIMITS.logBytes.min, LIMITS.logBytes.max),
    ...environmentFaults('environment', props.environment ?? {}),
    ...secretFaults(scope, {
      ...Object.fromEntries(environment.map(([name, value]) => [`environment.${name}`, value])),
    }),
    ...(props.failFast ?? []).flatMap(patternFaults),
    ...resultPathFaults(props),
  ];
}

function pathFaults(props: RunCommandProps): string[] {
  const mount = mountOf(props);
  if (mount === undefined) {
    return ['"mountPath" is not known, since the runtime has no session storage that can be seen here: give the runtime session storage, '
      + 'or the path of a mount that outlives a session'];
  }
  const faults = [['mountPath', mount], ['workingDirectory', props.workingDirectory]]
    .filter(([, path]) => path !== undefined && !isExpression(path) && !path.startsWith('/'))
    .map(([prop, path]) => `"${prop}" is "${path}", an absolute path is needed: let it begin with "/"`);
  const directory = props.workingDirectory;
  const outside = directory !== undefined && !isExpression(directory) && !isExpression(mount)
    && directory.startsWith('/mnt/') && props.mountPath === undefined && directory !== mount && !directory.startsWith(`${mount}/`);
  return outside
    ? [...faults, `"workingDirectory" is "${directory}", which is not on the session storage at "${mount}": change one of them, or name the mount in "mountPath"`]
    : faults;
}

function sizeFaults(prop: string, size: Size | undefined, min: number, max: number): string[] {
  if (size === undefined || size.isUnresolved()) return [];
  const bytes = size.toBytes({ rounding: undefined });
  return bytes < min || bytes > max ? [`"${prop}" is ${bytes} bytes, ${min} to ${max} are allowed: change it`] : [];
}

function patternFaults(pattern: string): string[] {
  if (isExpression(pattern)) return [];
  try {
    return pattern === '' || !new RegExp(pattern) ? ['"failFast" has an empty pattern, which every line matches: take it out'] : [];
  } catch (error) {
    return [`"failFast" has "${pattern}", which is no regular expression of JavaScript (${(error as Error).message}): correct it`];
  }
}

function resultPathFaults({ resultPath }: RunCommandProps): string[] {
  return resultPath === undefined || /^\$(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(resultPath)
    ? []
    : [`"resultPath" is ${resultPath === sfn.JsonPath.DISCARD ? 'JsonPath.DISCARD' : `"${resultPath}"`}, a path below "$" such as "$.lint" is needed: the input has to stay, for a command that is attached to`];
}
