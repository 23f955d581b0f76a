import * as control from '@aws-sdk/client-bedrock-agentcore-control';
import { ServerFixture } from '../../support/agentcore';

/** An operation, a structure or a list of the SDK's own model of the service. */
type Schema = readonly unknown[];
type Reference = Schema | (() => Schema) | number;

const STRUCTURE = 3;
const LIST = 1;
const at = (reference: unknown): Schema | undefined => {
  const schema = typeof reference === 'function' ? (reference as () => Schema)() : reference;
  // A member with traits is in a list with them.
  return Array.isArray(schema) ? (Array.isArray(schema[0]) || typeof schema[0] === 'function' ? at(schema[0]) : schema) : undefined;
};

/** Members of a reply that the model lacks, and members of the model that it lacks. */
function departures(value: unknown, reference: Reference | unknown, path: string): string[] {
  const schema = at(reference);
  if (schema?.[0] === LIST) return (value as unknown[]).flatMap((item, index) => departures(item, schema[4], `${path}[${index}]`));
  if (schema?.[0] !== STRUCTURE) return [];
  const [, , , , names, members, required = 0] = schema as [unknown, unknown, unknown, unknown, string[], unknown[], number?];
  const fields = value as Readonly<Record<string, unknown>>;
  return [
    ...Object.keys(fields).filter((name) => !names.includes(name)).map((name) => `${path}.${name} is not in the model`),
    ...names.slice(0, required).filter((name) => fields[name] === undefined || fields[name] === null).map((name) => `${path}.${name} is missing`),
    ...names.flatMap((name, index) => fields[name] === undefined ? [] : departures(fields[name], members[index], `${path}.${name}`)),
  ];
}

let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await ServerFixture.start();
});
afterAll(() => fixture.close());

/** Returns the reply as sent over the wire: the SDK's client drops unknown members. */
async function send(operation: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const reply = await fetch(`${fixture.server.endpoint}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await reply.text();
  const value = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  const [, , , http, , output] = (control as unknown as Record<string, Schema>)[`${operation}$`];
  expect([operation, reply.status]).toEqual([operation, Object.values(http as object)[0][2]]);
  expect(departures(value, output, operation)).toEqual([]);
  return value;
}

const RUNTIME = {
  agentRuntimeName: 'shaped',
  agentRuntimeArtifact: { containerConfiguration: { containerUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1' } },
  roleArn: 'arn:aws:iam::123456789012:role/agent',
  networkConfiguration: { networkMode: 'PUBLIC' },
};

test('every reply of the control plane has exactly the members of the model', async () => {
  const made = await send('CreateAgentRuntime', 'PUT', '/runtimes/', { ...RUNTIME, tags: { team: 'a' }, unheardOf: 1 });
  const at0 = `/runtimes/${String(made.agentRuntimeId)}`;
  const { agentRuntimeName, ...update } = RUNTIME;
  await send('UpdateAgentRuntime', 'PUT', `${at0}/`, { ...update, description: 'second' });
  await send('GetAgentRuntime', 'GET', `${at0}/`);
  await send('CreateAgentRuntimeEndpoint', 'PUT', `${at0}/runtime-endpoints/`, { name: 'live', agentRuntimeVersion: '1', description: 'mine', tags: { a: 'b' } });
  await send('GetAgentRuntimeEndpoint', 'GET', `${at0}/runtime-endpoints/live/`);
  await send('UpdateAgentRuntimeEndpoint', 'PUT', `${at0}/runtime-endpoints/live/`, { agentRuntimeVersion: '2' });
  const { runtimeEndpoints } = await send('ListAgentRuntimeEndpoints', 'POST', `${at0}/runtime-endpoints/`, {});
  expect(runtimeEndpoints).toEqual([expect.not.objectContaining({ description: expect.anything() }), expect.objectContaining({ name: 'live', description: 'mine' })]);
  const { agentRuntimes } = await send('ListAgentRuntimeVersions', 'POST', `${at0}/versions/`, {});
  expect((agentRuntimes as { description: string }[]).map(({ description }) => description)).toEqual(['second', '']);
  await send('ListAgentRuntimes', 'POST', '/runtimes/', {});
  await send('ListTagsForResource', 'GET', `/tags/${encodeURIComponent(String(made.agentRuntimeArn))}`);
  await send('DeleteAgentRuntimeEndpoint', 'DELETE', `${at0}/runtime-endpoints/live/`);
  await send('DeleteAgentRuntime', 'DELETE', `${at0}/`);
});

test('a runtime keeps its initial tags and accepts others, separate from those of its endpoints', async () => {
  const tags = { team: 'a', stage: 'test' };
  const { agentRuntimeArn: resourceArn } = await fixture.control.send(new control.CreateAgentRuntimeCommand({ ...RUNTIME, agentRuntimeName: 'tagged', tags } as never));
  const tagsOf = async (arn = resourceArn) => (await fixture.control.send(new control.ListTagsForResourceCommand({ resourceArn: arn }))).tags;
  expect(await tagsOf()).toEqual(tags);
  await fixture.control.send(new control.TagResourceCommand({ resourceArn, tags: { team: 'b' } }));
  await fixture.control.send(new control.UntagResourceCommand({ resourceArn, tagKeys: ['stage'] }));
  expect(await tagsOf()).toEqual({ team: 'b' });
  expect(await tagsOf(`${resourceArn}/runtime-endpoint/DEFAULT`)).toEqual({});
  await expect(tagsOf(`${resourceArn}x`)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  const refused = { ...RUNTIME, agentRuntimeName: 'refused', tags: { 'a*': 'b' } };
  await expect(fixture.control.send(new control.CreateAgentRuntimeCommand(refused as never))).rejects.toMatchObject({ name: 'ValidationException' });
});
