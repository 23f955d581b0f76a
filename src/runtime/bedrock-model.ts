import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import * as bedrock from 'aws-cdk-lib/aws-bedrock';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';
import { INVOKE_MODEL_ACTIONS } from './perms';
import { grantOrWarn } from '../private/grant';
import { faultsOf, Rule, throwOnFaults } from '../private/validation';

/** Which foundation models are behind an application inference profile. */
export interface ApplicationInferenceProfileOptions {
  /** Ids of the foundation models, such as `anthropic.claude-sonnet-4-20250514-v1:0`, without a geography. At least one. */
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
      throwOnFaults(scope, modelFaults(modelId, 'modelId'));
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
   * A geography that is newer than this release is taken as one if letters alone and a dot follow, as a provider's name does. Another new
   * one is given by its ARN to `applicationInferenceProfile`, which works for the profiles of the system too.
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
    return new InvokedModel((scope) => {
      throwOnFaults(scope, modelsFaults(options.modelIds));
      return throughProfile(scope, inferenceProfileArn, options.modelIds);
    });
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

/**
 * What the ids of system-defined inference profiles begin with.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
 */
const GEOGRAPHIES = ['apac', 'au', 'ca', 'eu', 'global', 'jp', 'us', 'us-gov'];

/** The id of a model as it came, and the name of the prop that it came in. */
interface Given {
  readonly prop: string;
  readonly id: string;
}

/** With either, the ARN would be of no model, and the first sign an AccessDenied at run time. */
const MODEL_RULES: readonly Rule<Given>[] = [
  {
    broken: ({ id }) => id === '',
    message: ({ prop }) => `"${prop}" is empty, must be the id of a model, such as "anthropic.claude-sonnet-4-20250514-v1:0": give it`,
  },
  {
    broken: ({ id }) => GEOGRAPHIES.some((geography) => id.startsWith(`${geography}.`)),
    message: ({ prop, id }) => `"${prop}" is "${id}", which begins with a geography as an inference profile does, must be the id of a model, such as ` +
      '"anthropic.claude-sonnet-4-20250514-v1:0": use BedrockModel.inferenceProfile(), or leave the geography out',
  },
];

function modelFaults(id: string, prop: string): string[] {
  return faultsOf({ prop, id }, MODEL_RULES);
}

function modelsFaults(modelIds: string[]): string[] {
  if (modelIds.length > 0) return modelIds.flatMap((id, i) => modelFaults(id, `modelIds[${i}]`));
  return ['"modelIds" is empty, must have the id of each model behind the profile: add them'];
}

/**
 * Whether the id is a geography and the id of a model, which is a provider and a name.
 *
 * Names of models have dots too: of `deepseek.v3.2`, nothing is a geography.
 */
function isOfGeography(id: string): boolean {
  const [geography, provider, ...name] = id.split('.');
  if (!provider || name.join('.') === '' || GEOGRAPHIES.includes(provider)) return false;
  return GEOGRAPHIES.includes(geography) || (/^[a-z-]+$/.test(geography) && /^[a-z]+$/.test(provider));
}

const PROFILE_RULES: readonly Rule<string>[] = [
  {
    broken: (id) => Token.isUnresolved(id),
    message: () => '"inferenceProfileId" is a token, must be known at synth since the model is read from it: ' +
      'use BedrockModel.applicationInferenceProfile()',
  },
  {
    broken: (id) => !Token.isUnresolved(id) && !isOfGeography(id),
    message: (id) => `"inferenceProfileId" is "${id}", must be a geography and the id of a model, such as ` +
      '"eu.anthropic.claude-sonnet-4-20250514-v1:0": add the geography, or use BedrockModel.foundationModel()',
  },
];
