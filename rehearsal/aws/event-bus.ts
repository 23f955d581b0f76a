import { randomUUID } from 'node:crypto';
import type { AwsReply, AwsRequest, RefusalOf } from './request';

/** An event as rules and targets see it. */
export interface BusEvent {
  readonly 'version': '0';
  readonly 'id': string;
  readonly 'detail-type': string;
  readonly 'source': string;
  readonly 'account': string;
  readonly 'time': string;
  readonly 'region': string;
  readonly 'resources': readonly string[];
  readonly 'detail': unknown;
}

export interface EventBusProps {
  readonly region: string;
  readonly account: string;
  /** Hears of each event that a bus has taken, with the name of the bus. */
  readonly events: { hear(event: BusEvent, bus: string): void };
}

/** The maximum number of entries of a request, and their maximum size together, in bytes (`PutEvents` API reference). */
const LIMITS = { entries: 10, bytes: 262_144 } as const;

interface Entry {
  readonly Time?: number;
  readonly Source?: string;
  readonly Resources?: readonly string[];
  readonly DetailType?: string;
  readonly Detail?: string;
  readonly EventBusName?: string;
}

/** Answers EventBridge's `PutEvents` in its wire format. Returns `undefined` for any other request. */
export function answerPutEvents({ target, body }: AwsRequest, props: EventBusProps, refusal: RefusalOf): AwsReply | undefined {
  if (target !== 'AWSEvents.PutEvents') return undefined;
  const { Entries: entries } = JSON.parse(body.toString('utf8')) as { readonly Entries?: readonly Entry[] };
  if (!Array.isArray(entries) || entries.length < 1 || entries.length > LIMITS.entries) {
    return failure('ValidationException', `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${LIMITS.entries}`);
  }
  const buses = [...new Set(entries.map(({ EventBusName: bus }) => arnOf(bus, props)))];
  const refused = buses.map((arn) => refusal('events:PutEvents', arn)).find((reason) => reason !== undefined);
  if (refused !== undefined) return failure('AccessDeniedException', refused);
  const size = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  if (size > LIMITS.bytes) return failure('ValidationException', 'Total size of the entries in the request is over the limit.');
  const replies = entries.map((entry) => {
    const fault = faultOf(entry);
    if (fault !== undefined) return fault;
    const event = eventOf(entry, props);
    props.events.hear(event, arnOf(entry.EventBusName, props).split(':event-bus/')[1]);
    return { EventId: event.id };
  });
  return { status: 200, headers: JSON_1_1, body: { FailedEntryCount: replies.filter((reply) => 'ErrorCode' in reply).length, Entries: replies } };
}

/** Returns the size of an entry as EventBridge counts it: 14 bytes for a time, and the rest in UTF-8 (user guide, "PutEvents event entry size"). */
function sizeOf({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}

interface EntryFault {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

function faultOf({ Source: source, DetailType: type, Detail: detail }: Entry): EntryFault | undefined {
  const invalid = (name: string) => ({ ErrorCode: 'InvalidArgument', ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.` });
  if (!source) return invalid('Source');
  if (!type) return invalid('DetailType');
  if (!detail) return invalid('Detail');
  if (source.startsWith('aws.')) return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  return isObject(detail) ? undefined : { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function eventOf({ Time, Source, DetailType, Detail, Resources = [] }: Entry, { region, account }: EventBusProps): BusEvent {
  const time = Time === undefined ? new Date() : new Date(Time * 1_000);
  return {
    'version': '0',
    'id': randomUUID(),
    'detail-type': DetailType!,
    'source': Source!,
    account,
    'time': time.toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    'resources': Resources,
    'detail': JSON.parse(Detail!),
  };
}

/** Returns the ARN of a bus by its name or its ARN. */
function arnOf(bus = 'default', { region, account }: EventBusProps): string {
  return bus.startsWith('arn:') ? bus : `arn:aws:events:${region}:${account}:event-bus/${bus}`;
}

const JSON_1_1 = { 'content-type': 'application/x-amz-json-1.1' };

function failure(type: string, message: string): AwsReply {
  return { status: 400, headers: JSON_1_1, body: { __type: type, message } };
}
