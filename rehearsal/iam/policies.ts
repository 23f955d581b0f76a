import type { MissingPermission } from '../../src/journal/run-description';
import type { SynthesizedStack, TemplateValues } from '../assembly';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: unknown;
}

interface PolicyDocument {
  readonly Statement: Statement | readonly Statement[];
}

/**
 * The permissions that a template grants to a role: its inline policies, and the policies and managed policies of the template that name it.
 *
 * Conditions are not evaluated: an `Allow` with conditions counts, a `Deny` with conditions does not. The contents of AWS managed
 * policies are not known here.
 */
export class RolePolicies {
  private readonly statements: readonly Statement[];

  constructor(private readonly role: string, stack: SynthesizedStack, values: TemplateValues) {
    const documents = [
      ...((stack.resource(role)?.Properties?.Policies ?? []) as { readonly PolicyDocument: unknown }[]).map((policy) => policy.PolicyDocument),
      ...['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => stack.ofType(type)).map((id) => stack.resource(id)!.Properties!)
        .filter(({ Roles = [] }) => (Roles as unknown[]).some((name) => JSON.stringify(name) === JSON.stringify({ Ref: role })))
        .map((properties) => properties.PolicyDocument),
    ];
    this.statements = documents.flatMap((document) => listOf((values.resolve(document) as PolicyDocument).Statement));
  }

  /** Returns the missing permission of a call, if any. */
  check(action: string, resource: string): MissingPermission | undefined {
    const of = (effect: Statement['Effect']) => this.statements.some((statement) => statement.Effect === effect && applies(statement, action, resource));
    if (of('Allow') && !of('Deny')) return undefined;
    const statement = JSON.stringify({ Effect: 'Allow', Action: action, Resource: resource });
    return { role: this.role, action, resource, statement };
  }
}

function applies(statement: Statement, action: string, resource: string): boolean {
  if (statement.Effect === 'Deny' && statement.Condition !== undefined) return false;
  const named = (names: string | readonly string[] | undefined, value: string, anyCase: boolean) =>
    listOf(names ?? []).some((name) => fits(name, value, anyCase));
  const acts = statement.NotAction === undefined ? named(statement.Action, action, true) : !named(statement.NotAction, action, true);
  return acts && (statement.NotResource === undefined ? named(statement.Resource, resource, false) : !named(statement.NotResource, resource, false));
}

/** `*` is any text, `?` any character. Names of actions have no case. */
function fits(pattern: string, value: string, anyCase: boolean): boolean {
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${expression}$`, anyCase ? 'is' : 's').test(value);
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value as readonly T[] : [value as T];
}
