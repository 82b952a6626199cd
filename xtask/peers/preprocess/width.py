"""Digits brought to a width of 16 pixels, as users of Pillow and OpenCV write it.

    python width.py pillow|opencv FOLDER THREADS

The columns from the first to the last with ink are resampled to 16 pixels, or to 1.75 times their number if that is less,
and put on the middle of a canvas of 29 x 29. Rows stay as they are.
"""

import sys

import numpy as np

import contender
from contender import CANVAS_PX, SIDE_PX

WIDTH_PX = 16
MAX_STRETCH = 1.75
N_CHECKED = 2_000


def target_px(n_columns):
    return min(WIDTH_PX, int(MAX_STRETCH * n_columns))


def pillow(digit):
    from PIL import Image

    image = Image.fromarray(digit)
    left, _, right, _ = image.getbbox()
    width = target_px(right - left)
    canvas = Image.new("L", (CANVAS_PX, CANVAS_PX))
    box = (left, 0, right, SIDE_PX)
    canvas.paste(image.resize((width, SIDE_PX), Image.Resampling.BILINEAR, box), ((CANVAS_PX - width) // 2, 0))
    return np.asarray(canvas)


def opencv(digit):
    import cv2

    left, _, n_columns, _ = cv2.boundingRect(digit)
    width = target_px(n_columns)
    # INTER_AREA is what OpenCV has against aliasing; enlarging, it is not linear.
    filter = cv2.INTER_AREA if width < n_columns else cv2.INTER_LINEAR
    canvas = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    start = (CANVAS_PX - width) // 2
    ink = digit[:, left : left + n_columns]
    canvas[:SIDE_PX, start : start + width] = cv2.resize(ink, (width, SIDE_PX), interpolation=filter)
    return canvas


def normalize(digits, normalize_one):
    out = np.empty((len(digits), CANVAS_PX, CANVAS_PX), np.uint8)
    for digit, canvas in zip(digits, out):
        canvas[:] = normalize_one(digit)
    return out


def check(digits, canvases):
    """Asserts that digits have their width, in the middle, and their ink, which a resampling spreads or presses together."""
    n_left = 0
    for digit, canvas in zip(digits, canvases):
        columns = np.flatnonzero(digit.any(0))
        width = target_px(columns[-1] + 1 - columns[0])
        inked = np.flatnonzero(canvas.any(0))
        start = (CANVAS_PX - width) // 2
        assert start <= inked[0] and inked[-1] < start + width, (width, inked)
        # Faint ink at the box's edges may be rounded away.
        n_left += width - (inked[-1] + 1 - inked[0])
        ink = canvas.sum() / width * (columns[-1] + 1 - columns[0])
        assert 0.85 < ink / digit.sum() < 1.15, ink / digit.sum()
    assert n_left / len(digits) < 0.1, n_left


def main(name, folder, threads):
    assert threads == "1"
    digits = contender.train_images(folder)
    if name == "pillow":
        import PIL

        version, normalize_one, detail = PIL.__version__, pillow, "getbbox, resize (bilinear), paste"
    elif name == "opencv":
        import cv2

        cv2.setNumThreads(1)
        version, normalize_one, detail = cv2.__version__, opencv, "boundingRect, resize (area or linear)"
    else:
        sys.exit(f"no contender {name!r}")
    check(digits[:N_CHECKED], normalize(digits[:N_CHECKED], normalize_one))

    def work(n_images):
        left = n_images
        while left > 0:
            n = min(left, len(digits))
            normalize(digits[:n], normalize_one)
            left -= n
        return n_images

    contender.serve(name, version, 1, "width", work, detail)


if __name__ == "__main__":
    main(*sys.argv[1:])
