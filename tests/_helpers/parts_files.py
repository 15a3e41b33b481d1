"""Files of parts as a stranger would make them: whatever is in them, their checksums are right."""

import hashlib
import json

from safetensors import safe_open
from safetensors.numpy import load_file, save

from skcifar.files._parts import checksum_of_array


def read_file(path):
    """Return the description and the arrays of a file."""
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["skcifar"]), load_file(path)


def write_file(path, description, arrays, **metadata):
    """Write a file with the checksums of what is in it."""
    path.write_bytes(file_of(description, arrays, **metadata))


def file_of(description, arrays, **metadata):
    """Return a file with the checksums of what is in it."""
    text = description if isinstance(description, str) else json.dumps(description)
    checksums = {"description": hashlib.sha256(text.encode()).hexdigest()}
    checksums |= {name: checksum_of_array(array) for name, array in arrays.items()}
    return save(arrays, {"skcifar": text, "sha256": json.dumps(checksums)} | metadata)


def change_file(path, change):
    """Let a function change description and arrays of a file in place."""
    description, arrays = read_file(path)
    change(description, arrays)
    write_file(path, description, arrays)


def take_apart(content):
    """Return the header of a file, in JSON, and the numbers of its arrays."""
    n_header_bytes = int.from_bytes(content[:8], "little")
    return content[8 : 8 + n_header_bytes], content[8 + n_header_bytes :]


def put_together(header, data=b""):
    """Return a file whose header has the length that it says."""
    return len(header).to_bytes(8, "little") + header + data
