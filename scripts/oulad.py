"""Joins the Open University's `studentAssessment.csv` and `assessments.csv` to one CSV that `tallymark import` reads.

    python -m scripts.oulad studentAssessment.csv assessments.csv > submissions.csv

Days count from the presentation's first, which the data set gives as a month: B is February, J October.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

COLUMNS: Final = ("day", "student", "quiz", "kind", "module", "presentation", "score", "maxScore", "banked")
_MONTHS: Final = {"B": 2, "J": 10}


def joined(submissions: Path, assessments: Path) -> Iterator[tuple[str, ...]]:
    """A row of `COLUMNS` for each submission."""
    with assessments.open(newline="", encoding="utf-8") as file:
        known = {row["id_assessment"]: row for row in csv.DictReader(file)}
    with submissions.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            of = known[row["id_assessment"]]
            module, presentation, kind = of["code_module"], of["code_presentation"], of["assessment_type"]
            day = date(int(presentation[:4]), _MONTHS[presentation[4]], 1) + timedelta(days=int(row["date_submitted"]))
            quiz = f"{module}/{presentation}/{kind}/{row['id_assessment']}"
            yield (
                day.isoformat(), row["id_student"], quiz, kind, module, presentation, row["score"],
                "100" if row["score"] else "", row["is_banked"],
            )  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Writes the CSV to standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(joined(Path(arguments[0]), Path(arguments[1])))


if __name__ == "__main__":
    main(sys.argv[1:])
