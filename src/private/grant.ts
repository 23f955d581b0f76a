import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, IConstruct } from 'constructs';

/** Id of the warning about a grant that cannot be added. It is stable, since users acknowledge the warning by it. */
export const GRANT_NOT_ADDED = 'cdk-agentcore-workbench:grantNotAdded';

/**
 * Grants permissions, and adds a warning to `scope` with the missing statement if this app cannot change the grantee's policy.
 *
 * The CDK reports success for an imported role that is not mutable: without the warning, the first sign is an AccessDenied at run time.
 */
export function grantOrWarn(scope: IConstruct, options: iam.GrantOnPrincipalOptions): iam.Grant {
  const grant = iam.Grant.addToPrincipal(options);
  const { actions, resourceArns: resources, conditions } = options;
  warnWhenDropped(scope, options.grantee.grantPrincipal, grant.success, new iam.PolicyStatement({ actions, resources, conditions }));
  return grant;
}

/** Adds a statement, which may be a denial, and warns as `grantOrWarn` does. */
export function addOrWarn(scope: IConstruct, grantee: iam.IGrantable, statement: iam.PolicyStatement): void {
  const principal = grantee.grantPrincipal;
  warnWhenDropped(scope, principal, principal.addToPrincipalPolicy(statement).statementAdded, statement);
}

function warnWhenDropped(scope: IConstruct, principal: iam.IPrincipal, added: boolean, statement: iam.PolicyStatement): void {
  if (added && !dropsStatements(principal)) return;
  Validations.of(scope).addWarning(GRANT_NOT_ADDED,
    `the policy of ${nameOf(principal)} cannot be changed from this app: ${describe(scope, statement)} there yourself`);
}

/** Returns the whole statement as a sentence: an allow without its condition would be wider than needed. */
function describe(scope: IConstruct, { effect, actions, notActions, resources, notResources, conditions }: iam.PolicyStatement): string {
  const json = (value: unknown) => JSON.stringify(Stack.of(scope).resolve(value));
  return [
    effect.toLowerCase(),
    notActions.length > 0 ? `every action but ${notActions.join(', ')}` : actions.join(', '),
    'on',
    notResources.length > 0 ? `every resource but ${json(notResources)}` : json(resources),
    ...(Object.keys(conditions).length > 0 ? [`under the condition ${json(conditions)}`] : []),
  ].join(' ');
}

/** Determines whether the principal drops statements: a role imported as not mutable, or `withoutPolicyUpdates()`. */
function dropsStatements(principal: iam.IPrincipal): boolean {
  if (!isResourcePrincipal(principal) || iam.Role.isRole(principal) || principal instanceof iam.LazyRole) return false;
  // Every other principal that is a construct keeps its statements in a child policy.
  return !principal.node.findAll().some((child) => child instanceof iam.Policy);
}

function isResourcePrincipal(principal: iam.IPrincipal): principal is iam.IPrincipal & IConstruct {
  // UnknownPrincipal is not a construct, and adds its own warning.
  return Construct.isConstruct(principal);
}

function nameOf(principal: iam.IPrincipal): string {
  return isResourcePrincipal(principal) ? `"${principal.node.path}"` : `the principal "${principal}"`;
}
