import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/** A state in the definition. */
export interface StateJson {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly HeartbeatSeconds?: number;
  readonly Parameters?: { readonly [name: string]: unknown };
  readonly Arguments?: { readonly [name: string]: unknown };
  readonly Retry?: readonly { readonly ErrorEquals: string[]; readonly IntervalSeconds: number; readonly MaxAttempts: number }[];
  readonly Catch?: readonly { readonly ErrorEquals: string[]; readonly Next: string; readonly ResultPath?: string }[];
  readonly Choices?: readonly { readonly [name: string]: unknown }[];
  readonly [name: string]: unknown;
}

export interface DefinitionJson {
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly States: { [name: string]: StateJson };
  readonly [name: string]: unknown;
}

/** Returns the definition of the only state machine in a stack; references are replaced by `<LogicalId>` or `<LogicalId.Attribute>`. */
export function definitionOf(stack: Stack): DefinitionJson {
  const [machine] = Object.values(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'));
  return JSON.parse(textOf(machine.Properties.DefinitionString));
}

/** Returns the states of the only state machine in a stack, by name. */
export function statesOf(stack: Stack): { [name: string]: StateJson } {
  return definitionOf(stack).States;
}

/** Returns the states of a chain, which is placed in its own state machine. */
export function statesOfChain(stack: Stack, chain: sfn.IChainable): { [name: string]: StateJson } {
  new sfn.StateMachine(stack, 'StateMachine', { definitionBody: sfn.DefinitionBody.fromChainable(chain) });
  return statesOf(stack);
}

interface Resources {
  readonly Resources?: { readonly [id: string]: { readonly Type: string; readonly Properties?: object } };
}

/** Returns the definitions of all state machines in a template, by logical id; references are replaced as in `definitionOf`. */
export function definitionsOf(template: Resources): {
  [id: string]: DefinitionJson;
} {
  const machines = Object.entries(template.Resources ?? {}).filter(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine');
  return Object.fromEntries(machines.map(([id, { Properties }]) => {
    const { DefinitionString: text } = Properties as { readonly DefinitionString: unknown };
    return [id, JSON.parse(textOf(text)) as DefinitionJson];
  }));
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, argument]] = Object.entries(value as object);
  if (name === 'Fn::Join') return (argument as [string, unknown[]])[1].map(textOf).join((argument as [string])[0]);
  if (name === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  return `<${String(argument)}>`;
}
