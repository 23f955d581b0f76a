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
import tempfile
import traceback

REPOSITORY_INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md")
REPOSITORY_INSTRUCTIONS_LIMIT = 32_000
TEXT_LIMIT = 8_000

RATE_LIMITED = "RATE_LIMITED"
NOT_LOGGED_IN = "NOT_LOGGED_IN"
MODEL_NOT_ALLOWED = "MODEL_NOT_ALLOWED"
CONTEXT_FULL = "CONTEXT_FULL"
MAX_TURNS = "MAX_TURNS"
REFUSED = "REFUSED"
UNAVAILABLE = "UNAVAILABLE"
FAILED = "FAILED"

# Exceptions by the name of their class: those of Strands, of botocore, and of the clients of other providers, which need not be installed.
KINDS_BY_CLASS = {
    "ModelThrottledException": RATE_LIMITED,
    "RateLimitError": RATE_LIMITED,
    "ContextWindowOverflowException": CONTEXT_FULL,
    "MaxTokensReachedException": MAX_TURNS,
    "NoCredentialsError": NOT_LOGGED_IN,
    "PartialCredentialsError": NOT_LOGGED_IN,
    "CredentialRetrievalError": NOT_LOGGED_IN,
    "TokenRetrievalError": NOT_LOGGED_IN,
    "NoAuthTokenError": NOT_LOGGED_IN,
    "SSOTokenLoadError": NOT_LOGGED_IN,
    "UnauthorizedSSOTokenError": NOT_LOGGED_IN,
    "ProfileNotFound": NOT_LOGGED_IN,
    "AuthenticationError": NOT_LOGGED_IN,
    "PermissionDeniedError": MODEL_NOT_ALLOWED,
    "NotFoundError": MODEL_NOT_ALLOWED,
    "EndpointConnectionError": UNAVAILABLE,
    "ConnectTimeoutError": UNAVAILABLE,
    "ReadTimeoutError": UNAVAILABLE,
    "ConnectionClosedError": UNAVAILABLE,
    "ProxyConnectionError": UNAVAILABLE,
    "ResponseStreamingError": UNAVAILABLE,
    "ProtocolError": UNAVAILABLE,
    "SSLError": UNAVAILABLE,
    "APIConnectionError": UNAVAILABLE,
    "APITimeoutError": UNAVAILABLE,
    "InternalServerError": UNAVAILABLE,
    "ServiceUnavailableError": UNAVAILABLE,
}

# Errors of AWS by their code, in lower case: in an event stream, codes begin with a small letter.
KINDS_BY_CODE = {
    "throttlingexception": RATE_LIMITED,
    "toomanyrequestsexception": RATE_LIMITED,
    "servicequotaexceededexception": RATE_LIMITED,
    "unrecognizedclientexception": NOT_LOGGED_IN,
    "invalidclienttokenid": NOT_LOGGED_IN,
    "invalidsignatureexception": NOT_LOGGED_IN,
    "signaturedoesnotmatch": NOT_LOGGED_IN,
    "missingauthenticationtokenexception": NOT_LOGGED_IN,
    "incompletesignatureexception": NOT_LOGGED_IN,
    "expiredtokenexception": NOT_LOGGED_IN,
    "expiredtoken": NOT_LOGGED_IN,
    "accessdeniedexception": MODEL_NOT_ALLOWED,
    "resourcenotfoundexception": MODEL_NOT_ALLOWED,
    "internalserverexception": UNAVAILABLE,
    "serviceunavailableexception": UNAVAILABLE,
    "modeltimeoutexception": UNAVAILABLE,
    "modelnotreadyexception": UNAVAILABLE,
    "modelerrorexception": UNAVAILABLE,
    "modelstreamerrorexception": UNAVAILABLE,
}

# What Bedrock says about a model in a ValidationException, which has no code of its own.
MODEL_MESSAGES = (
    "model identifier is invalid",
    "on-demand throughput",
    "model is not supported",
    "doesn't support the model",
    "end of its life",
)

ENDS = {
    "limit_turns": (MAX_TURNS, "the agent reached its maximum number of model calls"),
    "limit_total_tokens": (MAX_TURNS, "the agent reached its limit of tokens"),
    "limit_output_tokens": (MAX_TURNS, "the agent reached its limit of output tokens"),
    "max_tokens": (MAX_TURNS, "an answer of the model reached max_tokens of the model in agent.py"),
    "content_filtered": (REFUSED, "the content filter of the model stopped the answer"),
    "guardrail_intervened": (REFUSED, "a guardrail stopped the answer"),
    "refusal": (REFUSED, "the model refused the task"),
    "model_context_window_exceeded": (CONTEXT_FULL, "the conversation is longer than the context window of the model"),
    "interrupt": (FAILED, "the agent asks a person, and nobody is there: remove the interrupt from agent.py"),
}


class WrongAgent(Exception):
    """A fault of the user's directory. The message says what to change."""


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


def complete(messages):
    """Answers the last message of a conversation that ended within a turn, since a model wants roles to alternate, and a result for each tool use."""
    if messages and messages[-1]["role"] == "assistant":
        uses = [block["toolUse"] for block in messages[-1]["content"] if "toolUse" in block]
        if uses:
            results = [{"toolResult": {
                "toolUseId": use["toolUseId"],
                "status": "error",
                "content": [{"text": "The turn ended before this tool did."}],
            }} for use in uses]
            messages.append({"role": "user", "content": results})
    if messages and messages[-1]["role"] == "user":
        messages.append({"role": "assistant", "content": [{"text": "(The turn ended here.)"}]})
    return messages


class Conversation:
    """The messages and the state of the agent, in a file. An agent with a session manager keeps its own."""

    def __init__(self, agent, path):
        from strands.types.session import decode_bytes_values, encode_bytes_values

        self.agent, self.path = agent, path
        self.encode, self.decode = encode_bytes_values, decode_bytes_values

    def restore(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                kept = self.decode(json.load(file))
            messages = complete(kept["messages"])
        except FileNotFoundError:
            return
        except Exception as error:
            print(f"the conversation of the earlier turn cannot be continued, and a new one begins: {error!r}", file=sys.stderr)
            return
        self.agent.messages[:] = messages
        for key, value in kept["state"].items():
            self.agent.state.set(key, value)

    def save(self, *_):
        directory = os.path.dirname(self.path)
        os.makedirs(directory, exist_ok=True)
        file, name = tempfile.mkstemp(dir=directory)
        with os.fdopen(file, "w", encoding="utf-8") as new:
            json.dump(self.encode({"messages": self.agent.messages, "state": self.agent.state.get() or {}}), new)
        os.replace(name, self.path)


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


def kind_of(error):
    """Returns the kind of an error, by the first of its causes that has one."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        response = getattr(error, "response", None)
        if isinstance(response, dict) and "Error" in response:
            code = str(response["Error"].get("Code", "")).lower()
            if code in KINDS_BY_CODE:
                return KINDS_BY_CODE[code]
            if any(text in str(error) for text in MODEL_MESSAGES):
                return MODEL_NOT_ALLOWED
            if response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                return UNAVAILABLE
        for ancestor in type(error).__mro__:
            if ancestor.__name__ in KINDS_BY_CLASS:
                return KINDS_BY_CLASS[ancestor.__name__]
        error = getattr(error, "original_exception", None) or error.__cause__ or error.__context__
    return FAILED


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
