import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';

/**
 * Requests to Step Functions, in AWS JSON 1.0.
 *
 * With the signer and the connections of the AgentCore client that the driver has anyway. The client of Step Functions would be a twelfth of the
 * bundle that a cold start loads, for three operations.
 */
export class StepFunctionsClient {
  private readonly client: BedrockAgentCoreClient;

  constructor(private readonly endpoint?: string) {
    // A separate signer: a signer keeps the service name of its first request.
    this.client = new BedrockAgentCoreClient({});
  }

  /** The reply. An error has the name that Step Functions gives it, as with an SDK's client. */
  public async send<T>(operation: string, parameters: object, abortSignal: AbortSignal): Promise<T> {
    const { config } = this.client;
    const region = await config.region();
    const { protocol, hostname, port } = new URL(this.endpoint ?? endpointOf(region));
    const signer = await config.signer({ name: 'sigv4', signingName: 'states', signingRegion: region, properties: {} });
    const signed = await signer.sign({
      method: 'POST',
      protocol,
      hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      path: '/',
      query: {},
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'host': port === '' ? hostname : `${hostname}:${port}`,
        'x-amz-target': `AWSStepFunctions.${operation}`,
      },
      body: JSON.stringify(parameters),
    }, {});
    const { response } = await config.requestHandler.handle(signed as Parameters<typeof config.requestHandler.handle>[0], { abortSignal });
    const reply = JSON.parse(await textOf(response.body)) as T & { readonly __type?: string; readonly message?: string; readonly Message?: string };
    if (response.statusCode < 300) return reply;
    throw Object.assign(new Error(reply.message ?? reply.Message ?? ''), {
      name: (response.headers['x-amzn-errortype'] ?? reply.__type ?? 'UnknownError').replace(/^.*#/, '').replace(/:.*$/, ''),
      $metadata: { httpStatusCode: response.statusCode, requestId: response.headers['x-amzn-requestid'] },
    });
  }
}

function endpointOf(region: string): string {
  return `https://states.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
