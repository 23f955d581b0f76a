"""Runs one turn of a Strands agent.

Reads one JSON object from standard input, and writes JSON lines to standard output. Whatever the agent or its tools print goes to standard error.
The agent is `agent.py` in the given directory: `agent` is a `strands.Agent`, or `create_agent()` returns one.
"""

import asyncio
import importlib
import importlib.metadata
import inspect
import json
import os
import sys
import traceback

from workbench_conversation import Conversation
from workbench_errors import ENDS, FAILED, MAX_TURNS, WrongAgent, kind_of

REPOSITORY_INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md")
REPOSITORY_INSTRUCTIONS_LIMIT = 32_000
TEXT_LIMIT = 8_000


class Output:
    """The original standard output. Everything else that prints is sent to standard error, including programs that tools start."""

    def __init__(self):
        self.file = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.set_inheritable(self.file.fileno(), False)
        os.dup2(2, 1)

    def write(self, event, **values):
        self.file.write(json.dumps({"type": event, **values}) + "\n")
        self.file.flush()


def load_agent(directory, is_check):
    """Returns the user's agent. A check does not create one that the import does not, since an image is built without credentials."""
    path = os.path.join(directory, "agent.py")
    if not os.path.isfile(path):
        raise WrongAgent(f"there is no agent.py in {directory}: create it, with a strands.Agent in the variable agent")
    try:
        from strands import Agent
    except ImportError as error:
        raise WrongAgent(f"{sys.executable} has no package strands ({error}): add strands-agents to requirements.txt and install it") from error
    sys.path.insert(0, directory)
    try:
        module = importlib.import_module("agent")
    except Exception as error:
        place = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(directory)]
        where = f" in line {place[-1].lineno} of {os.path.relpath(place[-1].filename, directory)}" if place else ""
        hint = ": add its package to requirements.txt and install it" if isinstance(error, ModuleNotFoundError) else ""
        raise WrongAgent(f"agent.py cannot be imported: {type(error).__name__}{where}: {error}{hint}") from error
    found = getattr(module, "agent", None)
    name = "agent"
    if found is None and callable(getattr(module, "create_agent", None)):
        if is_check:
            return None
        name = "create_agent()"
        found = module.create_agent()
    if found is None:
        raise WrongAgent("agent.py defines neither agent nor create_agent: assign a strands.Agent to the variable agent")
    if not isinstance(found, Agent):
        raise WrongAgent(f"{name} in agent.py is a {type(found).__name__}: it must be a strands.Agent")
    return found


def repository_instructions():
    """Returns the instructions of the repository in the current directory."""
    for name in REPOSITORY_INSTRUCTIONS:
        try:
            with open(name, encoding="utf-8", errors="replace") as file:
                text = file.read(REPOSITORY_INSTRUCTIONS_LIMIT).strip()
        except OSError:
            continue
        if text:
            return f"The repository's instructions, from {name}:\n\n{text}"
    return None


def add_instructions(agent, texts):
    """Adds texts to the end of the agent's system prompt, after its cache points, so that what they cache stays the same."""
    texts = [text for text in texts if text]
    if not texts:
        return
    blocks = getattr(agent, "system_prompt_content", None)
    if blocks and any("text" not in block for block in blocks):
        agent.system_prompt = [*blocks, *({"text": text} for text in texts)]
    else:
        agent.system_prompt = "\n\n".join([text for text in (agent.system_prompt, *texts) if text])


def show(output, message):
    """Writes what people want to read of a message: texts, and the tools that it uses."""
    if message["role"] != "assistant":
        return
    for block in message["content"]:
        if block.get("text", "").strip():
            output.write("text", text=block["text"][:TEXT_LIMIT])
        elif "toolUse" in block:
            output.write("tool", name=block["toolUse"]["name"], input=json.dumps(block["toolUse"]["input"], default=str)[:200])


def final_text(message):
    return "\n".join(block["text"] for block in message.get("content", []) if block.get("text", "").strip())


def totals(agent, failed_calls):
    metrics = agent.event_loop_metrics
    usage = metrics.accumulated_usage
    return {
        "turns": max(0, metrics.cycle_count - failed_calls),
        "usage": {
            "inputTokens": usage.get("inputTokens", 0),
            "outputTokens": usage.get("outputTokens", 0),
            "cacheReadTokens": usage.get("cacheReadInputTokens", 0),
            "cacheWriteTokens": usage.get("cacheWriteInputTokens", 0),
        },
    }


async def run(agent, request, output):
    """Runs the turn, and returns its result."""
    options = {}
    if request.get("maxTurns"):
        if "limits" not in inspect.signature(agent.stream_async).parameters:
            raise WrongAgent("maxTurns needs a newer version of strands-agents: change it in requirements.txt")
        options["limits"] = {"turns": request["maxTurns"]}
    result = None
    async for event in agent.stream_async(request["prompt"], **options):
        if "message" in event:
            show(output, event["message"])
        if "result" in event:
            result = event["result"]
    return result


def turn(request, output):
    is_check = request.get("check", False)
    agent = load_agent(request["directory"], is_check)
    if is_check:
        return 0

    from strands.handlers.callback_handler import PrintingCallbackHandler
    from strands.hooks import MessageAddedEvent

    if isinstance(agent.callback_handler, PrintingCallbackHandler):
        agent.callback_handler = lambda **_: None
    if request.get("model"):
        agent.model.update_config(model_id=request["model"])
    add_instructions(agent, [repository_instructions(), request.get("instructions")])

    conversation = None
    if request.get("conversation") and getattr(agent, "_session_manager", None) is None:
        conversation = Conversation(agent, request["conversation"])
        conversation.restore()
        output.write("conversation", id=request["id"])
        agent.hooks.add_callback(MessageAddedEvent, conversation.save)

    kind, message, summary, failed_calls = None, None, None, 0
    try:
        result = asyncio.run(run(agent, request, output))
        kind, message = ENDS.get(result.stop_reason, (None, None))
        summary = final_text(result.message)[:TEXT_LIMIT]
        if conversation:
            conversation.save()
    except Exception as error:
        traceback.print_exc()
        kind, message = (FAILED if isinstance(error, WrongAgent) else kind_of(error)), f"{type(error).__name__}: {error}"
        # The last call has no answer, except for one that is too long. Without any, the runner tries again without the conversation.
        failed_calls = 0 if kind == MAX_TURNS else 1
    output.write("end", kind=kind, message=message, summary=summary, **totals(agent, failed_calls))
    return 1 if kind else 0


def main():
    output = Output()
    request = json.load(sys.stdin)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        try:
            output.write("begin", version=importlib.metadata.version("strands-agents"))
        except importlib.metadata.PackageNotFoundError:
            pass
        return turn(request, output)
    except WrongAgent as error:
        output.write("end", kind=FAILED, message=str(error))
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
