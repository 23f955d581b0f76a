import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as bedrock from 'aws-cdk-lib/aws-bedrock';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';
import { modelIdFaults, modelIdOf, modelIdsFaults, profileIdFaults } from './bedrock-model-rules';
import { INVOKE_MODEL_ACTIONS } from './perms';
import { grantOrWarn } from '../private/grant';
import { throwOnFaults } from '../private/validation';

/** Options of `BedrockModel.applicationInferenceProfile`. */
export interface ApplicationInferenceProfileOptions {
  /**
   * The IDs of the foundation models that the profile routes to, such as `anthropic.claude-sonnet-4-20250514-v1:0`, without a geography
   * prefix. At least one.
   */
  readonly modelIds: string[];
}

/** A permission that an invocation requires. */
interface Permission {
  readonly resourceArns: string[];
  /** The only inference profile through which the resources may be used. */
  readonly onlyThrough?: string;
}

/**
 * A model in Amazon Bedrock that an agent can invoke: a foundation model or an inference profile.
 *
 * An inference profile routes requests to foundation models, possibly in other Regions, and the caller needs permission for the profile and
 * for those models. The grant allows the models through the profile only.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
 */
export abstract class BedrockModel {
  /**
   * References a foundation model in the Region of the stack.
   *
   * @param modelId the ID of the model, such as `anthropic.claude-sonnet-4-20250514-v1:0`
   */
  public static foundationModel(modelId: string): BedrockModel {
    return new InvokedModel((scope) => {
      throwOnFaults(scope, modelIdFaults(modelId, 'modelId'));
      return [{ resourceArns: [foundationModelArn(scope, modelId, Stack.of(scope).region)] }];
    });
  }

  /**
   * References a model of `aws-cdk-lib/aws-bedrock`.
   *
   * @param model a foundation model or a provisioned model
   */
  public static fromModel(model: bedrock.IModel): BedrockModel {
    return new InvokedModel(() => [{ resourceArns: [model.modelArn] }]);
  }

  /**
   * References a system-defined inference profile.
   *
   * The ID must start with a geography. One that this release does not know is accepted if the provider after it consists of lowercase letters;
   * otherwise pass the ARN of the profile to `applicationInferenceProfile`, which accepts system-defined profiles too.
   *
   * @param inferenceProfileId a geography and the ID of a model, such as `eu.anthropic.claude-sonnet-4-20250514-v1:0`; must not be a token
   */
  public static inferenceProfile(inferenceProfileId: string): BedrockModel {
    return new InvokedModel((scope) => {
      throwOnFaults(scope, profileIdFaults(inferenceProfileId));
      const arn = Stack.of(scope).formatArn({ service: 'bedrock', resource: 'inference-profile', resourceName: inferenceProfileId });
      return throughProfile(scope, arn, [modelIdOf(inferenceProfileId)]);
    });
  }

  /**
   * References an application inference profile.
   *
   * @param inferenceProfileArn the ARN of the profile
   * @param options the models that the profile routes to, which its ARN does not contain
   */
  public static applicationInferenceProfile(inferenceProfileArn: string, options: ApplicationInferenceProfileOptions): BedrockModel {
    return new InvokedModel((scope) => {
      throwOnFaults(scope, modelIdsFaults(options.modelIds));
      return throughProfile(scope, inferenceProfileArn, options.modelIds);
    });
  }

  /**
   * Grants permission to invoke the model, with or without response streaming.
   *
   * @param scope the construct in whose stack ARNs are formatted, and which gets a warning if the grantee's policy cannot be changed
   * @param grantee the principal to grant permission to
   */
  public abstract grantInvoke(scope: IConstruct, grantee: iam.IGrantable): iam.Grant;
}

class InvokedModel extends BedrockModel {
  constructor(private readonly permissions: (scope: IConstruct) => Permission[]) {
    super();
  }

  public grantInvoke(scope: IConstruct, grantee: iam.IGrantable): iam.Grant {
    return this.permissions(scope)
      .map(({ resourceArns, onlyThrough }) => grantOrWarn(scope, {
        grantee,
        actions: INVOKE_MODEL_ACTIONS,
        resourceArns,
        ...(onlyThrough === undefined ? {} : { conditions: { ArnEquals: { 'bedrock:InferenceProfileArn': onlyThrough } } }),
      }))
      .reduce((all, grant) => all.combine(grant));
  }
}

function throughProfile(scope: IConstruct, inferenceProfileArn: string, modelIds: string[]): Permission[] {
  return [
    { resourceArns: [inferenceProfileArn] },
    {
      // The service chooses the Region that a profile routes to; a global profile also uses an ARN without a Region.
      resourceArns: modelIds.map((modelId) => foundationModelArn(scope, modelId, '*')),
      onlyThrough: inferenceProfileArn,
    },
  ];
}

function foundationModelArn(scope: IConstruct, modelId: string, region: string): string {
  return Stack.of(scope).formatArn({
    service: 'bedrock', region, account: '', resource: 'foundation-model', resourceName: modelId, arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}
