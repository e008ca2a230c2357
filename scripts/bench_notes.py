"""Notes of 2,000 characters a second a core: the detector alone, and with known identifiers and replacement.

bench_notes.py [--notes 10000] [--json]
CPU time of one thread; the notes are made up, of styles the model was not trained on, and none is seen twice. In each
stands, in one of many ways of writing it, something the tables hold of its person; how many texts still say it
afterwards is counted, by a plain search that shares no code with the stage's.
"""

import argparse
import json
import random
import resource
import time
from collections.abc import Iterator

from anon_spark.detect.notes.grammar.people import TEST, TUNE
from anon_spark.detect.notes.known import Known
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.replace import Replacing
from anon_spark.detect.notes.scrubber import scrub_known
from anon_spark.detect.notes.train import made_up

LENGTH = 2_000
EARLY = 10_000  # notes after which memory and pace are told too
KNOWN = [Known("Ottilie Zwackelmann", "NAME"), Known("990017342", "MRN"), Known("(617) 555-0199", "PHONE")]
CANARIES = ("zwackelmann", "zwackelman", "zwakelmann", "ottilie", "990017342", "6175550199")
PLANTED = (
    "Ottilie Zwackelmann", "ZWACKELMANN, OTTILIE", "O. Zwackelmann", "zwackel-\nmann", "mrs zwackelmann",
    "Zwakelmann's wife", "ottilie", "ZWACKELMAN", "OttilieZwackelmann", "mrn 990-017-342", "#990017342", "990 017 342",
    "617.555.0199", "(617)555-0199",
)  # fmt: skip


def notes(count: int) -> Iterator[str]:
    """Made-up notes end to end, cut into texts of one length, with what the tables hold of a person in each."""
    draw, part, first = random.Random(1), "", 200_000  # noqa: S311  where it stands is no secret
    made = 0
    while made < count:
        for source in (TUNE, TEST):
            part += "\n".join(note.text for note in made_up(source, 50, first)) + "\n"
        first += 50
        while len(part) >= LENGTH and made < count:
            words = f" {draw.choice(PLANTED)} "
            text, part = part[: LENGTH - len(words)], part[LENGTH - len(words) :]
            at = text.find(" ", draw.randrange(LENGTH - 200))
            at = max(at, 0)
            yield text[:at] + words + text[at:]
            made += 1


def says_canary(text: str) -> bool:
    """Whether a text's letters and digits alone say one of the canaries."""
    plain = "".join(c for c in text.lower() if c.isalnum())
    return any(canary in plain for canary in CANARIES)


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    detector = get_detector()
    detector.find(list(notes(200)))
    how = Replacing(treatment="surrogate", key=b"k" * 32, days=7, person="1")
    alone = rest = early_seconds = 0.0
    left = withheld = done = early = 0
    source, batch = notes(asked.notes), 500
    while texts := [text for _, text in zip(range(batch), source, strict=False)]:
        began = time.process_time()
        found = detector.find(texts)
        middle = time.process_time()
        out = [scrub_known(text, spans, KNOWN, how) for text, spans in zip(texts, found, strict=True)]
        alone, rest = alone + middle - began, rest + time.process_time() - middle
        left += sum(one.text is not None and says_canary(one.text) for one in out)
        withheld += sum(one.text is None for one in out)
        done += len(texts)
        if done <= EARLY:
            early, early_seconds = _most_memory(), alone + rest
    figures = {
        "notes": done,
        "detector, notes a second": round(done / alone, 1),
        "whole stage, notes a second": round(done / (alone + rest), 1),
        "notes that still say what is known": left,
        "notes withheld": withheld,
        "most memory, MB": _most_memory(),
        f"most memory in the first {min(done, EARLY)}, MB": early,
        f"whole stage, notes a second, of the first {min(done, EARLY)}": round(
            min(done, EARLY) / early_seconds, 1
        ),
    }
    print(
        json.dumps(figures)
        if asked.json
        else "\n".join(f"{name}: {value}" for name, value in figures.items())
    )


if __name__ == "__main__":
    main()
