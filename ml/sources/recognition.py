"""Which format a path is of, when nobody said.

Belongs here: asking every format, saying what was recognised. Does not belong here: how a format
recognises its own (its module).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml.errors import SegueError
from ml.sources.looking import Look
from ml.sources.registry import FORMATS
from ml.sources.source import Format


@dataclass(frozen=True, slots=True)
class Recognised:
    """The name of a format and why it is that one."""

    name: str
    why: str


def recognise(path: Path, formats: Mapping[str, Format] = FORMATS) -> Recognised:
    """The one format that claims the path. Raises SegueError when none or several do."""
    if not path.exists():
        raise SegueError(f"expected a file or folder to import, found no {path}")
    look = Look(path)
    claims = [
        Recognised(made.name, why)
        for made in formats.values()
        if made.recognise is not None and (why := made.recognise(look))
    ]
    if len(claims) == 1:
        return claims[0]
    if claims:
        told = "; ".join(f"{claim.name} ({claim.why})" for claim in claims)
        raise SegueError(
            f"{path}: expected one format, found signs of several: {told}. "
            f"Name it: segue import {claims[0].name} {path}"
        )
    shown = ", ".join(look.names[:5]) + (" ..." if len(look.names) > 5 else "")
    known = "\n".join(f"  {made.name}: {made.expects}" for made in formats.values())
    raise SegueError(
        f"{path}: expected a format that Segue knows, found {shown or 'no file'}.\n{known}\n"
        "Name it: segue import FORMAT PATH (csv reads any delimited file with a mapping)"
    )
