"""Picture files as strangers may make them: small files that claim, or unpack to, far too much."""

import io
import struct
import zlib

from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def zeros_compressed(n_bytes):
    """A zlib stream of so many zeros, made from one piece that is repeated."""
    n_pieces, n_left = divmod(n_bytes, 2**20)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = compressor.compress(bytes(2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    end = compressor.compress(bytes(n_left)) + compressor.flush()
    adler32 = (n_bytes % 65521) << 16 | 1  # what the checksum of zeros comes down to
    return b"\x78\xda" + n_pieces * piece + end + adler32.to_bytes(4)


def png_chunk(name, content=b""):
    return struct.pack(">I", len(content)) + name + content + zlib.crc32(name + content).to_bytes(4)


def png(width, height, *, before=b"", after=b"", pixels=None, bits=8, colour=0):
    """A black picture, grey by default, with more chunks before or after its pixels."""
    row_bytes = 1 + (width * bits * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8
    pixels = zeros_compressed(height * row_bytes) if pixels is None else pixels
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"".join(
        [
            PNG_SIGNATURE + png_chunk(b"IHDR", header) + before,
            png_chunk(b"IDAT", pixels) + after + png_chunk(b"IEND"),
        ]
    )


def text_chunks(number):
    """Texts of a thousand bytes each that unpack to a million characters of four bytes."""
    text = zlib.compress(("\N{GRINNING FACE}" + "a" * (2**20 - 8)).encode(), 9)
    return b"".join(png_chunk(b"iTXt", b"%d\0\1\0\0\0" % place + text) for place in range(number))


def gif(width, height):
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\2D\1\0;"
    return b"GIF89a" + screen + frame


def bmp(width, height):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 1, 1, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header + bytes(64)


def ppm(width, height, kind=b"P6"):
    return b"%s %d %d 255\n" % (kind, width, height) + b"0 " * 64


def webp(width, height):
    """A lossless picture, whose header is 14 bits of width and 14 of height."""
    size = (width - 1) | (height - 1) << 14
    content = b"WEBPVP8L" + struct.pack("<I", 12) + b"\x2f" + size.to_bytes(4, "little") + bytes(7)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def tiff(width, height, *, tile=None, pixels=b"", more=()):
    """An RGB picture in one deflated strip, or in tiles of ``tile`` times ``tile`` pixels."""
    entries = {256: width, 257: height, 258: None, 259: 8, 262: 2, 277: 3}
    entries |= {322: tile, 323: tile} if tile else {278: height}
    places, sizes = (324, 325) if tile else (273, 279)
    entries |= {places: None, sizes: len(pixels)}
    bits_at = 8 + 2 + 12 * (len(entries) + len(more)) + 4
    entries[places] = bits_at + 6
    directory = [
        struct.pack("<HHII", 258, 3, 3, bits_at)
        if tag == 258
        else struct.pack("<HHII", tag, 4, 1, value)
        for tag, value in sorted(entries.items())
    ]
    head = b"II*\0" + struct.pack("<IH", 8, len(directory) + len(more))
    return head + b"".join([*directory, *more]) + bytes(4) + struct.pack("<3H", 8, 8, 8) + pixels


def tiff_of_many_bits(number):
    """A picture that claims to have so many numbers of bits, one for each colour."""
    entries = {256: (4, 1, 1), 257: (4, 1, 1), 258: (3, number, 200), 259: (3, 1, 1)}
    entries |= {262: (3, 1, 2), 277: (3, 1, 3)}
    directory = [struct.pack("<HHII", tag, *entry) for tag, entry in entries.items()]
    head = b"II*\0" + struct.pack("<IH", 8, len(directory)) + b"".join(directory)
    return head.ljust(200, b"\0") + struct.pack("<H", 30_000) * number


def saved(picture, image_format, **options):
    file = io.BytesIO()
    picture.save(file, image_format, **options)
    return file.getvalue()


def jpeg_of_size(width, height, **options):
    """A small JPEG whose header claims another size."""
    content = bytearray(saved(Image.new("RGB", (16, 16), "teal"), "JPEG", **options))
    start = next(i for i in range(len(content)) if content[i : i + 2] in (b"\xff\xc0", b"\xff\xc2"))
    content[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def jpeg_of_scans(number, size=(16, 16)):
    """A progressive JPEG whose last scan comes so many times more."""
    content = saved(Image.new("RGB", size, "teal"), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + number * content[last:-2] + content[-2:]


def claims():
    """Files by name that are refused by what their headers say."""
    return {
        "png of 50,000 x 50,000": png(50_000, 50_000, bits=1),
        "png of 20,000 x 5,000": png(20_000, 5_000, bits=1),
        "png of 2**31 pixels a row": png(2**31 - 1, 1, pixels=b""),
        "gif of 65,535 x 65,535": gif(65_535, 65_535),
        "gif of 10,000 x 10,000": gif(10_000, 10_000),
        "bmp of 2**31 pixels a row": bmp(2**31 - 1, 2**31 - 1),
        "bmp of 10,000 x 10,000": bmp(10_000, 10_000),
        "ppm of 10**9 x 10**9": ppm(10**9, 10**9),
        "ppm of 10,000 x 10,000": ppm(10_000, 10_000),
        "webp of 16,383 x 16,383": webp(16_383, 16_383),
        "tiff of 2**31 x 2**31": tiff(2**31, 2**31),
        "tiff of 8,000 x 8,000": tiff(8_000, 8_000),
        "tiff of one pixel in a tile of 8,000 x 8,000": tiff(
            1, 1, tile=8_000, pixels=zeros_compressed(3 * 8_000**2)
        ),
        "tiff of 3,000,000 colours": tiff_of_many_bits(3_000_000),
        "jpeg of 65,500 x 65,500": jpeg_of_size(65_500, 65_500),
        "jpeg of 14,000 x 14,000": jpeg_of_size(14_000, 14_000),
        "progressive jpeg of 8,000 x 7,000": jpeg_of_size(8_000, 7_000, progressive=True),
        "jpeg of junk": b"\xff\xd8\xff" + bytes(100_000),
        "png of 80 packed texts": png(1, 1, before=text_chunks(80)),
    }
