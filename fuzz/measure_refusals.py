"""Measure what refusing each hostile file takes: seconds of computing, and additional memory.

``python fuzz/measure_refusals.py`` makes them all, reads each in a process of its own, and prints a
table. It fails where a file is accepted, or refused after more than five seconds or 300 MB.
"""

import gzip
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "_helpers"))

import hostile_files
from PIL import Image

MAX_SECONDS, MAX_MB = 5, 300


def large_and_damaged():
    """Pictures as large as may be, decoded nearly to their end before the damage shows."""
    side = 7_000
    pixels = hostile_files.zeros_compressed(side * (1 + 3 * side))
    yield (
        "png of 7,000 x 7,000, cut short",
        hostile_files.png(side, side, colour=2, pixels=pixels[:-2_000]),
    )
    for name, side, options in (
        ("jpeg of 7,000 x 7,000", 7_000, {}),
        ("jpeg of 13,000 x 13,000", 13_000, {}),
        ("progressive jpeg of 7,000 x 7,000", 7_000, {"progressive": True}),
    ):
        content = hostile_files.saved(Image.new("RGB", (side, side), "teal"), "JPEG", **options)
        yield f"{name}, cut short", content[:-2_000]
    yield "progressive jpeg of 400 scans", hostile_files.jpeg_of_scans(400, (3_000, 3_000))[:-2]
    noise = Image.effect_noise((875, 875), 60).convert("RGB").resize((7_000, 7_000))
    damaged = bytearray(hostile_files.saved(noise, "AVIF", speed=10))
    damaged[-len(damaged) // 3 :] = bytes(len(damaged) // 3)
    yield "avif of 7,000 x 7,000, damaged", damaged
    side = 7_000
    pixels = hostile_files.zeros_compressed(3 * side * (side - 1))
    yield "tiff of 7,000 x 7,000, a row short", hostile_files.tiff(side, side, pixels=pixels)
    yield "gif of 7,000 x 7,000, of no pixels", hostile_files.gif(7_000, 7_000)[:-5]


def hostile_pictures():
    yield from hostile_files.claims().items()
    yield from large_and_damaged()


READ_PICTURE = "from skcifar.datasets import read_picture as read"
READ_ARCHIVE = """
from pathlib import Path
from skcifar.datasets._archives import BINARY_ARCHIVE, unpack_archive

def read(path):
    unpack_archive(Path(path), BINARY_ARCHIVE, Path(path).parent / "unpacked")
"""
READ_FOLDER = """
from pathlib import Path
from skcifar.datasets._archives import read_binary_folder

def read(path):
    read_binary_folder(Path(path), "train")
"""
MEASURE = """
import re, sys, time
from pathlib import Path
from PIL import Image
from skcifar.datasets import DatasetError
{imports}

def peak_kb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

Image.init()
before, start, outcome = peak_kb(), time.process_time(), "accepted"
try:
    read(sys.argv[1])
except DatasetError as error:
    outcome = str(error).replace(sys.argv[1], "FILE")
print(time.process_time() - start, (peak_kb() - before) / 1000, outcome, sep="|")
"""


def measure(imports, path):
    reported = subprocess.run(
        [sys.executable, "-c", MEASURE.format(imports=imports), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, megabytes, outcome = reported.stdout.strip().split("|", 2)
    return float(seconds), float(megabytes), outcome + reported.stderr


def main():
    n_bad = 0

    def measure(name, n_bytes, imports, path):
        nonlocal n_bad
        seconds, megabytes, outcome = measure(imports, path)
        good = outcome != "accepted" and seconds <= MAX_SECONDS and megabytes <= MAX_MB
        n_bad += not good
        reason = re.sub(r"^FILE (cannot be read as a picture )?", "", outcome)[:60]
        print(f"{name:46}{n_bytes:>15,} {seconds:6.2f} s {megabytes:5.0f} MB  {reason}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "file"
        for name, content in hostile_pictures():
            path.write_bytes(content)
            measure(name, len(content), READ_PICTURE, path)
        path.write_bytes(gzip.compress(bytes(2**28)))
        measure("gzip of 268 MB of zeros", path.stat().st_size, READ_ARCHIVE, path)
        with path.open("wb") as file:
            file.truncate(100 * 2**30)
        measure("picture file of 107 GB", path.stat().st_size, READ_PICTURE, path)
        measure("archive of 107 GB", path.stat().st_size, READ_ARCHIVE, path)
        batch = Path(scratch) / "cifar-10-batches-bin" / "data_batch_1.bin"
        batch.parent.mkdir()
        path.rename(batch)
        measure("batch file of 107 GB", batch.stat().st_size, READ_FOLDER, batch.parent)
    print(f"{n_bad} files were accepted, or refused too late or at too great a cost")
    return 1 if n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
