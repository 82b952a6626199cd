"""Answers the questions of docs/REPRODUCTION.md's analysis plan from the published predictions.

    python3 results/questions.py MNIST [STUDY …]

MNIST is a folder with the four raw files, STUDY a folder of results/published [default: best]. Of two studies, the first is compared
with the second, too. All p-values are exact and two-sided, all intervals Wilson's of 95 %. Needs numpy.
"""

import itertools
import math
import sys
from pathlib import Path

import numpy as np

PUBLISHED = Path(__file__).parent / "published"
# Test digits, numbered from 0, that cleanlab's label-errors lists for MNIST (Northcutt, Athalye, Mueller 2021, arXiv 2103.14749).
SUSPECT = {947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729}


def interval(n, of):
    z = 1.959964
    centre, half = n / of + z * z / (2 * of), z * math.sqrt(n * (of - n) / of + z * z / 4) / of
    return f"{100 * (centre - half) / (1 + z * z / of):.2f} to {100 * (centre + half) / (1 + z * z / of):.2f} %"


def mcnemar(a, b):
    """Digits that only a is right on, only b, and the exact p-value."""
    n_a, n_b = int((a & ~b).sum()), int((~a & b).sum())
    tail = sum(math.comb(n_a + n_b, k) for k in range(min(n_a, n_b) + 1)) / 2.0 ** (n_a + n_b)
    return n_a, n_b, min(1.0, 2 * tail)


def holm(p_values):
    """Adjusted by Holm's procedure, in ascending order."""
    ordered = sorted(p_values)
    raised = [min(1.0, p * (len(ordered) - rank)) for rank, p in enumerate(ordered)]
    return list(itertools.accumulate(raised, max))


def ranks(values):
    """From 1; equal values share the mean of their ranks."""
    values = np.asarray(values)
    return np.array([(values < value).sum() + ((values == value).sum() + 1) / 2 for value in values])


def spearman(x, y):
    """The rank correlation, and its exact p-value over all orders of y."""
    x, y = ranks(x), ranks(y)
    orders = np.array([np.corrcoef(x, order)[0, 1] for order in itertools.permutations(y)])
    found = np.corrcoef(x, y)[0, 1]
    return found, (np.abs(orders) >= abs(found) - 1e-9).mean()


class Study:
    def __init__(self, name, labels):
        folders = sorted((PUBLISHED / name / "columns").iterdir())
        load = lambda file: {f.name: np.load(f / file).astype(np.float64) for f in folders if (f / file).exists()}
        self.name, self.labels = name, labels
        self.plain, self.views = load("probabilities.npy"), load("views.npy")
        self.widths = sorted({column.rsplit("-", 1)[0] for column in self.plain}, key=lambda width: (width != "original", width))

    def committee(self, widths=None, columns=None):
        columns = columns or self.plain
        members = [p for column, p in columns.items() if widths is None or column.rsplit("-", 1)[0] in widths]
        return sum(members) / len(members)

    def right(self, probabilities):
        return probabilities.argmax(1) == self.labels

    def errors(self, probabilities):
        return int((~self.right(probabilities)).sum())

    def answers(self, original_px):
        columns = {name: self.errors(p) for name, p in self.plain.items()}
        everything = self.committee()
        right, n = self.right(everything), len(self.labels)
        n_wrong = self.errors(everything)
        percent = np.array(list(columns.values())) * 100 / n
        yield "columns", f"{len(columns)}: {percent.mean():.2f} ± {percent.std(ddof=1):.2f} %"
        yield "committee", f"{n_wrong} errors, {interval(n_wrong, n)}"

        tests = [mcnemar(right, self.right(p)) for p in self.plain.values()]
        n_better = sum(only_committee > only_column for only_committee, only_column, _ in tests)
        adjusted = holm([p for _, _, p in tests])
        n_clear = sum(p < 0.05 for p in adjusted)
        yield "committee against each column", f"better than {n_better} of {len(tests)}, for {n_clear} with p < 0.05 after Holm (p {adjusted[0]:.2g} to {adjusted[-1]:.2g})"

        of_width = {width: self.errors(self.committee({width})) for width in self.widths}
        yield "committees of one width", ", ".join(f"{width} {wrong} ({interval(wrong, n)})" for width, wrong in of_width.items())
        means = []
        for size in range(1, len(self.widths) + 1):
            means.append(np.mean([self.errors(self.committee(set(some))) for some in itertools.combinations(self.widths, size)]) * 100 / n)
        yield "mean error by number of widths", ", ".join(f"{mean:.2f}" for mean in means) + " %"
        best = min(of_width, key=of_width.get)
        only_all, only_best, p = mcnemar(right, self.right(self.committee({best})))
        yield "all widths against the best single one", f"{best}: right only with all {only_all}, only with {best} {only_best}, p = {p:.2g}"

        px = [original_px if width == "original" else int(width[1:]) for width in self.widths]
        mean_of = [np.mean([wrong for column, wrong in columns.items() if column.rsplit("-", 1)[0] == width]) for width in self.widths]
        rho, p = spearman(px, mean_of)
        yield "does a larger width help", f"Spearman's rank correlation of width and mean error {rho:+.2f}, p = {p:.2g}; original counts as {original_px:.1f} pixels, its mean width"

        second = np.argsort(-everything, axis=1, kind="stable")[:, 1]
        n_second = int((second == self.labels)[~right].sum())
        yield "second guess right", f"{n_second} of {n_wrong}, {interval(n_second, n_wrong)}"
        wrong = set(np.flatnonzero(~right).tolist())
        yield "misclassified digits", " ".join(map(str, sorted(wrong)))
        yield "of these, on the list of suspect labels", f"{len(wrong & SUSPECT)} of {len(SUSPECT)}: {' '.join(map(str, sorted(wrong & SUSPECT)))}"
        if len(self.views) == len(self.plain):
            only_plain, only_views, p = mcnemar(right, self.right(self.committee(columns=self.views)))
            yield "views", f"right only with views {only_views}, only without {only_plain}, p = {p:.2g}"


def read(mnist, name, header):
    return np.fromfile(Path(mnist) / name, dtype=np.uint8)[header:]


def main(mnist, names):
    labels = read(mnist, "t10k-labels-idx1-ubyte", 8)
    has_ink = read(mnist, "t10k-images-idx3-ubyte", 16).reshape(len(labels), 28, 28).any(1)
    original_px = (28 - has_ink.argmax(1) - has_ink[:, ::-1].argmax(1)).mean()
    studies = [Study(name, labels) for name in names or ["best"]]
    for study in studies:
        print(f"\n{study.name}")
        for question, answer in study.answers(original_px):
            print(f"  {question}: {answer}")
    if len(studies) == 2:
        first, second = (study.right(study.committee()) for study in studies)
        only_first, only_second, p = mcnemar(first, second)
        print(f"\n{names[0]} against {names[1]}: right only in {names[0]} {only_first}, only in {names[1]} {only_second}, p = {p:.2g}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
