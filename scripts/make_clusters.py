"""Make the word classes of the note detector from a public table; run by hand, its result is in the package.

make_clusters.py CLUSTERS
    CLUSTERS  en_lexeme_cluster.json.gz of the package spacy-lookups-data (Brown clusters of English by spelling)
"""

import gzip
import json
import re
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "anon_spark/detect/notes/data/clusters.txt.gz"
WORD = re.compile(r"[^\W\d_][^\W\d_'.&-]*")


def main(clusters: Path) -> None:
    told = json.loads(gzip.decompress(clusters.read_bytes()))
    kept = sorted((word, number) for word, number in told.items() if number and WORD.fullmatch(word))
    with gzip.GzipFile(OUT, "wb", mtime=0) as out:
        out.write("".join(f"{word}\t{number}\n" for word, number in kept).encode())
    print(len(kept), "words,", OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
