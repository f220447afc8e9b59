"""Writes referees.json: shared cases and what RecTools, ranx and RePlay find on them, request by request.

Not run by the tests: the referees need an environment of their own (RecTools asks for numpy below 2).

    python3.11 -m venv referees && referees/bin/pip install rectools==0.19.0 ranx==0.3.21 replay-rec==0.22.0
    referees/bin/python tests/ml/evaluation/make_referees.py

The cases hold equal scores, lists shorter than k, requests without a list, without a hit and without a
relevant track, and relevant tracks outside the catalogue. Lists are sorted here in plain Python (score
descending, at equal scores relevant tracks last, then by track), independently of ml.evaluation.

How each referee is asked: RecTools' NDCG with divide_by_achievable and its default beside it (whose
ideal is k hits). MAP of RecTools and ranx divides by the number of relevant tracks, RePlay's by min(k,
that number). ranx ranks by score, so it is given minus the rank, and cannot hold an empty list: such
requests get one track that nobody wants. RecTools' intra-list diversity takes a distance: one
minus the cosine.
"""

import json
import random
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import ranx
import rectools.metrics as rt
import replay.metrics as rp
from rectools.metrics.distances import PairwiseDistanceCalculator

TARGET = Path(__file__).with_name("referees.json")
CATALOGUE, GROUPS, LISTENERS = 30, 4, 12
# Requests with these numbers are the special ones of every case.
NO_LIST, NO_TRUTH, NO_HIT, ALL_TIED, PERFECT = 0, 1, 2, 3, 4


class Cosine(PairwiseDistanceCalculator):
    """One minus the cosine of unit vectors."""

    def __init__(self, vectors):
        self.vectors = np.asarray(vectors)

    def _get_distances_for_item_pairs(self, items_0, items_1):
        first, second = np.asarray(items_0, dtype=int), np.asarray(items_1, dtype=int)
        return 1 - (self.vectors[first] * self.vectors[second]).sum(axis=1)


def scored_tracks(draw, request, wanted, k):
    """(track, score) of a request; few different scores, so that many are equal."""
    if request == NO_LIST:
        return []
    if request == NO_HIT:
        return [(track, draw.randint(1, 3)) for track in range(CATALOGUE) if track not in wanted]
    if request == ALL_TIED:
        return [(track, 1) for track in range(CATALOGUE)]
    if request == PERFECT:
        return [(track, 9) for track in sorted(wanted)] + [(29, 1)]
    length = draw.choice([1, 2, k - 1, k, k + 3, CATALOGUE])
    return [(track, draw.randint(1, 4)) for track in draw.sample(range(CATALOGUE), length)]


def make_case(name, seed, requests, k):
    """The inputs of one case."""
    draw = random.Random(seed)
    truth, scored = [], []
    for request in range(requests):
        count = 0 if request == NO_TRUTH else draw.choice([1, 2, 3, k, k + 2])
        # Indices from CATALOGUE on are cold: relevant, but outside the catalogue.
        cold = 0 if request == PERFECT else 4
        wanted = sorted(draw.sample(range(CATALOGUE - 1 + cold), count))
        truth += [(request, track, draw.randint(1, 4)) for track in wanted]
        scored += [(request, *pair) for pair in scored_tracks(draw, request, set(wanted), k)]
    history = [(draw.randrange(LISTENERS), int(CATALOGUE * draw.random() ** 2)) for _ in range(90)]
    simple = [
        (request, track, rank)
        for request in range(requests)
        for rank, track in enumerate(draw.sample(range(CATALOGUE), k), 1)
    ]
    vectors = np.random.default_rng(seed).normal(size=(CATALOGUE, GROUPS)).round(3)
    return {
        "name": name,
        "k": k,
        "requests": requests,
        "catalogue": CATALOGUE,
        "scored": scored,
        "truth": truth,
        "history": sorted(set(history)),
        "simple": simple,
        "vectors": vectors.tolist(),
    }


def judged_lists(case):
    """{request: tracks} in the order in which they are judged."""
    relevant = {(request, track) for request, track, _ in case["truth"]}
    rows = sorted(case["scored"], key=lambda row: (row[0], -row[2], row[:2] in relevant, row[1]))
    lists = {}
    for request, track, _ in rows:
        lists.setdefault(request, []).append(track)
    return lists


def row_of(values, requests):
    """A value a request, null where the referee gives none."""
    return [
        None if request not in values else float(values[request]) for request in range(requests)
    ]


