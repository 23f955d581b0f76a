import { RolePolicies } from './policies';
import type { MissingPermission } from '../../src/journal/run-description';
import type { SynthesizedStack, TemplateValues } from '../assembly';

/** The access key id of the role of a function or a runtime: by it, a server knows who asks. */
export function accessKeyOf(logicalId: string): string {
  return `AKID${logicalId}`;
}

/** Checks what functions, runtimes and state machines of a stack do against the policies that they would be deployed with. */
export class Authorizer {
  /** Everything that was refused, once. */
  readonly missing: MissingPermission[] = [];
  private readonly roles = new Map<string, RolePolicies>();

  constructor(private readonly stack: SynthesizedStack, private readonly values: TemplateValues) {}

  /** Returns why a signed request is refused, or `undefined` if it is allowed or was signed by nobody of this stack. */
  refusalOfRequest(authorization: string, action: string, resources: readonly string[]): string | undefined {
    const [, key] = /Credential=AKID([^/]+)\//.exec(authorization) ?? [];
    const properties = this.stack.resource(key ?? '')?.Properties;
    return properties === undefined ? undefined : this.refusal(key, 'RoleArn' in properties ? 'RoleArn' : 'Role', action, resources);
  }

  /** Returns why the role of a resource is not allowed to perform an action. */
  refusal(logicalId: string, property: 'Role' | 'RoleArn', action: string, resources: readonly string[]): string | undefined {
    const role = roleOf(this.stack.resource(logicalId)?.Properties?.[property]);
    if (role === undefined || this.stack.resource(role) === undefined) return undefined; // imported: its policies are not here
    const policies = this.roles.get(role) ?? new RolePolicies(role, this.stack, this.values);
    this.roles.set(role, policies);
    const missing = resources.map((resource) => policies.check(action, resource)).find((found) => found !== undefined);
    if (missing === undefined) return undefined;
    if (!this.missing.some(({ statement, role: known }) => statement === missing.statement && known === role)) this.missing.push(missing);
    return `role ${role} is not authorized to perform: ${action} on resource: ${missing.resource}; this statement would allow it: ${missing.statement}`;
  }
}

function roleOf(value: unknown): string | undefined {
  const { 'Fn::GetAtt': attribute } = (typeof value === 'object' && value !== null ? value : {}) as { readonly 'Fn::GetAtt'?: readonly string[] };
  return attribute?.[1] === 'Arn' ? attribute[0] : undefined;
}
