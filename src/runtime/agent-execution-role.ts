import { Arn, ArnComponents, Duration, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { BedrockModel } from './bedrock-model';
import { isOfficialBaseline } from './official-baseline';
import { DESCRIBE_LOG_GROUPS_ACTIONS, METRICS_ACTIONS, RUNTIME_LOGS_ACTIONS, TRACES_ACTIONS, WORKLOAD_IDENTITY_ACTIONS } from './perms';
import { throwOnFaults } from '../private/validation';

/** Properties of `AgentExecutionRole`. */
export interface AgentExecutionRoleProps {
  /** Name of the one runtime that the role is for: the `runtimeName` that the runtime is given. */
  readonly runtimeName: string;

  /**
   * The most that the role may ever be allowed.
   *
   * @default - no permissions boundary
   */
  readonly permissionsBoundary?: iam.IManagedPolicy;

  /**
   * Path of the role, beginning and ending with a slash.
   *
   * @default '/'
   */
  readonly path?: string;

  /**
   * Description of the role.
   *
   * @default 'Execution role for Bedrock Agent Core Runtime'
   */
  readonly description?: string;
}

/**
 * The role that a runtime has in its sessions, and so has every command and all code that the agent writes there.
 *
 * Tighter than the role that the official construct makes: only the runtime of this name may take it, logs go to this
 * runtime's groups, tokens are for its own workload identity. An image is pulled only from the repository of the runtime's
 * artifact, and no model may be invoked unless `grantInvokeModel` is called. The repository of an asset is the one of the CDK's bootstrap, with the
 * images of all apps in the account and region: a bootstrap with a qualifier gives an app one of its own.
 *
 * `AgentRuntime` makes one by itself; make one yourself to give it a path or a permissions boundary, in a stack of the same account and
 * region as the runtime's, since the trust policy names both.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html
 */
export class AgentExecutionRole extends iam.Role {
  /** Name of the runtime that the role is for. */
  public readonly runtimeName: string;

  constructor(scope: Construct, id: string, props: AgentExecutionRoleProps) {
    const inService = (components: Omit<ArnComponents, 'service'>) => Arn.format({ service: 'bedrock-agentcore', ...components }, Stack.of(scope));
    super(scope, id, {
      assumedBy: new iam.ServicePrincipal('bedrock-agentcore.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
          // The id of a runtime is its name, a hyphen and a random part; a name has no hyphen, so that no other runtime matches.
          ArnLike: {
            'aws:SourceArn': [props.runtimeName, `${props.runtimeName}-*`].map((resourceName) => inService({ resource: 'runtime', resourceName })),
          },
        },
      }),
      // Both are the official construct's, so that switching to this role changes only what it allows.
      description: props.description ?? 'Execution role for Bedrock Agent Core Runtime',
      maxSessionDuration: Duration.hours(8),
      path: props.path,
      permissionsBoundary: props.permissionsBoundary,
    });
    throwOnFaults(this, runtimeNameFaults(props.runtimeName));
    this.runtimeName = props.runtimeName;

    const logGroup = (resourceName: string) => Arn.format({ service: 'logs', resource: `log-group:${resourceName}` }, this.stack);
    const directory = 'workload-identity-directory';
    this.allow('OwnLogs', RUNTIME_LOGS_ACTIONS, [
      // A group for each endpoint, made by the service: `<name>-<random>-<endpoint>`. The pattern covers the streams as well.
      logGroup(`/aws/bedrock-agentcore/runtimes/${props.runtimeName}-*`),
    ]);
    this.allow('FindLogGroups', DESCRIBE_LOG_GROUPS_ACTIONS, [
      '*', // Amazon CloudWatch Logs knows no resource for this.
    ]);
    this.allow('Traces', TRACES_ACTIONS, [
      '*', // AWS X-Ray knows no resource for these.
    ]);
    this.allow('Metrics', METRICS_ACTIONS, [
      '*', // Amazon CloudWatch knows no resource for this; the namespace is the only limit it takes.
    ], { StringEquals: { 'cloudwatch:namespace': 'bedrock-agentcore' } });
    this.allow('OwnWorkloadIdentity', WORKLOAD_IDENTITY_ACTIONS, [
      inService({ resource: directory, resourceName: 'default' }),
      inService({ resource: directory, resourceName: `default/workload-identity/${props.runtimeName}-*` }),
    ]);
  }

  /**
   * Adds to the policy of the role.
   *
   * The official construct adds its own baseline to whatever role it is given. This role has a tighter one, so that one is left out.
   */
  public addToPrincipalPolicy(statement: iam.PolicyStatement): iam.AddToPrincipalPolicyResult {
    if (isOfficialBaseline(statement)) return { statementAdded: true, policyDependable: this };
    return super.addToPrincipalPolicy(statement);
  }

  /** Allows the agent to invoke a model, streamed or not. */
  public grantInvokeModel(model: BedrockModel): iam.Grant {
    return model.grantInvoke(this, this);
  }

  private allow(sid: string, actions: string[], resources: string[], conditions?: { [operator: string]: unknown }): void {
    super.addToPrincipalPolicy(new iam.PolicyStatement({ sid, actions, resources, conditions }));
  }
}

/** With a wildcard or a hyphen in it, the patterns above would match other runtimes too. */
function runtimeNameFaults(runtimeName: string): string[] {
  if (Token.isUnresolved(runtimeName) || /^[a-zA-Z][a-zA-Z0-9_]{0,47}$/.test(runtimeName)) return [];
  return [
    `"runtimeName" is "${runtimeName}", must start with a letter and have 1 to 48 of a-z, A-Z, 0-9 and "_": ` +
    'give the name of the runtime that the role is for',
  ];
}
