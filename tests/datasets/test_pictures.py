"""Picture files and folders of them."""

import struct
import warnings
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

from skcifar import load_image_folder
from skcifar.datasets import DatasetError, load_all, load_train_test, read_picture
from skcifar.datasets._picture_files import decode_all, decode_resized

RED, WHITE = (255, 0, 0), (255, 255, 255)


@pytest.fixture
def folder(tmp_path):
    """Five red and five blue pictures of different sizes and formats."""
    for name, color in (("red", RED), ("blue", (0, 0, 255))):
        (tmp_path / name).mkdir()
        for number, ending in enumerate(("png", "bmp", "gif", "tiff", "webp")):
            path = tmp_path / name / f"{number}.{ending}"
            Image.new("RGB", (20 + number, 40), color).save(path)
    return tmp_path


def test_a_folder_for_each_class(folder):
    dataset = load_image_folder(folder)
    assert dataset.images.shape == (10, 32, 32, 3)
    assert dataset.images.dtype == np.uint8
    assert dataset.target_names.tolist() == ["blue", "red"]
    assert dataset.target.tolist() == [0] * 5 + [1] * 5
    assert dataset.filenames[0].endswith("0.png")
    assert np.shares_memory(dataset.data, dataset.images)
    np.testing.assert_allclose(dataset.images[5:].mean(axis=(0, 1, 2)), RED, atol=2)


def test_image_size_is_height_and_width(folder):
    assert load_image_folder(folder, image_size=(8, 16)).images.shape == (10, 8, 16, 3)


def test_hidden_files_are_passed_over(folder):
    (folder / "red" / ".DS_Store").write_bytes(b"no picture")
    (folder / "red" / ".git").mkdir()
    (folder / "red" / ".git" / "config").write_text("no picture")
    (folder / ".cache").mkdir()
    assert len(load_image_folder(folder).images) == 10


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("LA", (100, 255), (100, 100, 100)),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (0, 0, 0, 0), WHITE),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("I;16", 65_280, (254, 254, 254)),
        ("1", 1, WHITE),
        ("CMYK", (0, 0, 0, 0), WHITE),
        ("I", 257 * 100, (100, 100, 100)),
    ],
)
def test_every_kind_of_picture_becomes_rgb(tmp_path, mode, color, expected):
    path = tmp_path / "picture.tiff"
    Image.new(mode, (5, 5), color).save(path)
    np.testing.assert_array_equal(read_picture(path)[16, 16], expected)


def test_greys_beyond_16_bits_are_cut_off(tmp_path):
    for grey, expected in ((-5, 0), (70_000, 255)):
        Image.new("I", (5, 5), grey).save(tmp_path / "picture.tiff")
        assert (read_picture(tmp_path / "picture.tiff") == expected).all()


def test_orientation_tag_is_obeyed(tmp_path):
    picture = Image.new("RGB", (8, 8), RED)
    picture.paste(WHITE, (0, 0, 8, 4))  # white above
    turned = Image.Exif()
    turned[0x0112] = 3  # taken upside down
    picture.save(tmp_path / "picture.png", exif=turned)
    assert read_picture(tmp_path / "picture.png", image_size=(8, 8))[0, 0].tolist() == list(RED)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_pillow(tmp_path, orientation):
    path = tmp_path / "picture.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    noise().save(path, exif=exif)
    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture)
    image = read_picture(path, image_size=(upright.height, upright.width))
    np.testing.assert_array_equal(image, upright)


def striped(path, size=(60, 20)):
    """A wide picture: a red, a white and a blue third."""
    picture = Image.new("RGB", size, WHITE)
    third = size[0] // 3
    picture.paste(RED, (0, 0, third, size[1]))
    picture.paste("blue", (2 * third, 0, size[0], size[1]))
    picture.save(path)
    return path


