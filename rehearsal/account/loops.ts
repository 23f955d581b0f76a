import { ListStackResourcesCommand, StackResourceSummary } from '@aws-sdk/client-cloudformation';
import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import type { Account } from './account';
import { MissingPermissionError } from './errors';
import { forEach } from './pool';
import type { Definition } from '../../src/journal/definition';
import { describeLoop, LoopDescription, loopsNamed } from '../../src/journal/loop-description';
import { STEPS } from '../../src/loop/steps/constants';
import type { LoopConfig } from '../../src/loop/steps/loop-config';
import { didYouMean } from '../common/did-you-mean';
import { MisuseError } from '../common/misuse';

/** A `CodingLoop` in an account. */
export interface DeployedLoop extends LoopDescription {
  /** ARN of its state machine. */
  readonly arn: string;
  readonly config: LoopConfig;
}

export interface LoopSelection {
  readonly stack?: string;
  /** The path, the logical ID or a part of the path of a loop, or the ARN of its state machine. */
  readonly loop?: string;
}

const STATE_MACHINE = 'AWS::StepFunctions::StateMachine';
const STACK = 'AWS::CloudFormation::Stack';
export const EXECUTION_ARN = /^arn:[\w-]+:states:[\w-]+:\d{12}:execution:[^:]+:[^:]+$/;
const STATE_MACHINE_ARN = /^arn:[\w-]+:states:[\w-]+:\d{12}:stateMachine:[^:]+$/;

const ABSENT = ['StateMachineDoesNotExist'];

/** Returns a fault of a command line that names no loop. */
export function selectionFaults({ stack, loop = '', run = '' }: LoopSelection & { readonly run?: string }): string[] {
  return stack !== undefined || STATE_MACHINE_ARN.test(loop) || EXECUTION_ARN.test(run) ? []
    : ['--stack is missing: name the stack of the loop, or give the ARN of its state machine with --loop'];
}

/** Returns the loops that a command line names. Fails if there is none. */
export async function loopsOf(account: Account, { stack, loop }: LoopSelection): Promise<DeployedLoop[]> {
  if (loop !== undefined && STATE_MACHINE_ARN.test(loop)) return [await loopOf(account, loop) ?? notALoop(loop)];
  const resources = await stateMachinesOf(account, stack!);
  // A policy can allow only the state machine of the loop, and not the others of the stack.
  const hidden: MissingPermissionError[] = [];
  const hide = (error: Error) => {
    if (!(error instanceof MissingPermissionError)) throw error;
    hidden.push(error);
    return undefined;
  };
  const found = await forEach(resources, async ({ PhysicalResourceId: arn, LogicalResourceId: id }) => loopOf(account, arn!, id).catch(hide));
  const all = found.filter((each) => each !== undefined);
  const chosen = loop === undefined ? all : [...loopsNamed(all, loop)];
  const [missing] = hidden;
  if (missing !== undefined && loop === undefined && all.length > 0) {
    throw new MissingPermissionError(`${missing.message}\nor name the loop with --loop, if it is another one: there is ${all.map(({ path }) => path).join(', ')}`);
  }
  if (chosen.length > 0) return chosen;
  if (missing !== undefined) throw missing;
  if (all.length === 0) throw new MisuseError(`stack ${stack} has no CodingLoop: ${resources.length === 0 ? 'it has no state machine' : 'none of its state machines is one'}`);
  const paths = all.map(({ path }) => path);
  throw new MisuseError(`stack ${stack} has no CodingLoop "${loop}"; the stack has ${paths.join(', ')}${didYouMean(loop!, all.flatMap(({ path }) => [path, path.split('/').pop()!]))}`);
}

/** Returns the one loop that a command line names. */
export async function theLoop(account: Account, selection: LoopSelection): Promise<DeployedLoop> {
  const loops = await loopsOf(account, selection);
  if (loops.length === 1) return loops[0];
  const paths = loops.map(({ path }) => path).join(', ');
  throw new MisuseError(selection.loop === undefined
    ? `stack ${selection.stack} has more than one CodingLoop (${paths}): name one with --loop`
    : `stack ${selection.stack} has more than one CodingLoop "${selection.loop}" (${paths}): give more of the path with --loop`);
}

/** Describes the loop that a state machine is; undefined for any other state machine, and for one that was deleted. */
export async function loopOf(account: Account, arn: string, logicalId = arn.split(':').pop()!): Promise<DeployedLoop | undefined> {
  const request = new DescribeStateMachineCommand({ stateMachineArn: arn });
  try {
    const { definition } = await account.ask({ action: 'states:DescribeStateMachine', resource: arn }, async () => account.sfn.send(request), ABSENT);
    return described(logicalId, arn, definition);
  } catch (error) {
    if (ABSENT.includes((error as Error).name)) return undefined;
    throw error;
  }
}

interface StepParameters {
  readonly operation?: string;
  readonly config?: LoopConfig;
}

/** Describes the loop that a definition is. */
export function described(logicalId: string, arn: string, text = '{}'): DeployedLoop | undefined {
  const definition = JSON.parse(text) as Definition;
  const loop = describeLoop(logicalId, { ...definition, States: definition.States ?? {} });
  const steps = Object.values(definition.States ?? {}).map(({ Parameters }) => Parameters as StepParameters | undefined);
  const { config } = steps.find((step) => step?.operation === STEPS.PREPARE) ?? {};
  return loop === undefined || config === undefined ? undefined : { ...loop, arn, config };
}

function notALoop(arn: string): never {
  throw new MisuseError(`${arn} is not the state machine of a CodingLoop, or no longer exists: "runs list --stack S" finds those of a stack`);
}

/** Returns the state machines of a stack, and of the stacks that are nested in it. */
async function stateMachinesOf(account: Account, stack: string): Promise<StackResourceSummary[]> {
  const resources = await resourcesOf(account, stack);
  const there = resources.filter(({ PhysicalResourceId: id = '', ResourceStatus: status }) => id !== '' && status !== 'DELETE_COMPLETE');
  const ofType = (type: string) => there.filter(({ ResourceType }) => ResourceType === type);
  const nested = await forEach(ofType(STACK), async ({ PhysicalResourceId: id }) => stateMachinesOf(account, id!));
  return [...ofType(STATE_MACHINE), ...nested.flat()];
}

async function resourcesOf(account: Account, stack: string): Promise<StackResourceSummary[]> {
  const found: StackResourceSummary[] = [];
  const { cloudFormation } = account;
  let NextToken: string | undefined;
  do {
    const page = await account.ask({ action: 'cloudformation:ListStackResources', resource: await stackArn(account, stack) }, async () => {
      try {
        return await cloudFormation.send(new ListStackResourcesCommand({ StackName: stack, NextToken }));
      } catch (error) {
        if (/does not exist/.test((error as Error).message)) {
          throw new MisuseError(`there is no stack "${stack}" in ${await account.region()} of this account: check the name, the region and the profile`);
        }
        throw error;
      }
    });
    found.push(...page.StackResourceSummaries ?? []);
    ({ NextToken } = page);
  } while (NextToken !== undefined);
  return found;
}

/** The stack in a policy: its account is not known before anything answers. */
async function stackArn(account: Account, stack: string): Promise<string> {
  return stack.startsWith('arn:') ? stack : account.arn(`cloudformation:REGION:*:stack/${stack}/*`);
}
