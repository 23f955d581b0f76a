import { Token } from 'aws-cdk-lib';
import { isNpmRange, isPipVersion } from './versions';
import { type Rule, ValidationError, firstFaultOf } from '../private/validation';

interface Argument {
  readonly parameter: string;
  readonly value: string;
  readonly pattern: RegExp;
  readonly allowed: string;
}

/** Ordered: each rule assumes that the previous ones hold. */
const RULES: readonly Rule<Argument>[] = [
  {
    broken: ({ value }) => Token.isUnresolved(value),
    message: ({ parameter }) => `"${parameter}" must be known at synth, not a token, since the image is built before the deployment: use a literal`,
  },
  {
    broken: ({ value }) => value.trim() === '',
    message: ({ parameter }) => `"${parameter}" must not be empty: use a value such as '22' for a version or 'typescript' for a name`,
  },
  {
    broken: ({ value }) => value.length > 214, // the maximum length of a name on npm
    message: ({ parameter, value }) => `"${parameter}" must have at most 214 characters, not ${value.length}: shorten it`,
  },
  {
    broken: ({ value, pattern }) => !pattern.test(value),
    message: ({ parameter, value, allowed }) =>
      `"${parameter}" must have only ${allowed}, since it becomes part of a shell command, not ${JSON.stringify(value)}: correct it`,
  },
];

function check(place: string, argument: Argument): void {
  const faults = firstFaultOf(argument, RULES);
  if (faults.length > 0) throw new ValidationError(faults, place);
}

/** Rejects a name of a package or tool that a shell could interpret. */
export function checkName(place: string, parameter: string, value: string): void {
  check(place, {
    parameter,
    value,
    pattern: /^[A-Za-z0-9@_][A-Za-z0-9@._+:/-]*$/,
    allowed: 'letters, digits and @ . _ + : / - (not first)',
  });
}

/** Rejects a version that a shell could interpret, which includes ranges. */
export function checkVersion(place: string, value: string): void {
  check(place, {
    parameter: 'version',
    value,
    pattern: /^[A-Za-z0-9][A-Za-z0-9._+-]*$/,
    allowed: 'letters, digits and . _ + - (not first)',
  });
}

/** Rejects a range, which may silently resolve to another version later. */
export function checkNpmVersion(place: string, value: string): void {
  checkVersion(place, value);
  const fault = `"version" must be a full version, not the range ${JSON.stringify(value)}: `
    + "use all three numbers, such as '5.9.2', or a tag such as 'latest', which causes a warning";
  if (isNpmRange(value)) throw new ValidationError([fault], place);
}

/** Rejects a version that pip would not install. */
export function checkPipVersion(place: string, value: string): void {
  checkVersion(place, value);
  const fault = `"version" must be a version of PyPI, not ${JSON.stringify(value)}: use one such as '1.16.0' or '2.0.0rc1', or 'latest', which causes a warning`;
  if (value !== 'latest' && !isPipVersion(value)) throw new ValidationError([fault], place);
}

/** Rejects a command that is empty, a token or not valid text. Its content is up to the author. */
export function checkCommand(place: string, parameter: string, value: string): void {
  check(place, { parameter, value, pattern: /^[^\0]*$/, allowed: 'text without NUL characters' });
}
