import { Arn, ArnComponents, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { BedrockModel } from './bedrock-model';
import { isOfficialBaseline } from './official-baseline';
import { DESCRIBE_LOG_GROUPS_ACTIONS, METRICS_ACTIONS, RUNTIME_LOGS_ACTIONS, TRACES_ACTIONS, WORKLOAD_IDENTITY_ACTIONS } from './perms';
import { runtimeNameFaults } from './runtime-rules';
import { throwOnFaults } from '../private/validation';

/** Properties for `AgentExecutionRole`. */
export interface AgentExecutionRoleProps {
  /**
   * The name of the only runtime that can assume the role, as passed to the runtime in `runtimeName`.
   *
   * It must have 1 to 48 characters, start with a letter, and contain only letters, digits and underscores.
   */
  readonly runtimeName: string;

  /**
   * The permissions boundary of the role.
   *
   * @default - no permissions boundary
   */
  readonly permissionsBoundary?: iam.IManagedPolicy;

  /**
   * The path of the role. It must start and end with a slash.
   *
   * @default '/'
   */
  readonly path?: string;

  /**
   * The description of the role.
   *
   * @default 'Execution role for Bedrock Agent Core Runtime'
   */
  readonly description?: string;
}

/**
 * The execution role of one runtime. Every command in a session, and all code that the agent runs there, has the permissions of this role.
 *
 * It has fewer permissions than the role that the official construct creates. Only the runtime with the given name can assume it. The role can
 * write only to the log groups of this runtime, get tokens only for the runtime's own workload identity, and pull images only from the
 * repository of the runtime's artifact. It cannot invoke a model without `grantInvokeModel`.
 *
 * The repository of an image asset is the one that `cdk bootstrap` created. It contains the images of all apps in the account and Region;
 * bootstrap with a qualifier of its own to separate an app from the others.
 *
 * `AgentRuntime` creates this role by default. Create it explicitly to set its path or permissions boundary. Its stack must be in the account
 * and Region of the runtime, because the trust policy contains both.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html
 */
export class AgentExecutionRole extends iam.Role {
  /** The name of the runtime that can assume the role. */
  public readonly runtimeName: string;

  constructor(scope: Construct, id: string, props: AgentExecutionRoleProps) {
    const inService = (components: Omit<ArnComponents, 'service'>) => Arn.format({ service: 'bedrock-agentcore', ...components }, Stack.of(scope));
    super(scope, id, {
      assumedBy: new iam.ServicePrincipal('bedrock-agentcore.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
          // The ID of a runtime is its name, a hyphen and a random part. Names contain no hyphen, so no other runtime matches.
          ArnLike: {
            'aws:SourceArn': [props.runtimeName, `${props.runtimeName}-*`].map((resourceName) => inService({ resource: 'runtime', resourceName })),
          },
        },
      }),
      // As in the official construct, so that switching to this role changes only its permissions.
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
      // The service creates a log group for each endpoint: `<name>-<random>-<endpoint>`. The pattern includes the log streams.
      logGroup(`/aws/bedrock-agentcore/runtimes/${props.runtimeName}-*`),
    ]);
    this.allow('FindLogGroups', DESCRIBE_LOG_GROUPS_ACTIONS, [
      '*', // The action does not support resource-level permissions.
    ]);
    this.allow('Traces', TRACES_ACTIONS, [
      '*', // The actions do not support resource-level permissions.
    ]);
    this.allow('Metrics', METRICS_ACTIONS, [
      '*', // The action does not support resource-level permissions, only the condition key for the namespace.
    ], { StringEquals: { 'cloudwatch:namespace': 'bedrock-agentcore' } });
    this.allow('OwnWorkloadIdentity', WORKLOAD_IDENTITY_ACTIONS, [
      inService({ resource: directory, resourceName: 'default' }),
      inService({ resource: directory, resourceName: `default/workload-identity/${props.runtimeName}-*` }),
    ]);
  }

  /**
   * Adds a statement to the policy of the role.
   *
   * The official `Runtime` adds baseline statements to every role that is passed to it. This role ignores them, because its own are narrower.
   *
   * @param statement The policy statement to add
   */
  public addToPrincipalPolicy(statement: iam.PolicyStatement): iam.AddToPrincipalPolicyResult {
    if (isOfficialBaseline(statement)) return { statementAdded: true, policyDependable: this };
    return super.addToPrincipalPolicy(statement);
  }

  /**
   * Grants the role permission to invoke a model, with or without response streaming.
   *
   * @param model The model to grant permission to invoke
   */
  public grantInvokeModel(model: BedrockModel): iam.Grant {
    return model.grantInvoke(this, this);
  }

  private allow(sid: string, actions: string[], resources: string[], conditions?: { [operator: string]: unknown }): void {
    super.addToPrincipalPolicy(new iam.PolicyStatement({ sid, actions, resources, conditions }));
  }
}
