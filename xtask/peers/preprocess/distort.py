"""Elastic and affine distortion of digits, as users of scipy, OpenCV, albumentations and torch write it.

    python distort.py scipy|opencv|albumentations|torch FOLDER THREADS

All apply the same: white noise on 29 x 29 pixels, zero outside, smoothed by a Gaussian of sigma 8 and multiplied by 36,
added to an affine movement; one bilinear sampling with the border repeated; floats from -1 to 1. What a library can do to
a whole batch is done to a whole batch, and its own random numbers are used where they are the faster ones. albumentations
has no single step for this: it samples twice. Its noise is repeated at the border and divided by the largest of it, and its
shifts are whole pixels, so that altogether it moves digits a little less.
"""

import sys
from itertools import cycle

import numpy as np

import contender
from contender import ALPHA, CANVAS_PX, N_PIXELS, RADIUS_PX, ROTATION_DEG, SCALING, SIGMA_PX, TRANSLATION_PX

BATCH = 128
N_CHECKED = 2_000


def scipy(digits, _):
    import scipy
    from scipy.ndimage import gaussian_filter, map_coordinates

    rng = np.random.default_rng(2012)
    grid = contender.grid()

    def distort(some):
        n = len(some)
        noise = rng.standard_normal((n, 2, CANVAS_PX, CANVAS_PX), np.float32)
        field = gaussian_filter(noise, SIGMA_PX, mode="constant", axes=(2, 3), radius=RADIUS_PX)
        field = ALPHA * field.reshape(n, 2, N_PIXELS)
        sources = contender.affine_maps(rng, n) @ grid + field
        pixels = np.empty((n, N_PIXELS), np.float32)
        for digit, (x, y), out in zip(some, sources, pixels):
            map_coordinates(digit, (y, x), out, order=1, mode="nearest")
        return contender.to_input(pixels), field

    return scipy.__version__, digits.astype(np.float32), distort, "gaussian_filter, map_coordinates (order 1)"


def opencv(digits, _):
    import cv2

    cv2.setNumThreads(1)
    rng = np.random.default_rng(2012)
    side_px = 2 * RADIUS_PX + 1
    grid = contender.grid().T

    def distort(some):
        n = len(some)
        field = np.empty((n, CANVAS_PX, CANVAS_PX, 2), np.float32)
        cv2.randn(field.reshape(n, -1), 0, ALPHA)
        for part in field:
            cv2.GaussianBlur(part, (side_px, side_px), SIGMA_PX, part, borderType=cv2.BORDER_CONSTANT)
        affine = grid @ contender.affine_maps(rng, n).transpose(0, 2, 1)
        sources = field + affine.reshape(field.shape)
        pixels = np.empty((n, CANVAS_PX, CANVAS_PX), np.float32)
        for digit, source, out in zip(some, sources, pixels):
            cv2.remap(digit, source, None, cv2.INTER_LINEAR, out, cv2.BORDER_REPLICATE)
        return contender.to_input(pixels), field

    return cv2.__version__, digits.astype(np.float32), distort, "randn, GaussianBlur, remap"


def albumentations(digits, _):
    import albumentations
    import cv2

    cv2.setNumThreads(1)
    transform = albumentations.Compose([
        albumentations.ElasticTransform(alpha=ALPHA, sigma=SIGMA_PX, border_mode=cv2.BORDER_REPLICATE, p=1),
        albumentations.Affine(
            scale={"x": (1 - SCALING, 1 + SCALING), "y": (1 - SCALING, 1 + SCALING)},
            rotate=(-ROTATION_DEG, ROTATION_DEG),
            translate_px={"x": (-1, 1), "y": (-1, 1)},  # whole pixels: it knows no others
            border_mode=cv2.BORDER_REPLICATE,
            p=1,
        ),
    ])
    assert TRANSLATION_PX == 1

    def distort(some):
        return contender.to_input(np.stack([transform(image=digit)["image"] for digit in some])), None

    return albumentations.__version__, digits, distort, "Compose of ElasticTransform and Affine, bytes to bytes"


def torch(digits, threads):
    import torch
    from torch.nn.functional import grid_sample

    torch.set_num_threads(threads)
    torch.manual_seed(2012)
    # grid_sample counts from -1 to 1, from the first pixel's centre to the last one's.
    unit_px = (CANVAS_PX - 1) / 2
    taps = np.exp(-0.5 * (np.arange(-CANVAS_PX, CANVAS_PX + 1) / SIGMA_PX) ** 2)
    taps[np.abs(np.arange(-CANVAS_PX, CANVAS_PX + 1)) > RADIUS_PX] = 0
    smooth = (taps / taps.sum())[CANVAS_PX + np.subtract.outer(np.arange(CANVAS_PX), np.arange(CANVAS_PX))]
    rows = torch.tensor(smooth * ALPHA / unit_px, dtype=torch.float32)
    columns = torch.tensor(smooth, dtype=torch.float32)
    column, row, one = torch.from_numpy(contender.grid())
    grid = torch.stack([column / unit_px - 1, row / unit_px - 1, one])

    def affine_maps(n):
        turn, scale_x, scale_y, shift_x, shift_y = torch.rand(5, n) * 2 - 1
        angle = turn * np.deg2rad(ROTATION_DEG)
        cos, sin = angle.cos(), angle.sin()
        scale_x, scale_y = 1 + SCALING * scale_x, 1 + SCALING * scale_y
        shift_x, shift_y = shift_x * (TRANSLATION_PX / unit_px), shift_y * (TRANSLATION_PX / unit_px)
        a, b, c, d = cos / scale_x, sin / scale_x, -sin / scale_y, cos / scale_y
        shift = [-(a * shift_x + b * shift_y), -(c * shift_x + d * shift_y)]
        return torch.stack([a, b, shift[0], c, d, shift[1]], 1).view(n, 2, 3)

    @torch.inference_mode()
    def distort(some):
        n = len(some)
        field = (rows @ torch.randn(n, 2, CANVAS_PX, CANVAS_PX) @ columns).view(n, 2, N_PIXELS)
        sources = torch.baddbmm(field, affine_maps(n), grid.expand(n, -1, -1))
        sources = sources.view(n, 2, CANVAS_PX, CANVAS_PX).permute(0, 2, 3, 1)
        return grid_sample(some, sources, padding_mode="border", align_corners=True), field * unit_px

    detail = f"randn, two matrix products, grid_sample; {torch.backends.cpu.get_cpu_capability()}"
    return torch.__version__, torch.from_numpy(contender.to_input(digits))[:, None], distort, detail


def main(name, folder, threads):
    threads = int(threads)
    assert threads == 1 or name == "torch", "only torch shares a batch of small images among threads"
    digits = contender.on_canvas(contender.train_images(folder))
    libraries = {f.__name__: f for f in (scipy, opencv, albumentations, torch)}
    version, images, distort, detail = libraries[name](digits, threads)

    distorted, field_px = distort(images[:N_CHECKED])
    tolerance = 0.2 if name == "albumentations" else 0.05
    contender.check_distorted(distorted, digits[:N_CHECKED], field_px, tolerance)

    batch = BATCH * threads
    starts = cycle(range(0, len(images), batch))

    def work(n_images):
        n_done = 0
        while n_done < n_images:
            start = next(starts)
            some = images[start : start + min(batch, n_images - n_done)]
            distort(some)
            n_done += len(some)
        return n_done

    contender.serve(name, version, threads, "distort", work, detail)


if __name__ == "__main__":
    main(*sys.argv[1:])
