import { validation } from './errors';
import type { Endpoint, Registry, Runtime } from './registry';

export type Tags = Readonly<Record<string, string>>;

/** The service's pattern for keys and values. */
const TEXT = /^[a-zA-Z0-9\s._:/=+@-]*$/;

/** Tags of a runtime or of an endpoint. */
export function tagsOf(registry: Registry, arn: string): Tags {
  return taggedAt(registry, arn).tags ?? {};
}

export function setTags(registry: Registry, arn: string, tags: Tags): void {
  validateTags(tags);
  taggedAt(registry, arn).tags = tags;
  registry.save();
}

export function validateTags(tags: Tags = {}): void {
  const entries = Object.entries(tags);
  const fits = entries.every(([key, value]) => key.length >= 1 && key.length <= 128 && value.length <= 256 && TEXT.test(key) && TEXT.test(value));
  if (entries.length > 50 || !fits) {
    throw validation('there may be at most 50 tags, with keys of 1 to 128 and values of up to 256 letters, digits, spaces and ._:/=+@-');
  }
}

function taggedAt(registry: Registry, arn: string): Endpoint | Runtime {
  const [runtimeArn, name] = arn.split('/runtime-endpoint/');
  const runtime = registry.find(runtimeArn);
  return name === undefined ? runtime : registry.endpoint(runtime, name);
}
