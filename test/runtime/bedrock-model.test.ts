import { Aws } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as bedrock from 'aws-cdk-lib/aws-bedrock';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentExecutionRole, AgentRuntime, BedrockModel } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

const MODEL_ID = 'anthropic.claude-sonnet-4-20250514-v1:0';
const ENV = { account: '123456789012', region: 'eu-west-1' };
const PROFILES = 'arn:aws:bedrock:eu-west-1:123456789012';
const ANY_REGION = `arn:aws:bedrock:*::foundation-model/${MODEL_ID}`;

/** Resources and conditions of the statements that the grant adds. */
function allowed(model: BedrockModel) {
  const stack = newStack(ENV);
  const role = new AgentExecutionRole(stack, 'Role', { runtimeName: 'coder' });
  const { success } = role.grantInvokeModel(model);
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  const text = JSON.stringify(policy).replace(/\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"([^"]*)"\]\]\}/g, '"arn:aws$1"');
  const statements: Record<'Sid' | 'Action' | 'Resource' | 'Condition', unknown>[] = JSON.parse(text).Properties.PolicyDocument.Statement;
  const added = statements.filter(({ Sid }) => Sid === undefined);
  expect(success).toBe(true);
  expect(added.map(({ Action }) => Action)).toEqual(added.map(() => ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream']));
  return added.map(({ Resource, Condition }) => [Resource, Condition]);
}

test('a foundation model is in the runtime\'s region, without an account', () => {
  expect(allowed(BedrockModel.foundationModel(MODEL_ID))).toEqual([[`arn:aws:bedrock:eu-west-1::foundation-model/${MODEL_ID}`, undefined]]);
});

test('a model of the CDK is granted by its ARN', () => {
  const arn = `${PROFILES}:provisioned-model/0123456789ab`;

  expect(allowed(BedrockModel.fromModel(bedrock.ProvisionedModel.fromProvisionedModelArn(newStack(), 'Model', arn)))).toEqual([[arn, undefined]]);
});

const GEOGRAPHIES = ['apac', 'au', 'ca', 'eu', 'global', 'jp', 'us', 'us-gov'];

test.each([...GEOGRAPHIES, 'newer'])('an inference profile of %s is granted with its model, which can be invoked only through the profile', (geography) => {
  const profile = `${PROFILES}:inference-profile/${geography}.${MODEL_ID}`;

  expect(allowed(BedrockModel.inferenceProfile(`${geography}.${MODEL_ID}`))).toEqual([
    [profile, undefined],
    [ANY_REGION, { ArnEquals: { 'bedrock:InferenceProfileArn': profile } }],
  ]);
});

test('an application inference profile is granted with its models, which can be invoked only through the profile', () => {
  const profile = `${PROFILES}:application-inference-profile/0123456789ab`;

  expect(allowed(BedrockModel.applicationInferenceProfile(profile, { modelIds: [MODEL_ID, 'amazon.nova-pro-v1:0'] }))).toEqual([
    [profile, undefined],
    [[ANY_REGION, 'arn:aws:bedrock:*::foundation-model/amazon.nova-pro-v1:0'], { ArnEquals: { 'bedrock:InferenceProfileArn': profile } }],
  ]);
});

test.each(['ai21.jamba-1-5-large-v1:0', 'deepseek.v3.2', 'deepseek.r1-v1:0'])('the model of the inference profile "%s" is derived', (modelId) => {
  expect(allowed(BedrockModel.inferenceProfile(`us.${modelId}`))[1][0]).toBe(`arn:aws:bedrock:*::foundation-model/${modelId}`);
});

test.each([
  MODEL_ID, '', '.', '..', 'eu.', 'eu..', 'eu.anthropic', 'eu.anthropic.', `eu.us.${MODEL_ID}`, 'EU.anthropic.claude',
  // Foundation models with a dot in their names.
  'deepseek.v3.2', 'zai.glm-4.7', 'moonshotai.kimi-k2.5',
])('fails on the inference profile "%s"', (id) => {
  expect(messageOf(() => allowed(BedrockModel.inferenceProfile(id)))).toBe(
    `"inferenceProfileId" must be a geography and the ID of a model, such as "eu.${MODEL_ID}", not "${id}": ` +
    'add the geography, or use BedrockModel.foundationModel()\n  at Stack/Role',
  );
});

test.each(GEOGRAPHIES)('fails on the inference profile of %s given as a foundation model', (geography) => {
  expect(messageOf(() => allowed(BedrockModel.foundationModel(`${geography}.${MODEL_ID}`)))).toBe(
    `"modelId" must be the ID of a model, such as "${MODEL_ID}", not "${geography}.${MODEL_ID}", which starts with a geography as the ID ` +
    'of an inference profile does: use BedrockModel.inferenceProfile(), or remove the geography\n  at Stack/Role',
  );
});

test('fails on a foundation model without an id', () => {
  expect(messageOf(() => allowed(BedrockModel.foundationModel('')))).toBe(
    `"modelId" must not be empty: use the ID of a model, such as "${MODEL_ID}"\n  at Stack/Role`,
  );
});

describe('the models of an application inference profile', () => {
  const grant = (modelIds: string[]) => () => allowed(BedrockModel.applicationInferenceProfile(`${PROFILES}:application-inference-profile/0123456789ab`, { modelIds }));

  test('fail for each that is not a model', () => {
    expect(messageOf(grant([MODEL_ID, `eu.${MODEL_ID}`, '']))).toBe([
      `"modelIds[1]" must be the ID of a model, such as "${MODEL_ID}", not "eu.${MODEL_ID}", which starts with a geography as the ID ` +
      'of an inference profile does: use BedrockModel.inferenceProfile(), or remove the geography',
      `"modelIds[2]" must not be empty: use the ID of a model, such as "${MODEL_ID}"`,
      '  at Stack/Role',
    ].join('\n'));
  });

  test('fail if there are none', () => {
    expect(messageOf(grant([]))).toBe('"modelIds" must not be empty: add the ID of each model that the profile routes to\n  at Stack/Role');
  });

  test('are used unchanged if they are tokens', () => {
    expect(grant([Aws.STACK_NAME])()).toHaveLength(2);
  });
});

test.each(['deepseek.v3.2', 'zai.glm-4.7'])('a foundation model may have a dot in its name: %s', (modelId) => {
  expect(allowed(BedrockModel.foundationModel(modelId))).toEqual([[`arn:aws:bedrock:eu-west-1::foundation-model/${modelId}`, undefined]]);
});

test('a foundation model that is a token is used unchanged', () => {
  expect(allowed(BedrockModel.foundationModel(Aws.STACK_NAME))).toHaveLength(1);
});

test('fails on an inference profile that is a token', () => {
  expect(messageOf(() => allowed(BedrockModel.inferenceProfile(Aws.STACK_NAME)))).toBe(
    '"inferenceProfileId" must be known at synth, since the ID of the model is read from it, not a token: use BedrockModel.applicationInferenceProfile()\n  at Stack/Role',
  );
});

test('a runtime can be granted a model, whatever its role', () => {
  const stack = newStack(ENV);
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: IMAGE, executionRole: new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('bedrock-agentcore.amazonaws.com') }),
  });
  runtime.grantInvokeModel(BedrockModel.inferenceProfile(`eu.${MODEL_ID}`));

  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Condition: { ArnEquals: { 'bedrock:InferenceProfileArn': Match.anyValue() } } })]) },
  });
});

