import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { addressOf, DriverTask, JsonataResultProps, JsonPathResultProps, sessionFaults, SessionTaskProps } from './session-task';
import { ATTACHING } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { OPERATIONS } from '../jobs/constants';
import { throwOnFaults } from '../private/validation';
import { STOP_SESSION_ACTIONS } from '../runtime/perms';

/** Properties for `StopSession`. */
export interface StopSessionProps extends SessionTaskProps, JsonPathResultProps, JsonataResultProps {}
/** Properties for `StopSession.jsonPath`. */
export interface StopSessionJsonPathProps extends SessionTaskProps, JsonPathResultProps {}
/** Properties for `StopSession.jsonata`. */
export interface StopSessionJsonataProps extends SessionTaskProps, JsonataResultProps {}

/** The timeout of the state. A stop takes a minute if the session is in transition; the rest covers a service that does not answer. */
const STATE_SECONDS = 180;

/**
 * Stops a session, which ends the charges for its microVM. The session keeps its session storage and can be resumed.
 *
 * The result is `{ status, sessionId }`, where `status` is `STOPPED` or `ALREADY_STOPPED`. A session that the service does not know counts as
 * stopped. If a session is starting or stopping, the task waits for about a minute, and longer through its retries. It fails with
 * `Workbench.NotFound` if the runtime or the endpoint does not exist, or if the service does not say what is missing.
 *
 * Stop sessions on every path, including error paths: a session that is not stopped runs until its idle timeout.
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
  /** Creates a task that uses JSONPath. */
  public static jsonPath(scope: Construct, id: string, props: StopSessionJsonPathProps): StopSession {
    return new StopSession(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSON_PATH });
  }

  /** Creates a task that uses JSONata. */
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
