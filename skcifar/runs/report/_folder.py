"""Reading files that may be missing or damaged, with an account of what is wrong with them."""

import csv
import io
import json
import stat

MOST_BYTES = 50_000_000  # a page that holds more is no longer one to read


class Folder:
    """Files of one folder, and what was found to be wrong with them."""

    def __init__(self, path):
        self.path = path
        self.problems = []

    def read(self, name, parse):
        """Return what a file holds, or None where it is missing or damaged, which is noted."""
        try:
            return parse(self._bytes_of(name))
        except FileNotFoundError:
            self.problems.append(f"{name} is missing")
        except OSError as error:
            self.problems.append(f"{name} cannot be read ({error.strerror or error})")
        except (ValueError, RecursionError) as error:
            self.problems.append(f"{name} is damaged ({error})")
        return None

    def has(self, name):
        """Tell whether a file is there, and note it if not."""
        try:
            there = (self.path / name).is_file()
        except OSError:  # of a name that is too long, or where looking is not allowed
            there = False
        if not there:
            self.problems.append(f"{name} is missing")
        return there

    def blames(self, name):
        """Tell whether something was noted about a file."""
        return any(problem.startswith(f"{name} ") for problem in self.problems)

    def _bytes_of(self, name):
        path = self.path / name
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise OSError("it is not a file")
        if state.st_size > MOST_BYTES:
            raise OSError(f"it has more than {MOST_BYTES // 10**6} MB")
        return path.read_bytes()


def parse_object(content):
    """Return the dict that JSON text holds."""
    value = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError(f"it holds a {type(value).__name__}, not an object")
    return value


def parse_table(content):
    """Return the rows of CSV text, the first of them the names of the columns."""
    text = content.decode("utf-8-sig")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(error) from error
    if not text.endswith("\n"):
        raise ValueError("its last line is cut short")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ValueError(f"row {number} does not fit its {len(rows[0])} columns")
    if len(rows) < 2:
        raise ValueError("it has no rows")
    return rows
