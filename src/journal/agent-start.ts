/** An agent that did not start, in words. */
export interface AgentStart {
  /** Such as "the agent ended with exit code 1 before it was healthy, in each of 3 tries". */
  readonly reason: string;
  readonly command: string;
  readonly startedIn: string;
}

/** Describes an agent that did not start, in lines. */
export function describeAgentStart({ reason, command, startedIn }: AgentStart): string[] {
  return [reason, `  command    ${command}`, `  started in ${startedIn}`];
}
