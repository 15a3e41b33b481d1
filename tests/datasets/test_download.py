"""Downloads, against a server on this machine."""

import hashlib
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_datasets import write_archive

from skcifar import fetch_cifar10
from skcifar.datasets import DownloadError, _archives, _cifar10

DEAD_MIRROR = "http://127.0.0.1:9/nobody-serves-here"


class CountingHandler(SimpleHTTPRequestHandler):
    """Serves files, counts requests, and cuts short what is named so."""

    def do_GET(self):
        self.server.requested.append(self.path)
        if not self.path.startswith("/cut"):
            return super().do_GET()
        content = (self.server.folder / "whole.tar.gz").read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, tiny_records, monkeypatch):
    """Serves an archive as whole.tar.gz, half of it as cut.tar.gz, rubbish as wrong.tar.gz."""
    folder = tmp_path / "served"
    folder.mkdir()
    write_archive(folder / "whole.tar.gz", _archives.PYTHON_ARCHIVE, tiny_records)
    (folder / "wrong.tar.gz").write_bytes(b"these are not the pictures")
    sha256 = hashlib.sha256((folder / "whole.tar.gz").read_bytes()).hexdigest()
    monkeypatch.setitem(_archives.ARCHIVE_SHA256, _archives.PYTHON_ARCHIVE, sha256)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(CountingHandler, directory=str(folder)))
    server.folder, server.requested = folder, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetch_from(server, data_home, monkeypatch):
    def fetch(*mirrors, n_retries=0, delay=0):
        mirrors = [m if m == DEAD_MIRROR else f"{server.address}/{m}" for m in mirrors]
        monkeypatch.setattr(_cifar10, "MIRRORS", mirrors)
        return fetch_cifar10(data_home=data_home, n_retries=n_retries, delay=delay)

    return fetch


def test_good_mirror_gives_the_pictures(fetch_from, data_home):
    assert len(fetch_from("whole.tar.gz").images) == 100
    assert [path.name for path in data_home.iterdir()] == [_archives.BINARY_FOLDER]


def test_second_fetch_contacts_no_mirror(fetch_from, server):
    fetch_from("whole.tar.gz")
    fetch_from("whole.tar.gz")
    assert server.requested == ["/whole.tar.gz"]


@pytest.mark.parametrize("first", [DEAD_MIRROR, "wrong.tar.gz", "cut.tar.gz", "no-such-file"])
def test_next_mirror_stands_in_for_a_bad_one(fetch_from, first):
    assert len(fetch_from(first, "whole.tar.gz").images) == 100


@pytest.mark.parametrize(
    ("mirror", "reason"),
    [
        (DEAD_MIRROR, "Connection refused"),
        ("wrong.tar.gz", "checksum is wrong"),
        ("cut.tar.gz", "IncompleteRead"),
        ("no-such-file", "404"),
    ],
)
def test_failure_names_the_mirror_and_leaves_nothing_behind(fetch_from, data_home, mirror, reason):
    with pytest.raises(DownloadError, match=reason) as raised:
        fetch_from(mirror)
    assert mirror in str(raised.value)
    assert list(data_home.iterdir()) == []


@pytest.mark.parametrize("n_retries", [0, 1, 2])
def test_all_mirrors_are_tried_again(fetch_from, server, n_retries):
    with pytest.raises(DownloadError):
        fetch_from("wrong.tar.gz", "no-such-file", n_retries=n_retries)
    assert server.requested == ["/wrong.tar.gz", "/no-such-file"] * (1 + n_retries)


def test_waits_between_two_rounds_and_not_before_the_first(fetch_from, server, monkeypatch):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    with pytest.raises(DownloadError):
        fetch_from("wrong.tar.gz", n_retries=2, delay=0.25)
    assert waited == [0.25, 0.25]


def test_name_that_cannot_be_resolved_is_not_tried_again(data_home, monkeypatch):
    resolved, waited = [], []

    def resolve(host, *arguments, **options):
        resolved.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setattr(_cifar10, "MIRRORS", ["http://a.invalid/x", "http://b.invalid/x"])
    with pytest.raises(DownloadError, match="Name or service not known"):
        fetch_cifar10(data_home=data_home, n_retries=3, delay=9)
    assert resolved == ["a.invalid", "b.invalid"]
    assert waited == []
