"""What the service does not bear it turns away, in JSON and without a trace of its inside."""

import asyncio

import httpx
import pytest

from ml.serving.service.errors import Refusal
from ml.serving.service.limits import Guard, Places, Rates
from ml.serving.service.settings import ServiceSettings
from ml.serving.service.telemetry import Telemetry


def test_with_a_token_only_its_bearers_are_answered(start):
    client = start(token="secret")
    assert client.ask(user_id="u1", status=401)["error"] == "unauthorized"
    wrong = client.get("/metrics", headers={"authorization": "Bearer secreT"})
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    right = {"authorization": "Bearer secret"}
    assert client.post("/v1/home", json={"k": 1}, headers=right).status_code == 200
    assert [client.get(path).status_code for path in ("/health", "/ready")] == [200, 200]


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(start):
    client = start(body_bytes=100)
    found = client.post("/v1/home", content=b"x" * 101)
    assert (found.status_code, found.json()["error"]) == (413, "too_large")


def test_a_body_that_does_not_say_its_length_is_counted(start):
    client = start(body_bytes=100)
    found = client.post("/v1/home", content=iter([b"x" * 60, b"x" * 60]))
    assert found.status_code == 413


def test_a_rate_is_per_address_and_refills():
    seconds = [0.0]
    rates = Rates(2.0, lambda: seconds[0])
    assert [rates.admits("a") for _ in range(3)] == [True, True, False]
    assert rates.admits("b")
    seconds[0] = 0.5
    assert [rates.admits("a") for _ in range(2)] == [True, False]


def test_beyond_the_rate_is_429_with_a_time_to_come_again(start):
    client = start(rate=1.0)
    statuses = [client.post("/v1/home", json={"k": 1}) for _ in range(2)]
    assert [found.status_code for found in statuses] == [200, 429]
    assert statuses[1].headers["retry-after"] == "1"
    assert client.get("/health").status_code == 200


def test_wrong_tokens_are_counted_as_calls(start):
    client = start(rate=1.0, token="secret")
    guesses = [client.get("/v1/model", headers={"authorization": "Bearer a"}) for _ in range(3)]
    assert [found.status_code for found in guesses] == [401, 429, 429]


def test_a_place_is_free_again_after_use_and_after_a_fault():
    places = Places("answers", 1, Telemetry())
    with places.taken(), pytest.raises(Refusal) as refusal, places.taken():
        pass
    assert (refusal.value.status, refusal.value.headers) == (503, {"Retry-After": "1"})
    with pytest.raises(KeyError), places.taken():
        raise KeyError
    with places.taken():
        pass


def test_beyond_capacity_calls_are_shed_and_the_others_answered(start):
    client = start(capacity=2)

    async def many():
        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as asking:
            calls = [asking.post("/v1/home", json={"user_id": "u1", "k": 1}) for _ in range(12)]
            return await asyncio.gather(*calls)

    # On the service's own loop: its locks belong to it.
    found = client.portal.call(many)
    statuses = [one.status_code for one in found]
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 2
    shed = next(one for one in found if one.status_code == 503)
    assert (shed.json()["error"], shed.headers["retry-after"]) == ("busy", "1")
    assert client.ask(user_id="u1", k=1)["tracks"]


def test_a_client_that_never_ends_its_body_is_let_go(tmp_path):
    settings = ServiceSettings(*[tmp_path] * 4, body_seconds=0.02)
    sent = []

    async def handler(scope, receive, send):
        raise AssertionError("no handler begins before the body is there")

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/home", "headers": [], "client": None}
    asyncio.run(Guard(handler, settings, Telemetry(), lambda: 0.0)(scope, receive, send))
    assert sent[0]["status"] == 408
    assert b"too_slow" in sent[1]["body"]


def test_a_fault_of_ours_shows_no_trace(client):
    def broken():
        raise RuntimeError("the inside")

    client.app.add_api_route("/broken", broken)
    found = client.get("/broken")
    assert (found.status_code, found.json()["error"]) == (500, "fault")
    assert "inside" not in found.text
    assert found.json()["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nope", 404), ("GET", "/v1/home", 405)]
)
def test_errors_of_the_router_are_json_too(client, method, path, status):
    found = client.request(method, path)
    assert (found.status_code, found.json()["error"]) == (status, "refused")
    assert found.headers["x-request-id"] == found.json()["request_id"]
