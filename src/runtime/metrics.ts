/**
 * Metrics of the service that the official construct lacks. The service documents them; they were not seen in an account.
 *
 * Nothing is documented about metrics of command execution: whether calls of `InvokeAgentRuntimeCommand` count among `Invocations` is open.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html
 */
export const CPU_USED = 'CPUUsed-vCPUHours';
export const MEMORY_USED = 'MemoryUsed-GBHours';

/** The namespace of all metrics of AgentCore. */
export const NAMESPACE = 'AWS/Bedrock-AgentCore';

/** The value of the dimension `Service` of these metrics. */
export const SERVICE = 'AgentCore.Runtime';
