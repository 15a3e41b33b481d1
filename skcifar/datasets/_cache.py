"""Keeps decoded pictures in files, which are memory-mapped the next time."""

import hashlib
import json
import math
import os
import shutil
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import PIL
import pooch

from .._lazy import LazyImages
from ..files._atomic import replacing, write_json
from ._picture_files import decode_all

FORMAT = 1  # of what is kept
MAX_BYTES = 10 * 10**9  # in a folder
CHUNK_BYTES = 64 * 2**20  # that are decoded before they are written


def default_folder():
    """Return the folder of pictures in the system's folder for what can be made again."""
    return Path(pooch.os_cache("skcifar")) / "pictures"


def recall_or_decode(paths, shape, *, resize, cache, progress):
    """Return the pictures that can be read, what sizes they had, and by row why others cannot."""
    if cache is False:
        return _decode(paths, shape, resize, progress)
    folder = default_folder() if cache is True else Path(cache)
    kept = folder / f"{_key(paths, shape, resize)}.npy"
    recalled = _recall(kept)
    if recalled is None:
        try:
            _keep(kept, paths, shape, resize, progress)
            recalled = _recall(kept)
        except OSError as error:
            warnings.warn(f"Pictures are not kept in {folder} for next time: {error}", stacklevel=2)
    return recalled or _decode(paths, shape, resize, progress)


def kept_files(folder):
    """Return what a folder holds of pictures, those first that were not used for longest."""
    return sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime)


def remove(kept):
    """Remove pictures from a folder, if nobody else has done so or hinders it."""
    for path in (kept, kept.with_suffix(".json")):
        with suppress(OSError):
            path.unlink()


def _key(paths, shape, resize):
    """Return a name that differs if any file or parameter does."""
    digest = hashlib.sha256(repr((FORMAT, PIL.__version__, shape, resize)).encode())
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 (strings)
            seen = os.path.abspath(path), status.st_size, status.st_mtime_ns  # noqa: PTH100
        except OSError:
            seen = path, None
        digest.update(ascii(seen).encode())
    return digest.hexdigest()[:32]


def _recall(kept):
    try:
        images = LazyImages(np.load(kept, mmap_mode="r"))
        known = json.loads(kept.with_suffix(".json").read_text(encoding="utf-8"))
        os.utime(kept)
        unreadable = {int(row): reason for row, reason in known["unreadable"].items()}
        return images, known["sizes"], unreadable
    except (OSError, ValueError):  # missing, or cut short
        return None


def _decode(paths, shape, resize, progress):
    with progress(len(paths)) as on_done:
        ((images, sizes, unreadable),) = _chunks(paths, shape, resize, len(paths), on_done)
    return images, _extremes(sizes), unreadable


def _keep(kept, paths, shape, resize, progress):
    """Decode pictures into a file, a chunk at a time."""
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _free_space(kept.parent, len(paths) * math.prod(shape))
    n_at_once = max(1, CHUNK_BYTES // math.prod(shape))
    sizes, unreadable = [], {}
    with (
        replacing(kept) as unfinished,
        unfinished.open("wb") as file,
        progress(len(paths)) as on_done,
    ):
        _write_header(file, (len(paths), *shape))
        for images, sizes_of_chunk, bad in _chunks(paths, shape, resize, n_at_once, on_done):
            file.write(images)
            sizes.append(sizes_of_chunk)
            unreadable |= bad
        file.seek(0)
        _write_header(file, (len(paths) - len(unreadable), *shape))  # which is as long
    known = {"sizes": _extremes(np.concatenate(sizes)), "unreadable": unreadable}
    write_json(kept.with_suffix(".json"), known)


def _write_header(file, shape):
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _chunks(paths, shape, resize, n_at_once, on_done):
    """Yield of so many pictures at once those that can be read, their sizes, and the others."""
    for begin in range(0, len(paths), n_at_once):
        chunk = paths[begin : begin + n_at_once]
        images = np.empty((len(chunk), *shape), dtype=np.uint8)
        sizes, bad = decode_all(
            chunk, images, resize=resize, on_done=lambda n, begin=begin: on_done(begin + n)
        )
        if bad:
            images, sizes = (np.delete(array, list(bad), axis=0) for array in (images, sizes))
        yield images, sizes, {begin + row: reason for row, reason in bad.items()}


def _extremes(sizes):
    """Return the smallest, the median and the largest of heights and widths, by area."""
    if not len(sizes):
        return []
    order = np.argsort(sizes.prod(axis=1), kind="stable")
    return sizes[order[[0, len(order) // 2, -1]]].tolist()


def _free_space(folder, n_bytes):
    """Remove pictures that were not used for longest, as far as that is necessary."""
    files = kept_files(folder)
    used = sum(path.stat().st_size for path in files)
    space = min(MAX_BYTES, used + shutil.disk_usage(folder).free)
    if n_bytes > space:
        raise OSError(f"they take {n_bytes:,} bytes, and {space:,} are free")
    while files and (used + n_bytes > MAX_BYTES or shutil.disk_usage(folder).free < n_bytes):
        used -= files[0].stat().st_size
        remove(files.pop(0))
