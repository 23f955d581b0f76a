"""An agent that repairs programs. The runner imports it, gives it the prompt of a turn, and keeps its conversation."""

from strands import Agent
from strands.models import BedrockModel
from strands.vended_tools import file_editor, shell

agent = Agent(
    # app.ts names the model: this one is for the time without an app.
    model=BedrockModel(model_id="global.anthropic.claude-sonnet-4-20250514-v1:0", max_tokens=16_000),
    system_prompt=(
        "You repair programs in the current directory. Read before you edit, change as little as possible, "
        "and run the tests before you answer. Your last message says what you changed and why."
    ),
    tools=[file_editor, shell],
)
