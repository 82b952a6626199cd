"""A published committee in numpy: an independent check of its figures, and a way to use it from Python.

    python committee.py [STUDY ...] --data DIR [--compare]
"""

import argparse
import functools
import gzip
import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "published"
MAX_STRETCH = 1.75  # a digit is not stretched further, so that a 1 stays a stroke
BATCH = 250  # images at a time: their windows in the paper's second convolution take 40 MB
TOLERANCE = 1e-4  # of a probability: float32 sums in another order round differently. README.md says how much.
ACTIVATIONS = {
    "scaled-tanh": lambda x: np.float32(1.7159) * np.tanh(np.float32(2 / 3) * x),
    "relu": lambda x: np.maximum(x, 0),
}


class Committee:
    """The finished columns of a study: `Committee("results/published/paper").classify(images)`."""

    def __init__(self, study):
        self.folder = Path(study)
        config = json.loads((self.folder / "study.json").read_text("utf-8"))["config"]
        folders = [path.parent for path in sorted(self.folder.glob("columns/*/column.json"))]
        self.columns = {folder.name: Column(folder, config) for folder in folders}
        if not self.columns:
            raise ValueError(f"{study}: no finished column")

    def probabilities(self, images):
        """The mean of the columns' probabilities. `images` as for `Column.probabilities`; returns [n, 10], float64."""
        return mean([column.probabilities(images) for column in self.columns.values()])

    def classify(self, images):
        """The most probable digits. `images` as for `Column.probabilities`; returns [n], integers 0 to 9."""
        return self.probabilities(images).argmax(axis=1)


class Column:
    """One network, and the width to which it wants its digits."""

    def __init__(self, folder, config):
        weights = (folder / "weights.safetensors").read_bytes()
        record = json.loads((folder / "column.json").read_text("utf-8"))
        if hashlib.sha256(weights).hexdigest() != record["files"]["weights.safetensors"]:
            raise ValueError(f"{folder}: weights.safetensors has not the SHA-256 that stands in column.json")
        self.tensors = load(weights)
        canvas, *self.layers = config["network"].split("-")  # 1x29x29, then 20C4, MP2, 40C5, MP3, 150N, 10N
        self.canvas = [int(side) for side in canvas.split("x")][1:]
        self.activation = ACTIVATIONS[config["activation"]]
        width = folder.name.split("-")[0]  # of original-1 or w14-1
        self.width = None if width == "original" else int(width[1:])

    def probabilities(self, images):
        """`images`: [n, 28, 28], uint8 in MNIST's form, 0 paper to 255 ink. Returns the softmax: [n, 10], float32."""
        digits = normalize(images, self.width, self.canvas)
        return np.concatenate([self.forward(digits[i : i + BATCH]) for i in range(0, max(1, len(digits)), BATCH)])

    def forward(self, digits):
        """`digits`: [n, 29, 29], uint8. Returns [n, 10], float32. Inside, maps are the last axis."""
        x = ((digits.astype(np.float32) - 127.5) / 127.5)[..., np.newaxis]
        count = {"conv": 0, "dense": 0}
        for i, layer in enumerate(self.layers, 1):
            if layer.startswith("MP"):
                x = max_pool(x, int(layer[2:]))
                continue
            kind = "conv" if "C" in layer else "dense"
            count[kind] += 1
            weight, bias = (self.tensors[f"{kind}{count[kind]}.{part}"] for part in ("weight", "bias"))
            if kind == "dense" and x.ndim == 4:
                x = np.moveaxis(x, 3, 1).reshape(-1, weight.shape[1])  # its inputs: maps, rows, columns
            x = (convolve(x, weight) if kind == "conv" else x @ weight.T) + bias
            if i < len(self.layers):
                x = self.activation(x)
        exponentials = np.exp(x - x.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)


def convolve(x, weight):
    """Slides a kernel, not flipped, over the places where all of it fits.

    `x`: [n, rows, columns, input maps]; `weight`: [maps, input maps, k, k]. Each side of the result is k - 1 shorter.
    """
    windows = sliding_window_view(x, weight.shape[2:], axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(*windows.shape[:3], weight[0].size) @ weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))


