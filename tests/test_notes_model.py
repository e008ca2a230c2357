"""The model: the random field and the network against plain readings of them, and its file."""

import itertools
import random

import numpy as np
import pycrfsuite
import pytest

from anon_spark.detect.notes import features, tables, train_network
from anon_spark.detect.notes.crf import Seen, Tagger, Weights
from anon_spark.detect.notes.detector import Detector, see
from anon_spark.detect.notes.grammar.people import TEST, TRAIN
from anon_spark.detect.notes.model import Model, facts_of, load_model, save_model
from anon_spark.detect.notes.network import SHARE, Network
from anon_spark.detect.notes.train import (
    _weights,
    gold_labels,
    made_up,
    near_cues,
    token_features,
)
from anon_spark.detect.notes.viterbi import best_labels
from anon_spark.errors import InputError


def test_scores_and_labels_are_those_of_crfsuite(tmp_path):
    trainer = pycrfsuite.Trainer(
        algorithm="ap", verbose=False, params={"max_iterations": 3, "feature.minfreq": 1}
    )
    notes = list(made_up(TRAIN, 40))
    for note in notes:
        seen, _ = see(note.text)
        trainer.append(token_features(seen), gold_labels(seen, note))
    trainer.train(str(tmp_path / "model"))
    theirs = pycrfsuite.Tagger()
    theirs.open(str(tmp_path / "model"))
    ours = Tagger(_weights(theirs.info()))
    looked = [see(note.text)[0] for note in made_up(TEST, 40)]
    for seen, labels in zip(looked, ours.tag(looked), strict=True):
        assert labels == theirs.tag(token_features(seen))


def test_a_class_counts_where_only_a_place_names_it():
    state = np.array([[0, 5]], np.float32)
    weights = Weights(["O", "NAME"], {"hk=signed|?.Xx": 0}, state, np.zeros((2, 2), np.float32))
    seen, _ = see("Signed: Zwackelmann")
    assert features.describe("Zwackelmann", seen.modes[-1]).kind == "?.Xx"
    assert Tagger(weights).tag([seen]) == [["O", "O", "NAME"]]


def test_best_paths_are_those_of_trying_all():
    random_ = np.random.default_rng(1)
    for _ in range(40):
        scores = random_.normal(0, 3, (6, 3)).astype(np.float32)
        moves = random_.normal(0, 1, (3, 3)).astype(np.float32)
        best = max(
            itertools.product(range(3), repeat=6),
            key=lambda p: (
                sum(scores[i, p[i]] for i in range(6)) + sum(moves[a, b] for a, b in itertools.pairwise(p))
            ),
        )
        assert best_labels(scores, moves, np.array([0, 6]), outside=0).tolist() == list(best)


def test_texts_of_a_batch_do_not_see_each_other(weights, network):
    texts = [note.text for note in made_up(TEST, 30)]
    alone = [Detector(Tagger(weights, network)).find([text])[0] for text in texts]
    assert Detector(Tagger(weights, network)).find(texts) == alone


def test_sums_made_in_parts_are_those_made_together(weights, network, monkeypatch):
    texts = [note.text for note in made_up(TEST, 10)]
    whole = Detector(Tagger(weights, network)).find(texts)
    monkeypatch.setattr(tables, "MOST_MADE", 3)
    assert Detector(Tagger(weights, network)).find(texts) == whole


def test_a_model_is_written_and_read(tmp_path, weights, network):
    made = Model(weights, network, {"caution": 0.5})
    for name in ("one.npz", "two.npz"):
        save_model(tmp_path / name, made)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    read = load_model(tmp_path / "one.npz")
    assert read.facts["caution"] == 0.5
    apart = np.abs(read.network.vectors - network.vectors).max(axis=1)
    assert (apart <= np.abs(network.vectors).max(axis=1) / 127).all()
    texts = [note.text for note in made_up(TEST, 20)]
    again, first = (Detector(one.tagger()).find(texts) for one in (read, made))
    alike = sum(set(a) == set(b) for a, b in zip(again, first, strict=True))
    assert alike >= 19  # numbers are kept in steps, so a close call may turn
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no model"):
        load_model(tmp_path / "bad.npz")


