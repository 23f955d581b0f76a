import { Ended, Outcome, StateMachine, TaskTry } from './second-engine';
import { Definition, LocalStateMachine, TaskError, TaskHandler, TaskTokens } from '../../rehearsal/stepfunctions';
import { timeoutError } from '../../rehearsal/stepfunctions/interpreter';

interface Invocation {
  readonly Payload: { readonly taskToken?: string };
}

/** The rehearsal's interpreter. */
export class FirstEngine {
  private readonly tokens = new TaskTokens();
  private readonly machine: LocalStateMachine;
  private onTask?: TaskTry;

  constructor(definition: object, { Id: arn, Name: name }: StateMachine) {
    this.machine = new LocalStateMachine({
      name, arn, definition: definition as Definition, tokens: this.tokens, onTask: async (...task) => this.perform(...task),
    });
  }

  /** Runs an execution to its end, one at a time. */
  async run(name: string, input: unknown, onTask: TaskTry): Promise<Ended> {
    this.onTask = onTask;
    const entered: string[] = [];
    const { result } = this.machine.start(input, {
      name,
      retryDelay: 0,
      waitTime: 0,
      onEvent: (event) => {
        if (event.type === 'StateEntered') entered.push(event.state.name);
      },
    });
    return { ...await result, entered };
  }

  private async perform(...[parameters, { stateName, resource }]: Parameters<TaskHandler>): Promise<unknown> {
    const invocation = resource.startsWith('arn:aws:states:::') ? parameters as Invocation : undefined;
    const outcome = await this.onTask!(stateName, invocation?.Payload ?? parameters);
    return this.settled(outcome, invocation?.Payload.taskToken);
  }

  private async settled(outcome: Outcome, token: string | undefined): Promise<unknown> {
    if ('timedOut' in outcome) throw await timeoutError();
    if ('failure' in outcome) throw new TaskError(outcome.failure.errorType, JSON.stringify(outcome.failure));
    const { result, callback } = outcome;
    if (token === undefined || callback === undefined) return result;
    if ('timedOut' in callback || 'silent' in callback) throw await timeoutError();
    if ('output' in callback) this.tokens.sendTaskSuccess(token, JSON.stringify(callback.output));
    else this.tokens.sendTaskFailure(token, callback.error, callback.cause);
    return result;
  }
}
