"""``anon-spark notes``: scrub files, score a detector, train a model."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anon_spark.detect.notes.whole import written_whole
from anon_spark.errors import InputError, PolicyError

if TYPE_CHECKING:
    from anon_spark.detect.notes.spans import Note, Span

notes = typer.Typer(no_args_is_help=True, help="Find and replace personal text in clinical notes.")

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
ModelOpt = Annotated[Path | None, typer.Option(help="A model made by notes train; else the package's.")]
MapOpt = Annotated[
    str, typer.Option("--map", help="What to call labels: a JSON file, or A=B,C=D; an empty name ignores.")
]
KINDS = (".txt", ".jsonl")
MOST_DAYS = 36_524  # a century
WITHHELD = "[NOTE WITHHELD]"


@notes.command()
def scrub(
    ctx: typer.Context,
    source: Annotated[
        Path, typer.Argument(help="NAME.txt, NAME.jsonl with a text a line, or a folder of .txt.")
    ],
    out: Annotated[Path, typer.Argument(help="What to write; of the same kind, and not there yet.")],
    treatment: Annotated[str, typer.Option(help="tag, mask, remove or surrogate.")] = "tag",
    key_file: Annotated[
        Path | None, typer.Option(help="File with the secret key of surrogates, 32 bytes or more.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="Days to move surrogates' dates by; without it dates become tags.")
    ] = None,
    hints: Annotated[
        bool, typer.Option("--hints/--keep-hints", help="Replace younger ages and religions too.")
    ] = True,
    model: ModelOpt = None,
    as_json: JsonFlag = False,
) -> None:
    """Write texts with everything personal replaced."""
    from anon_spark.cli import _emit, _facts
    from anon_spark.detect.notes.model import get_detector
    from anon_spark.detect.notes.replace import TREATMENTS, Replacing
    from anon_spark.plan import load_key

    if treatment not in TREATMENTS:
        raise PolicyError(f"--treatment is one of {', '.join(TREATMENTS)}")
    if treatment == "surrogate" and key_file is None:
        raise PolicyError("surrogates need a secret key: name a file with --key-file")
    if treatment != "surrogate" and (days is not None or key_file is not None):
        raise PolicyError("--days and --key-file are for --treatment surrogate")
    if days == 0:
        raise PolicyError("--days 0 would leave dates as they are")
    if abs(days or 0) > MOST_DAYS:
        raise PolicyError(f"--days moves dates by {MOST_DAYS} days at most")
    kind = _kind_of(source)
    if out.suffix.lower() != kind and (kind or out.suffix.lower() in KINDS):
        raise PolicyError(f"OUT is of the same kind as IN: '{out.name}' is no {kind or 'folder'}")
    _check_new(out)
    if not kind and source.resolve() in out.resolve().parents:
        raise PolicyError(f"OUT is inside IN: '{out}'")
    key = load_key(out.parent, key_file=key_file, key_env=None) if key_file else b""
    how = Replacing(treatment=treatment, key=key, days=days, hints=hints)
    counts = _scrub(source, kind, out, get_detector(model), how)
    _emit(ctx, counts, as_json, lambda: _facts("scrubbed", counts))


def _kind_of(source: Path) -> str:
    """``.txt`` or ``.jsonl``; empty for a folder."""
    kind = source.suffix.lower()
    if source.is_dir():
        return ""
    if kind not in KINDS:
        raise PolicyError(f"IN is a .txt, a .jsonl or a folder of .txt, and '{source.name}' is none")
    return kind


def _check_new(out: Path) -> None:
    """What is to be written is not there, and can be."""
    if out.exists():
        raise PolicyError(f"'{out}' is there already")
    if not out.parent.is_dir():
        raise PolicyError(f"there is no folder '{out.parent}' to write '{out.name}' to")
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise PolicyError(f"nothing can be written to the folder '{out.parent}'")


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({type(error).__name__})") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:  # nothing would be found in it
        raise InputError(f"'{path}' is UTF-16, or holds zero bytes: write it as UTF-8")
    return content


def _decoded(content: bytes) -> str:
    """A file's text without a byte order mark.

    One that is no UTF-8 is read as Windows-1252, or, where some of it can only be UTF-8, with U+FFFD for the rest.
    """
    text = content.decode("utf-8-sig", errors="replace")
    if _is_utf8(content) or any(c > "\x7f" and c != "\ufffd" for c in text):
        return text
    return content.decode("cp1252", errors="replace")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _scrub(source: Path, kind: str, out: Path, detector: Any, how: Any) -> dict[str, Any]:
    from anon_spark.detect.notes.scrubber import scrub_texts

    left_out = 0
    if not kind:
        inside = sorted(source.iterdir())
        files = [path for path in inside if path.suffix.lower() == ".txt" and path.is_file()]
        left_out = len(inside) - len(files)
        if not files:
            raise InputError(f"'{source}' holds no .txt file")
        contents = [_read(path) for path in files]
        done = scrub_texts([*map(_decoded, contents)], detector, how)
        with written_whole(out) as folder:
            folder.mkdir()
            for path, text in zip(files, done.texts, strict=True):
                (folder / path.name).write_text(WITHHELD if text is None else text, encoding="utf-8")
    elif kind == ".jsonl":
        contents = [_read(source)]
        records = list(_records(_decoded(contents[0])))
        done = scrub_texts([record["text"] for record in records], detector, how)
        whole = ({**r, "text": text} for r, text in zip(records, done.texts, strict=True))
        lines = (json.dumps({k: v for k, v in r.items() if k != "spans"}, ensure_ascii=False) for r in whole)
        _write_lines(out, lines)
    else:
        contents = [_read(source)]
        done = scrub_texts([*map(_decoded, contents)], detector, how)
        text = done.texts[0]
        with written_whole(out) as file:
            file.write_text(WITHHELD if text is None else text, encoding="utf-8")
    return {
        "texts": len(done.texts),
        "withheld": done.withheld,
        "left_out": left_out,
        "not_utf8": sum(not _is_utf8(content) for content in contents),
        "replaced": dict(sorted(done.replaced.items())),
    }


def _write_lines(out: Path, lines: Iterable[str]) -> None:
    with written_whole(out) as file:
        # half of a pair of code units may stand in a line, which UTF-8 cannot write
        file.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def _records(lines: str) -> Iterator[dict[str, Any]]:
    for n, line in enumerate(lines.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("text", 0), str | None):
            raise InputError(f"line {n} is no object with a text")
        yield record


@notes.command()
def evaluate(
    ctx: typer.Context,
    gold: Annotated[Path, typer.Argument(help="JSON Lines of texts and spans, or a folder of Brat's files.")],
    label_map: MapOpt = "",
    predicted: Annotated[
        Path | None, typer.Option(help="Another detector's spans of the same texts, in the same order.")
    ] = None,
    misses: Annotated[
        Path | None,
        typer.Option(help="Where to write what was missed; it quotes the texts: made-up ones only."),
    ] = None,
    using: Annotated[str, typer.Option(help="all, or one part: patterns, dictionary, model.")] = "all",
    model: ModelOpt = None,
    as_json: JsonFlag = False,
) -> None:
    """Score the detector, or another's output, against texts with known spans."""
    from anon_spark.cli import _emit, _progress
    from anon_spark.detect.notes.evaluate import evaluate as score
    from anon_spark.detect.notes.evaluate import misses as list_misses
    from anon_spark.detect.notes.labels import LABELS
    from anon_spark.detect.notes.spans import read_gold

    if predicted and (model or using != "all"):
        raise PolicyError("--predicted is scored as it is: leave out --using and --model")
    true, labels = read_gold(gold), read_map(label_map)
    if not true:
        raise InputError(f"'{gold}' holds no text")
    if misses:
        _check_new(misses)
    told: Sequence[Sequence[Span]]
    if predicted:
        told = _same_texts(true, read_gold(predicted, marked=False))
    else:
        told = alike(true, _found([note.text for note in true], using, model), labels)
    if not labels and (strange := sorted(_labels_of(true) - set(LABELS))):
        _progress(f"labels that are none of the detector's: {', '.join(strange)}; rename them with --map")
    if unknown := sorted(
        labels.keys() - set(LABELS) - _labels_of(true) - {s.label for spans in told for s in spans}
    ):
        _progress(f"--map names labels that stand nowhere: {', '.join(unknown)}")
    document = score(true, told, labels=labels)
    if misses:
        lines = (json.dumps(miss, ensure_ascii=False) for miss in list_misses(true, told, labels=labels))
        _write_lines(misses, lines)
    _emit(ctx, document, as_json, lambda: _show_scores(document))


