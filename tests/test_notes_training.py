"""Training: the network's slopes and steps, the process beside it, what a model is made of."""

import subprocess
import sys
import time
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from anon_spark.detect.notes import field_beside, train_network, training
from anon_spark.detect.notes.grammar.people import TEST, TRAIN, TUNE
from anon_spark.detect.notes.model import load_model
from anon_spark.detect.notes.network import in_columns
from anon_spark.detect.notes.spans import Note, Span
from anon_spark.detect.notes.train import (
    made_up,
)
from anon_spark.errors import AnonError
from tests.conftest import FEW


def test_the_networks_slopes_are_those_of_its_loss(monkeypatch):
    monkeypatch.setattr(train_network, "STRETCHES", 2)
    corpus = train_network.gather(made_up(TRAIN, 12))
    inputs = train_network.inputs_of(corpus)
    draw = np.random.default_rng(3)
    batch = next(train_network.batches(corpus, inputs, draw))
    begun = train_network.started(len(inputs.rows), len(corpus.label_names), draw)
    now = {name: value.astype(np.float64) for name, value in begun.items()}
    _, slopes = train_network.gradients(now, batch, draw, 0.0)
    for name, value in now.items():
        steepest = np.argsort(-np.abs(slopes[name]).ravel())[:3]
        for at in steepest:
            losses = []
            for step in (1e-6, -1e-6):
                moved = {**now, name: value.copy()}
                rows = batch.touched if name == "vectors" else np.arange(len(value))
                row, *column = np.unravel_index(at, slopes[name].shape)
                moved[name][(rows[row], *column)] += step
                losses.append(train_network.gradients(moved, batch, draw, 0.0)[0])
            assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(slopes[name].flat[at], rel=1e-3)


def test_vectors_move_by_their_own_spread_which_fades():
    now = {"vectors": np.zeros((2, 1), np.float32), "out": np.zeros(1, np.float32)}
    adam, flat = train_network.Adam(now), np.zeros(1, np.float32)
    for row, slope in ((0, 1.0), (1, 1.0), (0, 2.0)):
        adam.step(now, {"vectors": np.array([[slope]], np.float32), "out": flat}, np.array([row]), 0.1)
    first, later = 0.01, 0.01 * 0.99**2 + 0.01 * 2.0**2
    moved = 0.1 * 1 / (first / (1 - 0.99)) ** 0.5 + 0.1 * 2 / (later / (1 - 0.99**3)) ** 0.5
    assert now["vectors"][0, 0] == pytest.approx(-moved, rel=1e-5)
    assert now["vectors"][1, 0] == pytest.approx(-0.1 / (0.01 / (1 - 0.99**2)) ** 0.5, rel=1e-5)


def test_the_pace_grows_then_falls_and_never_ends():
    paces = np.array([train_network.pace_after(n, 1000) for n in range(1000)]) / train_network.PACE
    assert paces[0] == pytest.approx(1 / 60)
    assert paces.argmax() == 59
    assert paces[499] == pytest.approx(0.501)
    assert paces[-1] == pytest.approx(0.02)


def test_all_of_a_corpus_is_trained_on():
    corpus = train_network.gather(made_up(TRAIN, 9))
    inputs = train_network.inputs_of(corpus)
    seen = [batch.labels for batch in train_network.batches(corpus, inputs, np.random.default_rng(1))]
    times = np.bincount(np.concatenate(seen), minlength=len(corpus.label_names))
    assert (times >= np.bincount(corpus.labels, minlength=len(times))).all()


def test_the_least_caution_as_good_as_the_best_is_chosen():
    worths = {0.0: (True, 0.90), 16.0: (True, 0.9496), 32.0: (True, 0.95), 48.0: (False, 0.96)}
    assert training.least_caution(worths) == 16
    assert training.least_caution({**worths, 16.0: (True, 0.94)}) == 32
    assert training.least_caution({64.0: (False, 0.95), 32.0: (False, 0.9498), 0.0: (False, 0.9)}) == 32


