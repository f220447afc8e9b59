"""An alert reaches people once a finding: received here by a web server on the loopback address."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from ml.errors import SegueError
from monitoring.areas import AREAS, AreaReport, ReportTarget, Statistic, Verdict
from monitoring.reports import write_report
from orchestration.alerting import Missed, missed_day, tell_of_act, tell_of_missed
from orchestration.cli.main import app
from orchestration.cli.watching import watch_the_schedule
from orchestration.delivery import addresses
from orchestration.home import LIVE, SIMULATED, Home, Source, write_home
from orchestration.notify import State, notify, send_again, waiting
from orchestration.sensors import send_waiting_alerts
from orchestration.settings import Settings

AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
YESTERDAY = date(2026, 3, 9)


class Receiver(ThreadingHTTPServer):
    """Keeps what it receives; answers 500 while it is `broken`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.received: list[dict[str, str]] = []
        self.broken = False

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server_address[1]}/hook"


class Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.broken:
            self.server.received.append(json.loads(body))
        self.send_response(500 if self.server.broken else 200)
        self.end_headers()

    def log_message(self, *said: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("SEGUE_ALERTS", server.address)
        yield server
        server.shutdown()


def lines(settings: Settings) -> list[dict[str, str]]:
    return [json.loads(line) for line in settings.alerts.read_text().splitlines()]


def told(settings: Settings, finding: str = "one", at: datetime = AT) -> State | None:
    return notify(settings, at=at, title="daily failed", text="two\nlines", finding=finding)


def report(settings: Settings, verdict: Verdict, day: date = YESTERDAY) -> AreaReport:
    statistic = Statistic("one", 2.0, 1.0, "data_quality", verdict, "units changed", 2.0, 1.0)
    target = ReportTarget(settings.reports, None, "m1")
    return write_report("data_quality", day, None, [statistic], target)


def test_an_alert_arrives_with_its_words(settings: Settings, receiver: Receiver) -> None:
    assert told(settings) is State.SENT
    [message] = receiver.received
    assert (message["title"], message["message"]) == ("daily failed", "two\nlines")


def test_the_same_finding_is_sent_and_recorded_once(settings: Settings, receiver: Receiver) -> None:
    told(settings)
    assert told(settings, at=AT + timedelta(days=1)) is None
    assert told(settings, "another") is State.SENT
    assert len(receiver.received) == 2
    assert [one["finding"] for one in lines(settings)] == ["one", "another"]


def test_an_alert_is_one_line_added_below_the_earlier_ones(settings: Settings) -> None:
    told(settings)
    told(settings, "another")
    assert lines(settings)[0] == {
        "at": "2026-03-10T09:00:00+00:00",
        "finding": "one",
        "state": "recorded",
        "text": "two\nlines",
        "title": "daily failed",
    }
    assert len(lines(settings)) == 2


def test_without_an_address_an_alert_is_recorded_and_not_sent_later(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("SEGUE_ALERTS")
        assert told(settings) is State.RECORDED
    assert told(settings) is None
    assert send_again(settings, AT) == 0
    assert receiver.received == []


def test_what_no_address_took_is_sent_again_and_then_not(
    settings: Settings, receiver: Receiver
) -> None:
    receiver.broken = True
    assert told(settings) is State.NOT_SENT
    assert send_again(settings, AT) == 0
    receiver.broken = False
    assert send_again(settings, AT) == 1
    assert send_again(settings, AT) == 0
    assert told(settings) is None
    assert [one["state"] for one in lines(settings)] == ["not sent", "not sent", "sent"]
    assert len(receiver.received) == 1


def test_what_no_address_took_waits_until_one_takes_it(
    settings: Settings, receiver: Receiver
) -> None:
    assert waiting(settings) == 0
    receiver.broken = True
    told(settings)
    told(settings, "another")
    assert waiting(settings) == 2
    receiver.broken = False
    send_again(settings, AT)
    assert waiting(settings) == 0


def test_the_daemon_sends_what_waits_without_the_command_line(
    settings: Settings, receiver: Receiver
) -> None:
    receiver.broken = True
    told(settings)
    assert send_waiting_alerts().skip_message == "0 alerts sent, 1 still wait"
    receiver.broken = False
    assert send_waiting_alerts().skip_message == "1 alerts sent, 0 still wait"
    assert len(receiver.received) == 1


def test_the_doctor_names_what_was_not_sent_and_the_command(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    write_home(settings, Home(YESTERDAY, AT.date(), Source(SIMULATED)))
    receiver.broken = True
    told(settings)
    said = "1 alerts were not sent: `segue doctor --alert`"
    assert said in CliRunner().invoke(app, ["doctor"]).output
    receiver.broken = False
    send_again(settings, AT)
    assert "every alert was sent or recorded" in CliRunner().invoke(app, ["doctor"]).output


def test_words_without_a_name_are_the_same_finding_for_a_day(settings: Settings) -> None:
    assert told(settings, "") is State.RECORDED
    assert told(settings, "", AT + timedelta(hours=5)) is None
    assert told(settings, "", AT + timedelta(days=1)) is State.RECORDED


def test_a_line_cut_short_by_a_killed_process_harms_nothing(settings: Settings) -> None:
    told(settings)
    with settings.alerts.open("a") as file:
        file.write('{"finding": "ano')
    assert told(settings) is None
    assert told(settings, "another") is State.RECORDED
    assert told(settings, "another") is None


def test_an_address_that_is_not_understood_is_named_by_its_place_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SegueError, match="address 2 of SEGUE_ALERTS") as error:
        addresses(["json://127.0.0.1/hook", "secret-word"])
    assert "secret-word" not in str(error.value)
    monkeypatch.setenv("SEGUE_ALERTS", "secret-word")
    assert told(settings) is State.NOT_SENT


def test_a_report_that_asks_for_a_decision_is_told_once_with_reason_link_and_command(
    settings: Settings, receiver: Receiver
) -> None:
    found = report(settings, Verdict.ACT)
    assert tell_of_act(settings, found, AT) is State.SENT
    assert tell_of_act(settings, found, AT + timedelta(days=3)) is None
    [message] = receiver.received
    assert message["title"] == "Data quality of 2026-03-09: act"
    assert "units changed" in message["message"]
    assert "/day%3D2026-03-09/data_quality.html" in message["message"]
    assert "segue review 2026-03-09 data_quality --decision" in message["message"]


def test_a_report_that_asks_for_a_look_is_not_told(settings: Settings) -> None:
    assert tell_of_act(settings, report(settings, Verdict.WATCH), AT) is None
    assert not settings.alerts.exists()


def live(settings: Settings, history_end: date | None = None) -> Home:
    home = Home(date(2026, 3, 1), None, Source(LIVE), (), history_end)
    write_home(settings, home)
    return home


def lived(settings: Settings, day: date) -> None:
    """All reports of the day stand."""
    folder: Path = settings.reports / f"day={day}"
    folder.mkdir(parents=True)
    for area in AREAS:
        (folder / f"{area}.json").write_text("{}")


def test_yesterday_is_missed_from_the_hour_on_by_which_it_is_due(settings: Settings) -> None:
    home = live(settings)
    lived(settings, YESTERDAY - timedelta(days=1))
    assert missed_day(settings, home, AT.replace(hour=7), 8) is None
    missed = missed_day(settings, home, AT.replace(hour=8), 8)
    assert missed == Missed(YESTERDAY, YESTERDAY - timedelta(days=1))
    lived(settings, YESTERDAY)
    assert missed_day(settings, home, AT, 8) is None


def test_a_day_before_the_due_hour_does_not_hide_the_one_before_it(settings: Settings) -> None:
    missed = missed_day(settings, live(settings), AT.replace(hour=7), 8)
    assert missed == Missed(YESTERDAY - timedelta(days=1), None)


def test_the_history_and_the_days_before_the_first_are_not_due(settings: Settings) -> None:
    assert missed_day(settings, live(settings, YESTERDAY), AT, 8) is None
    home = Home(date(2026, 3, 10), None, Source(LIVE))
    assert missed_day(settings, home, AT, 8) is None


def test_cron_is_told_of_a_missed_day_every_time_and_people_once(
    settings: Settings, receiver: Receiver
) -> None:
    live(settings)
    with pytest.raises(SegueError, match=r"2026-03-09 to be lived.*--day 2026-03-09.*sent"):
        watch_the_schedule(8, AT)
    with pytest.raises(SegueError, match="told before"):
        watch_the_schedule(8, AT)
    [message] = receiver.received
    assert message["title"] == "2026-03-09 was not lived"
    with pytest.raises(SegueError, match="2026-03-10 to be lived"):
        watch_the_schedule(8, AT + timedelta(days=1))
    assert len(receiver.received) == 2


def test_a_missed_day_is_one_finding(settings: Settings) -> None:
    assert tell_of_missed(settings, Missed(YESTERDAY, None), AT) is State.RECORDED
    assert tell_of_missed(settings, Missed(YESTERDAY, None), AT + timedelta(hours=9)) is None


def test_a_replayed_home_says_that_it_has_no_clock(settings: Settings) -> None:
    write_home(settings, Home(YESTERDAY, AT.date(), Source(SIMULATED)))
    result = CliRunner().invoke(app, ["doctor", "--alert"])
    assert result.exit_code == 0
    assert not settings.alerts.exists()


def test_the_command_for_cron_ends_with_one_on_a_missed_day(settings: Settings) -> None:
    live(settings)
    result = CliRunner().invoke(app, ["doctor", "--alert", "--by", "0"])
    assert result.exit_code == 1
    assert len(lines(settings)) == 1
