import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import * as bedrock from 'aws-cdk-lib/aws-bedrock';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';
import { INVOKE_MODEL_ACTIONS } from './perms';
import { grantOrWarn } from '../private/grant';
import { faultsOf, Rule, throwOnFaults } from '../private/validation';

/** Which foundation models are behind an application inference profile. */
export interface ApplicationInferenceProfileOptions {
  /** Ids of the foundation models, such as `anthropic.claude-sonnet-4-20250514-v1:0`. */
  readonly modelIds: string[];
}

/** One permission that an invocation needs. */
interface Needed {
  readonly resourceArns: string[];
  /** The profile through which alone the resources may be used. */
  readonly onlyThrough?: string;
}

/**
 * A model in Amazon Bedrock that an agent may invoke: a foundation model, or an inference profile.
 *
 * An inference profile sends a request on to foundation models in other regions, and the caller has to be allowed both.
 * The grant allows those models only through the profile.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
 */
export abstract class BedrockModel {
  /**
   * A foundation model of the stack's own region.
   *
   * @param modelId such as `anthropic.claude-sonnet-4-20250514-v1:0`
   */
  public static foundationModel(modelId: string): BedrockModel {
    return new InvokedModel((scope) => {
      throwOnFaults(scope, faultsOf(modelId, MODEL_RULES));
      return [{ resourceArns: [foundationModelArn(scope, modelId, Stack.of(scope).region)] }];
    });
  }

  /** A model of `aws-cdk-lib/aws-bedrock`: foundation or provisioned. */
  public static fromModel(model: bedrock.IModel): BedrockModel {
    return new InvokedModel(() => [{ resourceArns: [model.modelArn] }]);
  }

  /**
   * A system-defined inference profile.
   *
   * @param inferenceProfileId a geography and the id of a model, such as `eu.anthropic.claude-sonnet-4-20250514-v1:0`; not a token
   */
  public static inferenceProfile(inferenceProfileId: string): BedrockModel {
    return new InvokedModel((scope) => throughProfile(
      scope,
      Stack.of(scope).formatArn({ service: 'bedrock', resource: 'inference-profile', resourceName: inferenceProfileId }),
      [modelIdBehind(scope, inferenceProfileId)],
    ));
  }

  /**
   * An inference profile of your own.
   *
   * @param inferenceProfileArn ARN of the profile
   * @param options which models are behind it, since its ARN does not say
   */
  public static applicationInferenceProfile(inferenceProfileArn: string, options: ApplicationInferenceProfileOptions): BedrockModel {
    return new InvokedModel((scope) => throughProfile(scope, inferenceProfileArn, options.modelIds));
  }

  /**
   * Allows to invoke the model, streamed or not.
   *
   * @param scope where the ARNs are resolved, and where a warning is put when the grantee's policy cannot be changed
   * @param grantee who is allowed
   */
  public abstract grantInvoke(scope: IConstruct, grantee: iam.IGrantable): iam.Grant;
}

class InvokedModel extends BedrockModel {
  constructor(private readonly needs: (scope: IConstruct) => Needed[]) {
    super();
  }

  public grantInvoke(scope: IConstruct, grantee: iam.IGrantable): iam.Grant {
    return this.needs(scope)
      .map(({ resourceArns, onlyThrough }) => grantOrWarn(scope, {
        grantee,
        actions: INVOKE_MODEL_ACTIONS,
        resourceArns,
        ...(onlyThrough === undefined ? {} : { conditions: { ArnEquals: { 'bedrock:InferenceProfileArn': onlyThrough } } }),
      }))
      .reduce((all, grant) => all.combine(grant));
  }
}

function throughProfile(scope: IConstruct, inferenceProfileArn: string, modelIds: string[]): Needed[] {
  return [
    { resourceArns: [inferenceProfileArn] },
    {
      // Any region, since the service decides where a profile sends a request; a global one also uses an ARN without a region.
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

/** The profile's id without its geography, which ends at the first dot. */
function modelIdBehind(scope: IConstruct, inferenceProfileId: string): string {
  throwOnFaults(scope, faultsOf(inferenceProfileId, PROFILE_RULES));
  return inferenceProfileId.slice(inferenceProfileId.indexOf('.') + 1);
}

const MODEL_RULES: readonly Rule<string>[] = [
  {
    // The ARN would be of no model, and the first sign an AccessDenied at run time.
    broken: (id) => /^(?:us|us-gov|eu|apac|au|jp|ca|global)\./.test(id),
    message: (id) => `"modelId" is "${id}", which begins with a geography as an inference profile does, must be the id of a model, such as ` +
      '"anthropic.claude-sonnet-4-20250514-v1:0": use BedrockModel.inferenceProfile(), or leave the geography out',
  },
];

const PROFILE_RULES: readonly Rule<string>[] = [
  {
    broken: (id) => Token.isUnresolved(id),
    message: () => '"inferenceProfileId" is a token, must be known at synth since the model is read from it: ' +
      'use BedrockModel.applicationInferenceProfile()',
  },
  {
    broken: (id) => !Token.isUnresolved(id) && !/^[a-z-]+\.[^.]+\../.test(id),
    message: (id) => `"inferenceProfileId" is "${id}", must be a geography and the id of a model, such as ` +
      '"eu.anthropic.claude-sonnet-4-20250514-v1:0": add the geography, or use BedrockModel.foundationModel()',
  },
];
