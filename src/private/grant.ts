import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, IConstruct } from 'constructs';

/** Id of the warning for a grant that could not be added. Stable, since users acknowledge it by this name. */
export const GRANT_NOT_ADDED = 'cdk-agentcore-workbench:grantNotAdded';

/**
 * Grants, and warns on `scope` with what is missing when the grantee's policy cannot be changed from this app.
 *
 * The CDK reports success for an imported role that is not mutable, so that the first sign would be an AccessDenied at run time.
 */
export function grantOrWarn(scope: IConstruct, options: iam.GrantOnPrincipalOptions): iam.Grant {
  const grant = iam.Grant.addToPrincipal(options);
  const principal = options.grantee.grantPrincipal;
  if (!grant.success || dropsStatements(principal)) {
    const resources = JSON.stringify(Stack.of(scope).resolve(options.resourceArns));
    Validations.of(scope).addWarning(GRANT_NOT_ADDED, [
      `the policy of ${nameOf(principal)} cannot be changed from this app:`,
      `allow ${[...options.actions].join(', ')} on ${resources} there yourself`,
    ].join(' '));
  }
  return grant;
}

/** Whether the principal takes statements and forgets them: a role that was imported as not mutable, or `withoutPolicyUpdates()`. */
function dropsStatements(principal: iam.IPrincipal): boolean {
  if (!isResourcePrincipal(principal) || iam.Role.isRole(principal) || principal instanceof iam.LazyRole) return false;
  // Every other principal that is a construct keeps its statements in a policy below itself.
  return !principal.node.findAll().some((child) => child instanceof iam.Policy);
}

function isResourcePrincipal(principal: iam.IPrincipal): principal is iam.IPrincipal & IConstruct {
  // UnknownPrincipal is no construct, and writes a warning of its own.
  return Construct.isConstruct(principal);
}

function nameOf(principal: iam.IPrincipal): string {
  return isResourcePrincipal(principal) ? `"${principal.node.path}"` : `the principal "${principal}"`;
}
