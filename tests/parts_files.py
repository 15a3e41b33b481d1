"""Files of parts as a stranger would make them: whatever is in them, their checksums are right."""

import hashlib
import json

from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from skcifar._parts import _checksum_of_array


def read_file(path):
    """Return the description and the arrays of a file."""
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["skcifar"]), load_file(path)


def write_file(path, description, arrays, **metadata):
    """Write a file with the checksums of what is in it."""
    text = description if isinstance(description, str) else json.dumps(description)
    checksums = {"description": hashlib.sha256(text.encode()).hexdigest()}
    checksums |= {name: _checksum_of_array(array) for name, array in arrays.items()}
    metadata = {"skcifar": text, "sha256": json.dumps(checksums)} | metadata
    save_file(arrays, path, metadata=metadata)


def change_file(path, change):
    """Let a function change description and arrays of a file in place."""
    description, arrays = read_file(path)
    change(description, arrays)
    write_file(path, description, arrays)
