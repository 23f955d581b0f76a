import { Token, Validations } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { IConstruct } from 'constructs';
import { LIMITS } from '../jobs/constants';
import { isExpression } from '../private/expression';
import { secretFaults } from '../private/secrets';

/**
 * A command to run in a session: a shell command line, or a program and its arguments.
 *
 * A command must not contain secrets, because the service logs it.
 */
export abstract class Command {
  /**
   * Runs a command line or a script with `/bin/bash -c`.
   *
   * The shell interprets everything in the line. Pass values from the state in `environment`, or use `Command.exec`.
   *
   * @param line The command line, or a script of several lines, at most 32 KiB
   */
  public static shell(line: string): Command {
    return new ShellCommand(line);
  }

  /**
   * Runs a program with arguments. No shell interprets them, so they may contain values from the state.
   *
   * @param words The program, followed by its arguments, at most 32 KiB together
   */
  public static exec(words: string[]): Command {
    return new ExecCommand(words);
  }

  /**
   * Validates the command and returns its part of the request to the driver.
   *
   * @internal
   */
  public abstract _bind(scope: IConstruct): CommandConfig;
}

/** @internal */
export interface CommandConfig {
  /** The faults of the command. */
  readonly faults: string[];
  /** The fields of the request, which may contain paths or expressions of the state. */
  readonly request: { readonly command?: string; readonly words?: string[] | string };
}

class ShellCommand extends Command {
  constructor(private readonly line: string) {
    super();
  }

  /** @internal */
  public _bind(scope: IConstruct): CommandConfig {
    if (isExpression(this.line)) {
      Validations.of(scope).addWarning('cdk-agentcore-workbench:commandFromState', [
        '"command" is a shell line that is read from the state, and a shell interprets whatever is in it:',
        'pass the value in "environment", or use Command.exec()',
      ].join(' '));
    }
    return {
      faults: [...(this.line === '' ? [EMPTY] : textFaults([this.line])), ...secretFaults(scope, { command: this.line })],
      request: { command: this.line },
    };
  }
}

class ExecCommand extends Command {
  constructor(private readonly words: string[]) {
    super();
  }

  /** @internal */
  public _bind(scope: IConstruct): CommandConfig {
    const isFromState = this.words.some((word) => sfn.FieldUtils.findReferencedPaths({ word }).length > 0);
    return {
      faults: [
        ...(this.words.length === 0 ? [EMPTY] : Token.isUnresolved(this.words) ? [] : textFaults(this.words)),
        ...secretFaults(scope, { command: this.words }),
      ],
      // JSONPath takes no paths in an array, but has a function that makes one.
      request: { words: isFromState ? sfn.JsonPath.array(...this.words) : this.words },
    };
  }
}

const EMPTY = '"command" must not be empty: give a shell line, or a program and its arguments';

function textFaults(texts: readonly string[]): string[] {
  if (texts.some((text) => isExpression(text))) return [];
  if (texts.some((text) => text.includes('\0'))) return ['"command" must not contain a NUL character, because no argument can: remove it'];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, -1);
  return bytes > LIMITS.commandBytes
    ? [`"command" must be at most ${LIMITS.commandBytes} bytes, not ${bytes}: put it in a script in the repository or the image, and run that`]
    : [];
}
