"""Files and functions stay short enough to be read at once."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ml", "monitoring", "orchestration", "tests")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_FILE = 300
LONGEST_FUNCTION = 39


def long_functions(source: str) -> list[str]:
    """Names and lengths of functions over the limit, nested ones too; a docstring counts."""
    lengths = [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [f"{name}: {lines} lines" for name, lines in lengths if lines > LONGEST_FUNCTION]


def is_long(source: str) -> bool:
    """Whether a file is over the limit."""
    return len(source.splitlines()) > LONGEST_FILE


def test_no_function_is_long() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {told}"
        for path in FILES
        for told in long_functions(path.read_text())
    ]
    assert not found, "\n".join(found)


def test_no_file_is_long() -> None:
    found = [str(path.relative_to(ROOT)) for path in FILES if is_long(path.read_text())]
    assert not found, "\n".join(found)


def test_a_long_function_is_found_and_one_at_the_limit_is_not() -> None:
    body = "    x = 1\n"
    short = "def short():\n" + body * (LONGEST_FUNCTION - 1)
    long = "class A:\n    async def long(self):\n" + ("    " + body) * LONGEST_FUNCTION
    assert long_functions(short + long) == ["long: 40 lines"]


def test_a_long_file_is_found_and_one_at_the_limit_is_not() -> None:
    assert [is_long("x = 1\n" * lines) for lines in (300, 301)] == [False, True]