def plainly(network: Network, vectors: np.ndarray) -> np.ndarray:
    """What a network says of the tokens of one text, token by token."""
    now = vectors.astype(np.float64)
    for weights, bias, away in network.layers:
        seen = now
        now = np.array(
            [
                seen[at]
                + np.maximum(
                    sum(
                        seen[at + side * away] @ weights[1 + side]
                        for side in (-1, 0, 1)
                        if 0 <= at + side * away < len(seen)
                    )
                    + bias,
                    0,
                )
                for at in range(len(seen))
            ]
        )
    chances = np.exp(now @ network.out[0] + network.out[1])
    return np.log(chances / chances.sum(axis=1, keepdims=True))


def vectors_of(network: Network, seen: Seen) -> np.ndarray:
    words = [features.describe(w, m) for w, m in zip(seen.tokens.words, seen.modes, strict=True)]
    left, right = near_cues([features.cue_of(word.kind) for word in words])
    sums = []
    for at, word in enumerate(words):
        told = {
            "h": seen.headers[at],
            "P": seen.patterns[at],
            "D": seen.elsewhere[at],
            "L": left[at],
            "R": right[at],
            "T": seen.lines[at],
        }
        names = [*word.own, *(f"{kind}={value}" for kind, value in told.items() if value)]
        sums.append(network.vectors[[network.rows[n] for n in names if n in network.rows]].sum(axis=0))
    return np.array(sums)


def test_the_network_says_what_a_plain_reading_of_it_says(shipped):
    weights, network = shipped.weights, shipped._reader._network
    looked = [see(note.text)[0] for note in made_up(TEST, 25)]
    scores = Tagger(weights, network)._scores(looked) - Tagger(weights)._scores(looked)
    begin = 0
    for seen in looked:
        plain = plainly(network, vectors_of(network, seen))
        ours = scores[begin : begin + len(plain)] / SHARE
        assert np.allclose(ours, plain, atol=0.02)
        begin += len(plain)
    assert begin == len(scores)


def test_training_and_detection_agree_on_what_a_network_says(network, monkeypatch):
    corpus = train_network.gather(made_up(TRAIN, 30))
    for name, value in {"LEAST": 1, "UNLISTED": -1, "UNLISTED_OUTSIDE": -1, "UNREAD": -1}.items():
        monkeypatch.setattr(train_network, name, value)
    monkeypatch.setattr(train_network, "STRETCHES", train_network.stretches(corpus))
    inputs = train_network.inputs_of(corpus)
    columns = [network.labels.index(label) for label in corpus.label_names]
    rows = [network.rows.get(name, -1) for name in inputs.rows]
    now = {
        "vectors": np.vstack([network.vectors, np.zeros((1, network.vectors.shape[1]), np.float32)])[rows],
        "out": network.out[0][:, columns],
        "out_bias": network.out[1][columns],
    }
    for n, layer in enumerate(network.layers):
        now |= {f"weights{n}": layer[0], f"bias{n}": layer[1]}
    draw = np.random.default_rng(0)
    (batch,) = train_network.batches(corpus, inputs, draw)
    loss, _ = train_network.gradients(now, batch, draw, 0.0)
    told = count = 0.0
    for note in made_up(TRAIN, 30):
        seen, _ = see(note.text)
        labels = [network.labels.index(label) for label in gold_labels(seen, note)]
        plain = plainly(network, vectors_of(network, seen))
        told -= plain[np.arange(len(labels)), labels].sum()
        count += len(labels)
    assert loss == pytest.approx(told / count, rel=0.05)  # stretches cut some notes, and a part is seen twice


def test_a_tagger_that_forgets_says_the_same(shipped, monkeypatch):
    looked = [see(note.text)[0] for note in made_up(TEST, 30)]
    whole = [shipped.tag([seen]) for seen in looked]
    monkeypatch.setattr("anon_spark.detect.notes.crf.MOST_KEPT", 50)
    forgetful = Tagger(shipped.weights, shipped._reader._network, caution=float(facts_of()["caution"]))
    assert [forgetful.tag([seen]) for seen in looked] == whole


