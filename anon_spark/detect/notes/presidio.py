"""Presidio's analyzer may call this detector as one of its recognizers (extra ``presidio``)."""

from typing import Any

from anon_spark.detect.notes.labels import LABELS
from anon_spark.detect.notes.model import get_detector
from anon_spark.errors import PolicyError

ENTITIES = {
    "NAME": "PERSON", "ADDRESS": "LOCATION", "LOCATION": "LOCATION", "ZIP": "LOCATION", "HOSPITAL": "ORGANIZATION",
    "ORGANIZATION": "ORGANIZATION", "DATE": "DATE_TIME", "AGE": "AGE", "YOUNGER_AGE": "AGE", "PHONE": "PHONE_NUMBER",
    "FAX": "PHONE_NUMBER", "EMAIL": "EMAIL_ADDRESS", "SSN": "US_SSN", "URL": "URL", "IP": "IP_ADDRESS",
    "RELIGION": "NRP",
}  # fmt: skip
"""Presidio's names for labels; the others keep their own."""
SCORE = 0.85


def make_recognizer() -> Any:
    """A recognizer of what the note detector finds, under Presidio's names: ``registry.add_recognizer(it)``.

    Raises:
        PolicyError: Presidio's analyzer is not installed.
    """
    try:
        from presidio_analyzer import EntityRecognizer, RecognizerResult  # noqa: PLC0415
    except ImportError:
        raise PolicyError("this needs Presidio's analyzer: the extra 'presidio' of this package") from None

    class NotesRecognizer(EntityRecognizer):  # type: ignore[misc,unused-ignore]
        """Finds in a text what the note detector finds."""

        def load(self) -> None:
            """Read the model, once a process."""
            self._detector = get_detector()

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002
            """The spans of ``text`` of the entities asked for; all where none is named."""
            named = ((s, ENTITIES.get(s.label, s.label)) for s in self._detector.find([text])[0])
            return [
                RecognizerResult(entity_type=name, start=s.start, end=s.end, score=SCORE)
                for s, name in named
                if not entities or name in entities
            ]

    supported = sorted({ENTITIES.get(label, label) for label in LABELS})
    return NotesRecognizer(supported_entities=supported, name="anon_spark notes")
