"""Prints what `skip_below` costs on the 10,000 held-out training digits.

    python3 results/tuning/skip_below.py TRAIN_LABELS

The studies skip-0, skip-0.0001, … of this folder differ in that key alone: two columns of each of four widths. "Change" is the mean
difference of a column from the same column of skip-0, with twice its standard error. Needs numpy.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

from table import HERE, N_HELD_OUT, errors, log_loss


def calibration_error(probabilities, labels):
    """The mean distance of confidence and accuracy over ten bins of confidence, in percent, each bin counted by its digits."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((confidence * 10).astype(int), 9)
    distance = [abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(10)]
    return 100 * sum(distance) / len(labels)


def skipped(folder):
    """The share of images skipped, over all epochs and in the last one, in percent."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    last = max(line["epoch"] for line in lines)
    shares = [[line.get("skipped", 0) for line in lines], [line.get("skipped", 0) for line in lines if line["epoch"] == last]]
    return " | ".join(f"{100 * np.mean(share):.0f} %" for share in shares)


def main(labels_file):
    labels = np.fromfile(labels_file, dtype=np.uint8)[8:][-N_HELD_OUT:]
    print("| ε | skipped | in the last epoch | columns' errors | change | their log-loss | their calibration error | committee of 8 | its log-loss | its calibration error |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    exact = None
    for folder in sorted(HERE.glob("skip-*"), key=lambda folder: float(folder.name[5:])):
        file = np.load(folder / "held-out.npz")
        columns = [file[name].astype(np.float64) for name in sorted(file.files) if name != "trained_by"]
        singles = np.array([errors(column, labels) for column in columns])
        exact = singles if exact is None else exact
        change = singles - exact
        spread = f"{change.mean():+.1f} ± {2 * change.std(ddof=1) / math.sqrt(len(change)):.1f}" if change.any() else "–"
        mean = sum(columns) / len(columns)
        of_columns = [np.mean([measure(column, labels) for column in columns]) for measure in (log_loss, calibration_error)]
        print(
            f"| {folder.name[5:]} | {skipped(folder)} | {singles.mean():.1f} ± {singles.std(ddof=1):.1f} | {spread} | {of_columns[0]:.0f} | {of_columns[1]:.2f} %"
            f" | {errors(mean, labels)} | {log_loss(mean, labels):.0f} | {calibration_error(mean, labels):.2f} % |"
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
