import { ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { CodingLoopProps } from './coding-loop-props';
import { SessionDriver } from '../driver/session-driver';
import { OperateConfig } from '../operate/constants';
import { secondsOf } from '../private/validation';

/** Returns the part of the configuration for the people who operate the loop, and grants the driver what it needs. Empty without such props. */
export function operateConfig(scope: Construct, props: CodingLoopProps, driver: SessionDriver): { readonly operate?: OperateConfig } {
  const { budget, maxConcurrentRuns, queueTimeout } = props;
  const operate: OperateConfig = {
    ...artifactsOf(scope, props, driver),
    ...eventsOf(scope, props, driver),
    ...(budget === undefined ? {} : { budget: budget._config() }),
    ...brakeOf(scope, props, driver),
    ...(maxConcurrentRuns === undefined ? {} : { maxConcurrentRuns }),
    ...(queueTimeout === undefined ? {} : { queueSeconds: secondsOf(queueTimeout, 0) }),
  };
  return Object.keys(operate).length === 0 ? {} : { operate };
}

function artifactsOf(scope: Construct, { artifacts, stateMachineName = '*' }: CodingLoopProps, driver: SessionDriver): Pick<OperateConfig, 'artifacts'> {
  if (artifacts === undefined) return {};
  const { bucket, prefix } = artifacts._bind(scope);
  driver._allowTo(new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(`${prefix}*`)] }));
  // The story and the report of a run are made from its history. Without a name, the ARN would be a circular reference.
  const executions = Stack.of(scope).formatArn({
    service: 'states', resource: 'execution', resourceName: `${stateMachineName}:*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  driver._allowTo(new iam.PolicyStatement({ actions: ['states:GetExecutionHistory'], resources: [executions] }));
  if (bucket.encryptionKey !== undefined) {
    driver._allowTo(new iam.PolicyStatement({ actions: ['kms:GenerateDataKey'], resources: [bucket.encryptionKey.keyArn] }));
  }
  return { artifacts: { bucket: bucket.bucketName, prefix } };
}

function eventsOf(scope: Construct, { events }: CodingLoopProps, driver: SessionDriver): Pick<OperateConfig, 'events'> {
  if (events === undefined) return {};
  const { arn, name } = events._bind(scope);
  driver._allowTo(new iam.PolicyStatement({ actions: ['events:PutEvents'], resources: [arn] }));
  return { events: name };
}

function brakeOf(scope: Construct, { brake }: CodingLoopProps, driver: SessionDriver): Pick<OperateConfig, 'brake'> {
  if (brake === undefined) return {};
  const { parameterArn, parameterName } = brake._bind(scope);
  // To read, and not to set: the driver talks to sessions.
  driver._allowTo(new iam.PolicyStatement({ actions: ['ssm:GetParameter'], resources: [parameterArn] }));
  return { brake: parameterName };
}

/** The smaller one of the default quotas of active sessions in an account: 5,000 in us-east-1 and us-west-2, and 2,500 elsewhere. */
const SESSION_QUOTA = 2_500;

/** Warns about limits that do not limit anything. */
export function warnAboutLimits(scope: Construct, { budget, maxRepairs = 3, maxConcurrentRuns, verification }: CodingLoopProps): void {
  const turns = budget?._unreachableTurns(maxRepairs);
  if (turns !== undefined) {
    Validations.of(scope).addWarning('cdk-agentcore-workbench:budgetNotReached',
      `"turns" of the budget allows ${turns} turns, and no run has more than ${maxRepairs + 1}: lower it, or raise "maxRepairs"`);
  }
  const sessions = verification?._verifies === false ? 1 : 2;
  if (maxConcurrentRuns !== undefined && !Token.isUnresolved(maxConcurrentRuns) && maxConcurrentRuns * sessions > SESSION_QUOTA) {
    Validations.of(scope).addWarning('cdk-agentcore-workbench:sessionQuota',
      `"maxConcurrentRuns" allows ${maxConcurrentRuns} runs, which have up to ${maxConcurrentRuns * sessions} active sessions; the quota of an account may be `
      + `${SESSION_QUOTA}: lower it, or check the quota`);
  }
}
