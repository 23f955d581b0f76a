/** `cdk-agentcore-workbench/rehearsal`: loops of one's own in one's own tests. */
export type {
  Agent, AgentHandler, AgentRequest, AgentResponse, AgentSession, CommandAgent, CommandOutput, Fault, FaultKind, FaultPoint, FaultSpec, HandlerAgent,
} from './agentcore';
export type {
  BranchRule, ForgeFault, ForgeFaultKind, ForgeFaultPoint, ForgeFaultSpec, ForgeOperation, ForgeRepository, ForgeRequest, ForgeServer, ForgeStore,
  ForgeToken, PushRules,
} from './forge';
export { Rehearsal } from './rehearsal';
export type { RehearsalProps } from './rehearsal';
export type { RehearsalInput } from './run/input';
export { RolloutFailedError } from './rollout/rollout';
export type { RolloutDescription } from '../src/journal/rollout-description';
export { StateInUseError } from './run/lock';
export { StateDirectoryError } from './run/state-directory';
export { loopImage } from './run/loop-image';
export type { LoopLocation } from './run/loop-image';
export { chooseSandbox, SandboxUnavailableError } from './sandbox';
export type { BuildOptions, ChooseSandboxOptions, ContainerTool, SandboxDriver, SandboxImage } from './sandbox';
export type { DefinedAgent } from './run/local-agent';
export type { LocalRun, RunOptions } from './run/local-run';
export type { JournalListener } from '../src/journal/journal';
export type { PullRequestDescription } from '../src/journal/forge-description';
export type { ForgeDescription } from './run/forge-description';
export type { ForgeOptions, LocalForge } from './run/local-forge';
export type { Step, StepKind, StepRetry } from '../src/journal/step';
export type { CommitDescription } from './run/local-repository';
export type { CallDescription, RunDescription } from '../src/journal/run-description';
export type { RehearsalRecord, SandboxDescription, SessionDescription } from './run/record';
