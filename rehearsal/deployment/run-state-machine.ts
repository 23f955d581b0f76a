import { LocalDeployment, LocalDeploymentProps } from './local-deployment';
import type { ExecutionOptions, ExecutionResult } from '../stepfunctions';

export interface RunStateMachineProps extends LocalDeploymentProps, ExecutionOptions {
  /** Logical id of the state machine, or the beginning of it. @default - the only one there is */
  readonly logicalId?: string;
  readonly input: unknown;
}

/** One execution of one state machine. For more than one, start a `LocalDeployment`. */
export async function runStateMachine(props: RunStateMachineProps): Promise<ExecutionResult> {
  const deployment = LocalDeployment.start(props);
  try {
    return await deployment.run(props.logicalId, props.input, props);
  } finally {
    await deployment.close();
  }
}
