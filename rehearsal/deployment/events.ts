/** The detail of EventBridge's "Step Functions Execution Status Change", as far as rules look at it. */
export interface ExecutionEnded {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: string;
  /** The input as JSON. */
  readonly input: string;
  /** Present if the execution failed. */
  readonly error?: string;
  readonly cause?: string;
}

/** Describes the end of an execution. @param input as JSON */
export function executionEnded(executionArn: string, input: string, { status, error, cause }: Pick<ExecutionEnded, 'status' | 'error' | 'cause'>): ExecutionEnded {
  return {
    executionArn,
    stateMachineArn: executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, ''),
    name: executionArn.split(':').pop()!,
    status,
    input,
    error,
    cause,
  };
}

export interface Target {
  readonly Arn: string;
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: { readonly InputPathsMap?: { readonly [name: string]: string }; readonly InputTemplate: string };
}

export interface Rule {
  readonly EventPattern?: unknown;
  /** The name or the ARN of the bus. @default - the default bus */
  readonly EventBusName?: string;
  readonly State?: string;
  readonly Targets?: readonly Target[];
}

/** Returns the targets of the rules that an event on a bus matches. */
export function targetsOf(rules: readonly Rule[], event: unknown, bus = 'default'): Target[] {
  const nameOf = (name: string) => name.replace(/^arn:.*:event-bus\//, '');
  const hears = ({ EventPattern, EventBusName = 'default', State = 'ENABLED' }: Rule) =>
    State !== 'DISABLED' && nameOf(EventBusName) === nameOf(bus) && matches(EventPattern, event);
  return rules.filter(hears).flatMap(({ Targets = [] }) => Targets);
}

/** Determines whether an event matches a pattern of literal values. Other kinds of patterns never match. */
export function matches(pattern: unknown, event: unknown): boolean {
  if (Array.isArray(pattern)) return Array.isArray(event) ? event.some((item) => pattern.includes(item)) : pattern.includes(event);
  if (typeof pattern !== 'object' || pattern === null || typeof event !== 'object' || event === null) return false;
  return Object.entries(pattern).every(([key, wanted]) => matches(wanted, (event as { readonly [key: string]: unknown })[key]));
}

/** Returns the input of a target. */
export function inputOf({ Input, InputPath, InputTransformer }: Target, event: unknown): unknown {
  if (Input !== undefined) return JSON.parse(Input);
  const at = (path: string) => path.replace(/^\$\.?/, '').split('.')
    .reduce((value, key) => key === '' ? value : (value as { readonly [key: string]: unknown })?.[key], event);
  if (InputPath !== undefined) return at(InputPath);
  if (InputTransformer === undefined) return event;
  const { InputPathsMap = {}, InputTemplate } = InputTransformer;
  return JSON.parse(InputTemplate.replace(/<([^>]+)>/g, (whole, name: string) => name in InputPathsMap ? JSON.stringify(at(InputPathsMap[name])) : whole));
}
