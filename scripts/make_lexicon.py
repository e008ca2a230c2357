"""Make the word list of the note detector from public lists; run by hand, its result is in the package.

make_lexicon.py NAMES GEONAMES WORDS MORE ICD DRUGS
    NAMES     folder with dist.all.last, dist.male.first, dist.female.first (US Census 1990, public domain)
    GEONAMES  folder with cities15000.json, countries.json, us_states.json, us_counties.json (GeoNames, CC BY 4.0)
    WORDS     common words of English, one a line (SCOWL to size 50)
    MORE      the same with rarer ones (SCOWL to size 70)
    ICD       the tabular list of ICD-10-CM in XML (CMS and NCHS, public domain)
    DRUGS     drug_ner_dictionary.pkl.bz2 of the package drug-named-entity-recognition (DrugBank, MeSH)
scripts/lexicon_clinical.txt, typed for this purpose, adds drugs, eponyms, abbreviations and words of the ward.
"""

import bz2
import gzip
import json
import pickle
import re
import sys
from collections import defaultdict
from pathlib import Path

CLINICAL = Path(__file__).with_name("lexicon_clinical.txt")
OUT = Path(__file__).resolve().parents[1] / "anon_spark/detect/notes/data/lexicon.txt.gz"
LETTERS = re.compile(r"[^\W\d_]{2,}")
COMMON, KNOWN = 1_500, 20_000  # surnames by rank; those past KNOWN are for the note grammar alone
NOT_CITIES = {
    "of",
    "bath",
    "reading",
    "mobile",
    "normal",
    "nice",
    "male",
    "split",
    "bar",
    "best",
    "man",
    "police",
    "sale",
    "rugby",
    "deal",
}


def main(names: Path, geonames: Path, words: Path, more: Path, icd: Path, drugs: Path) -> None:
    flags: dict[str, set[str]] = defaultdict(set)
    for rank, line in enumerate((names / "dist.all.last").read_text().splitlines()):
        flags[line.split()[0].lower()].add("S" if rank < COMMON else "s" if rank < KNOWN else "r")
    for sex in ("male", "female"):
        for rank, line in enumerate((names / f"dist.{sex}.first").read_text().splitlines()):
            flags[line.split()[0].lower()].add("F" if rank < 500 else "f")
    places(geonames, flags)
    common = plain(words)
    for flag, listed in (("e", common), ("E", plain(more) - common), ("m", titles(icd))):
        for word in listed:
            flags[word].add(flag)
    kind = ""
    for line in CLINICAL.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            kind = line[2]
        else:
            for word in line.split():
                flags[word.lower()].add(kind)
    for word in drug_names(drugs) - flags.keys():  # a drug that is also a name or a word tells nothing
        flags[word].add("d")
    for kinds in flags.values():
        if "p" in kinds:  # a title that begins with a name tells nothing else
            kinds.discard("m")
    kept = sorted((word, "".join(sorted(kinds))) for word, kinds in flags.items())
    with gzip.GzipFile(OUT, "wb", mtime=0) as out:
        out.write("".join(f"{word}\t{kinds}\n" for word, kinds in kept).encode())
    print(len(kept), "words,", OUT.stat().st_size, "bytes")


def drug_names(path: Path) -> set[str]:
    """Drugs of one word, generic and by trade name, that DrugBank, MeSH or MedlinePlus number."""
    listed = pickle.loads(bz2.decompress(path.read_bytes()))  # noqa: S301  a package's own file, read by hand
    numbered = {"drugbank_id", "mesh_id", "medline_plus_id"}
    known = {name for name, facts in listed["drug_canonical_to_data"].items() if numbered & facts.keys()}
    return {
        word
        for word, names in listed["drug_variant_to_canonical"].items()
        if known.intersection(names) and word.isascii() and word.isalpha() and len(word) > 3
    }


def plain(path: Path) -> set[str]:
    """Words in small letters of a list."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {word for word in lines if word.islower() and word.isalpha() and len(word) > 1}


def titles(path: Path) -> set[str]:
    """Words of titles and index terms that are not written with a capital inside a title, as names are."""
    found: set[str] = set()
    for text in re.findall(r"<(?:desc|note)>([^<]*)<", path.read_text(encoding="utf-8")):
        words = LETTERS.findall(text)
        found.update(word.lower() for word in words[:1] if word[1:].islower())
        found.update(word for word in words[1:] if word.islower())
    return found


def places(geonames: Path, flags: dict[str, set[str]]) -> None:
    """Towns: c known to the detector, t for the grammar alone; y countries and states, l words of towns' names."""
    for city in json.loads((geonames / "cities15000.json").read_text()).values():
        name, people = city["name"], city["population"]
        known = people >= (30_000 if city["countrycode"] == "US" else 400_000)
        if " " not in name and name.isalpha() and name.lower() not in NOT_CITIES:
            flags[name.lower()].add("c" if known else "t")
        elif known:
            for part in LETTERS.findall(name):
                flags[part.lower()].add("l")
    for country in json.loads((geonames / "countries.json").read_text()).values():
        for part in LETTERS.findall(country["name"]):
            if len(part) > 3:
                flags[part.lower()].add("y")
    for state in json.loads((geonames / "us_states.json").read_text()).values():
        for part in LETTERS.findall(state["name"]):
            flags[part.lower()].add("y")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
