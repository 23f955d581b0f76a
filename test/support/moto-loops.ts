import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeExecutionCommand, ListStateMachinesCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { Template } from 'aws-cdk-lib/assertions';
import { commandLine, ending } from './command-line';
import { definitionsOf } from './definitions';
import { awsEnvironment, Moto, setAwsEnvironment } from './moto';
import { IMAGE, newStack } from './stacks';
import { STUB_SANDBOXES } from './stub-sandbox';
import { AgentCoreServer } from '../../rehearsal/agentcore';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, Verification } from '../../src';
import { ENVIRONMENT } from '../../src/jobs/constants';

/** The options that name one of the loops. */
export const FIX = ['--stack', 'Stack', '--loop', 'Fix'];

/** The brake and the bucket of both loops. */
export const BRAKE = '/workbench/brake';
export const BUCKET = 'runs-of-loops';

/** A stack with two loops in moto, which keeps their executions and does not run them, and AgentCore beside it. */
export class MotoLoops {
  static async start(): Promise<MotoLoops> {
    const directory = mkdtempSync(join(tmpdir(), 'account-'));
    const moto = await Moto.start();
    const agentCore = await AgentCoreServer.start({ stateDirectory: directory, sandbox: STUB_SANDBOXES });
    return new MotoLoops(moto, agentCore, directory);
  }

  private readonly restore: () => void;
  private readonly sfn: SFNClient;
  private readonly runtimeArn: string;

  private readonly backoff = process.env[ENVIRONMENT.BACKOFF_SECONDS];

  private constructor(readonly moto: Moto, private readonly agentCore: AgentCoreServer, readonly directory: string) {
    this.runtimeArn = agentCore.createRuntime({ name: 'agent', mounts: ['/mnt/workspace'] }).arn;
    this.restore = setAwsEnvironment(awsEnvironment(moto.endpoint, { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentCore.endpoint }));
    process.env[ENVIRONMENT.BACKOFF_SECONDS] = '0.01';
    this.sfn = new SFNClient({});
  }

  /** Forgets all runs. */
  async reset({ gates = ['test'] }: { readonly gates?: readonly string[] } = {}): Promise<void> {
    await this.moto.reset();
    await this.moto.createStack('Stack', this.definitions(gates));
  }

  async close(): Promise<void> {
    this.restore();
    if (this.backoff === undefined) delete process.env[ENVIRONMENT.BACKOFF_SECONDS];
    else process.env[ENVIRONMENT.BACKOFF_SECONDS] = this.backoff;
    this.sfn.destroy();
    this.moto.close();
    await this.agentCore.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async machine(loop: string): Promise<string> {
    const { stateMachines = [] } = await this.sfn.send(new ListStateMachinesCommand({}));
    return stateMachines.find(({ name }) => name!.startsWith(`Stack-${loop}`))!.stateMachineArn!;
  }

  async begin(loop: string, name: string, input: object = { prompt: 'do it', taskId: name }): Promise<string> {
    return this.start(await this.machine(loop), name, input);
  }

  async start(stateMachineArn: string, name: string, input: object): Promise<string> {
    return (await this.sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }))).executionArn!;
  }

  async describe(executionArn: string): Promise<{ readonly status?: string; readonly input?: string }> {
    return this.sfn.send(new DescribeExecutionCommand({ executionArn }));
  }

  /** The definitions of two loops, and of a state machine that is none. */
  definitions(gates: readonly string[] = ['test']): { [id: string]: object } {
    const stack = newStack();
    const runtime = new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
    const props = { runtime, gates: gates.map((name) => Gate.command(name, 'npm test')) };
    new CodingLoop(stack, 'Fix', { ...props, repository: GitRepository.fromUrl('https://example.com/a/repository.git') });
    new CodingLoop(stack, 'Upgrade', { ...props, repository: GitRepository.fromInput(), verification: Verification.none() });
    const text = JSON.stringify(definitionsOf(Template.fromStack(stack).toJSON())).replace(/<Agent\w*\.AgentRuntimeArn>/g, this.runtimeArn)
      .replace(/("config":\{"name":)/g, `"config":{"operate":{"brake":"${BRAKE}","artifacts":{"bucket":"${BUCKET}","prefix":"runs/"}},"name":`);
    return { ...JSON.parse(text), Other: { StartAt: 'Done', States: { Done: { Type: 'Succeed' } } } };
  }
}

/** Returns what a command prints as JSON. */
export async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse((await ending(0, commandLine(...args, '--json'))).stdout) as T;
}
