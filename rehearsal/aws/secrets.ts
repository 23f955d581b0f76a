import { createHash, randomBytes } from 'node:crypto';
import type { AwsReply, AwsRequest, RefusalOf } from './request';
import { secretArn, SynthesizedStack, TemplateValues } from '../assembly';

const SECRET = 'AWS::SecretsManager::Secret';

/** The dash and the 6 characters that Secrets Manager adds to names in ARNs. */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly value?: string;
}

interface Properties {
  readonly Name?: string;
  readonly SecretString?: string;
  readonly GenerateSecretString?: { readonly SecretStringTemplate?: string; readonly GenerateStringKey?: string; readonly PasswordLength?: number };
}

export interface SecretsProps {
  readonly stack: SynthesizedStack;
  readonly values: TemplateValues;
  readonly region: string;
  readonly account: string;
  /** The values of secrets, by the logical ID, the name, the ARN or the ARN without its suffix. */
  readonly given: Readonly<Record<string, string>>;
}

/** The secrets of a template, and those that it imports, with the values that a rehearsal gives them. */
export class Secrets {
  private readonly secrets: readonly Secret[];
  private readonly createdAt = Math.floor(Date.now() / 1_000);
  private readonly arnOf: (name: string) => string;

  constructor({ stack, values, region, account, given }: SecretsProps) {
    const left = new Map(Object.entries(given));
    const take = (...keys: string[]) => {
      const found = keys.map((key) => left.get(key)).find((value) => value !== undefined);
      keys.forEach((key) => left.delete(key));
      return found;
    };
    const own = stack.ofType(SECRET).map((logicalId): Secret => {
      const properties = values.resolve(stack.resource(logicalId)?.Properties ?? {}) as Properties;
      const arn = values.text({ Ref: logicalId });
      const name = properties.Name ?? logicalId;
      return { arn, name, value: take(logicalId, name, arn, arn.replace(SUFFIX, '')) ?? valueOf(properties) };
    });
    const imported = [...left].map(([key, value]): Secret => {
      const partial = key.startsWith('arn:') ? key : secretArn(key, region, account).replace(SUFFIX, '');
      const arn = key.startsWith('arn:') && SUFFIX.test(key) ? key : secretArn(partial.split(':secret:')[1] ?? partial, region, account);
      return { arn, name: arn.replace(/^.*:secret:/, '').replace(SUFFIX, ''), value };
    });
    this.secrets = [...own, ...imported];
    this.arnOf = (name) => secretArn(name, region, account).replace(SUFFIX, '');
  }

  /** Answers `GetSecretValue` in the wire format of Secrets Manager. Returns `undefined` for any other request. */
  answer({ target, body }: AwsRequest, refusal: RefusalOf): AwsReply | undefined {
    if (target !== 'secretsmanager.GetSecretValue') return undefined;
    const { SecretId: id, VersionStage: stage = 'AWSCURRENT', VersionId: version } = JSON.parse(body.toString('utf8')) as Record<string, string | undefined>;
    if (id === undefined || id === '') return failure('InvalidParameterException', 'You must provide a value for the SecretId parameter.');
    const secret = this.secrets.find(({ arn, name }) => arn === id || arn.replace(SUFFIX, '') === id || name === id);
    // Permissions are checked first: whoever may not read a secret does not learn whether there is one.
    const refused = refusal('secretsmanager:GetSecretValue', secret?.arn ?? (id.startsWith('arn:') ? id : this.arnOf(id)));
    if (refused !== undefined) return failure('AccessDeniedException', refused);
    if (secret === undefined) return failure('ResourceNotFoundException', 'Secrets Manager can\'t find the specified secret.');
    if (secret.value === undefined || stage !== 'AWSCURRENT' || (version !== undefined && version !== versionOf(secret))) {
      const which = version === undefined ? `staging label: ${stage}` : `VersionId: ${version}`;
      return failure('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${which}`);
    }
    return {
      status: 200,
      headers: JSON_1_1,
      body: { ARN: secret.arn, Name: secret.name, VersionId: versionOf(secret), SecretString: secret.value, VersionStages: ['AWSCURRENT'], CreatedDate: this.createdAt },
    };
  }
}

/** Returns the value that the template itself gives to a secret. */
function valueOf({ SecretString: text, GenerateSecretString: generated }: Properties): string | undefined {
  if (generated === undefined) return text;
  const length = generated.PasswordLength ?? 32;
  const password = randomBytes(length).toString('base64url').slice(0, length);
  if (generated.GenerateStringKey === undefined) return password;
  return JSON.stringify({ ...JSON.parse(generated.SecretStringTemplate ?? '{}') as object, [generated.GenerateStringKey]: password });
}

function versionOf({ arn }: Secret): string {
  return createHash('sha256').update(arn).digest('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

const JSON_1_1 = { 'content-type': 'application/x-amz-json-1.1' };

function failure(type: string, message: string): AwsReply {
  return { status: 400, headers: JSON_1_1, body: { __type: type, Message: message, message } };
}
