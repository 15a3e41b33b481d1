"""Downloads one file from the first mirror that has it. Knows nothing of what is inside."""

import socket
import time

import pooch
import requests

# Seconds to wait for a mirror to answer, then for each next piece of the file.
TIMEOUTS = (10, 60)


class DownloadError(OSError):
    """A file could not be downloaded from any mirror; the message says why for each."""


def download(mirrors, destination, *, sha256, n_retries, delay):
    """Download to ``destination``, which appears only when its checksum is right."""
    fetch_over_http = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUTS)
    failures = {}
    mirrors = list(mirrors)
    for round_ in range(n_retries + 1):
        if not mirrors:
            break
        if round_:
            time.sleep(delay)
        for url in list(mirrors):
            try:
                pooch.retrieve(
                    url,
                    known_hash=f"sha256:{sha256}",
                    fname=destination.name,
                    path=destination.parent,
                    downloader=fetch_over_http,
                )
            except requests.RequestException as error:
                reason = _reason(error)
                failures[url] = f"{type(error).__name__}: {reason}"
                if isinstance(reason, socket.gaierror):  # a name that will be unknown again
                    mirrors.remove(url)
            except ValueError:  # pooch's answer to a wrong checksum
                failures[url] = "the download is not the file (its checksum is wrong)"
            else:
                return
    reasons = "; ".join(f"{url}: {failure}" for url, failure in failures.items())
    raise DownloadError(
        f"{destination.name} could not be downloaded. Try again later, or put it into"
        f" {destination.parent} yourself. {reasons}"
    )


def _reason(error):
    """Return the innermost cause, which is what a person can act on."""
    while error.__context__ is not None:
        error = error.__context__
    return error
