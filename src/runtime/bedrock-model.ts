import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as bedrock from 'aws-cdk-lib/aws-bedrock';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';
import { modelIdFaults, modelIdOf, modelIdsFaults, profileIdFaults } from './bedrock-model-rules';
import { INVOKE_MODEL_ACTIONS } from './perms';
import { grantOrWarn } from '../private/grant';
import { throwOnFaults } from '../private/validation';

/** Options for `BedrockModel.applicationInferenceProfile`. */
export interface ApplicationInferenceProfileOptions {
  /**
   * The IDs of the foundation models that the profile routes to, such as `anthropic.claude-sonnet-4-20250514-v1:0`, without the prefix of a
   * geography. At least one is required.
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
 * A model or an inference profile of Amazon Bedrock that an agent can invoke.
 *
 * An inference profile routes requests to foundation models, possibly in other Regions, and the caller needs permission for both the profile
 * and those models. The grant permits invoking the models only through the profile.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
 */
export abstract class BedrockModel {
  /**
   * References a foundation model in the Region of the stack.
   *
   * @param modelId The ID of the model, such as `anthropic.claude-sonnet-4-20250514-v1:0`
   */
  public static foundationModel(modelId: string): BedrockModel {
    return new InvokedModel(modelId, (scope) => {
      throwOnFaults(scope, modelIdFaults(modelId, 'modelId'));
      return [{ resourceArns: [foundationModelArn(scope, modelId, Stack.of(scope).region)] }];
    });
  }

  /**
   * References a model of `aws-cdk-lib/aws-bedrock`, or any other model by its ARN, such as an imported one: `fromModel({ modelArn })`.
   *
   * @param model A foundation model, a provisioned model, or an object with the ARN of a model
   */
  public static fromModel(model: bedrock.IModel): BedrockModel {
    const modelId = model instanceof bedrock.FoundationModel ? model.modelId : model.modelArn;
    return new InvokedModel(modelId, () => [{ resourceArns: [model.modelArn] }]);
  }

  /**
   * References a system-defined inference profile.
   *
   * The ID must start with a geography. If this release does not know the geography, the provider after it must consist of lowercase letters.
   * For any other ID, pass the ARN of the profile to `applicationInferenceProfile`, which also accepts system-defined profiles.
   *
   * @param inferenceProfileId A geography and the ID of a model, such as `eu.anthropic.claude-sonnet-4-20250514-v1:0`. It must not be a token
   */
  public static inferenceProfile(inferenceProfileId: string): BedrockModel {
    return new InvokedModel(inferenceProfileId, (scope) => {
      throwOnFaults(scope, profileIdFaults(inferenceProfileId));
      const arn = Stack.of(scope).formatArn({ service: 'bedrock', resource: 'inference-profile', resourceName: inferenceProfileId });
      return throughProfile(scope, arn, [modelIdOf(inferenceProfileId)]);
    });
  }

  /**
   * References an application inference profile.
   *
   * @param inferenceProfileArn The ARN of the profile
   * @param options Options for the profile: the models that it routes to, because its ARN does not name them
   */
  public static applicationInferenceProfile(inferenceProfileArn: string, options: ApplicationInferenceProfileOptions): BedrockModel {
    return new InvokedModel(inferenceProfileArn, (scope) => {
      throwOnFaults(scope, modelIdsFaults(options.modelIds));
      return throughProfile(scope, inferenceProfileArn, options.modelIds);
    });
  }

  /**
   * The value that names the model in an invocation (`modelId`): the ID of a foundation model or of a system-defined inference profile, or the ARN of
   * any other model or profile. It may be a token.
   */
  public abstract readonly modelId: string;

  /**
   * Grants permission to invoke the model, with or without response streaming.
   *
   * @param scope A construct in the stack whose Region and account the ARNs contain. It gets a warning if the policy of the grantee cannot be changed
   * @param grantee The principal to grant permission to
   */
  public abstract grantInvoke(scope: IConstruct, grantee: iam.IGrantable): iam.Grant;
}

class InvokedModel extends BedrockModel {
  constructor(public readonly modelId: string, private readonly permissions: (scope: IConstruct) => Permission[]) {
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
