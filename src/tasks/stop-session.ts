import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { addressOf, DriverTask, JsonataResultProps, JsonPathResultProps, sessionFaults, SessionTaskProps } from './session-task';
import { ATTACHING } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { OPERATIONS } from '../jobs/constants';
import { throwOnFaults } from '../private/validation';
import { STOP_SESSION_ACTIONS } from '../runtime/perms';

/** Props of `StopSession`. */
export interface StopSessionProps extends SessionTaskProps, JsonPathResultProps, JsonataResultProps {}
/** Props of `StopSession.jsonPath`. */
export interface StopSessionJsonPathProps extends SessionTaskProps, JsonPathResultProps {}
/** Props of `StopSession.jsonata`. */
export interface StopSessionJsonataProps extends SessionTaskProps, JsonataResultProps {}

/** The timeout of the state. A stop takes a minute if the session is in transition; the rest covers a service that does not answer. */
const STATE_SECONDS = 180;

/**
 * Stops a session, which ends the charges for its microVM. The session storage stays, and the session can be resumed.
 *
 * The result is `{ status, sessionId }`, where the status is `STOPPED` or `ALREADY_STOPPED`. A session that the service does not know is already
 * stopped. The task waits for a session that is starting or stopping: about a minute in the function, and longer through the state's retries.
 * It fails with `Workbench.NotFound` if the runtime or the endpoint does not exist, or if the service does not say what is missing.
 *
 * Use it on every path, including those of errors: a session that is not stopped runs until its idle timeout.
 *
 * @example
 * declare const runtime: agentcore.IBedrockAgentRuntime;
 * new StopSession(this, 'Stop the session', {
 *   runtime,
 *   sessionId: sfn.JsonPath.stringAt('$.session.id'),
 *   resultPath: sfn.JsonPath.DISCARD,
 * });
 */
export class StopSession extends DriverTask {
  /** Creates a state that uses JSONPath. */
  public static jsonPath(scope: Construct, id: string, props: StopSessionJsonPathProps): StopSession {
    return new StopSession(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSON_PATH });
  }

  /** Creates a state that uses JSONata. */
  public static jsonata(scope: Construct, id: string, props: StopSessionJsonataProps): StopSession {
    return new StopSession(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSONATA });
  }

  constructor(scope: Construct, id: string, props: StopSessionProps) {
    const driver = props.driver ?? SessionDriver.getOrCreate(scope);
    const { runtime, endpoint, sessionId, driver: _driver, ...state } = props;
    super(scope, id, {
      driver,
      request: { operation: OPERATIONS.STOP, ...addressOf(props) },
      retries: ATTACHING,
      state: { ...state, taskTimeout: sfn.Timeout.duration(Duration.seconds(STATE_SECONDS)) },
    });
    throwOnFaults(this, sessionFaults({ runtime, endpoint, sessionId }));
    driver._allow(runtime, STOP_SESSION_ACTIONS, endpoint);
  }
}
