import type { AwsReply, AwsRequest, RefusalOf } from './request';
import type { SynthesizedStack, TemplateValues } from '../assembly';

/** The resources in a page of `ListStackResources`. */
const PAGE = 100;
const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
/** The time of every change, since a synthesized stack has none. */
const CHANGED = '2026-01-01T00:00:00.000Z';

/** Answers CloudFormation's `DescribeStacks` and `ListStackResources` in its query protocol. Returns `undefined` for any other request. */
export function answerCloudFormation(
  { target, method, body }: AwsRequest, stack: SynthesizedStack, values: TemplateValues, refusal: RefusalOf,
): AwsReply | undefined {
  if (target !== undefined || method !== 'POST') return undefined;
  const parameters = new URLSearchParams(body.toString('utf8'));
  const action = parameters.get('Action') ?? '';
  if (action !== 'DescribeStacks' && action !== 'ListStackResources') return undefined;
  const id = values.text({ Ref: 'AWS::StackId' });
  const name = parameters.get('StackName') ?? undefined;
  const refused = refusal(`cloudformation:${action}`, id);
  if (refused !== undefined) return failure(403, 'AccessDenied', refused);
  if (name === undefined && action === 'ListStackResources') return failure(400, 'ValidationError', 'StackName is required');
  if (name !== undefined && name !== stack.name && name !== id) return failure(400, 'ValidationError', `Stack with id ${name} does not exist`);
  const result = action === 'DescribeStacks' ? describe(id, stack, values) : list(stack, values, Number(parameters.get('NextToken') ?? 0));
  return xml(200, element(`${action}Response`, `${element(`${action}Result`, result)}${element('ResponseMetadata', text('RequestId', REQUEST))}`, ` xmlns="${NAMESPACE}"`));
}

const REQUEST = '00000000-0000-0000-0000-000000000000';

function describe(id: string, stack: SynthesizedStack, values: TemplateValues): string {
  const outputs = Object.entries(stack.template.Outputs ?? {}).map(([key, { Value, Description }]) => element('member', [
    text('OutputKey', key), text('OutputValue', values.text(Value)), ...Description === undefined ? [] : [text('Description', Description)],
  ].join('')));
  return element('Stacks', element('member', [
    text('StackId', id), text('StackName', stack.name), text('CreationTime', CHANGED), text('StackStatus', 'CREATE_COMPLETE'), element('Outputs', outputs.join('')),
  ].join('')));
}

function list(stack: SynthesizedStack, values: TemplateValues, begin: number): string {
  const all = Object.entries(stack.template.Resources ?? {});
  const members = all.slice(begin, begin + PAGE).map(([logicalId, { Type }]) => element('member', [
    text('LogicalResourceId', logicalId), text('PhysicalResourceId', values.text({ Ref: logicalId })), text('ResourceType', Type),
    text('ResourceStatus', 'CREATE_COMPLETE'), text('LastUpdatedTimestamp', CHANGED),
  ].join('')));
  const end = begin + PAGE;
  return `${element('StackResourceSummaries', members.join(''))}${end < all.length ? text('NextToken', String(end)) : ''}`;
}

function element(name: string, content: string, attributes = ''): string {
  return `<${name}${attributes}>${content}</${name}>`;
}

function text(name: string, value: string): string {
  return element(name, value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;'));
}

function failure(status: number, code: string, message: string): AwsReply {
  const error = element('Error', text('Type', 'Sender') + text('Code', code) + text('Message', message));
  return xml(status, element('ErrorResponse', error + text('RequestId', REQUEST), ` xmlns="${NAMESPACE}"`));
}

function xml(status: number, content: string): AwsReply {
  return { status, headers: { 'content-type': 'text/xml' }, body: Buffer.from(content) };
}