def by_rectools(case, lists):
    """RecTools on all metrics; `ndcg_default` and `map_full` are its own conventions."""
    k, columns = case["k"], ["user_id", "item_id"]
    reco = pd.DataFrame(
        [(u, i, rank) for u, tracks in lists.items() for rank, i in enumerate(tracks, 1)],
        columns=[*columns, "rank"],
    )
    wanted = pd.DataFrame([row[:2] for row in case["truth"]], columns=columns)
    past = pd.DataFrame(case["history"], columns=columns)
    catalogue = range(case["catalogue"])
    unit = np.asarray(case["vectors"])
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    accuracy = {
        "ndcg": rt.NDCG(k, divide_by_achievable=True),
        "ndcg_default": rt.NDCG(k),
        "recall": rt.Recall(k),
        "precision": rt.Precision(k),
        "map_full": rt.MAP(k),
        "mrr": rt.MRR(k),
        "hit_rate": rt.HitRate(k),
    }
    found = {name: metric.calc_per_user(reco, wanted) for name, metric in accuracy.items()}
    found["novelty_by_listeners"] = rt.MeanInvUserFreq(k).calc_per_user(reco, past)
    found["diversity"] = rt.IntraListDiversity(k, Cosine(unit)).calc_per_user(reco)
    found["serendipity"] = rt.Serendipity(k).calc_per_user(reco, wanted, past, catalogue)
    rows = {name: row_of(series.dropna(), case["requests"]) for name, series in found.items()}
    rows["coverage"] = float(rt.CatalogCoverage(k, normalize=True).calc(reco, catalogue))
    return rows


def by_ranx(case, lists):
    """ranx; `ndcg_graded` is its ndcg_burges, with gain 2^grade - 1."""
    k, truth = case["k"], {}
    for request, track, grade in case["truth"]:
        truth.setdefault(str(request), {})[str(track)] = grade
    run = {
        request: {str(track): -rank for rank, track in enumerate(lists.get(int(request), []), 1)}
        or {"nobody wants": -1}
        for request in truth
    }
    names = {
        "recall": "recall",
        "precision": "precision",
        "map_full": "map",
        "mrr": "mrr",
        "hit_rate": "hit_rate",
        "ndcg_graded": "ndcg_burges",
    }
    plain = {request: dict.fromkeys(tracks, 1) for request, tracks in truth.items()}

    def ask(qrels, name):
        result = ranx.Run({q: {d: float(s) for d, s in docs.items()} for q, docs in run.items()})
        ranx.evaluate(ranx.Qrels(qrels), result, f"{name}@{k}")
        scores = next(iter(result.scores.values()))
        return row_of({int(q): value for q, value in scores.items()}, case["requests"])

    rows = {ours: ask(truth, theirs) for ours, theirs in names.items()}
    rows["ndcg"] = ask(plain, "ndcg")
    return rows


def by_replay(case, lists):
    """RePlay; `unexpectedness` is against the simple model's lists."""
    k = case["k"]
    truth = {}
    for request, track, _ in case["truth"]:
        truth.setdefault(request, []).append(track)
    reco = {u: [(i, -rank) for rank, i in enumerate(items, 1)] for u, items in lists.items()}
    simple = {}
    for request, track, rank in case["simple"]:
        simple.setdefault(request, []).append((track, -rank))
    past = {}
    for listener, track in case["history"]:
        past.setdefault(listener, []).append(track)
    accuracy = {
        "ndcg": rp.NDCG,
        "recall": rp.Recall,
        "precision": rp.Precision,
        "map": rp.MAP,
        "mrr": rp.MRR,
        "hit_rate": rp.HitRate,
    }

    def ask(metric, *inputs):
        values = next(iter(metric(k, mode=rp.PerUser())(*inputs).values()))
        return row_of(values, case["requests"])

    rows = {name: ask(metric, reco, truth) for name, metric in accuracy.items()}
    rows["unexpectedness"] = ask(rp.Unexpectedness, reco, simple)
    rows["surprisal"] = ask(rp.Surprisal, reco, past)
    return rows


def main():
    """Make the cases, ask the referees, write the file."""
    cases = [
        make_case("k of 5", 1, 24, 5),
        make_case("k of 10", 2, 24, 10),
        make_case("k of 3", 3, 16, 3),
    ]
    for case in cases:
        lists = judged_lists(case)
        case["expected"] = {
            "rectools": by_rectools(case, lists),
            "ranx": by_ranx(case, lists),
            "replay": by_replay(case, lists),
        }
    packages = ("rectools", "ranx", "replay-rec", "numpy", "pandas")
    whole = {"versions": {name: version(name) for name in packages}, "cases": cases}
    # A field a line.
    TARGET.write_text(json.dumps(whole, separators=(",", ":")).replace(',"', ',\n"') + "\n")


if __name__ == "__main__":
    main()
