import { IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { IConstruct } from 'constructs';
import { AgentRuntime } from '../src';

/** Returns an app whose assembly contains no paths of the machine that wrote it. */
export function portableApp(): App {
  return new App({ context: { 'aws:cdk:disable-stack-trace': true, 'aws:cdk:disable-creation-stack-traces': true } });
}

/**
 * Synthesizes the stack as an integration test, and fails if cdk-nag has findings that are not acknowledged.
 *
 * Checks after synth, when artifacts have added their permissions, and explicitly, as 2.257 does not pass the construct tree to validation plugins.
 */
export function synthAndCheck(app: App, stack: Stack): void {
  new IntegTest(app, 'Test', { testCases: [stack] });
  app.synth();
  const { violations } = new AwsSolutionsChecks(app).validateScope(stack);
  const findings = violations.flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`));
  if (findings.length > 0) throw new Error(`findings of cdk-nag that are not acknowledged:\n${findings.join('\n')}`);
}

/**
 * Acknowledges findings of cdk-nag, each with its justification.
 *
 * Writes the metadata of `Validations.acknowledge()`, which rejects the ids of findings on ARNs: it reads the "::" of "AWS::Partition" as its own.
 */
export function acknowledge(scope: IConstruct, findings: { readonly [finding: string]: string }): void {
  scope.node.addMetadata(
    Validations.ACKNOWLEDGED_RULES_METADATA_KEY,
    Object.fromEntries(Object.entries(findings).map(([finding, reason]) => [`AwsSolutions-${finding}`, reason])),
  );
}

/** Acknowledges the remaining findings on an execution role, for a runtime of this name. */
export function acknowledgeExecutionRole(runtime: AgentRuntime, runtimeName: string): void {
  const logGroups = 'IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:';
  const identities = 'IAM5[Resource::arn:<AWS::Partition>:bedrock-agentcore:<AWS::Region>:<AWS::AccountId>:workload-identity-directory/default/workload-identity/';
  acknowledge(runtime.role, {
    [`${logGroups}/aws/bedrock-agentcore/runtimes/${runtimeName}-*]`]:
      'The service names the log groups "<name>-<random>-<endpoint>" when the runtime exists. No other runtime of the account can match.',
    'IAM5[Resource::*]': 'CloudWatch Logs, X-Ray and CloudWatch know no resource for DescribeLogGroups, PutTraceSegments, sampling and PutMetricData; ' +
      'metrics are limited to one namespace.',
    [`${identities}${runtimeName}-*]`]:
      'The service names the workload identity "<name>-<random>" when the runtime exists. No other runtime of the account can match.',
  });
}
