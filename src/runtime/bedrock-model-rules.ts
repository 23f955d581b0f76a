import { Token } from 'aws-cdk-lib';
import { faultsOf, firstFaultOf, Rule } from '../private/validation';

/**
 * The geographies that the IDs of system-defined inference profiles start with.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
 */
const GEOGRAPHIES = ['apac', 'au', 'ca', 'eu', 'global', 'jp', 'us', 'us-gov'];

const MODEL_ID = 'the ID of a model, such as "anthropic.claude-sonnet-4-20250514-v1:0"';

interface ModelArgument {
  /** The name of the prop, for the message. */
  readonly prop: string;
  readonly id: string;
}

/** An ID that breaks one of these would form the ARN of no model, and the first sign would be an AccessDenied at run time. */
const MODEL_RULES: readonly Rule<ModelArgument>[] = [
  {
    broken: ({ id }) => id === '',
    message: ({ prop }) => `"${prop}" must not be empty: use ${MODEL_ID}`,
  },
  {
    broken: ({ id }) => GEOGRAPHIES.some((geography) => id.startsWith(`${geography}.`)),
    message: ({ prop, id }) => `"${prop}" must be ${MODEL_ID}, not "${id}", which starts with a geography as the ID of an inference profile does: `
      + 'use BedrockModel.inferenceProfile(), or remove the geography',
  },
];

const PROFILE_RULES: readonly Rule<string>[] = [
  {
    broken: (id) => Token.isUnresolved(id),
    message: () => '"inferenceProfileId" must be known at synth, since the ID of the model is read from it, not a token: '
      + 'use BedrockModel.applicationInferenceProfile()',
  },
  {
    broken: (id) => !startsWithGeography(id),
    message: (id) => '"inferenceProfileId" must be a geography and the ID of a model, such as "eu.anthropic.claude-sonnet-4-20250514-v1:0", '
      + `not "${id}": add the geography, or use BedrockModel.foundationModel()`,
  },
];

/**
 * Determines whether the ID is a geography followed by the ID of a model, which is a provider and a name.
 *
 * A name can contain dots: `deepseek.v3.2` does not start with a geography.
 */
function startsWithGeography(id: string): boolean {
  const [geography, provider, ...name] = id.split('.');
  if (!provider || name.join('.') === '' || GEOGRAPHIES.includes(provider)) return false;
  return GEOGRAPHIES.includes(geography) || (/^[a-z-]+$/.test(geography) && /^[a-z]+$/.test(provider));
}

/** Returns the faults of the ID of a foundation model. */
export function modelIdFaults(id: string, prop: string): string[] {
  return faultsOf({ prop, id }, MODEL_RULES);
}

/** Returns the faults of the models behind an application inference profile. */
export function modelIdsFaults(modelIds: string[]): string[] {
  if (modelIds.length > 0) return modelIds.flatMap((id, i) => modelIdFaults(id, `modelIds[${i}]`));
  return ['"modelIds" must not be empty: add the ID of each model that the profile routes to'];
}

/** Returns the faults of the ID of a system-defined inference profile. */
export function profileIdFaults(inferenceProfileId: string): string[] {
  return firstFaultOf(inferenceProfileId, PROFILE_RULES);
}

/** Returns the ID of the model that a valid profile ID contains: everything after the geography. */
export function modelIdOf(inferenceProfileId: string): string {
  return inferenceProfileId.slice(inferenceProfileId.indexOf('.') + 1);
}
