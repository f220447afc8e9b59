"""A process that appends batches to a journal until it is killed, and says what was acknowledged.

    python -m tests.ml.serving.events.writer FOLDER FIRST THREADS

Batch n of 25 holds the listens 25 n to 25 n + 24; threads take every n from FIRST on in turn. One line
is printed for a batch, after the journal has acknowledged it.
"""

import os
import sys
import threading
from itertools import count
from pathlib import Path

from ml.serving.events.journal import Journal
from tests.ml.serving.events.conftest import NOON, make_listen

SIZE = 25


def batch(number: int) -> list[dict[str, object]]:
    """The listens of a batch; all in the same minute, whose order says nothing."""
    places = range(SIZE * number, SIZE * number + SIZE)
    return [make_listen(place, user_id=f"u{place % 7}") for place in places]


def main() -> None:
    """Append for ever."""
    journal = Journal(Path(sys.argv[1]))
    first, threads = int(sys.argv[2]), int(sys.argv[3])

    def send(place: int) -> None:
        for number in count(first + place, threads):
            journal.append(batch(number), NOON)
            # One call to the system: a line is whole or not there.
            os.write(1, f"{number}\n".encode())

    for place in range(1, threads):
        threading.Thread(target=send, args=(place,), daemon=True).start()
    send(0)


if __name__ == "__main__":
    main()
