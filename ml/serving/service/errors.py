"""What the service answers when it does not answer.

Belongs here: errors with a status, and their JSON. Does not belong here: when they are raised.
"""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

_JSON = "application/json"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """An answer other than success: HTTP `status`, a short `code` for programs, a `message` for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def response(self, request_id: str, details: list[dict[str, str]] | None = None) -> Response:
        """As JSON: error, message, request_id and, where fields are wrong, details."""
        body: dict[str, object] = {
            "error": self.code,
            "message": self.message,
            "request_id": request_id,
        }
        if details is not None:
            body["details"] = details
        return Response(orjson.dumps(body), self.status, self.headers, _JSON)


def busy() -> Refusal:
    """All places are taken: come again in a second."""
    message = "expected a free place, found all taken; try again"
    return Refusal(503, "busy", message, {"Retry-After": "1"})


def not_ready(problem: str) -> Refusal:
    """There is no model to answer with."""
    return Refusal(503, "not_ready", problem, {"Retry-After": "5"})


def printable(text: str) -> str:
    """Text that can be sent: half a surrogate pair, which JSON may name, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
