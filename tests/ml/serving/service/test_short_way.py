"""Right calls for lists go past the framework; nobody can tell by the answer."""

import pytest

from ml.serving.service.lists import LISTS, ShortWay

PATHS = [path.removeprefix("/v1/") for path in LISTS]
RIGHT = {"content-type": "application/json"}
LONG = {"content-type": "application/json; charset=utf-8"}


def without_ids(answer):
    """The answer but for what is new in every answer."""
    return {name: value for name, value in answer.items() if name != "request_id"}


@pytest.fixture
def long_ways(monkeypatch):
    """Paths of the calls that the framework was given."""
    taken, short = [], ShortWay.__call__

    async def noted(self, scope, receive, send):
        async def framework(scope, receive, send):
            taken.append(scope["path"])
            await app(scope, receive, send)

        app, self._app = self._app, framework
        try:
            await short(self, scope, receive, send)
        finally:
            self._app = app

    monkeypatch.setattr(ShortWay, "__call__", noted)
    return taken


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"{}", b'{"user_id":"u1","k":4,"contributions":true}'])
def test_both_ways_give_the_same_answer(client, long_ways, path, body):
    short = client.post(f"/v1/{path}", content=body, headers=RIGHT)
    assert long_ways == []
    long = client.post(f"/v1/{path}", content=body, headers=LONG)
    assert long_ways == [f"/v1/{path}"]
    assert (short.status_code, long.status_code) == (200, 200)
    assert without_ids(short.json()) == without_ids(long.json())
    assert short.headers.keys() == long.headers.keys()
    assert short.headers["content-type"] == long.headers["content-type"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", RIGHT),
        (b'{"k":0}', RIGHT),
        (b'{"kk":1}', RIGHT),
        (b"{}", {"content-type": "text/plain"}),
    ],
)
def test_a_wrong_call_is_named_wrong_by_the_framework(client, long_ways, path, body, headers):
    found = client.post(f"/v1/{path}", content=body, headers=headers)
    assert (found.status_code, found.json()["error"]) == (422, "invalid")
    assert long_ways == [f"/v1/{path}"]


def test_a_refusal_on_the_short_way_has_its_status_its_id_and_is_counted(client, long_ways):
    found = client.post("/v1/home", json={"at": "2026-03-01T00:00:00Z"})
    assert (found.status_code, found.json()["error"], long_ways) == (409, "no_state", [])
    assert found.headers["x-request-id"] == found.json()["request_id"]
    page = client.get("/metrics").text
    assert 'segue_requests_total{path="/v1/home",status="409"} 1.0' in page


def test_a_fault_of_ours_on_the_short_way_shows_no_trace(client, long_ways):
    client.service.keeper.current = object()
    found = client.post("/v1/home", json={})
    assert (found.status_code, found.json()["error"], long_ways) == (500, "fault", [])
    assert "object" not in found.text