def test_middle_is_cut_out_by_default(tmp_path):
    assert (read_picture(striped(tmp_path / "picture.png"), image_size=(20, 20)) == 255).all()


def test_padding_shows_all_of_a_picture_between_black_margins(tmp_path):
    path = striped(tmp_path / "picture.png")
    image = read_picture(path, image_size=(60, 60), resize="pad")
    with Image.open(path) as picture:
        np.testing.assert_array_equal(image[20:40], picture)
    assert not image[:20].any()
    assert not image[40:].any()


def test_stretching_keeps_all_of_a_picture(tmp_path):
    image = read_picture(striped(tmp_path / "picture.png"), image_size=(60, 60), resize="stretch")
    assert image[5, [5, 30, 55]].tolist() == [list(RED), list(WHITE), [0, 0, 255]]


@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
def test_grey_is_one_channel_on_request(tmp_path, resize):
    Image.new("L", (40, 30), 100).save(tmp_path / "picture.png")
    image = read_picture(tmp_path / "picture.png", image_size=(3, 4), resize=resize, n_channels=1)
    np.testing.assert_array_equal(image, np.full((3, 4, 1), 100))


@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_picture_may_be_one_pixel_wide_or_high(tmp_path, size, resize):
    Image.new("RGB", size, RED).save(tmp_path / "picture.png")
    image = read_picture(tmp_path / "picture.png", image_size=(9, 9), resize=resize)
    assert image[4, 4].tolist() == list(RED)


def test_folder_is_read_with_the_same_choices(folder):
    images = load_image_folder(folder, image_size=(40, 40), resize="pad", n_channels=1).images
    assert images.shape == (10, 40, 40, 1)
    assert not images[:, :, 0].any()


@pytest.mark.parametrize(("name", "value"), [("resize", "squash"), ("n_channels", 4)])
def test_unknown_choice_is_refused(tmp_path, name, value):
    path = striped(tmp_path / "picture.png")
    with pytest.raises(ValueError, match=f"The '{name}' parameter of read_picture must be"):
        read_picture(path, **{name: value})


def test_pillow_image_is_taken_as_it_is(tmp_path):
    with Image.open(striped(tmp_path / "picture.jpg", (300, 100))) as picture:
        image = decode_resized(picture, (10, 10), resize="stretch")
        assert picture.size == (300, 100)
    np.testing.assert_allclose(image[5, 1], RED, atol=5)


def test_threads_decode_as_one_does_and_leave_the_filters_of_warnings_alone(tmp_path):
    paths = [striped(tmp_path / f"{n}.png", (10 + n, 9)) for n in range(40)]
    paths[7] = tmp_path / "missing.png"
    before, n_done = list(warnings.filters), []
    images = np.zeros((40, 8, 8, 3), np.uint8)
    sizes, unreadable = decode_all(paths, images, resize="pad", on_done=n_done.append)
    assert unreadable == {7: "it does not exist"}
    assert sizes[[3, 39]].tolist() == [[9, 13], [9, 49]]
    assert n_done == list(range(1, 41))
    assert warnings.filters == before
    del paths[7]
    expected = [decode_resized(path, (8, 8), resize="pad") for path in paths]
    np.testing.assert_array_equal(np.delete(images, 7, axis=0), expected)


def test_interrupt_ends_decoding(tmp_path):
    n_done = []

    def interrupt(n):
        n_done.append(n)
        raise KeyboardInterrupt

    paths = [striped(tmp_path / "picture.png")] * 20
    with pytest.raises(KeyboardInterrupt):
        decode_all(paths, np.empty((20, 8, 8, 3), np.uint8), on_done=interrupt)
    assert n_done == [1]


def noise():
    pixels = np.random.default_rng(0).integers(0, 256, size=(24, 20, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png_chunk(name, content):
    crc = zlib.crc32(name + content).to_bytes(4)
    return struct.pack(">I", len(content)) + name + content + crc


def save_multi_picture(path):
    noise().save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (24, 20), RED)])


