"""Reading files that may be missing or damaged, with an account of what is wrong with them."""


class Folder:
    """Files of one folder, and what was found to be wrong with them."""

    def __init__(self, path, page_folder):
        self.path = path
        self.page_folder = page_folder
        self.problems = []

    def read(self, name, describe):
        """Return what a function makes of a file's bytes, or note what is wrong and return {}."""
        try:
            return describe((self.path / name).read_bytes())
        except FileNotFoundError:
            self.problems.append(f"{name} is missing")
        except OSError as error:
            self.problems.append(f"{name} cannot be read ({error.strerror or error})")
        except Exception as error:  # anything may come of a file that is not as it was written
            self.problems.append(f"{name} is damaged ({type(error).__name__}: {error})")
        return {}

    def has(self, name):
        """Return whether a file is there, and note it if not."""
        there = (self.path / name).is_file()
        if not there:
            self.problems.append(f"{name} is missing")
        return there
