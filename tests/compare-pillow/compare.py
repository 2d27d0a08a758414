"""Compares this library's decoder with the installed Pillow: which files are decoded, and to which pixels.

    cmake --build build/ci --target decode_stream
    python tests/compare-pillow/compare.py build/ci/tests/compare-pillow/decode_stream FILE_OR_FOLDER...
    python tests/compare-pillow/compare.py build/ci/tests/compare-pillow/decode_stream --damage [--every N] FILE_OR_FOLDER...

Searches folders for JPEG, PNG and WebP files, which it recognises by their first bytes. --damage compares changed
copies of every file: with one byte changed in five ways, cut short, with a byte left out and with a byte inserted, at
every Nth position. Needs Pillow and numpy; the pixels are from Pillow 13.0.0. libjpeg-turbo 2.1 (Debian 12 and 13)
and 3.x differ in lossless JPEG, which 2.1 does not have, and in how they smooth unfinished progressive files. Exits
with 1 if anything else differs.
"""
import argparse
import collections
import io
import pathlib
import struct
import subprocess
import warnings
import zlib

import numpy as np
from PIL import Image, features

warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = 89_478_485 // 2  # an error above twice this number, as in this library


def is_ours(data):
    return data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n" or \
        (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def of_pillow(data):
    """("ok", height, width, CRC-32, pixels) or ("error", text)."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as image:
            image.load()
            pixels = np.asarray(image.convert("RGB"))
    except Exception as error:  # any exception counts as a refusal
        return "error", f"{type(error).__name__}: {error}"
    return "ok", *pixels.shape[:2], zlib.crc32(pixels.tobytes()), pixels


class Decoder:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, data):
        self.process.stdin.write(struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode()
        assert line, "the decoder ended"
        kind, rest = line.rstrip("\n").split(" ", 1)
        if kind == "error":
            return kind, rest
        height, width, crc, warning = rest.split(" ", 3)
        return kind, int(height), int(width), int(crc), warning


def damaged(data, every):
    """Yields (kind of damage, bytes)."""
    for at in range(0, len(data), every):
        value = data[at]
        for other in sorted({value ^ 1, value ^ 0x80, value ^ 0xFF, (value + 1) & 255, 0xFF} - {value}):
            yield f"byte {at} {value} -> {other}", data[:at] + bytes([other]) + data[at + 1:]
        yield f"cut at {at}", data[:at]
        yield f"without byte {at}", data[:at] + data[at + 1:]
        yield f"byte {at} twice", data[:at] + data[at:at + 1] + data[at:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("decoder")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--damage", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="examples of each kind of difference")
    options = parser.parse_args()
    decode = Decoder(options.decoder)
    count = collections.Counter()
    for root in options.paths:
        for path in sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]:
            whole = path.read_bytes()
            if not is_ours(whole):
                continue
            for what, data in damaged(whole, options.every) if options.damage else [("", whole)]:
                if not is_ours(data):
                    continue
                pillow, ours = of_pillow(data), decode(data)
                if pillow[0] != ours[0]:
                    kind = "only Pillow decodes" if pillow[0] == "ok" else "only Pillow refuses"
                elif pillow[0] == "error":
                    kind = "both refuse"
                elif pillow[1:4] != ours[1:4]:
                    kind = "other pixels"
                else:
                    kind = "same pixels, with a warning" if ours[4] else "same pixels"
                count[kind] += 1
                if kind.startswith(("only", "other")) and count[kind] <= options.show:
                    print(f"{kind}: {path} {what}\n    Pillow: {pillow[:4]}\n    ours: {ours}", flush=True)
    versions = ", ".join(f"{name} {features.version(name)}" for name in ("pil", "libjpeg_turbo", "webp", "zlib_ng"))
    print(f"{versions}: {dict(sorted(count.items()))}")
    return any(kind.startswith(("only", "other")) for kind in count)


if __name__ == "__main__":
    raise SystemExit(main())
