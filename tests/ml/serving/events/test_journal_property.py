"""Whatever order batches, replays, restarts and killed writers come in: what was acknowledged counts once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ml.lake.store import Lake
from ml.serving.events.journal import Journal
from ml.serving.events.today import Today
from ml.sources.events import day_folder, segments
from tests.ml.serving.events.conftest import DAY, NOON, entered, make_listen

LISTENS = st.lists(st.integers(0, 30), min_size=1, max_size=8)
# What happens: a batch to one of two processes, a restart of both, or a writer that is killed when a
# share of its last batch has reached the disk.
EVENTS = st.one_of(
    st.tuples(st.just("batch"), st.integers(0, 1), LISTENS),
    st.tuples(st.just("restart")),
    st.tuples(st.just("killed"), st.floats(0, 1), LISTENS),
)


@contextmanager
def journals(folder: Path) -> Iterator[list[Journal]]:
    """Two processes' journals; `restart` replaces them in the list."""
    held = [Journal(folder), Journal(folder)]
    try:
        yield held
    finally:
        for journal in held:
            journal.close()


def leave_torn(folder: Path, scratch: Path, share: float, numbers: list[int]) -> None:
    """The segment of a writer that was killed before it could acknowledge: its first bytes."""
    writer = Journal(scratch)
    writer.append([make_listen(number) for number in numbers], NOON)
    writer.close()
    [whole] = segments(scratch, DAY)
    content = whole.read_bytes()
    target = day_folder(folder, DAY)
    target.mkdir(exist_ok=True)
    number = len(segments(folder, DAY)) + 1
    (target / f"{number:04d}.jsonl").write_bytes(content[: round(share * len(content))])


@settings(max_examples=15, deadline=None)
@given(st.lists(EVENTS, max_size=8))
def test_acknowledged_events_are_there_exactly_once(happened) -> None:
    promised: set[int] = set()
    torn: set[int] = set()
    with TemporaryDirectory() as name:
        folder = Path(name) / "events"
        with journals(folder) as held:
            for place, (what, *told) in enumerate(happened):
                if what == "restart":
                    for journal in held:
                        journal.close()
                    held[:] = [Journal(folder), Journal(folder)]
                elif what == "killed":
                    leave_torn(folder, Path(name) / f"scratch-{place}", *told)
                    torn |= set(told[1])
                else:
                    answer = held[told[0]].append([make_listen(one) for one in told[1]], NOON)
                    assert answer.rejected == ()
                    assert answer.accepted + answer.already_known == len(told[1])
                    promised |= set(told[1])
        check(folder, Lake(Path(name)), promised, torn)


def check(folder: Path, lake: Lake, promised: set[int], torn: set[int]) -> None:
    today = Today(folder).listens("anna", NOON.replace(hour=13))
    if any(folder.glob("day=*")):
        report = entered(folder, lake)
        assert sum(file.quarantined for file in report.files) == 0
    ids = lake.read("listens")["listen_id"].to_pylist()
    assert len(ids) == len(set(ids))
    found = {int(one.removeprefix("l")) for one in ids}
    assert promised <= found <= promised | torn
    assert sorted(today.track_ids) == sorted(f"t{one}" for one in found)
