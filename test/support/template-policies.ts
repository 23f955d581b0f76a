/** Finds every policy of a template and resolves its references to ARNs as the services see them. */
import { faultsOfStatement, list, Statement } from './policy-faults';
import { SynthesizedStack, TemplateValues, unknownIn } from '../../rehearsal/assembly';

const REGION = 'us-east-1';
const ACCOUNT = '123456789012';

/** The values of attributes that policies refer to, by type and attribute. */
const ARNS: { readonly [attribute: string]: (id: string) => string } = {
  'AWS::BedrockAgentCore::Runtime.AgentRuntimeArn': (id) => `arn:aws:bedrock-agentcore:${REGION}:${ACCOUNT}:runtime/${id}`,
  'AWS::Logs::LogGroup.Arn': (id) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${id}:*`,
  'AWS::S3::Bucket.Arn': (id) => `arn:aws:s3:::${id.toLowerCase()}`,
  'AWS::KMS::Key.Arn': (id) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`,
  'AWS::ECR::Repository.Arn': (id) => `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/${id.toLowerCase()}`,
  'AWS::EFS::FileSystem.Arn': (id) => `arn:aws:elasticfilesystem:${REGION}:${ACCOUNT}:file-system/${id}`,
  'AWS::Bedrock::ApplicationInferenceProfile.InferenceProfileArn': (id) => `arn:aws:bedrock:${REGION}:${ACCOUNT}:application-inference-profile/${id}`,
};
/** Types whose `Ref` is an ARN. */
const REFERENCES: { readonly [type: string]: (id: string) => string } = {
  'AWS::SecretsManager::Secret': (id) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${id}-a1b2c3`,
  'AWS::SNS::Topic': (id) => `arn:aws:sns:${REGION}:${ACCOUNT}:${id}`,
};

export interface PolicyFault {
  /** The logical id of the resource that contains the policy, and the policy's path there. */
  readonly place: string;
  readonly fault: string;
  readonly statement: Statement;
}

export interface Checked {
  readonly statements: number;
  readonly faults: readonly PolicyFault[];
}

export async function checkPolicies(stack: SynthesizedStack): Promise<Checked> {
  const resources = Object.entries(stack.template.Resources ?? {});
  const values = new TemplateValues(stack, {
    region: REGION,
    account: ACCOUNT,
    values: new Map(resources.flatMap(([id, { Type }]) => [
      ...Object.entries(ARNS).filter(([name]) => name.startsWith(`${Type}.`)).map(([name, arn]) => [`${id}.${name.split('.')[1]}`, arn(id)] as const),
      ...Type in REFERENCES ? [[id, REFERENCES[Type](id)] as const] : [],
    ])),
  });

  const faults: PolicyFault[] = [];
  let statements = 0;
  for (const [id, { Type, Properties }] of resources) {
    const found = [...policiesIn(values.resolve(Properties), id), ...Type === 'AWS::Lambda::Permission' ? [permission(values.resolve(Properties), id)] : []];
    for (const { place, statement } of found) {
      statements += 1;
      const where = /\.AssumeRolePolicyDocument\b/.test(place) ? 'trust' : statement.Principal === undefined ? 'identity' : 'resource';
      const unknown = unknownIn([statement.Resource, statement.NotResource]);
      const reasons = unknown.length > 0 ? [`has a resource that this test cannot read: ${unknown.join()}`] : await faultsOfStatement(statement, where);
      faults.push(...reasons.map((fault) => ({ place, fault, statement })));
    }
  }
  return { statements, faults };
}

interface Found {
  readonly place: string;
  readonly statement: Statement;
}

/** Finds everything that has statements with an effect, including JSON in strings. */
function policiesIn(value: unknown, place: string): Found[] {
  if (typeof value === 'string') return value.includes('"Statement"') ? policiesIn(parsed(value), place) : [];
  if (typeof value !== 'object' || value === null) return [];
  const { Statement: statements } = value as { readonly Statement?: Statement | readonly Statement[] };
  const own = list(statements).filter((statement) => statement?.Effect !== undefined);
  return own.length > 0
    ? own.map((statement, i) => ({ place: `${place}.Statement[${i}]`, statement }))
    : Object.entries(value).flatMap(([name, item]) => policiesIn(item, `${place}.${name}`));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function permission(properties: unknown, id: string): Found {
  const { Action, FunctionName, Principal } = properties as { readonly Action: string; readonly FunctionName: string; readonly Principal: string };
  const arn = FunctionName.startsWith('arn:') ? FunctionName : `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}`;
  return { place: id, statement: { Effect: 'Allow', Principal, Action, Resource: arn } };
}
