import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { CodingLoopProps } from './coding-loop-props';
import { SessionDriver } from '../driver/session-driver';
import { OperateConfig } from '../operate/constants';

/** Returns the part of the configuration for the people who operate the loop, and grants the driver what it needs. Empty without such props. */
export function operateConfig(scope: Construct, props: CodingLoopProps, driver: SessionDriver): { readonly operate?: OperateConfig } {
  const operate: OperateConfig = { ...artifactsOf(scope, props, driver), ...eventsOf(scope, props, driver) };
  return Object.keys(operate).length === 0 ? {} : { operate };
}

function artifactsOf(scope: Construct, { artifacts }: CodingLoopProps, driver: SessionDriver): Pick<OperateConfig, 'artifacts'> {
  if (artifacts === undefined) return {};
  const { bucket, prefix } = artifacts._bind(scope);
  driver._allowTo(new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(`${prefix}*`)] }));
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
