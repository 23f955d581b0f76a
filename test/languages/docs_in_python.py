"""Lists the code in the docs of a generated module that is not Python: jsii-pacmak includes what jsii-rosetta could not translate.

Usage: docs_in_python.py FILE...    each Python, or Markdown such as a wheel's METADATA; prints JSON
"""
import ast
import json
import re
import sys
import textwrap

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
# "Example::", a blank line and an indented block.
LITERAL = re.compile(r"(?:::|\.\. code-block:: *(?P<language>\w+)) *\n[ \t]*\n(?P<code>(?:(?: {4}.*|[ \t]*)(?:\n|\Z))+)")
# TypeScript that a Python parser would accept, or that is in a string.
TYPESCRIPT = re.compile(r";\s*$|\bnew [A-Z]|\bthis\.|=> |\b(?:const|let|declare) \w", re.MULTILINE)
LANGUAGES = {"", "python", "sh", "json"}


def texts(path):
    text = open(path, encoding="utf8").read()
    if not path.endswith(".py"):
        return [("Markdown", text)]
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
    return [(getattr(node, "name", "module"), ast.get_docstring(node)) for node in nodes if ast.get_docstring(node)]


def code(text):
    for language, block in FENCE.findall(text):
        yield language, block
    for match in LITERAL.finditer(FENCE.sub("", text)):
        yield match["language"] or "python", textwrap.dedent(match["code"])


def fault(language, block):
    if language not in LANGUAGES:
        return f"is {language}"
    if language != "python":
        return None
    try:
        ast.parse(block)
    except SyntaxError as error:
        return str(error)
    found = TYPESCRIPT.search(block)
    return f"has {found.group().strip()!r}" if found else None


blocks = [(where, *found) for path in sys.argv[1:] for where, text in texts(path) for found in code(text)]
print(json.dumps({
    "python": sum(language == "python" for _, language, _ in blocks),
    "faults": [f"{where}: {fault(language, block)}: {block}" for where, language, block in blocks if fault(language, block)],
}))
