import { LOOP_ERRORS, NOTHING_TO_STOP } from './constants';
import { prepare, PrepareRequest } from './prepare';
import { LoopError, LoopInput } from './records';
import { measureEnd, outputOf } from './run-output';
import { DEFAULT_ENDPOINT, sessionOf } from './sessions';
import { StepTools } from './step';

/** Of what is told of a wrong input: it is twice in what Lambda makes of an error, of which Step Functions keeps 32,768 characters. */
const MESSAGE_LENGTH = 4_000;

/** First step: of a run that is refused, for which nothing was started and nothing is to stop, the error's message is the run's record. */
export async function prepareOrRefuse(request: PrepareRequest, tools: StepTools) {
  try {
    return await prepare(request, tools);
  } catch (error) {
    if (!(error instanceof LoopError) || !NOTHING_TO_STOP.includes(error.name)) throw error;
    const { execution, config } = request;
    const input = request.state as LoopInput | null;
    const state = { taskId: input?.taskId, error: { Error: error.name, Cause: error.message.slice(0, MESSAGE_LENGTH) } };
    // A wrong one may be anything.
    const where = sessionOf(execution, error.name === LOOP_ERRORS.BAD_INPUT ? undefined : input, config.endpointName);
    const record = outputOf(state, { endpointName: DEFAULT_ENDPOINT, ...where!.session, stopped: false });
    measureEnd(tools, config, record);
    throw error.recordedAs(JSON.stringify(record));
  }
}
