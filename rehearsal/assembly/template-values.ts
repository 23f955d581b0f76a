import { createHash } from 'node:crypto';
import type { SynthesizedStack } from './assembly';

export interface TemplateValuesProps {
  readonly region: string;
  readonly account: string;
  /** The values of references: `LogicalId` for a `Ref`, `LogicalId.Attribute` for a `Fn::GetAtt`. */
  readonly values: ReadonlyMap<string, string>;
}

/** The template has something that is not emulated, by name. */
export class NotEmulatedError extends Error {
  readonly name = 'NotEmulatedError';
}

/** The placeholder of a value that only CloudFormation knows. It has no quotes, because it may be part of JSON. */
const UNKNOWN = /«([^»]*)»/g;
const isUnknown = (value: unknown) => typeof value === 'string' && value.includes('«Fn::');

/** Returns the parts of a resolved value that only CloudFormation knows, such as `Fn::ImportValue (Network:Vpc)`. */
export function unknownIn(value: unknown): string[] {
  return [...new Set([...(JSON.stringify(value) ?? '').matchAll(UNKNOWN)].map(([, what]) => what))];
}

/**
 * Resolves the references and intrinsic functions of a template to fixed values, as if it were deployed.
 *
 * Values that only CloudFormation knows resolve to placeholders, which `unknownIn` finds: most of a template does not matter here.
 */
export class TemplateValues {
  constructor(private readonly stack: SynthesizedStack, private readonly props: TemplateValuesProps) {}

  resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.resolve(item)).filter((item) => item !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    if (entries.length === 1 && (entries[0][0] === 'Ref' || entries[0][0].startsWith('Fn::'))) return this.intrinsic(entries[0][0], entries[0][1]);
    return Object.fromEntries(entries.map(([key, item]) => [key, this.resolve(item)]).filter(([, item]) => item !== undefined));
  }

  text(value: unknown): string {
    const resolved = this.resolve(value);
    return typeof resolved === 'string' ? resolved : JSON.stringify(resolved);
  }

  /** A property that is JSON. */
  json<T>(logicalId: string, property: string): T {
    const text = this.text(this.stack.resource(logicalId)?.Properties?.[property] ?? '');
    try {
      return JSON.parse(text) as T;
    } catch {
      const unknown = unknownIn(text).map((what) => `the value of ${what}`);
      throw new NotEmulatedError(`${logicalId} cannot be rehearsed: its ${property} ${unknown.length === 0 ? 'is not in the template' : `needs ${unknown.join(', ')}, which only CloudFormation knows`}`);
    }
  }

  private intrinsic(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.reference(argument as string);
      case 'Fn::GetAtt': {
        const [logicalId, ...attribute] = typeof argument === 'string' ? argument.split('.') : argument as string[];
        return this.attribute(logicalId, attribute.join('.'));
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown];
        const resolved = this.resolve(parts) as unknown[] | string;
        return typeof resolved === 'string' ? resolved : resolved.join(separator);
      }
      case 'Fn::Sub': {
        const [text, variables] = typeof argument === 'string' ? [argument, {}] : argument as [string, { [name: string]: unknown }];
        return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal, variable: string) => {
          if (literal) return `\${${variable}}`;
          if (variable in variables) return this.text(variables[variable]);
          return variable.includes('.') ? this.text({ 'Fn::GetAtt': variable }) : this.text({ Ref: variable });
        });
      }
      case 'Fn::Select': {
        const [index, list] = this.resolve(argument) as [number | string, unknown[] | string];
        return typeof list === 'string' ? list : list[Number(index)] ?? list.find(isUnknown);
      }
      case 'Fn::Split': {
        const [separator, text] = this.resolve(argument) as [string, string];
        return isUnknown(text) ? [text] : text.split(separator);
      }
      default:
        return `«${name} (${(typeof argument === 'string' ? argument : JSON.stringify(argument)).replace(/["\\]/g, '\'')})»`;
    }
  }

  private reference(name: string): string | undefined {
    const given = this.props.values.get(name);
    if (given !== undefined) return given;
    const { region, account } = this.props;
    switch (name) {
      case 'AWS::Region': return region;
      case 'AWS::AccountId': return account;
      case 'AWS::Partition': return 'aws';
      case 'AWS::URLSuffix': return 'amazonaws.com';
      case 'AWS::StackName': return this.stack.name;
      case 'AWS::StackId': return `arn:aws:cloudformation:${region}:${account}:stack/${this.stack.name}/00000000-0000-0000-0000-000000000000`;
      case 'AWS::NoValue': return undefined;
    }
    const parameter = this.stack.template.Parameters?.[name];
    if (parameter !== undefined) return `${parameter.Default ?? ''}`;
    const resource = this.stack.resource(name);
    switch (resource?.Type) {
      case 'AWS::Lambda::Version':
      case 'AWS::Lambda::Alias':
        return `${this.functionArn(resource.Properties?.FunctionName)}:${name}`;
      case 'AWS::StepFunctions::StateMachine':
        return this.attribute(name, 'Arn');
      case 'AWS::Events::EventBus':
      case 'AWS::SSM::Parameter':
        return this.nameOf(name);
      case 'AWS::S3::Bucket':
        return this.bucketName(name);
      case 'AWS::SNS::Topic':
        return `arn:aws:sns:${region}:${account}:${this.text(resource.Properties?.TopicName ?? name)}`;
      case 'AWS::EFS::AccessPoint':
        return idOf('fsap', name);
      case 'AWS::SecretsManager::Secret':
        return secretArn(this.text(resource.Properties?.Name ?? name), region, account);
      default:
        return name;
    }
  }

  /** ARNs that say what they are of; any other attribute only has to be the same each time. */
  private attribute(logicalId: string, attribute: string): string {
    const { region, account, values } = this.props;
    const given = values.get(`${logicalId}.${attribute}`);
    if (given !== undefined) return given;
    const type = this.stack.resource(logicalId)?.Type ?? 'AWS::Unknown::Resource';
    if (attribute === 'Arn' && type === 'AWS::Lambda::Function') return this.functionArn(logicalId);
    if (attribute === 'Arn' && type === 'AWS::StepFunctions::StateMachine') return `arn:aws:states:${region}:${account}:stateMachine:${logicalId}`;
    if (attribute === 'Arn' && type === 'AWS::EFS::AccessPoint') return `arn:aws:elasticfilesystem:${region}:${account}:access-point/${idOf('fsap', logicalId)}`;
    if (attribute === 'AccessPointArn' && type === 'AWS::S3Files::AccessPoint') {
      return `arn:aws:s3files:${region}:${account}:file-system/${idOf('fs', logicalId)}/access-point/${idOf('fsap', logicalId)}`;
    }
    if (attribute === 'Arn' && type === 'AWS::S3::Bucket') return `arn:aws:s3:::${this.bucketName(logicalId)}`;
    if (attribute === 'Arn' && type === 'AWS::Events::EventBus') return `arn:aws:events:${region}:${account}:event-bus/${this.nameOf(logicalId)}`;
    if (attribute === 'Arn' && type === 'AWS::IAM::Role') return `arn:aws:iam::${account}:role/${logicalId}`;
    if (attribute === 'Arn') return `arn:aws:${type.split('::')[1].toLowerCase()}:${region}:${account}:${logicalId}`;
    return `${logicalId}.${attribute}`;
  }

  /** Returns the name that the template gives to a resource, or its logical ID. */
  private nameOf(logicalId: string): string {
    return this.text(this.stack.resource(logicalId)?.Properties?.Name ?? logicalId);
  }

  /** Returns the name of a bucket, which has no capital letters. */
  private bucketName(logicalId: string): string {
    return this.text(this.stack.resource(logicalId)?.Properties?.BucketName ?? logicalId.toLowerCase());
  }

  private functionArn(name: unknown): string {
    return `arn:aws:lambda:${this.props.region}:${this.props.account}:function:${this.text(name).replace(/^.*:function:/, '')}`;
  }
}

/** Returns the ARN of a secret: its name, and a suffix of 6 characters as Secrets Manager adds it. */
export function secretArn(name: string, region: string, account: string): string {
  const suffix = createHash('sha256').update(name).digest('base64').replace(/[^A-Za-z0-9]/g, '').slice(0, 6);
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
}

/** Makes the id of a file system or its access point, in the form that AgentCore expects. */
function idOf(prefix: string, logicalId: string): string {
  return `${prefix}-${createHash('sha256').update(logicalId).digest('hex').slice(0, 17)}`;
}
