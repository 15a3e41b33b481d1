"""Writing whole files, the parts of a file, versions: what everything that saves uses."""
