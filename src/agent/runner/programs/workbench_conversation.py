"""The conversation of a Strands agent, from one turn to the next."""

import json
import os
import sys
import tempfile


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
