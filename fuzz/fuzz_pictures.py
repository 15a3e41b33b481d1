"""Feed the readers of pictures and of CIFAR-10 with damaged files, and keep what surprises.

A reader may accept a file or refuse it by ``DatasetError``. Anything else is a finding, and so is
what takes more than a second of computing or 200 MB: the file is kept, and the error printed.
Pickles may take what they like: no stranger's gets past the checksum, which is left open here.

``python fuzz/fuzz_pictures.py`` damages small files of every format at random, always the same ones
for the same seed. With ``--atheris`` it lets Atheris do that, which follows what code is reached
(``pip install atheris``, on Linux).
"""

import argparse
import contextlib
import gzip
import hashlib
import io
import pickle
import random
import re
import resource
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from pathlib import Path

if "--atheris" in sys.argv:
    import atheris

    watched_imports = atheris.instrument_imports(include=["PIL", "skcifar", "tarfile"])
else:
    watched_imports = contextlib.nullcontext()
with watched_imports:
    import tarfile

    import numpy as np
    from PIL import Image

    from skcifar.datasets import DatasetError, _archives, _picture_files, read_picture

    Image.init()

N_RECORDS = 2
MAX_SECONDS = 1
MAX_MEMORY = 200_000  # KB, beyond what the process has at its beginning

# --- what is read ---


class Readers:
    """Each reads one file from a scratch folder, whatever gate stands before it left open."""

    def __init__(self, scratch):
        self.scratch = Path(scratch)
        self.picture = self.scratch / "picture"
        self.destination = self.scratch / _archives.BINARY_FOLDER
        # Large claims only cost time here. measure_refusals.py tries them out.
        _picture_files.MAX_PIXELS = 2**20
        _archives.IMAGES_PER_BATCH = N_RECORDS
        _archives.BATCHES["all"] = _archives.BATCHES["test"]

    def pictures(self, content):
        self.picture.write_bytes(content)
        return read_picture(self.picture, image_size=(4, 4))

    def records(self, content):
        (self.scratch / "test_batch.bin").write_bytes(content)
        return _archives.read_binary_folder(self.scratch, "test")

    def pickles(self, content):
        (self.scratch / "test_batch").write_bytes(content)
        _archives.PICKLE_MD5["test_batch"] = hashlib.md5(content).hexdigest()
        return _archives.read_python_folder(self.scratch, "test")

    def archives(self, content):
        archive = self.scratch / "archive"
        archive.write_bytes(gzip.compress(content, 1, mtime=0))
        _archives.ARCHIVE_SHA256[_archives.BINARY_ARCHIVE] = hashlib.sha256(
            archive.read_bytes()
        ).hexdigest()
        _archives.unpack_archive(archive, _archives.BINARY_ARCHIVE, self.destination)
        for path in self.destination.iterdir():
            path.unlink()
        self.destination.rmdir()


# --- what they are fed with ---


def make_seeds():
    """Small whole files by reader."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, size=(9, 11, 3), dtype=np.uint8))
    seeds = {"pictures": [], "records": [], "pickles": [], "archives": []}
    for image_format in _picture_files.FORMATS:
        for mode in ("RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "I;16"):
            for options in ({}, *_options(image_format)):
                with contextlib.suppress(OSError, ValueError, KeyError):
                    file = io.BytesIO()
                    picture = noise.convert("L").convert(mode) if mode == "I;16" else noise
                    picture.convert(mode).save(file, image_format, **options)
                    seeds["pictures"].append(file.getvalue())
    seeds["pictures"] += [b"P3 2 2 9\n" + b"1 2 3 " * 4, b"P2 2 2 300 1 2 3 4", b"P1 2 2 0110"]
    seeds["pictures"] += [b"P6 2 2 9\n" + bytes(12), b"P5 2 2 999\n" + bytes(8)]

    records = rng.integers(0, 256, size=(N_RECORDS, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    seeds["records"].append(records.tobytes())
    batch = {b"labels": records[:, 0].tolist(), b"data": records[:, 1:], b"filenames": [b"a.png"]}
    seeds["pickles"] += [pickle.dumps(batch, protocol=protocol) for protocol in range(2, 6)]
    seeds["archives"] += [
        _tar(f"{_archives.BINARY_FOLDER}/test_batch.bin", records.tobytes(), tar_format)
        for tar_format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
    ]
    return seeds


def _options(image_format):
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "JPEG": (
            {"progressive": True},
            {"exif": exif},
            {"subsampling": 0, "restart_marker_rows": 1},
        ),
        "PNG": ({"exif": exif}, {"interlace": 1, "transparency": 0}, {"bits": 4}),
        "GIF": ({"transparency": 0}, {"save_all": True, "append_images": [Image.new("L", (9, 9))]}),
        "TIFF": tuple(
            {"compression": name}
            for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4", "lzma")
        ),
        "WEBP": ({"lossless": True}, {"exif": exif}),
        "AVIF": ({"exif": exif},),
    }.get(image_format, ())


def _tar(name, content, tar_format):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tar_format) as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


NUMBERS = (0, 1, 2, 127, 128, 255, 256, 32_767, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def damaged(content, others, rng):
    """Do to a file one to four times one of the things that break readers."""
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        # most of what a reader decides is decided by the first bytes
        n_bytes = max(1, len(content))
        at = rng.randrange(min(n_bytes, 64)) if rng.random() < 0.5 else rng.randrange(n_bytes)
        end = min(n_bytes, at + rng.choice((1, 2, 4, 8, 16, 64, 256)))
        kind = rng.randrange(8)
        if kind == 0 and content:
            content[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and content:
            content[at] = rng.randrange(256)
        elif kind == 2:
            n = rng.choice((1, 2, 4))
            value = rng.choice(NUMBERS) % 256**n
            content[at : at + n] = value.to_bytes(n, rng.choice(("little", "big")))
        elif kind == 3:
            del content[at:]
        elif kind == 4:
            del content[at:end]
        elif kind == 5:
            content[at:at] = content[at:end] * rng.choice((1, 1, 2, 16, 200))
        elif kind == 6:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            content[at:end] = other[start : start + rng.choice((4, 16, 64, len(other)))]
        else:
            content[at:end] = rng.randbytes(end - at)
    if rng.random() < 0.8:
        _mend_png(content)
    return bytes(content)


def _mend_png(content):
    """Set a PNG's checksums right, without which its reader does not look any further."""
    if not content.startswith(b"\x89PNG"):
        return
    at = 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4])
        if end + 4 > len(content):
            return
        content[end : end + 4] = zlib.crc32(content[at + 4 : end]).to_bytes(4)
        at = end + 4


