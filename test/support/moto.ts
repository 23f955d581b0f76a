import { ChildProcess, spawn } from 'node:child_process';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { pythonPackages, SYSTEM_PATH } from './python-packages';

/** Credentials of nobody, and the servers of tests in place of AWS. Nothing of this machine's own configuration is read. */
export function awsEnvironment(endpoint: string, others: { readonly [name: string]: string } = {}): { readonly [name: string]: string } {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIATESTTESTTESTTEST',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...others,
  };
}

const OWN = /^AWS_/;

/** Sets the variables of AWS for this process, and no others. Returns what restores them. */
export function setAwsEnvironment(environment: { readonly [name: string]: string }): () => void {
  const before = Object.entries(process.env).filter(([name]) => OWN.test(name));
  const clear = () => Object.keys(process.env).filter((name) => OWN.test(name)).forEach((name) => delete process.env[name]);
  clear();
  Object.assign(process.env, environment);
  return () => {
    clear();
    Object.assign(process.env, Object.fromEntries(before));
  };
}

/** moto's server, which keeps executions without running them. */
export class Moto {
  static async start(): Promise<Moto> {
    const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
      env: { PATH: SYSTEM_PATH, PYTHONPATH: pythonPackages('moto'), PYTHONDONTWRITEBYTECODE: '1', HOME: '/nonexistent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const endpoint = await new Promise<string>((found, failed) => {
      let said = '';
      const hear = (text: Buffer) => {
        said += text.toString();
        const [, url] = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said) ?? [];
        if (url !== undefined) found(url);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', failed);
      child.once('exit', () => failed(new Error(`moto ended: ${said}`)));
    });
    return new Moto(child, endpoint);
  }

  private constructor(private readonly child: ChildProcess, readonly endpoint: string) {}

  /** Creates a stack with state machines. */
  async createStack(name: string, definitions: { readonly [logicalId: string]: object }, more: object = {}): Promise<void> {
    const machines = Object.entries(definitions).map(([id, definition]) => [id, {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { StateMachineName: `${name}-${id}`, DefinitionString: JSON.stringify(definition), RoleArn: 'arn:aws:iam::123456789012:role/Role' },
    }]);
    await this.createStackOf(name, { ...Object.fromEntries(machines), ...more });
  }

  async createStackOf(name: string, resources: object): Promise<void> {
    const client = new CloudFormationClient({ endpoint: this.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'A', secretAccessKey: 'B' } });
    await client.send(new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify({ Resources: resources }) }));
    client.destroy();
  }

  /** Creates a user with one policy. Returns its credentials, as variables. */
  async createUser(policy: string): Promise<{ readonly [name: string]: string }> {
    const name = `user-${Date.now()}`;
    await this.iam({ Action: 'CreateUser', UserName: name });
    await this.iam({ Action: 'PutUserPolicy', UserName: name, PolicyName: 'Policy', PolicyDocument: policy });
    const text = await this.iam({ Action: 'CreateAccessKey', UserName: name });
    const [, id] = /<AccessKeyId>(.+?)<\/AccessKeyId>/.exec(text)!;
    const [, secret] = /<SecretAccessKey>(.+?)<\/SecretAccessKey>/.exec(text)!;
    return { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret };
  }

  /** Determines whether requests are checked against policies. */
  async authorize(checked: boolean): Promise<void> {
    await fetch(`${this.endpoint}/moto-api/reset-auth`, { method: 'POST', body: checked ? '0' : 'inf' });
  }

  private async iam(parameters: { readonly [name: string]: string }): Promise<string> {
    const body = new URLSearchParams({ Version: '2010-05-08', ...parameters });
    const authorization = 'AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
    const response = await fetch(this.endpoint, { method: 'POST', body, headers: { authorization } });
    return response.text();
  }

  /** Forgets everything. */
  async reset(): Promise<void> {
    await fetch(`${this.endpoint}/moto-api/reset`, { method: 'POST' });
  }

  close(): void {
    this.child.removeAllListeners('exit');
    this.child.kill('SIGKILL');
  }
}
