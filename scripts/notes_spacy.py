"""What spaCy's trainable pipeline finds after as much training as the note detector has, to compare the two.

notes_spacy.py [--notes 20000] [--seconds 900] [--part tune] [--held 400]
On one thread: trains a blank English pipeline with a named-entity recognizer on the made-up notes that the detector's
model sees, for so many seconds of CPU, and measures it as `anon-spark notes evaluate` does. Needs spaCy, which the
project itself does not use: run it in an environment that has both.
"""

import argparse
import json
import random
import time

import spacy
from spacy.training import Example
from spacy.util import filter_spans, minibatch

from anon_spark.detect.notes.evaluate import evaluate
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.spans import Note, Span
from anon_spark.detect.notes.train import made_up


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--part", default="tune")
    parser.add_argument("--held", type=int, default=400)
    asked = parser.parse_args()
    nlp = spacy.blank("en")
    recognizer = nlp.add_pipe("ner")
    examples = [_example(nlp, note) for note in made_up("train", asked.notes)]
    for label in sorted({entity.label_ for example in examples for entity in example.reference.ents}):
        recognizer.add_label(label)
    optimizer = nlp.initialize(lambda: examples[:200])
    draw, seen, began = random.Random(1), 0, time.process_time()  # noqa: S311  an order is no secret
    while time.process_time() - began < asked.seconds:
        draw.shuffle(examples)
        for batch in minibatch(examples, 32):
            nlp.update(batch, sgd=optimizer, drop=0.2)
            seen += len(batch)
            if time.process_time() - began > asked.seconds:
                break
    held = list(made_up(asked.part, asked.held))
    began = time.process_time()
    found = [
        [Span(entity.start_char, entity.end_char, entity.label_) for entity in doc.ents]
        for doc in nlp.pipe((note.text for note in held), batch_size=64)
    ]
    took = time.process_time() - began
    scores = evaluate(held, found, labels=dict.fromkeys(HINTS))
    figures = {
        "notes trained on": seen,
        "recall": scores["overall"]["recall"],
        "precision": scores["overall"]["precision"],
        "over-redaction": scores["over_redaction"]["share"],
        "notes of 2,000 characters a second": round(sum(len(n.text) for n in held) / 2_000 / took, 1),
    }
    print(json.dumps(figures))


def _example(nlp: spacy.Language, note: Note) -> Example:
    doc = nlp.make_doc(note.text)
    told = [doc.char_span(s.start, s.end, s.label, alignment_mode="expand") for s in note.spans]
    reference = doc.copy()
    reference.ents = filter_spans([span for span in told if span is not None and span.text.strip()])
    return Example(doc, reference)


if __name__ == "__main__":
    main()
