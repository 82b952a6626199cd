"""What the peers share: the protocol of `cargo xtask bench`, the digits, the amplitudes, and checks that all do the same.

A contender loads its data, warms up and prints one line of JSON about itself. Each line of stdin is then a number of images
to work on, answered by a line with the number worked on and the seconds it took. It ends when stdin does.
"""

import json
import os
import sys
import time

import numpy as np

# The amplitudes of this project's contender, in `crates/preprocess/examples/race.rs`.
SIGMA_PX = 8.0
ALPHA = 36.0
TRANSLATION_PX = 1.0
ROTATION_DEG = 5.0
SCALING = 0.05

SIDE_PX = 28
CANVAS_PX = 29
N_PIXELS = CANVAS_PX * CANVAS_PX
N_TRAIN = 60_000
# Where the Gaussian is cut off: 3 sigma.
RADIUS_PX = int(3 * SIGMA_PX)

# What this project's distortion comes to, in the same file: the mean distance of a distorted pixel from the pixel that was
# there, -1 to 1, and the root mean square of the elastic displacement along one axis.
CHANGE = 0.179
FIELD_PX = 1.079


def serve(name, version, threads, task, work, detail=""):
    """Answers until stdin ends. `work(n)` works on about n images and returns on how many."""
    work(1)
    say({"name": name, "version": version, "threads": threads, "task": task, "detail": detail})
    for line in sys.stdin:
        try:
            start = time.perf_counter()
            n_images = work(int(line))
            say({"images": n_images, "seconds": time.perf_counter() - start})
        except Exception as error:  # the runner names whatever it is
            say({"error": f"{type(error).__name__}: {error}"})


def say(answer):
    print(json.dumps(answer), flush=True)


def idx(folder, name, header_bytes):
    with open(os.path.join(folder, name), "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header_bytes)


def train_images(folder):
    """The training digits, 28 x 28 bytes each: what every contender starts from."""
    return idx(folder, "train-images-idx3-ubyte", 16).reshape(-1, SIDE_PX, SIDE_PX)


def on_canvas(images):
    """The digits on 29 x 29 pixels."""
    return np.pad(images, ((0, 0), (0, 1), (0, 1)))


def to_input(pixels):
    """0 to 255 as -1 to 1, the network's input."""
    return (np.asarray(pixels, np.float32) - 127.5) * np.float32(1 / 127.5)


def affine_maps(rng, n):
    """[n, 2, 3]: from (column, row, 1) of an output pixel to x and y of its source, both in pixels.

    Ink is scaled, rotated about the image's centre and shifted, each uniformly in ± its amplitude.
    """
    uniform = rng.uniform(-1, 1, (5, n))
    angle = np.deg2rad(ROTATION_DEG * uniform[0])
    scale_x, scale_y = 1 + SCALING * uniform[1:3]
    shift_x, shift_y = TRANSLATION_PX * uniform[3:5]
    cos, sin = np.cos(angle), np.sin(angle)
    centre = (CANVAS_PX - 1) / 2
    maps = np.empty((n, 2, 3), np.float32)
    maps[:, 0, 0], maps[:, 0, 1] = cos / scale_x, sin / scale_x
    maps[:, 1, 0], maps[:, 1, 1] = -sin / scale_y, cos / scale_y
    for axis in range(2):
        turned = maps[:, axis, 0] * (centre + shift_x) + maps[:, axis, 1] * (centre + shift_y)
        maps[:, axis, 2] = centre - turned
    return maps


def grid():
    """[3, 841]: column, row and 1 of each pixel of the canvas."""
    rows, columns = np.mgrid[:CANVAS_PX, :CANVAS_PX].reshape(2, -1)
    return np.stack([columns, rows, np.ones_like(rows)]).astype(np.float32)


def check_distorted(distorted, digits, field_px, tolerance):
    """Asserts that these are distortions of the canvas's digits of the strength that all contenders apply."""
    distorted = np.asarray(distorted)
    assert distorted.dtype == np.float32, distorted.dtype
    assert distorted.size == digits.size, (distorted.shape, digits.shape)
    assert -1.0 <= distorted.min() and distorted.max() <= 1.0, (distorted.min(), distorted.max())
    plain = to_input(digits)
    change = np.abs(distorted.reshape(plain.shape) - plain).mean()
    assert abs(change / CHANGE - 1) < tolerance, f"mean change {change:.4f}, expected about {CHANGE}"
    ink, plain_ink = distorted.mean() + 1, plain.mean() + 1
    assert 0.95 * plain_ink < ink < 1.05 * plain_ink, f"mean ink {ink:.4f}, expected about {plain_ink:.4f}"
    if field_px is not None:
        root = float(np.sqrt(np.mean(np.square(np.asarray(field_px)))))
        assert 0.95 * FIELD_PX < root < 1.05 * FIELD_PX, f"field {root:.4f} px, expected about {FIELD_PX}"