def _labels_of(true: "Sequence[Note]") -> set[str]:
    return {span.label for note in true for span in note.spans}


def _found(texts: Sequence[str], using: str, model: Path | None) -> "list[list[Span]]":
    from anon_spark.detect.notes.floors import PARTS, find_with
    from anon_spark.detect.notes.model import get_detector

    if using not in PARTS:
        raise PolicyError(f"--using is one of {', '.join(PARTS)}")
    return find_with(using, texts, get_detector(model))


def _same_texts(true: "Sequence[Note]", told: "Sequence[Note]") -> "list[Sequence[Span]]":
    if [note.text for note in true] != [note.text for note in told]:
        raise InputError("the predicted file does not hold the same texts in the same order")
    return [note.spans for note in told]


def read_map(text: str) -> dict[str, str | None]:
    """Read ``--map``: a JSON file of an object, or ``A=B,C=D``; a label mapped to nothing is ignored.

    Raises:
        PolicyError: it is neither.
    """
    if not text:
        return {}
    path = _file_at(text)
    if path is None and "=" not in text:
        raise PolicyError(f"--map is a JSON file or A=B,C=D, and '{text}' is neither")
    try:
        pairs = json.loads(_decoded(_read(path))).items() if path else (p.split("=") for p in text.split(","))
        told = [(key.strip(), ("" if value is None else value).strip() or None) for key, value in pairs]
        found = dict(told)
    except (ValueError, TypeError, AttributeError, RecursionError):
        told, found = [], {"": None}
    if "" in found or len(found) < len(told):
        raise PolicyError("--map is a JSON file of an object of labels, or A=B,C=D, each label once")
    return found


