"""Picture files of strangers: each is refused by one kind of error, and nothing else happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import hostile_files
import numpy as np
import pytest
from PIL import Image

from skcifar import load_image_folder
from skcifar.cli._parser import main
from skcifar.datasets import DatasetError, _picture_files, read_picture

CLAIMS = hostile_files.claims()
MODES = {"PNG": "RGBA", "GIF": "P", "TIFF": "RGB", "AVIF": "RGBA", "WEBP": "RGBA"}


def small_picture(image_format, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, size=(24, 20, 3), dtype=np.uint8)
    return hostile_files.saved(Image.fromarray(pixels).convert(mode), image_format)


def write(folder, content):
    path = folder / "picture"
    path.write_bytes(content)
    return path


# --- bombs ---


@pytest.mark.parametrize("name", CLAIMS)
def test_bomb_is_refused(tmp_path, name):
    path = write(tmp_path, CLAIMS[name])
    with pytest.raises(DatasetError, match="cannot be read as a picture"):
        read_picture(path)


def test_pixels_of_any_other_format_are_as_they_were(tmp_path):
    path = write(tmp_path, hostile_files.png(3, 2, after=hostile_files.png_chunk(b"abCd", b"x")))
    assert read_picture(path, image_size=(2, 3)).tolist() == np.zeros((2, 3, 3)).tolist()


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF"])
def test_picture_may_just_have_as_many_pixels_as_are_decoded(tmp_path, monkeypatch, image_format):
    path = write(tmp_path, small_picture(image_format))
    monkeypatch.setattr(_picture_files, "MAX_PIXELS", 480)
    assert read_picture(path).shape == (32, 32, 3)
    monkeypatch.setattr(_picture_files, "MAX_PIXELS", 479)
    with pytest.raises(
        DatasetError, match=r"it has 480 pixels, but at most 479 can be read: make it smaller"
    ):
        read_picture(path)


def test_jpeg_is_decoded_at_a_fraction_of_its_size(tmp_path, monkeypatch):
    path = write(tmp_path, hostile_files.saved(Image.new("RGB", (400, 300), "teal"), "JPEG"))
    whole = read_picture(path)
    monkeypatch.setattr(_picture_files, "MAX_PIXELS", 400 * 300 // 4)
    np.testing.assert_allclose(read_picture(path).astype(int), whole, atol=3)


def test_progressive_jpeg_counts_whole(tmp_path, monkeypatch):
    picture = Image.new("RGB", (400, 300))
    path = write(tmp_path, hostile_files.saved(picture, "JPEG", progressive=True))
    assert read_picture(path).shape == (32, 32, 3)
    monkeypatch.setattr(_picture_files, "MAX_PIXELS", 400 * 300 - 1)
    with pytest.raises(DatasetError, match="it has 120,000 pixels"):
        read_picture(path)


# --- damage ---


def read_or_refused(path):
    """Whether a picture was read; any error but one fails the test."""
    try:
        image = read_picture(path)
    except DatasetError:
        return False
    assert image.shape == (32, 32, 3)
    return True


@pytest.mark.parametrize("image_format", _picture_files.FORMATS)
def test_file_cut_short_anywhere_is_refused_or_read(tmp_path, image_format, capfd):
    content = small_picture(image_format, MODES.get(image_format, "RGB"))
    n_refused = 0
    for n_bytes in range(0, len(content), max(1, len(content) // 60)):
        n_refused += not read_or_refused(write(tmp_path, content[:n_bytes]))
    assert n_refused > 30
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("image_format", _picture_files.FORMATS)
def test_file_with_a_bit_flipped_anywhere_is_refused_or_read(tmp_path, image_format, capfd):
    content = small_picture(image_format, MODES.get(image_format, "RGB"))
    rng = np.random.default_rng(0)
    places = [*range(min(100, len(content))), *rng.integers(0, len(content), 60)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        read_or_refused(write(tmp_path, damaged))
    assert capfd.readouterr() == ("", "")


def test_libtiff_says_nothing_on_the_screen_but_others_may(tmp_path, capfd):
    content = hostile_files.tiff(9, 9, pixels=hostile_files.zeros_compressed(8 * 9 * 3))
    with pytest.raises(DatasetError, match="decoder error"):
        read_picture(write(tmp_path, content))
    assert capfd.readouterr() == ("", "")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="closes a file before another program starts")
def test_tiff_is_read_where_there_is_no_screen(tmp_path):
    path = write(tmp_path, hostile_files.saved(Image.new("RGB", (5, 5)), "TIFF"))
    code = "import sys; from skcifar.datasets import read_picture as read; print(read(sys.argv[1]))"
    without_screen = ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-c", code, str(path)]
    reported = subprocess.run(without_screen, stdout=subprocess.PIPE, check=True)
    assert reported.stdout.startswith(b"[[[0 0 0]")


# --- what is no picture file ---


def test_format_that_runs_another_program_is_refused(tmp_path):
    path = tmp_path / "picture.eps"
    Image.new("RGB", (5, 5)).save(path)
    with pytest.raises(DatasetError, match="its format is unknown"):
        read_picture(path)


@pytest.mark.parametrize("image_format", ["ICO", "ICNS", "JPEG2000", "TGA", "PCX", "SGI", "QOI"])
def test_rare_formats_are_refused(tmp_path, image_format):
    content = hostile_files.saved(Image.new("RGB", (32, 32)), image_format)
    with pytest.raises(
        DatasetError, match=r"its format is unknown\)\. Give a whole picture file \(JPEG, PNG"
    ):
        read_picture(write(tmp_path, content))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError, match=r"pipe cannot be read as a picture \(it is not a"):
        read_picture(tmp_path / "pipe")


def test_folder_and_device_are_no_pictures(tmp_path):
    for path in (tmp_path, Path(os.devnull)):
        with pytest.raises(DatasetError, match=r"cannot be read as a picture \(it is not a file\)"):
            read_picture(path)


def test_link_that_leads_in_a_circle_is_no_picture(tmp_path):
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(DatasetError, match="link cannot be read as a picture"):
        read_picture(tmp_path / "link")


def test_name_that_no_file_can_have_is_refused():
    with pytest.raises(DatasetError, match="cannot be read as a picture"):
        read_picture("no\0name")


def test_link_to_nowhere_does_not_exist(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(DatasetError, match=r"link cannot be read as a picture .it does not exist"):
        read_picture(tmp_path / "link")


@pytest.mark.parametrize("image_size", [(32,), (32, 32, 3), (0, 32), "32", (32.0, 32)])
def test_image_size_must_be_two_numbers(tmp_path, image_size):
    path = write(tmp_path, small_picture("PNG"))
    with pytest.raises(ValueError, match="'image_size' parameter of read_picture must be"):
        read_picture(path, image_size=image_size)


def test_file_stays_open_no_longer_than_it_is_read(tmp_path):
    if not Path("/proc/self/fd").exists():
        pytest.skip("counts open files as Linux lists them")
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    for image_format in _picture_files.FORMATS:
        read_picture(write(tmp_path, small_picture(image_format)))
        with pytest.raises(DatasetError):
            read_picture(write(tmp_path, small_picture(image_format)[:40]))
    assert len(list(Path("/proc/self/fd").iterdir())) == n_open


# --- folders ---


@pytest.fixture
def folder(tmp_path):
    for name in ("red", "blue"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (5, 5), name).save(tmp_path / name / "0.png")
    return tmp_path


def test_links_that_lead_back_up_are_not_followed(folder):
    (folder / "red" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "red" / "circle").symlink_to("circle")
    (folder / "red" / "nowhere.png").symlink_to("nowhere")
    assert len(load_image_folder(folder).images) == 2


def test_link_to_a_picture_is_followed(folder):
    (folder / "red" / "1.png").symlink_to(folder / "red" / "0.png")
    assert len(load_image_folder(folder).images) == 3


def test_folders_within_folders_by_the_hundred_are_searched(folder):
    deep = folder / "red"
    for _ in range(500):
        deep = deep / "d"
    deep.mkdir(parents=True)
    Image.new("RGB", (5, 5)).save(deep / "1.png")
    assert len(load_image_folder(folder).images) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe_in_a_folder_is_passed_over(folder):
    os.mkfifo(folder / "red" / "pipe.png")
    assert len(load_image_folder(folder).images) == 2


def test_many_unreadable_files_are_reported_in_short(folder):
    for number in range(100, 150):
        (folder / "red" / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"50 of 52 files .* and 30 more\. Replace") as raised:
        load_image_folder(folder)
    assert len(re.findall(r"red/1\d\d\.png", str(raised.value))) == 20


@pytest.mark.parametrize("n_bad", [20, 21])
def test_number_of_files_that_are_not_named_is_exact(folder, n_bad):
    for number in range(n_bad):
        (folder / "red" / f"{number}.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError) as raised:
        load_image_folder(folder)
    assert ("and 1 more" in str(raised.value)) == (n_bad == 21)
    assert ("more" in str(raised.value)) == (n_bad == 21)


@pytest.mark.parametrize("name", [b"line\nbreak", b"\x1b[2J", b"not utf-8 \xff"])
def test_class_name_that_cannot_be_printed_is_refused(folder, name):
    try:
        os.mkdir(os.fsencode(folder) + b"/" + name)  # noqa: PTH102 (a name in bytes)
    except OSError:
        pytest.skip("this system refuses such a name itself")
    with pytest.raises(DatasetError, match="a class with an unreadable name") as raised:
        load_image_folder(folder)
    assert str(raised.value).isprintable()


def test_class_names_of_any_script_are_fine(folder):
    (folder / "red").rename(folder / "Äpfel und 苹果 \N{RED APPLE}")
    assert load_image_folder(folder).target_names.tolist() == ["blue", "Äpfel und 苹果 🍎"]


def test_folder_itself_may_have_any_name(folder, tmp_path_factory):
    odd = tmp_path_factory.mktemp("odd") / ("line\nbreak" if os.name == "posix" else "'%[]")
    folder.rename(odd)
    assert len(load_image_folder(odd).images) == 2


# --- the command ---


def test_command_reports_a_folder_of_bombs_in_one_line(folder, tmp_path, capsys):
    Image.new("RGB", (5, 5)).save(folder / "blue" / "1.png")
    (folder / "red" / "1.png").write_bytes(CLAIMS["png of 50,000 x 50,000"])
    assert main(["train", "--data", str(folder), "--out", str(tmp_path / "run")]) == 2
    reported = capsys.readouterr().err
    assert reported.startswith("skcifar: error: 1 of 4 files cannot be read as pictures")
    assert reported.count("\n") == 1
    assert not (tmp_path / "run").exists()
