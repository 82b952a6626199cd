"""Prints the errors of the tuning studies on the 10,000 held-out training digits: columns, and their committee.

    python3 results/tuning/table.py TRAIN_LABELS [STUDY …]

TRAIN_LABELS is MNIST's train-labels-idx1-ubyte. With studies named, a last row has all their columns together. Needs numpy.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
N_HELD_OUT = 10_000


def log_loss(probabilities, labels):
    """Times 10,000; a probability of 0 in half precision counts as 2^-25."""
    of_label = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(of_label, 2.0**-25)).mean() * 1e4


def errors(probabilities, labels):
    return int((probabilities.argmax(1) != labels).sum())


def row(name, columns, labels):
    mean = sum(columns) / len(columns)
    singles = [errors(column, labels) for column in columns]
    spread = f"{np.mean(singles):.1f}" + (f" ± {np.std(singles, ddof=1):.1f}" if len(singles) > 1 else "")
    loss = np.mean([log_loss(column, labels) for column in columns])
    print(f"| {name} | {len(columns)} | {spread} | {loss:.0f} | {errors(mean, labels)} | {log_loss(mean, labels):.0f} |")


def main(labels_file, names):
    labels = np.fromfile(labels_file, dtype=np.uint8)[8:][-N_HELD_OUT:]
    print("| study | columns | their errors, mean ± sd | their log-loss | committee's errors | its log-loss |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    together = []
    for study in [HERE / name for name in names] or sorted(path.parent for path in HERE.glob("*/held-out.npz")):
        file = np.load(study / "held-out.npz")
        columns = [file[name].astype(np.float64) for name in file.files if name != "trained_by"]
        row(study.name, columns, labels)
        together += columns
    if len(names) > 1:
        row("all of these", together, labels)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
