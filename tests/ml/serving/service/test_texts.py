"""Words are encoded beside the lists, not before them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from ml.serving.service import similar


@dataclass
class Slow:
    """An encoder that takes until the test lets it go on; its words mean the first dimension."""

    version: str = "slow"
    dimension: int = 8
    began: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def encode(self, documents):
        """One unit vector a document."""
        self.began.set()
        assert self.may_go_on.wait(60)
        return np.eye(1, self.dimension, dtype=np.float32).repeat(len(documents), axis=0)


def test_no_list_waits_while_a_text_is_encoded(start, world, monkeypatch):
    client = start(watch_seconds=3_600.0, capacity=1)
    (world.settings.bundles / world.first / "encoder").mkdir()
    slow = Slow()
    monkeypatch.setattr(similar, "load_encoder", lambda folder: slow)
    with ThreadPoolExecutor(2) as asking:
        text = asking.submit(client.ask, "similar", text="quiet songs", k=3)
        assert slow.began.wait(60)
        listed = asking.submit(client.ask, user_id="u1", k=3)
        try:
            assert len(listed.result(20)["tracks"]) == 3
        finally:
            slow.may_go_on.set()
        near = text.result()["tracks"]
    vectors = similar.bundle_vectors(client.service.served())
    best = sorted(vectors[:, 0].tolist(), reverse=True)[:3]
    assert [one["score"] for one in near] == pytest.approx(best, abs=1e-5)