def _file_at(text: str) -> Path | None:
    try:
        return Path(text) if Path(text).is_file() else None
    except (OSError, ValueError):  # too long for a name, or none at all
        return None


def alike(
    gold: "Sequence[Note]", found: "Sequence[Sequence[Span]]", labels: Mapping[str, str | None]
) -> "list[list[Span]]":
    """The found spans as the gold's makers would have marked them.

    Younger ages and religions are left out where the gold marks none; where it marks ages of any size, all are AGE.
    """
    from anon_spark.detect.notes.labels import HINTS, YOUNGER_AGE

    marked = {labels.get(s.label, s.label) for note in gold for s in note.spans}
    young = any(
        labels.get(s.label, s.label) == "AGE" and _is_young(n.text[s.start : s.end])
        for n in gold
        for s in n.spans
    )
    kept = []
    for spans in found:
        renamed = [s._replace(label="AGE") if young and s.label == YOUNGER_AGE else s for s in spans]
        kept.append([s for s in renamed if s.label not in HINTS or labels.get(s.label, s.label) in marked])
    return kept


def _is_young(words: str) -> bool:
    digits = "".join(c for c in words[:4] if c.isdecimal())
    return bool(digits) and int(digits) < 90


def _show_scores(document: dict[str, Any]) -> list[Any]:
    from anon_spark.cli import _table

    columns = [
        "label",
        "count",
        "recall",
        "of 95 %",
        "precision",
        "of 95 % ",
        "F1",
        "F2",
        "strict recall",
        "token recall",
    ]
    rows = [
        _row(name, figures)
        for name, figures in [("overall", document["overall"]), *document["labels"].items()]
    ]
    over = document["over_redaction"]
    share = "–" if over["share"] is None else f"{over['share']:.4f}"  # noqa: RUF001
    words = f"texts without spans: {over['texts']}, of their {over['tokens']} tokens {share} hidden"
    return [_table("found, by entity and overlap", columns, rows), words]


def _row(name: str, figures: dict[str, Any]) -> tuple[Any, ...]:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.4f}"  # noqa: RUF001

    def between(figure: str) -> str:
        bounds = figures["interval"][figure]
        return "" if bounds is None else f"{bounds[0]:.3f}-{bounds[1]:.3f}"

    strict, token = figures["entity_strict"]["recall"], figures["token"]["recall"]
    middle = [shown(figures["recall"]), between("recall"), shown(figures["precision"]), between("precision")]
    return name, figures["true"], *middle, *map(shown, (figures["f1"], figures["f2"], strict, token))


@notes.command()
def train(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="The model to write, NAME.npz.")],
    gold: Annotated[
        list[Path] | None,
        typer.Option(help="Your own texts with spans, beside those made here; may be repeated."),
    ] = None,
    count: Annotated[int, typer.Option("--notes", min=1, help="Notes to make up.")] = 45_000,
    rounds: Annotated[
        int,
        typer.Option(min=1, help="Times that each part sees each of its notes."),
    ] = 4,
    held: Annotated[int, typer.Option(min=1, help="Held-out notes to measure on.")] = 1_500,
    label_map: MapOpt = "",
    as_json: JsonFlag = False,
) -> None:
    """Train a model on made-up notes and on your own; its file holds how it did on held-out styles and names."""
    from anon_spark.cli import _emit, _facts, _progress
    from anon_spark.detect.notes.spans import read_gold
    from anon_spark.detect.notes.training import train_model

    _check_new(out)
    own = _named([note for path in gold or [] for note in read_gold(path)], read_map(label_map))
    began = time.monotonic()
    say: Callable[[str], None] = _progress
    facts = train_model(out, own=own, count=count, rounds=rounds, held=held, progress=say)
    facts = {**facts, "seconds": round(time.monotonic() - began, 1)}
    flat = {k: v for k, v in facts.items() if not isinstance(v, dict)}
    flat |= {f"{name} on held-out styles": facts["test"][name] for name in ("recall", "precision")}
    _emit(ctx, facts, as_json, lambda: _facts("trained", flat))


def _named(gold: "Sequence[Note]", labels: Mapping[str, str | None]) -> "list[Note]":
    """The texts with their labels renamed; all are those of the detector."""
    from anon_spark.detect.notes.labels import LABELS

    named = []
    for note in gold:
        spans = [s._replace(label=labels.get(s.label, s.label) or "") for s in note.spans]
        named.append(note._replace(spans=tuple(span for span in spans if span.label)))
    unknown = sorted(_labels_of(named) - set(LABELS))
    if unknown:
        raise PolicyError(
            f"--gold has labels that are none of the detector's: {', '.join(unknown)}; "
            f"rename them with --map (to {', '.join(LABELS)})"
        )
    return named
