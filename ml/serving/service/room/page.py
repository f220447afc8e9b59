"""The listening room: one page, its styles and its program in it, nothing fetched from elsewhere.

Belongs here: putting the parts together and what the browser may do with them. Does not belong here: what
the page shows (the files beside).
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

# The program's parts in the order in which they need each other.
_PROGRAM = ("words.js", "dom.js", "service.js", "cards.js", "drawer.js", "player.js", "room.js")
_STYLE_MARK, _PROGRAM_MARK = "/* room.css */", "/* room.js */"


def _part(name: str) -> str:
    return files("ml.serving.service.room").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def room() -> tuple[bytes, dict[str, str]]:
    """(page, headers). The policy lets this very program and these very styles run, and nothing that data
    could bring in."""
    style = _part("room.css")
    program = "\n".join(_part(name) for name in _PROGRAM)
    page = _part("index.html").replace(_STYLE_MARK, style).replace(_PROGRAM_MARK, program)
    policy = (
        f"default-src 'none'; script-src {_digest(program)}; style-src {_digest(style)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return page.encode(), headers