test('a runtime whose role is immutable gets a warning for each statement', () => {
  const stack = newStack(ENV);
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: IMAGE, executionRole: iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/agent', { mutable: false }),
  });
  runtime.grantInvokeModel(BedrockModel.inferenceProfile(`eu.${MODEL_ID}`));

  const warnings = Annotations.fromStack(stack).findWarning('/Stack/Agent', Match.stringLikeRegexp('allow bedrock:InvokeModel, .*grantNotAdded'));
  expect(warnings.map(({ entry }) => entry.data)).toEqual([
    expect.not.stringContaining('under the condition'),
    expect.stringMatching('foundation-model.* under the condition \\{"ArnEquals":\\{"bedrock:InferenceProfileArn":.*there yourself'),
  ]);
});

describe('the value that names a model in an invocation', () => {
  const stack = newStack();
  const provisioned = `${PROFILES}:provisioned-model/0123456789ab`;
  const imported = `${PROFILES}:imported-model/0123456789ab`;
  const application = `${PROFILES}:application-inference-profile/0123456789ab`;
  const foundation = bedrock.FoundationModel.fromFoundationModelId(stack, 'Foundation', new bedrock.FoundationModelIdentifier(MODEL_ID));

  test.each([
    ['a foundation model', BedrockModel.foundationModel(MODEL_ID), MODEL_ID],
    ['a foundation model of the CDK', BedrockModel.fromModel(foundation), MODEL_ID],
    ['a provisioned model', BedrockModel.fromModel(bedrock.ProvisionedModel.fromProvisionedModelArn(stack, 'Provisioned', provisioned)), provisioned],
    ['an imported model', BedrockModel.fromModel({ modelArn: imported }), imported],
    ['a geographic profile', BedrockModel.inferenceProfile(`eu.${MODEL_ID}`), `eu.${MODEL_ID}`],
    ['a global profile', BedrockModel.inferenceProfile(`global.${MODEL_ID}`), `global.${MODEL_ID}`],
    ['an application profile', BedrockModel.applicationInferenceProfile(application, { modelIds: [MODEL_ID] }), application],
  ])('is the ID or the ARN: %s', (_, model, id) => {
    expect(model.modelId).toBe(id);
  });

  test('an imported model is granted by its ARN', () => {
    expect(allowed(BedrockModel.fromModel({ modelArn: imported }))).toEqual([[imported, undefined]]);
  });
});