def test_texts_beside_each_other_do_not_change_what_the_network_says(shipped):
    looked = [see(note.text)[0] for note in made_up(TEST, 20)]
    alone = np.concatenate([shipped._scores([seen]) for seen in looked])
    assert np.allclose(shipped._scores(looked), alone, atol=1e-2)


def test_cautions_are_tried_together_as_they_are_alone(weights, network):
    texts, cautions = [note.text for note in made_up(TEST, 20)], [0.0, 20.0, 60.0]
    together = Detector(Tagger(weights, network)).find_at(texts, cautions)
    alone = [Detector(Tagger(weights, network, caution=caution)).find(texts) for caution in cautions]
    assert together == alone
    assert len({sum(map(len, found)) for found in together}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"layer0w": np.full((3, 96, 96), np.nan, np.float16)},
        {"scale": np.full((1, 1), np.nan, np.float32)},
        {"network_labels": np.frombuffer(b"NAMX\nO", np.uint8)},
        {"transition": np.zeros((3, 3), np.float32)},
        {"layer3w": None},
        {"values": np.ones(1, np.float16)},
        {"rows": np.zeros(1, np.uint32)},
        {"steps": np.array([1])},
        {"steps": np.array([1, 2, 40])},
        {"steps": np.array([1.0, 2.0, 3.0])},
        {"scale": np.full((1, 1), 1e30, np.float32)},
        {"labels": np.frombuffer(b"O", np.uint8)},
        {"labels": np.frombuffer(b"O\nO", np.uint8), "network_labels": np.frombuffer(b"O\nO", np.uint8)},
        {"facts": np.frombuffer(b"[]", np.uint8)},
        {"facts": np.frombuffer(b"[" * 100_000, np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": "x"}', np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": [1.0]}', np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": -1e300}', np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": true}', np.uint8)},
    ],
)
def test_a_model_that_would_find_nothing_is_refused(tmp_path, weights, network, change):
    save_model(tmp_path / "good.npz", Model(weights, network, {}))
    with np.load(tmp_path / "good.npz") as kept:
        arrays = {**kept, **change}
    np.savez(tmp_path / "bad.npz", **{name: value for name, value in arrays.items() if value is not None})
    with pytest.raises(InputError, match="no model of notes"):
        load_model(tmp_path / "bad.npz")


@pytest.mark.parametrize("change", ["transition", "values"])
@pytest.mark.parametrize("kind", [np.bool_, np.complex64, np.int32])
def test_a_model_of_other_numbers_is_refused(tmp_path, weights, network, change, kind):
    save_model(tmp_path / "good.npz", Model(weights, network, {}))
    with np.load(tmp_path / "good.npz") as kept:
        arrays = {**kept}
    np.savez(tmp_path / "bad.npz", **{**arrays, change: arrays[change].astype(kind)})
    with pytest.raises(InputError, match="no model of notes"):
        load_model(tmp_path / "bad.npz")


def test_a_damaged_model_is_refused(tmp_path, weights, network):
    save_model(tmp_path / "good.npz", Model(weights, network, {}))
    whole = (tmp_path / "good.npz").read_bytes()
    draw = random.Random(1)
    for _ in range(60):
        at = draw.randrange(len(whole))
        (tmp_path / "bad.npz").write_bytes(whole[:at] + draw.randbytes(40) + whole[at + 40 :])
        with pytest.raises(InputError, match=r"no model of notes|of another format"):
            load_model(tmp_path / "bad.npz")


def test_a_model_is_written_whole_or_not_at_all(tmp_path, weights, network, monkeypatch):
    save_model(tmp_path / "model.npz", Model(weights, network, {}))
    before = (tmp_path / "model.npz").read_bytes()

    def full(out, **_):
        out.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space"):
        save_model(tmp_path / "model.npz", Model(weights, network, {}))
    assert (tmp_path / "model.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_an_empty_file_is_no_model(tmp_path):
    (tmp_path / "empty.npz").touch()
    with pytest.raises(InputError, match="no model of notes"):
        load_model(tmp_path / "empty.npz")
