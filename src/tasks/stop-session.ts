import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { addressOf, DriverTask, sessionFaults, SessionTaskProps } from './session-task';
import { JsonataResultProps, JsonPathResultProps } from './task-props';
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

/** A stop that waits out a session in transition takes a minute; this is for a service that does not answer at all. */
const STATE_SECONDS = 180;

/**
 * Stops a session, so that its microVM is no longer paid for. Its session storage stays, and the session can be resumed.
 *
 * One that the service does not know counts as stopped; a runtime or an endpoint that is not there is the error `Workbench.NotFound`,
 * as is an answer that does not say which of them is missing. One that is just starting or stopping is waited for, about a minute in the
 * function and more through the state's retries. The result is `{ status, sessionId }`, with `STOPPED` or `ALREADY_STOPPED`.
 *
 * Put it on every path, also where the work before it failed: a session that nobody stops runs on until its idle timeout.
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
  /** A state that reads its input by JSONPath. */
  public static jsonPath(scope: Construct, id: string, props: StopSessionJsonPathProps): StopSession {
    return new StopSession(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSON_PATH });
  }

  /** A state that reads its input by JSONata. */
  public static jsonata(scope: Construct, id: string, props: StopSessionJsonataProps): StopSession {
    return new StopSession(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSONATA });
  }

  constructor(scope: Construct, id: string, props: StopSessionProps) {
    const driver = props.driver ?? SessionDriver.of(scope);
    const { runtime, endpointName, sessionId, driver: _driver, ...state } = props;
    super(scope, id, {
      driver,
      request: { operation: OPERATIONS.STOP, ...addressOf(props) },
      retries: ATTACHING,
      state: { ...state, taskTimeout: sfn.Timeout.duration(Duration.seconds(STATE_SECONDS)) },
    });
    throwOnFaults(this, sessionFaults({ runtime, endpointName, sessionId }));
    driver._allow(runtime, STOP_SESSION_ACTIONS, endpointName);
  }
}
