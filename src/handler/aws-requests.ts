import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';

/** The reply of an AWS service. */
export interface AwsReply {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly text: string;
}

/**
 * Signed requests to one AWS service.
 *
 * With the signer and the connections of the AgentCore client that our functions have anyway. A client of its own for each service would be a
 * twelfth of the bundle that a cold start loads, for very few operations.
 */
export class AwsRequests {
  private readonly client: BedrockAgentCoreClient;

  /**
   * @param service the name of the service in signatures and in its endpoints, such as `states`
   * @param endpoint the endpoint; by default that of the region
   */
  constructor(private readonly service: string, private readonly endpoint?: string) {
    // A separate signer: a signer keeps the service name of its first request. Signatures of S3 have paths as they are sent.
    this.client = new BedrockAgentCoreClient({ signingEscapePath: service !== 's3' });
  }

  public post(path: string, headers: { readonly [name: string]: string }, body: string, abortSignal: AbortSignal): Promise<AwsReply> {
    return this.send('POST', path, headers, body, abortSignal);
  }

  public async send(
    method: string, path: string, headers: { readonly [name: string]: string }, body: string | Buffer, abortSignal: AbortSignal,
  ): Promise<AwsReply> {
    const { config } = this.client;
    const region = await config.region();
    const { protocol, hostname, port } = new URL(this.endpoint ?? endpointOf(this.service, region));
    const signer = await config.signer({ name: 'sigv4', signingName: this.service, signingRegion: region, properties: {} });
    const signed = await signer.sign({
      method,
      protocol,
      hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      path,
      query: {},
      headers: { ...headers, host: port === '' ? hostname : `${hostname}:${port}` },
      body,
    }, {});
    const { response } = await config.requestHandler.handle(signed as Parameters<typeof config.requestHandler.handle>[0], { abortSignal });
    return { status: response.statusCode, headers: response.headers, text: await textOf(response.body) };
  }

  /** Sends a request in AWS JSON, and returns the reply. An error has the name that the service gives it, as with an SDK's client. */
  public async json<T>(version: '1.0' | '1.1', target: string, parameters: object, abortSignal: AbortSignal): Promise<T> {
    const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target };
    const { status, headers: replied, text } = await this.post('/', headers, JSON.stringify(parameters), abortSignal);
    const reply = JSON.parse(text) as T & { readonly __type?: string; readonly message?: string; readonly Message?: string };
    if (status < 300) return reply;
    throw Object.assign(new Error(reply.message ?? reply.Message ?? ''), {
      name: (replied['x-amzn-errortype'] ?? reply.__type ?? 'UnknownError').replace(/^.*#/, '').replace(/:.*$/, ''),
      $metadata: { httpStatusCode: status, requestId: replied['x-amzn-requestid'] },
    });
  }
}

function endpointOf(service: string, region: string): string {
  return `https://${service}.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