def max_pool(x, size):
    """The maximum of each square; rows and columns left over at the end do not count. `x`: [n, rows, columns, maps]."""
    rows, columns = (side // size * size for side in x.shape[1:3])
    return functools.reduce(np.maximum, (x[:, i:rows:size, j:columns:size] for i in range(size) for j in range(size)))


def normalize(images, width, canvas=(29, 29)):
    """Resamples the columns from the first to the last with ink to `width` (`None`: leaves all as they are), and centres.

    `images`: [n, rows, columns], uint8; returns [n, *canvas], uint8. An odd margin is larger at the bottom and right.
    """
    if np.ndim(images) != 3 or images.dtype != np.uint8:
        raise ValueError(f"images: got {np.asarray(images).dtype} {np.shape(images)}, expected uint8 [n, rows, columns]")
    result = np.zeros((len(images), *canvas), np.uint8)
    top = (canvas[0] - images.shape[1]) // 2
    for image, digit in zip(images, result[:, top : top + images.shape[1]]):
        inked = np.flatnonzero(image.any(axis=0))
        if width is not None and inked.size:
            box = image[:, inked[0] : inked[-1] + 1]
            shares = triangles(box.shape[1], min(width, int(MAX_STRETCH * box.shape[1])))
            exact = np.round(box @ shares, 9)  # so that zeros and halves are exact: float64 misses them by 1e-13
            image = np.where(exact > 0, np.maximum(1, np.floor(exact + 0.5)), 0)  # the faintest ink stays ink
        left = (canvas[1] - image.shape[1]) // 2
        digit[:, left : left + image.shape[1]] = image
    return result


@functools.cache
def triangles(n_from, n_to):
    """[n_from, n_to], float64: the share that each old column has in each new one. The shares of a new one sum to 1.

    They fall linearly with the distance of the centres, to 0 at the distance of neighbours in the coarser of both grids.
    """
    step = n_from / n_to
    distance = np.abs((np.arange(n_from) + 0.5)[:, np.newaxis] - (np.arange(n_to) + 0.5) * step)
    shares = np.maximum(0, 1 - distance / max(1, step))
    return shares / shares.sum(axis=0)


def mean(probabilities):
    """The mean of arrays [n, 10], in float64."""
    return np.mean(probabilities, axis=0, dtype=np.float64)


def read_idx(folder, name):
    """The uint8 array of an IDX file, raw or .gz."""
    path = Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(name + ".gz").read_bytes())
    rank = int.from_bytes(data[3:4], "big")
    shape = [int.from_bytes(data[4 * i : 4 * i + 4], "big") for i in range(1, rank + 1)]
    if data[:3] != b"\0\0\x08" or len(data) != 4 + 4 * rank + np.prod(shape):
        raise ValueError(f"{path}: not a whole IDX file of bytes")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def published_errors(folder):
    """The errors that committee.json states: of each column by its name, and of "committee", their mean."""
    figures = json.loads((folder / "committee.json").read_text("utf-8"))["figures"]
    of_rules = {rule["rule"]: rule["score"]["errors"] for rule in figures["all"]["rules"]}
    return {each["name"]: each["score"]["errors"] for each in figures["members"]} | {"committee": of_rules["mean"]}


def check(study, images, labels, compare):
    """Prints the errors of a study's columns and committee. Returns False if it compares and they are not as published."""
    committee, ours, theirs, all_same = Committee(study), {}, {}, True
    names = [*committee.columns, "committee"]
    published = published_errors(committee.folder) if compare else {}
    if compare and sorted(published) != sorted(names):
        raise ValueError(f"{study}: has {names}, but committee.json has {[*published]}")
    print(f"{study}:")
    for name in names:
        start = time.perf_counter()
        got = mean([*ours.values()]) if name == "committee" else committee.columns[name].probabilities(images)
        ours[name], seconds = got, time.perf_counter() - start
        n_errors = np.count_nonzero(got.argmax(axis=1) != labels)
        print(f"{name:<11} {n_errors} errors of {len(labels)}, {100 * n_errors / len(labels):.2f} %, {seconds:.1f} s")
        if compare:
            stored = committee.folder / "columns" / name / "probabilities.npy"
            want = theirs[name] = mean([*theirs.values()]) if name == "committee" else np.load(stored)
            difference = np.abs(got - want).max()
            n_different = np.count_nonzero(got.argmax(axis=1) != want.argmax(axis=1))
            # Where the two best lie within twice the tolerance, either may come out as the answer.
            n_close = np.count_nonzero(np.ptp(np.sort(want, axis=1)[:, -2:], axis=1) <= 2 * TOLERANCE)
            same = bool(difference <= TOLERANCE and abs(n_errors - published[name]) <= n_close)
            print(f"  {'the same' if same else 'DIFFERENT'}: {published[name]} errors published; largest difference of a"
                  f" probability {difference:.1e}, {n_different} different answers, {n_close} digits that may differ")
            all_same &= same
        sys.stdout.flush()
    return all_same


def main():
    parser = argparse.ArgumentParser(description="Errors of published committees on MNIST's test digits, by numpy.")
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="a study's folder [default: all in results/published]")
    parser.add_argument("--data", required=True, metavar="DIR", help="folder with the two t10k files of MNIST, raw or .gz")
    parser.add_argument("--compare", action="store_true", help="compare with what is published; exit 1 if it differs")
    args = parser.parse_args()
    images, labels = (read_idx(args.data, name) for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"))
    studies = args.studies or sorted(path.parent for path in PUBLISHED.glob("*/study.json"))
    if not studies:
        raise ValueError(f"{PUBLISHED}: no published study")
    return all([check(study, images, labels, args.compare) for study in studies])


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
