"""What is counted in memory is on the page, once."""

import asyncio

from ml.serving.service.telemetry import Telemetry


def test_the_page_shows_all_that_was_counted_until_now():
    telemetry = Telemetry()
    telemetry.answered("home", {"wait": 0.002, "events": 0.5}, "leader", {"popularity": 30})
    telemetry.answered("home", {"wait": 0.004, "events": 0.5}, None, {"popularity": 12})
    telemetry.called("/v1/home", 200, 0.02)
    telemetry.under_way("answers", 3)
    telemetry.under_way("answers", 2)
    page = telemetry.page().decode()
    for line in (
        'segue_stage_seconds_bucket{le="0.0025",stage="wait",surface="home"} 1.0',
        'segue_stage_seconds_count{stage="wait",surface="home"} 2.0',
        'segue_stage_seconds_sum{stage="events",surface="home"} 1.0',
        'segue_answers_total{surface="home"} 2.0',
        'segue_fallbacks_total{surface="home",way="leader"} 1.0',
        'segue_candidates_total{source="popularity",surface="home"} 42.0',
        'segue_requests_total{path="/v1/home",status="200"} 1.0',
        'segue_request_seconds_count{path="/v1/home"} 1.0',
        'segue_in_flight{kind="answers"} 2.0',
    ):
        assert f"{line}\n" in page
    assert telemetry.page().decode() == page


def test_the_service_shows_by_itself_what_it_counted(client):
    """Another worker's page holds what is in the shared files, and asks nobody."""
    client.ask(user_id="u1", k=1)
    shown = client.service.telemetry.answers.labels("home")

    async def counted():
        async with asyncio.timeout(60):
            while not shown._value.get():
                await asyncio.sleep(0)
        return shown._value.get()

    assert client.portal.call(counted) == 1.0
