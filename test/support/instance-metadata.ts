import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';

/** The metadata service of a machine, where a session has the credentials of its role. */
export class InstanceMetadata {
  static async start(accessKeyId: string): Promise<InstanceMetadata> {
    const metadata = new InstanceMetadata(accessKeyId);
    await new Promise<void>((resolve) => metadata.http.listen(0, '127.0.0.1', resolve));
    return metadata;
  }

  private readonly http: Server;

  private constructor(accessKeyId: string) {
    const role = {
      Code: 'Success',
      Type: 'AWS-HMAC',
      AccessKeyId: accessKeyId,
      SecretAccessKey: 'secret',
      Token: 'token',
      LastUpdated: new Date().toISOString(),
      Expiration: new Date(Date.now() + 3_600_000).toISOString(),
    };
    const answers: { readonly [request: string]: string } = {
      'PUT /latest/api/token': 'metadata-token',
      'GET /latest/meta-data/iam/security-credentials/': 'execution-role',
      'GET /latest/meta-data/iam/security-credentials/execution-role': JSON.stringify(role),
    };
    this.http = createServer(({ method, url, headers }, response) => {
      const answer = answers[`${method} ${url}`];
      // The second version of the service wants the token that it gave.
      const allowed = method === 'PUT' || headers['x-aws-ec2-metadata-token'] === 'metadata-token';
      response.writeHead(answer === undefined ? 404 : allowed ? 200 : 401, { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' });
      response.end(allowed ? answer : undefined);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }
}
