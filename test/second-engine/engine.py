"""Runs state machines with moto's interpreter. Exchanges JSON lines with the test that started it.

in:  {"definition": {…}, "machine": {"Id": …, "Name": …}, "execution": {"Id": …, "Name": …}, "input": …}
out: {"state": …, "payload": …}, once for each attempt of a task; in: its outcome (see `Outcome` in second-engine.ts)
out: {"status": …, "output": …, "error": …, "cause": …, "entered": […]}, when the execution has ended
"""

import json
import sys
from datetime import datetime, timezone
from functools import lru_cache
from types import SimpleNamespace

from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
    CallbackOutcomeTimedOut,
    HeartbeatTimedOut,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path

current = SimpleNamespace(state=None, callback=None)


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def hear():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def invoke(parameters, region, state_credentials):
    """Replaces the call to Lambda."""
    say({"state": current.state, "payload": json.loads(parameters["Payload"])})
    outcome = hear()
    current.callback = outcome.get("callback")
    if outcome.get("timedOut"):
        raise TimeoutError()
    if "failure" in outcome:
        return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": outcome["failure"]}
    return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": outcome.get("result")}


def noting_the_state(integration):
    def noted(env, parameters, region, state_credentials):
        current.state = env.states.context_object.context_object_data["State"]["Name"]
        return integration(env=env, parameters=parameters, region=region, state_credentials=state_credentials)

    return noted


def wait_for_callback(self, env, timeout_seconds, callback_endpoint, heartbeat_endpoint):
    """Replaces the wait: the callback is already known."""
    token = callback_endpoint.callback_id
    callback = current.callback
    if callback.get("silent"):
        return HeartbeatTimedOut()
    if callback.get("timedOut"):
        return CallbackOutcomeTimedOut(callback_id=token)
    if "output" in callback:
        return CallbackOutcomeSuccess(callback_id=token, output=json.dumps(callback["output"]))
    return CallbackOutcomeFailure(callback_id=token, error=callback.get("error"), cause=callback.get("cause"))


lambda_eval_utils._invoke_lambda_function = invoke
lambda_eval_utils.execute_lambda_function_integration = noting_the_state(lambda_eval_utils.execute_lambda_function_integration)
state_task_service_callback.StateTaskServiceCallback._eval_wait_for_task_token = wait_for_callback
json_path.parse = lru_cache(maxsize=None)(json_path.parse)  # otherwise most of the time is spent there
retrier_decl.time = SimpleNamespace(sleep=lambda seconds: None)
wait_function.WaitFunction._wait_interval = lambda self, env, wait_seconds: None


def end_of(environment):
    state = environment.program_state()
    if isinstance(state, ProgramEnded):
        return {"status": "SUCCEEDED", "output": environment.states.get_input()}
    if isinstance(state, ProgramError):
        reason = state.error or {}
        return {"status": "FAILED", "error": reason.get("error"), "cause": reason.get("cause")}
    return {"status": "TIMED_OUT"}


def entered(history):
    details = (event.get("stateEnteredEventDetails") for event in history)
    return [detail["name"] for detail in details if detail]


def run(program, machine, execution, given):
    environment = Environment(
        aws_execution_details=SimpleNamespace(account="123456789012", region="us-east-1", role_arn="arn:aws:iam::123456789012:role/any"),
        execution_type=StateMachineType.STANDARD,
        context={
            "Execution": {**execution, "Input": given, "RoleArn": "arn:aws:iam::123456789012:role/any", "StartTime": datetime.now(timezone.utc).isoformat()},
            "StateMachine": machine,
        },
        event_history_context=EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
    )
    program.eval(environment)
    return {**end_of(environment), "entered": entered(environment.event_manager.get_event_history())}


def main():
    programs = {}
    while True:
        request = hear()
        definition = json.dumps(request["definition"])
        if definition not in programs:  # parsing takes much longer than running
            programs[definition] = AmazonStateLanguageParser.parse(definition)[0]
        say(run(programs[definition], request["machine"], request["execution"], request["input"]))


main()
