"""Make a folder of JPEG files of 12 megapixels from CIFAR-10's pictures, some of them turned.

python -m benchmarks.photographs FOLDER [--number 200]
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from skcifar import fetch_cifar10

SIZE = (4000, 3000)
GRAIN = 12  # the most that a sensor adds to each pixel: files of real photographs are as large
ORIENTATION = 0x0112  # a tag of EXIF
UPSIDE_DOWN, ON_ITS_SIDE = 3, 6


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photographs", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--number", type=int, default=200, metavar="N", help="default 200")
    options = parser.parse_args()
    write_photographs(options.folder, options.number)


def write_photographs(folder, n_photographs=200):
    """Write a folder for each class; what is there already stays."""
    cifar10 = fetch_cifar10(subset="test")
    names = cifar10.target_names[cifar10.target[:n_photographs]]
    paths = [Path(folder, name, f"{row:05d}.jpg") for row, name in enumerate(names)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(_write, cifar10.images[:n_photographs], paths, range(n_photographs)))


def _write(image, path, row):
    if path.exists():
        return
    photograph = np.asarray(Image.fromarray(image).resize(SIZE, Image.Resampling.BICUBIC))
    rng = np.random.default_rng(row)
    grain = rng.integers(-GRAIN, GRAIN + 1, (*photograph.shape[:2], 1), dtype=np.int16)
    photograph = np.clip(photograph + grain, 0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = (UPSIDE_DOWN, ON_ITS_SIDE, 1, 1, 1)[row % 5]
    Image.fromarray(photograph).save(path, "JPEG", quality=85, exif=exif)


if __name__ == "__main__":
    main()
