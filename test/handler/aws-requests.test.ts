import { createServer, IncomingHttpHeaders, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { SFNClient } from '@aws-sdk/client-sfn';
import { AwsRequests } from '../../src/handler/aws-requests';

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
let server: Server;
let reply: { readonly status: number; readonly body: string; readonly headers?: Record<string, string> };
const requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];

beforeAll(async () => {
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey, AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
  });
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(reply.status, reply.headers).end(reply.body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => {
  delete process.env.AWS_SESSION_TOKEN;
  server.closeAllConnections();
  server.close();
});

const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const send = (body: object) => new AwsRequests('states', endpoint()).json('1.0', 'AWSStepFunctions.DescribeExecution', body, AbortSignal.timeout(10_000));

test('a request is what the SDK\'s own client of Step Functions sends, signed for the service', async () => {
  reply = { status: 200, body: '{"status":"RUNNING"}' };
  expect(await send({ executionArn: 'arn:ü' })).toEqual({ status: 'RUNNING' });
  const { headers: { authorization, 'x-amz-date': date, host, ...headers }, body } = requests.pop()!;
  expect(headers).toMatchObject({ 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AWSStepFunctions.DescribeExecution', 'x-amz-security-token': 'token' });
  expect(JSON.parse(body)).toEqual({ executionArn: 'arn:ü' });
  expect(authorization).toContain('/us-east-1/states/aws4_request');

  // Signed again by the other client, from the received request.
  const { config } = new SFNClient({ region: 'us-east-1', credentials: CREDENTIALS });
  const signer = await config.signer({ name: 'sigv4', signingName: 'states', signingRegion: 'us-east-1', properties: {} });
  const { protocol, hostname, port } = new URL(endpoint());
  const given = { 'content-type': 'application/x-amz-json-1.0', 'host': host!, 'x-amz-target': 'AWSStepFunctions.DescribeExecution' };
  const signingDate = new Date(`${date}`.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const signed = await signer.sign({ method: 'POST', protocol, hostname, port: Number(port), path: '/', query: {}, headers: given, body }, { signingDate });
  expect(authorization).toBe(signed.headers.authorization);
});

test.each<[string, { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }, string]>([
  ['in the body', { status: 400, body: '{"__type":"com.amazonaws.swf.service.v2.model#ExecutionDoesNotExist","message":"no"}' }, 'ExecutionDoesNotExist'],
  ['in a header', { status: 400, body: '{"Message":"no"}', headers: { 'x-amzn-errortype': 'ThrottlingException:http://internal/' } }, 'ThrottlingException'],
  ['without a name', { status: 500, body: '{"message":"no"}' }, 'UnknownError'],
])('fails with the service\'s error %s', async (_, answer, name) => {
  reply = answer;
  await expect(send({})).rejects.toMatchObject({ name, message: 'no', $metadata: { httpStatusCode: answer.status } });
});

test('fails for an invalid answer', async () => {
  reply = { status: 502, body: '<html>' };
  await expect(send({})).rejects.toThrow(SyntaxError);
});