# --- what comes of it ---


class Findings:
    """Counts what readers answered, and keeps each file that one of them answered wrongly."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.answers = Counter()
        self.n_kept = 0
        self.memory = _peak_memory() + MAX_MEMORY

    def try_out(self, reader, content):
        start = time.process_time()
        try:
            reader(content)
            answer = "accepted"
        except DatasetError as error:
            answer = _kind(error)
        except Exception as error:
            answer = f"FOUND {type(error).__name__}: {_kind(error)}"
            self.keep(reader, content, traceback.format_exc())
        self.answers[reader.__name__, answer] += 1
        if reader.__name__ == "pickles":
            self.memory = max(self.memory, _peak_memory() + MAX_MEMORY)
            return
        if time.process_time() - start > MAX_SECONDS:
            self.keep(reader, content, f"took {time.process_time() - start:.1f} s")
        if _peak_memory() > self.memory:
            self.keep(reader, content, f"took more than {MAX_MEMORY} KB")
            self.memory = _peak_memory() + MAX_MEMORY

    def keep(self, reader, content, reported):
        self.folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(content).hexdigest()[:16]
        (self.folder / f"{reader.__name__}-{name}").write_bytes(content)
        (self.folder / f"{reader.__name__}-{name}.txt").write_text(reported)
        self.n_kept += 1

    def print_summary(self):
        for name in sorted({name for name, _ in self.answers}):
            answers = {answer: n for (reader, answer), n in self.answers.items() if reader == name}
            n_inputs, n_accepted = sum(answers.values()), answers.get("accepted", 0)
            n_kinds = len(answers.keys() - {"accepted"})
            print(
                f"{name}: {n_inputs:,} inputs, {n_accepted:,} accepted, {n_kinds} kinds of refusal"
            )
            for answer, n in sorted(answers.items(), key=lambda item: -item[1])[:12]:
                print(f"  {n:>9,}  {answer}")
        print(f"{self.answers.total():,} inputs in all, {self.n_kept} findings in {self.folder}")


def _kind(error):
    """What an error says, less what differs from file to file."""
    reason = re.search(r"\((.*)\)\. (?:Give|Delete)", str(error), flags=re.DOTALL)
    return re.sub(r"[0-9][0-9,.]*|b?'.*'|/\S+", "#", reason[1] if reason else str(error))[:70]


def _peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


SHARES = {"pictures": 80, "records": 2, "pickles": 15, "archives": 3}


def fuzz_at_random(readers, findings, *, n_inputs, seed, only):
    rng = random.Random(seed)
    seeds = make_seeds()
    names = [only] if only else list(SHARES)
    shares = [SHARES[name] for name in names]
    for _ in range(n_inputs):
        (name,) = rng.choices(names, shares)
        content = damaged(rng.choice(seeds[name]), seeds[name], rng)
        findings.try_out(getattr(readers, name), content)


def fuzz_by_atheris(readers, findings, *, n_inputs, seed, only, corpus):
    name = only or "pictures"
    reader = getattr(readers, name)
    for number, content in enumerate(make_seeds()[name]):
        (corpus / str(number)).write_bytes(content)

    def test_one_input(content):
        findings.try_out(reader, content)
        if findings.answers.total() == n_inputs:
            findings.print_summary()  # libFuzzer leaves without a word of ours

    atheris.Setup(
        [sys.argv[0], f"-runs={n_inputs}", f"-seed={seed + 1}", "-max_len=8192", str(corpus)],
        test_one_input,
    )
    atheris.Fuzz()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--seed", type=int, default=0, help="of what is random (0)")
    parser.add_argument("--only", choices=SHARES, help="feed one reader")
    parser.add_argument("--findings", default="fuzz-findings", help="folder (fuzz-findings)")
    parser.add_argument("--atheris", action="store_true", help="let Atheris choose the inputs")
    given = parser.parse_args()

    # a damaged pickle may ask for any memory: then it gets MemoryError instead of all there is
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
    options = {"n_inputs": given.inputs, "seed": given.seed, "only": given.only}
    with tempfile.TemporaryDirectory() as scratch:
        readers, findings = Readers(scratch), Findings(given.findings)
        if given.atheris:
            corpus = Path(scratch) / "corpus"
            corpus.mkdir()
            fuzz_by_atheris(readers, findings, corpus=corpus, **options)
        else:
            fuzz_at_random(readers, findings, **options)
            findings.print_summary()
    return 1 if findings.n_kept else 0


if __name__ == "__main__":
    sys.exit(main())
