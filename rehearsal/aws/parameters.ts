import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AwsReply, AwsRequest, RefusalOf } from './request';
import type { SynthesizedStack, TemplateValues } from '../assembly';

export interface ParametersProps {
  readonly stack: SynthesizedStack;
  readonly values: TemplateValues;
  readonly region: string;
  readonly account: string;
  /** File for the parameters that were written. */
  readonly file: string;
}

interface Parameter {
  readonly type: string;
  readonly value: string;
  readonly version: number;
  /** Seconds since the epoch. */
  readonly modifiedAt: number;
}

interface Properties {
  readonly Name?: string;
  readonly Type?: string;
  readonly Value?: string;
}

const TYPES = ['String', 'StringList', 'SecureString'];

/** The maximum size of a value of the standard tier, in bytes, and the pattern of names (`PutParameter` API reference). */
const VALUE_BYTES = 4_096;
const NAME = /^\/?[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+){0,14}$/;

/** The parameters of a template in Parameter Store, and those that are written. */
export class Parameters {
  private readonly own: ReadonlyMap<string, Parameter>;
  private readonly startedAt = Math.floor(Date.now() / 1_000);

  constructor(private readonly props: ParametersProps) {
    const { stack, values } = props;
    this.own = new Map(stack.ofType('AWS::SSM::Parameter').map((logicalId) => {
      const { Type: type = 'String', Value: value = '' } = values.resolve(stack.resource(logicalId)?.Properties ?? {}) as Properties;
      return [values.text({ Ref: logicalId }), { type, value, version: 1, modifiedAt: this.startedAt }];
    }));
  }

  /** Answers `GetParameter` and `PutParameter` in the wire format of Systems Manager. Returns `undefined` for any other request. */
  answer({ target, body }: AwsRequest, refusal: RefusalOf): AwsReply | undefined {
    if (target !== 'AmazonSSM.GetParameter' && target !== 'AmazonSSM.PutParameter') return undefined;
    const operation = target.slice('AmazonSSM.'.length);
    const parameters = JSON.parse(body.toString('utf8')) as PutParameters;
    const name = (parameters.Name ?? '').replace(/^arn:[^:]+:ssm:[^:]*:[^:]*:parameter(\/.*)$/, (_, path: string) => this.find(path) === undefined ? path.slice(1) : path);
    if (!NAME.test(name)) return failure('ValidationException', `Parameter name: can't be prefixed with "ssm" or contain characters other than letters, digits and "_.-/": ${name}`);
    const refused = refusal(`ssm:${operation}`, this.arnOf(name));
    if (refused !== undefined) return failure('AccessDeniedException', refused);
    return operation === 'GetParameter' ? this.get(name) : this.put(name, parameters);
  }

  private get(name: string): AwsReply {
    const found = this.find(name);
    if (found === undefined) return failure('ParameterNotFound', '');
    const { type, value, version, modifiedAt } = found;
    const parameter = { Name: name, Type: type, Value: value, Version: version, LastModifiedDate: modifiedAt, ARN: this.arnOf(name), DataType: 'text' };
    return { status: 200, headers: JSON_1_1, body: { Parameter: parameter } };
  }

  private put(name: string, { Value: value, Type: type, Overwrite: overwrite = false }: PutParameters): AwsReply {
    const found = this.find(name);
    if (found !== undefined && !overwrite) {
      return failure('ParameterAlreadyExists', 'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.');
    }
    if (found === undefined && type === undefined) return failure('ValidationException', 'A parameter type is required when you create a parameter.');
    if (type !== undefined && !TYPES.includes(type)) {
      return failure('ValidationException', `1 validation error detected: Value '${type}' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [${TYPES.join(', ')}]`);
    }
    if (value === undefined || value === '') return failure('ValidationException', 'Parameter value can not be empty.');
    if (Buffer.byteLength(value) > VALUE_BYTES) {
      return failure('ValidationException', `Standard tier parameters support a maximum parameter value of ${VALUE_BYTES} characters.`);
    }
    if (type !== undefined && found !== undefined && type !== found.type && (type === 'SecureString') !== (found.type === 'SecureString')) {
      return failure('ValidationException', `The parameter has the type ${found.type}, which cannot become ${type}.`);
    }
    const version = (found?.version ?? 0) + 1;
    this.write(name, { type: type ?? found!.type, value, version, modifiedAt: Math.floor(Date.now() / 1_000) });
    return { status: 200, headers: JSON_1_1, body: { Version: version, Tier: 'Standard' } };
  }

  private find(name: string): Parameter | undefined {
    return this.written[name] ?? this.own.get(name);
  }

  /** The parameters that were written, also by earlier rehearsals. */
  private get written(): { readonly [name: string]: Parameter | undefined } {
    const { file } = this.props;
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as { readonly [name: string]: Parameter } : {};
  }

  private write(name: string, parameter: Parameter): void {
    const { file } = this.props;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify({ ...this.written, [name]: parameter }, undefined, 2)}\n`);
  }

  private arnOf(name: string): string {
    return `arn:aws:ssm:${this.props.region}:${this.props.account}:parameter/${name.replace(/^\//, '')}`;
  }
}

interface PutParameters {
  readonly Name?: string;
  readonly Value?: string;
  readonly Type?: string;
  readonly Overwrite?: boolean;
}

const JSON_1_1 = { 'content-type': 'application/x-amz-json-1.1' };

function failure(type: string, message: string): AwsReply {
  return { status: 400, headers: JSON_1_1, body: { __type: type, message } };
}
