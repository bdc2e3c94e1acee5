"""Writes spec/goldens/images: one small file of every kind of PNG and JPEG, and the RGB bytes PIL reads from it.

    python3 spec/goldens/generate/images.py

Made with Pillow 9.4.0 (libjpeg-turbo 2.1.5) and cjpeg of libjpeg-turbo 2.1.5. The PNG files are written here, bit by
bit, because Pillow writes neither interlaced files nor most depths; every scanline filter occurs in each of them.

expected.rgb is the bytes of Image.open(file).convert("RGB") of all files one after the other, in the order of
manifest.json, which holds file, width, height, offset and Pillow's mode. resized.rgb holds bicubic resizes, with their
sizes in the manifest too.
"""

import io
import json
import pathlib
import struct
import subprocess
import warnings
import zlib

import numpy as np
from PIL import Image

OUT = pathlib.Path(__file__).parent.parent / "images"
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    """[height, width, channels] integers to the bytes of each row, high bits first."""
    rows = []
    for row in samples.reshape(len(samples), -1):
        bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
        rows.append(np.packbits(bits.reshape(-1)).astype(int))
    return rows


def paeth(a, b, c):
    p = a + b - c
    near = [abs(p - a), abs(p - b), abs(p - c)]
    return [a, b, c][near.index(min(near))]


def filtered(rows, step):
    out = bytearray()
    above = np.zeros_like(rows[0])
    for y, row in enumerate(rows):
        kind = (y + 4) % 5
        out.append(kind)
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = above[i]
            c = above[i - step] if i >= step else 0
            out.append((value - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) % 256)
        above = row
    return bytes(out)


def png(samples, color_type, depth, interlaced=False, extra=b""):
    height, width, channels = samples.shape
    assert channels == CHANNELS[color_type]
    step = max(1, channels * depth // 8)
    passes = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7] if interlaced else [samples]
    raw = b"".join(filtered(pack_rows(p, depth), step) for p in passes if p.size)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    data = zlib.compress(raw, 9)
    half = len(data) // 2
    body = chunk(b"IDAT", data[:half]) + chunk(b"IDAT", data[half:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + body + chunk(b"IEND", b"")


def picture(width, height, rng):
    """Waves, noise, and hard edges between saturated colours."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([127 + 120 * np.sin(x / 7 + y / 13), 127 + 120 * np.cos(x / 5), 255 * (x + y) / (width + height)], -1)
    rgb[height // 4 : height // 2, width // 4 : width // 2] = [255, 0, 0]
    rgb[height // 2 : 3 * height // 4, width // 3 : 2 * width // 3] = [0, 0, 255]
    rgb[: height // 5, : width // 6] = [0, 255, 0]
    return Image.fromarray(np.clip(rgb + rng.normal(0, 5, rgb.shape), 0, 255).astype(np.uint8))


def png_files(rng):
    palette = chunk(b"PLTE", rng.integers(0, 256, 3 * 14).astype(np.uint8).tobytes())
    alpha = chunk(b"tRNS", rng.integers(0, 256, 9).astype(np.uint8).tobytes())
    for color_type, name in [(0, "grey"), (2, "rgb"), (3, "palette"), (4, "grey-alpha"), (6, "rgba")]:
        for depth in [1, 2, 4, 8, 16]:
            if depth < 8 and color_type not in (0, 3) or color_type == 3 and depth == 16:
                continue
            for interlaced in (False, True):
                samples = rng.integers(0, 1 << depth, (11, 13, CHANNELS[color_type]))
                if color_type == 0 and depth == 16:
                    samples[::2] //= 128  # half of them below the level at which PIL clips
                extra = palette + alpha if color_type == 3 else b""
                if color_type == 3 and depth < 4:
                    extra = palette
                kind = f"{name}-{depth}" + ("-adam7" if interlaced else "")
                yield f"{kind}.png", png(samples, color_type, depth, interlaced, extra)
    yield "grey-8-trns.png", png(rng.integers(0, 4, (5, 6, 1)), 0, 8, False, chunk(b"tRNS", b"\0\1"))
    yield "rgb-8-trns-1x1.png", png(np.array([[[1, 2, 3]]]), 2, 8, False, chunk(b"tRNS", b"\0\1\0\2\0\3"))
    yield "rgb-8-adam7-2x1.png", png(rng.integers(0, 256, (1, 2, 3)), 2, 8, True)


def jpeg_files(rng):
    def saved(image, **options):
        out = io.BytesIO()
        image.save(out, "JPEG", **options)
        return out.getvalue()

    def cjpeg(image, *options):
        ppm = io.BytesIO()
        image.save(ppm, "PPM")
        return subprocess.run(["cjpeg", *options], input=ppm.getvalue(), capture_output=True, check=True).stdout

    odd = picture(53, 39, rng)
    for subsampling, name in [(0, "444"), (1, "422"), (2, "420")]:
        yield f"ycc-{name}.jpg", saved(odd, subsampling=subsampling, quality=92)
        yield f"ycc-{name}-progressive.jpg", saved(odd, subsampling=subsampling, quality=70, progressive=True)
    yield "ycc-440.jpg", cjpeg(odd, "-quality", "85", "-sample", "1x2")
    yield "ycc-411.jpg", cjpeg(odd, "-quality", "85", "-sample", "4x1")
    yield "ycc-420-restart.jpg", cjpeg(odd, "-quality", "85", "-sample", "2x2", "-restart", "3B")
    yield "ycc-420-3x5.jpg", saved(picture(3, 5, rng), subsampling=2)
    yield "ycc-420-5x1.jpg", saved(picture(5, 1, rng), subsampling=2)
    yield "ycc-420-1x1.jpg", saved(picture(1, 1, rng), subsampling=2)
    yield "rgb-adobe.jpg", cjpeg(odd, "-quality", "85", "-rgb")
    yield "grey.jpg", saved(odd.convert("L"), quality=80)
    yield "grey-2x2-restart.jpg", cjpeg(odd, "-grayscale", "-sample", "2x2", "-restart", "4B")
    cmyk = saved(odd.convert("CMYK"), quality=85)
    yield "cmyk.jpg", cmyk
    adobe = cmyk.index(b"Adobe")
    yield "ycck.jpg", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :]
    yield "cmyk-no-adobe.jpg", cmyk[: adobe - 4] + cmyk[adobe + 12 :]


def main():
    rng = np.random.default_rng(2311)
    OUT.mkdir(exist_ok=True)
    manifest = {"files": [], "resized": []}
    expected = bytearray()
    for name, data in [*png_files(rng), *jpeg_files(rng)]:
        (OUT / name).write_bytes(data)
        image = Image.open(io.BytesIO(data))
        mode = image.mode
        rgb = image.convert("RGB")
        entry = {"file": name, "width": rgb.width, "height": rgb.height, "offset": len(expected), "mode": mode}
        manifest["files"].append(entry)
        expected += rgb.tobytes()
    (OUT / "expected.rgb").write_bytes(expected)

    source = picture(41, 31, rng)
    (OUT / "resize-source.rgb").write_bytes(source.tobytes())
    resized = bytearray()
    for width, height in [(41, 31), (41, 7), (9, 31), (1, 1), (17, 17), (60, 50), (83, 5), (2, 64), (40, 30), (123, 3)]:
        entry = {"width": width, "height": height, "offset": len(resized)}
        manifest["resized"].append(entry)
        resized += source.resize((width, height), Image.Resampling.BICUBIC).tobytes()
    (OUT / "resized.rgb").write_bytes(resized)
    manifest["resizeSource"] = {"width": source.width, "height": source.height}
    (OUT / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
