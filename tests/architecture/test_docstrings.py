"""Every module, public class and public function says what it is; signatures are not restated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ml", "monitoring", "orchestration")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
# Headings under which signatures are told again.
_RESTATING = re.compile(r"^\s*(Args|Parameters|Returns)\s*:?\s*$|^\s*:(param|return)", re.MULTILINE)
_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def public(node: ast.Module | ast.ClassDef, inside: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Public definitions of a module and of its public classes, by their dotted names."""
    for one in node.body:
        if not isinstance(one, _DEFINED) or one.name.startswith("_"):
            continue
        yield f"{inside}{one.name}", one
        if isinstance(one, ast.ClassDef):
            yield from public(one, f"{inside}{one.name}.")


def bare(source: str) -> list[str]:
    """Names without a docstring, "module" for the module's own."""
    tree = ast.parse(source)
    found = [] if not source or ast.get_docstring(tree) else ["module"]
    return found + [name for name, node in public(tree) if not ast.get_docstring(node)]


def restated(source: str) -> list[str]:
    """Names whose docstring lists parameters or results as the signature already does."""
    return [
        name
        for name, node in public(ast.parse(source))
        if _RESTATING.search(ast.get_docstring(node) or "")
    ]


def silent_about_errors(source: str) -> list[str]:
    """Functions that raise an error in their own body and do not say "Raises"."""
    return [
        name
        for name, node in public(ast.parse(source))
        if not isinstance(node, ast.ClassDef)
        and any(isinstance(one, ast.Raise) and one.exc for one in ast.walk(node))
        and "Raises" not in (ast.get_docstring(node) or "")
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_public_is_described(path: Path) -> None:
    source = path.read_text()
    assert bare(source) == []
    assert restated(source) == []
    assert silent_about_errors(source) == []


def test_a_module_says_what_belongs_there() -> None:
    silent = [str(path) for path in FILES if path.name != "__init__.py" and not _tells(path)]
    assert silent == []


def _tells(path: Path) -> bool:
    said = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
    return "Belongs here:" in said and "Does not belong here:" in said


def test_what_is_bare_or_restated_is_found() -> None:
    source = '"""M."""\nclass A:\n    """A."""\n    def f(self): ...\n    def _g(self): ...\ndef h(): ...'
    assert bare(source) == ["A.f", "h"]
    assert bare("x = 1") == ["module"]
    assert silent_about_errors('def f():\n    """Do."""\n    raise KeyError(1)') == ["f"]
    assert restated('def f(x):\n    """Do.\n\n    Args:\n        x: it.\n    """') == ["f"]
