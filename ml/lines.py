"""Files of JSON objects, one a line, that are only ever added to.

Belongs here: reading them after a kill. Does not belong here: what the objects are, or adding one.
"""

import json
from typing import Any


def whole_objects(content: bytes) -> list[dict[str, Any]]:
    """The objects of the lines of `content`, in order.

    A line cut short by a killed process was never confirmed and is passed over, wherever it was cut: it
    may end in the brace of an inner object.
    """
    parsed = (_parsed(line) for line in content.split(b"\n"))
    return [one for one in parsed if one is not None]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
