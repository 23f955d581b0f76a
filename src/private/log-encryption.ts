import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';

/**
 * Grants CloudWatch Logs permission to use a key. `LogGroup` does not do so, and the service rejects a log group with a key that it cannot use.
 *
 * The policy of an imported key stays as it is.
 */
export function allowLogEncryption(key: kms.IKey): void {
  const stack = Stack.of(key);
  key.addToResourcePolicy(new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal(`logs.${stack.region}.${stack.urlSuffix}`)],
    // Without `kms:DescribeKey`, which has no encryption context: the condition would never be met.
    actions: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
    // In a key policy, `*` is the key itself.
    resources: ['*'],
    // The ARN of the log group would create a circular reference.
    conditions: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
          service: 'logs', resource: 'log-group', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      },
    },
  }));
}
