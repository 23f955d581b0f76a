import { Token } from 'aws-cdk-lib';
import { isNpmRange, isPipVersion } from './versions';
import { type Rule, ValidationError, firstFaultOf } from '../private/validation';

interface Argument {
  readonly parameter: string;
  readonly value: string;
  readonly pattern: RegExp;
  readonly allowed: string;
}

/** In this order, since each rule assumes the ones before it. */
const RULES: readonly Rule<Argument>[] = [
  {
    broken: ({ value }) => Token.isUnresolved(value),
    message: ({ parameter }) => `"${parameter}" is only known when the stack is deployed; the image is built before that, so give a literal`,
  },
  {
    broken: ({ value }) => value.trim() === '',
    message: ({ parameter }) => `"${parameter}" is empty; give it, such as '22' for a version or 'typescript' for a name`,
  },
  {
    broken: ({ value }) => value.length > 214, // the longest name on npm; no tool has a longer one
    message: ({ parameter, value }) => `"${parameter}" is ${value.length} characters long; names and versions have at most 214`,
  },
  {
    broken: ({ value, pattern }) => !pattern.test(value),
    message: ({ parameter, value, allowed }) =>
      `"${parameter}" is ${JSON.stringify(value)}; it becomes part of a shell command in the build, so only ${allowed} are allowed`,
  },
];

function check(place: string, argument: Argument): void {
  const faults = firstFaultOf(argument, RULES);
  if (faults.length > 0) throw new ValidationError(faults, place);
}

/** Refuses a name of a package or tool that a shell could read as anything else. */
export function checkName(place: string, parameter: string, value: string): void {
  check(place, {
    parameter,
    value,
    pattern: /^[A-Za-z0-9@_][A-Za-z0-9@._+:/-]*$/,
    allowed: 'letters, digits and @ . _ + : / - (not first)',
  });
}

/** Refuses a version that a shell could read as anything else, ranges with it. */
export function checkVersion(place: string, value: string): void {
  check(place, {
    parameter: 'version',
    value,
    pattern: /^[A-Za-z0-9][A-Za-z0-9._+-]*$/,
    allowed: 'letters, digits and . _ + - (not first)',
  });
}

/** Refuses a version that means another one tomorrow, and says so nowhere. */
export function checkNpmVersion(place: string, value: string): void {
  checkVersion(place, value);
  const fault = `"version" is ${JSON.stringify(value)}, of which npm takes the newest there is; `
    + "give all three numbers, such as '5.9.2', or a tag such as 'latest', which warns";
  if (isNpmRange(value)) throw new ValidationError([fault], place);
}

/** Refuses what pip would not install. */
export function checkPipVersion(place: string, value: string): void {
  checkVersion(place, value);
  const fault = `"version" is ${JSON.stringify(value)}, which pip does not know as a version; give one as PyPI shows it, such as '1.16.0' or '2.0.0rc1', or 'latest', which warns`;
  if (value !== 'latest' && !isPipVersion(value)) throw new ValidationError([fault], place);
}

/** Refuses a command that is empty or unknown; what it says is its author's. */
export function checkCommand(place: string, parameter: string, value: string): void {
  check(place, { parameter, value, pattern: /^[^\0]*$/, allowed: 'texts without NUL' });
}
