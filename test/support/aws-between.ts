import { createServer, IncomingMessage, OutgoingHttpHeaders, request as requestOf, Server } from 'node:http';
import { AddressInfo } from 'node:net';

/** An answer of AWS on the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body: string;
}

/** What happens to requests of an operation. */
interface Rule {
  readonly operation: string;
  /** The number of requests that are left to it. */
  times: number;
  readonly answer?: WireAnswer;
  /** Changes the JSON of the request. */
  readonly change?: (request: object) => object;
  /** Happens when the answer is there, before it is sent. */
  readonly afterwards?: (answer: string) => Promise<string> | string;
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.0' };

/** An error in the protocol of Step Functions and Systems Manager. */
export function jsonError(name: string, message: string): WireAnswer {
  return { status: 400, headers: JSON_TYPE, body: JSON.stringify({ __type: name, message }) };
}

/** An error in the protocol of CloudFormation and STS. */
export function queryError(code: string, message: string, status = 400): WireAnswer {
  const headers = { 'content-type': 'text/xml' };
  return { status, headers, body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>` };
}

/** An error in the protocol of S3. */
export function s3Error(code: string, message: string, status: number): WireAnswer {
  return { status, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>r</RequestId></Error>` };
}

interface Passed {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** A server between clients and a stand-in for AWS, which answers some requests itself, and changes others or their answers. */
export class AwsBetween {
  static async start(target: string): Promise<AwsBetween> {
    const between = new AwsBetween(target);
    await new Promise<void>((done) => between.server.listen(0, '127.0.0.1', done));
    return between;
  }

  /** The operations of all requests, such as `GetExecutionHistory`, in their order. */
  readonly operations: string[] = [];
  private rules: Rule[] = [];
  private readonly server: Server;

  private constructor(private readonly target: string) {
    this.server = createServer((request, response) => {
      void this.pass(request).then(({ status, headers, body }) => response.writeHead(status, headers).end(body), () => response.destroy());
    });
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Answers requests of an operation in place of AWS. */
  answer(operation: string, answer: WireAnswer, times = Infinity): void {
    this.rules.push({ operation, answer, times });
  }

  /** Changes the JSON of requests, such as the length of a page. */
  change(operation: string, change: (request: object) => object): void {
    this.rules.push({ operation, change, times: Infinity });
  }

  /** Does something when AWS has answered, or changes the answer. */
  afterwards(operation: string, afterwards: Rule['afterwards'], times = Infinity): void {
    this.rules.push({ operation, afterwards, times });
  }

  count(operation: string): number {
    return this.operations.filter((each) => each === operation).length;
  }

  reset(): void {
    this.rules = [];
    this.operations.length = 0;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async pass(request: IncomingMessage): Promise<Passed> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    let sent = Buffer.concat(chunks);
    const operation = operationOf(request, sent);
    this.operations.push(operation);
    const rules = this.rules.filter((rule) => rule.operation === operation && rule.times > 0);
    for (const rule of rules) {
      rule.times -= 1;
      if (rule.answer) return { status: rule.answer.status, headers: rule.answer.headers ?? {}, body: Buffer.from(rule.answer.body) };
      if (rule.change) sent = Buffer.from(JSON.stringify(rule.change(JSON.parse(sent.toString()) as object)));
    }
    const { 'connection': _, 'content-length': __, 'transfer-encoding': ___, ...headers } = request.headers;
    const answer = await fetchAs(this.target, request, headers, sent);
    let text = answer.body;
    for (const { afterwards } of rules) {
      if (afterwards) text = Buffer.from(await afterwards(text.toString()));
    }
    return { ...answer, body: text };
  }
}

/** Sends a request as it was signed: with its own `host`, which `fetch` would replace. */
async function fetchAs(target: string, { method, url }: IncomingMessage, headers: OutgoingHttpHeaders, body: Buffer): Promise<Passed> {
  return new Promise((settle, fails) => {
    const sending = requestOf(`${target}${url}`, { method, headers: { ...headers, 'content-length': body.length } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part)).on('error', fails).on('end', () => {
        const { 'content-length': _, 'transfer-encoding': __, 'connection': ___, ...rest } = answer.headers;
        settle({ status: answer.statusCode!, headers: rest, body: Buffer.concat(parts) });
      });
    });
    sending.on('error', fails).end(body);
  });
}

/** Returns the operation: by a header, by a parameter, or for S3 by what is asked for. */
function operationOf({ headers, url = '', method }: IncomingMessage, body: Buffer): string {
  const { 'x-amz-target': target } = headers;
  if (typeof target === 'string') return target.split('.').pop()!;
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(body.toString()).get('Action') ?? '';
  if (url.includes('/stopruntimesession')) return 'StopRuntimeSession';
  if (url.includes('list-type=2')) return 'ListObjectsV2';
  return /\/s3\/aws4_request/.test(String(headers.authorization)) ? `${method === 'GET' ? 'Get' : 'Put'}Object` : `${method} ${url}`;
}
