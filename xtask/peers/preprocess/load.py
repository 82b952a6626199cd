"""MNIST's training digits, images and labels, loaded from IDX files as users of Python do it.

    python load.py numpy|torchvision|python-mnist FOLDER raw|gzip

A load takes the whole files, so a contender answers with a multiple of 60,000 images.
"""

import gzip
import os
import sys

import numpy as np

import contender
from contender import N_TRAIN

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
# Sum of all pixels of MNIST's training images.
ALL_INK = 1_567_298_545


def with_numpy(folder, form):
    opened, suffix = (gzip.open, ".gz") if form == "gzip" else (open, "")

    def load():
        with opened(os.path.join(folder, IMAGES + suffix), "rb") as file:
            images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with opened(os.path.join(folder, LABELS + suffix), "rb") as file:
            return images, np.frombuffer(file.read(), np.uint8, offset=8)

    return np.__version__, load, "np.frombuffer of the file's bytes"


def with_torchvision(folder, form):
    import torch
    import torchvision
    from torchvision.datasets.mnist import read_image_file, read_label_file

    assert form == "raw", "torchvision unpacks gzip files to disk when it downloads, and reads raw ones"
    torch.set_num_threads(1)

    def load():
        return read_image_file(os.path.join(folder, IMAGES)), read_label_file(os.path.join(folder, LABELS))

    return torchvision.__version__, load, "what datasets.MNIST calls: read_image_file, read_label_file"


def with_python_mnist(folder, form):
    from importlib.metadata import version

    from mnist import MNIST

    def load():
        return MNIST(folder, gz=form == "gzip").load_training()

    return version("python-mnist"), load, "MNIST.load_training, into lists: its arrays are made of these"


def main(name, folder, form):
    loaders = {"numpy": with_numpy, "torchvision": with_torchvision, "python-mnist": with_python_mnist}
    version, load, detail = loaders[name](folder, form)
    images, labels = load()
    ink = int(np.asarray(images).sum(dtype=np.int64))
    assert len(images) == len(labels) == N_TRAIN and ink == ALL_INK, (len(images), len(labels), ink)
    del images, labels

    def work(n_images):
        n_loaded = 0
        while n_loaded < n_images:
            images, _ = load()
            n_loaded += len(images)
        return n_loaded

    contender.serve(name, version, 1, form, work, detail)


if __name__ == "__main__":
    main(*sys.argv[1:])