@pytest.mark.parametrize("when", ["while the network learns", "at the end"])
def test_a_process_that_was_ended_is_told_in_a_sentence(when):
    with field_beside.field_beside(500_000, [], 1) as field:
        field._process.kill()
        field._process.join()
        ask = field.result if when == "at the end" else field.check
        with pytest.raises(AnonError, match=r"ended from outside .signal 9.; .* give fewer --notes"):
            ask()


def test_what_breaks_the_random_field_breaks_the_training():
    broken = [SimpleNamespace(text="x", spans=None)]
    with field_beside.field_beside(1, broken, 1) as field:
        while not field._talk.poll():
            time.sleep(0.1)
        with pytest.raises(TypeError):
            field.check()
        with pytest.raises(TypeError):
            field.result()


def test_a_process_that_ends_before_it_heard_what_to_learn_is_told(monkeypatch):
    def dead(process):
        started(process)
        process.kill()

    kind = get_context("spawn").Process
    started = kind.start
    monkeypatch.setattr(kind, "start", dead)
    own = [Note("x" * 100_000) for _ in range(100)]
    with (
        pytest.raises(AnonError, match=r"ended from outside .signal 9."),
        field_beside.field_beside(1, own, 1) as field,
    ):
        field.result()


def test_a_model_is_made_of_what_was_asked_for(tmp_path, weights, network, monkeypatch):
    asked: dict[str, object] = {"notes": []}
    own = [Note("Dr. Own came", (Span(4, 7, "NAME"),))]

    @contextmanager
    def beside(count, own, rounds):
        asked["field"] = count, own, rounds
        yield SimpleNamespace(check=lambda: asked.update(checked=True), result=lambda: weights)

    def learn(notes, *, rounds, progress):
        asked["network"] = [note.text for note in notes][-1], rounds
        progress("a round")
        return network

    def measured(_, notes, cautions):
        asked["notes"].append((tuple(notes), tuple(cautions)))
        worth = {
            "overall": dict.fromkeys(("precision", "recall", "f1"), 0.5),
            "over_redaction": {"share": 0.0},
        }
        return {
            c: {**worth, "overall": {**worth["overall"], "f2": 0.9 if c == 48 else 0.8}, "labels": {}}
            for c in cautions
        }

    monkeypatch.setattr(training, "field_beside", beside)
    monkeypatch.setattr(training, "train_network", learn)
    monkeypatch.setattr(training, "_measured", measured)
    facts = training.train_model(tmp_path / "m.npz", own=own, count=7, rounds=2, held=3, progress=print)
    assert asked["field"] == (round(7 * training.FIELD_SHARE), own, 2)
    assert asked["network"] == ("Dr. Own came", 2)
    assert asked["checked"]
    assert asked["notes"] == [
        (tuple(made_up(TUNE, 3)), training.CAUTIONS),
        (tuple(made_up(TEST, 3)), (48.0,)),
    ]
    assert (facts["caution"], facts["made_up"], facts["own"], facts["test"]["f2"]) == (48.0, 7, 1, 0.9)
    assert load_model(tmp_path / "m.npz").tagger().caution == 48.0


def test_a_process_whose_parent_is_gone_ends(tmp_path):
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import os, sys\n"
        "from anon_spark.detect.notes.field_beside import field_beside\n"
        "if __name__ == '__main__':\n"
        "    with field_beside(100_000, [], 1) as field:\n"
        "        print(field._process.pid, flush=True)\n"
        "        os._exit(9)\n"
    )
    ended = subprocess.run([sys.executable, parent], capture_output=True, text=True, check=False)
    child, until = int(ended.stdout), time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not Path(f"/proc/{child}").exists()
    assert ended.stderr == ""


def test_the_network_learns_and_is_the_same_every_time(network):
    again = train_network.train_network(made_up(TRAIN, FEW), rounds=2, progress=print)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(network.layers, again.layers, strict=True))
    again = in_columns(again, network.labels)
    assert np.array_equal(network.out[0], again.out[0])
    assert np.array_equal(network.vectors, again.vectors)
    losses: list[str] = []
    train_network.train_network(made_up(TRAIN, 40), rounds=30, progress=losses.append)
    first, *_, last = (float(line.rsplit(" ", 1)[1]) for line in losses)
    assert last < first / 2