def save_with_damaged_exif(path, image_format):
    """The resolution is a text, the orientation is fine."""
    entries = [(0x0112, 3, 1, struct.pack("<I", 3)), (0x011A, 2, 4, b"abc\0")]
    directory = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)
    noise().save(path, image_format, exif=exif)


def save_with_texts(path):
    texts = PngImagePlugin.PngInfo()
    for number in range(60):
        texts.add_text(f"key {number}", 1000 * "text ", zip=number % 2 == 0)
    texts.add_itxt("XML:com.adobe.xmp", "x" * 3_000_000)
    noise().save(path, "PNG", pnginfo=texts)


def save_with_private_chunk(path):
    noise().save(path, "PNG")
    content = path.read_bytes()
    path.write_bytes(content[:33] + png_chunk(b"raWd", bytes(9_000_000)) + content[33:])


def save_with_field_of_8_bytes(path):
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[37500] = b"IHDRtEXt"  # the maker's own
    noise().save(path, "TIFF", tiffinfo=directory)


@pytest.mark.parametrize(
    "save",
    [
        save_multi_picture,
        partial(save_with_damaged_exif, image_format="JPEG"),
        partial(save_with_damaged_exif, image_format="PNG"),
        partial(save_with_damaged_exif, image_format="WEBP"),
        save_with_texts,
        save_with_private_chunk,
        save_with_field_of_8_bytes,
        lambda path: noise().save(path, "TIFF", compression="tiff_lzw"),
        lambda path: noise().save(path, "JPEG", comment=b"\0\0\xff\xfftEXt"),
        lambda path: noise().save(path, "GIF", comment=b"\0\0\xff\xfftEXt"),
    ],
)
def test_photograph_is_read_whatever_is_beside_its_pixels(tmp_path, save):
    save(tmp_path / "picture")
    image = read_picture(tmp_path / "picture", image_size=(24, 20))
    # lossy formats blur noise, and its mean stays
    np.testing.assert_allclose(image.mean(), np.asarray(noise()).mean(), atol=3)


@pytest.mark.parametrize(
    ("image_format", "size", "options"),
    [
        ("TIFF", (6000, 4000), {"compression": "tiff_lzw"}),
        ("WEBP", (4000, 4000), {"quality": 1, "method": 0}),
        ("JPEG", (12_000, 9_000), {}),
    ],
)
def test_large_photograph_is_read(tmp_path, image_format, size, options):
    Image.new("RGB", size, RED).save(tmp_path / "picture", image_format, **options)
    np.testing.assert_allclose(read_picture(tmp_path / "picture")[0, 0], RED, atol=5)


@pytest.mark.parametrize("size", [(100, 80), (200, 150), (640, 480)])
def test_jpeg_is_made_smaller_as_well_as_other_files(tmp_path, size):
    details = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(details).resize(size).save(tmp_path / "a.jpeg", quality=95)
    with Image.open(tmp_path / "a.jpeg") as picture:
        picture.save(tmp_path / "a.png")
    read, expected = (read_picture(tmp_path / name).astype(int) for name in ("a.jpeg", "a.png"))
    assert np.abs(read - expected).mean() < 1  # of 255


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fax_page_is_read(tmp_path, compression):
    page = Image.new("1", (1728, 2200), 1)
    page.save(tmp_path / "page", "TIFF", compression=compression)
    assert read_picture(tmp_path / "page").min() == 255


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut short"])
def test_file_that_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"bad.png cannot be read as a picture"):
        read_picture(path)


@pytest.mark.filterwarnings("error")
def test_large_picture_is_read_and_a_giant_one_refused(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    Image.new("RGB", (100, 100)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9_000)
    assert read_picture(path).shape == (32, 32, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_000)
    with pytest.raises(
        DatasetError, match=r"large.png cannot be read .*more than 8,000 pixels: make it smaller"
    ):
        read_picture(path)


def test_pixels_of_unknown_range_are_refused(tmp_path):
    Image.new("F", (5, 5), 0.5).save(tmp_path / "float.tiff")
    with pytest.raises(DatasetError, match="pixels are floats"):
        read_picture(tmp_path / "float.tiff")


def test_all_unreadable_files_of_a_folder_are_named(folder):
    bad = [folder / "red" / f"{number}.jpg" for number in range(9)]
    for path in bad:
        path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"9 of 19 files .*\(its format is unknown\)") as raised:
        load_image_folder(folder)
    assert all(str(path) in str(raised.value) for path in bad)


def test_class_without_pictures_is_named(folder):
    (folder / "green").mkdir()
    with pytest.raises(DatasetError, match=r"green holds no pictures"):
        load_image_folder(folder)


def test_folder_without_pictures_is_refused(tmp_path):
    Image.new("RGB", (5, 5)).save(tmp_path / "of-no-class.png")
    with pytest.raises(DatasetError, match="holds no folders with pictures"):
        load_image_folder(tmp_path)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="is not a folder"):
        load_image_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("image_size", [(32,), (0, 32), "32"])
def test_image_size_must_be_two_numbers(folder, image_size):
    with pytest.raises(ValueError, match="'image_size' parameter of load_image_folder must be"):
        load_image_folder(folder, image_size=image_size)


def test_folder_is_split_four_to_one(folder):
    (X_train, y_train, filenames), (X_test, y_test, _) = load_train_test(folder)
    assert [Path(name).parent.name for name in filenames] == y_train.tolist()
    assert len(X_train) == 8
    assert len(X_test) == 2
    assert sorted(y_test) == ["blue", "red"]
    assert sorted(y_train) == ["blue"] * 4 + ["red"] * 4


def test_folder_of_train_and_test_is_split_as_it_says(folder, tmp_path_factory):
    parent = tmp_path_factory.mktemp("split")
    folder.rename(parent / "train")
    (parent / "test" / "red").mkdir(parents=True)
    Image.new("RGB", (5, 5), RED).save(parent / "test" / "red" / "0.png")
    images, _, _ = load_all(parent)
    assert len(images) == 11
    (X_train, _, _), (X_test, y_test, _) = load_train_test(parent)
    assert len(X_train) == 10
    assert len(X_test) == 1
    assert y_test.tolist() == ["red"]


def test_class_of_one_picture_cannot_be_split(folder):
    (folder / "green").mkdir()
    Image.new("RGB", (5, 5), (0, 255, 0)).save(folder / "green" / "0.png")
    with pytest.raises(
        DatasetError, match=r"cannot be split .* there is only one picture of green"
    ):
        load_train_test(folder)


def test_class_that_is_only_tested_is_reported(folder, tmp_path_factory):
    parent = tmp_path_factory.mktemp("split")
    folder.rename(parent / "train")
    (parent / "test" / "green").mkdir(parents=True)
    Image.new("RGB", (5, 5)).save(parent / "test" / "green" / "0.png")
    with pytest.raises(DatasetError, match="has test pictures of green, but no training pictures"):
        load_train_test(parent)


def test_limit_leaves_no_class_out(folder):
    for number in range(5, 60):
        Image.new("RGB", (5, 5), RED).save(folder / "red" / f"{number}.png")
    (_, y_train, _), (_, y_test, _) = load_train_test(folder, limit=8)
    assert sorted(set(y_train)) == sorted(set(y_test)) == ["blue", "red"]


def test_folders_within_classes_make_no_split(folder):
    for name in ("red", "blue"):
        (folder / name / "more").mkdir()
        Image.new("RGB", (5, 5), name).save(folder / name / "more" / "5.png")
    images, names, _ = load_all(folder)
    assert images.shape == (12, 32, 32, 3)
    assert sorted(set(names)) == ["blue", "red"]
