"""Reads `.ctb`, `.cbddlp`, `.photon` and Anycubic files as their layouts are published, and holds every pixel and the
main process numbers against what was asked for.

    formats_a.py judge FOLDER OUT.photon    judges the files of `every_format write FOLDER`; pyphotonfile writes OUT
    formats_a.py compare FOLDER READ.txt    judges what `every_format read` said about that file

Layouts: catibo's `cbddlp-ctb.adoc`; the Anycubic blocks as PrusaSlicer, uv3dp and UVtools describe them.
"""

import struct
import sys
from pathlib import Path

import numpy as np
from pyphotonfile import Photon
from pyphotonfile.photonfile import imgarr_to_rle

# What `every_format` asks for.
WIDTH, HEIGHT, LAYERS, LAYER_MM = 1440, 2560, 13, 0.2
EXPOSURES = [30.0] * 3 + [24.5, 19.0, 13.5, 8.0] + [2.5] * 6
TWO_STAGES = {"bottom": (7.0, 4.0), "normal": (5.0, 3.0)}  # whole way, second stage


def nearest(levels):
    """What each value becomes when it is rounded to the nearest level, upwards if two are as near."""
    levels = np.array(sorted(levels))
    values = np.arange(256)[:, None]
    best = np.abs(levels[None, ::-1] - values).argmin(1)
    return levels[::-1][best].astype(np.uint8)


SEVEN_BITS = nearest([0] + [2 * v + 1 for v in range(1, 128)])
FOUR_BITS = nearest([17 * v for v in range(16)])
FOUR_PLANES = nearest([0, 63, 127, 191, 255])


class File:
    def __init__(self, data):
        self.data = data

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def f32(self, at):
        return struct.unpack_from("<f", self.data, at)[0]

    def text(self, at, length):
        return self.data[at : at + length].split(b"\0")[0].decode()


def pixels(values, lengths):
    """Runs as a picture; it has exactly as many pixels as the display."""
    picture = np.repeat(np.array(values, np.uint8), np.array(lengths))
    assert picture.size == WIDTH * HEIGHT, f"{picture.size} pixels"
    return picture


def seven_bits(data):
    values, lengths, at = [], [], 0
    while at < len(data):
        head, length = data[at], 1
        at += 1
        if head & 0x80:
            first = data[at]
            more = f"{first:08b}".index("0")
            length = int.from_bytes(bytes([first & (0x7F >> more)]) + data[at + 1 : at + 1 + more], "big")
            at += 1 + more
        grey = head & 0x7F
        values.append(grey and grey * 2 + 1)
        lengths.append(length)
    return pixels(values, lengths)


def four_bits(data):
    values, lengths, at = [], [], 0
    total = 0
    while total < WIDTH * HEIGHT:
        grey, length = data[at] >> 4, data[at] & 15
        at += 1
        if grey in (0, 15):
            length = length << 8 | data[at]
            at += 1
        values.append(grey * 17)
        lengths.append(length)
        total += length
    return pixels(values, lengths), data[at:]


def plane(data):
    runs = np.frombuffer(data, np.uint8)
    return pixels(runs >> 7, runs & 0x7F)


def planes_to_grey(planes):
    count = sum(one.astype(int) for one in planes)
    return np.where(count == 0, 0, count * 256 // len(planes) - 1).astype(np.uint8)


def ctb(data):
    """Layers and process numbers of a .ctb, .cbddlp or .photon file."""
    file = File(data)
    magic, version = file.u32(0), file.u32(4)
    table, layers, planes = file.u32(0x40), file.u32(0x44), file.u32(0x5C)
    assert (file.u32(0x34), file.u32(0x38), layers) == (WIDTH, HEIGHT, LAYERS)
    assert file.u32(0x64) == 0, "layers are plain"
    assert struct.unpack_from("<HH", data, 0x60) == (220, 200), "lamp"
    slicer = file.u32(0x68)
    assert file.text(file.u32(slicer + 0x1C), file.u32(slicer + 0x20)) == "Photon"
    entries = [table + 36 * n for n in range(layers * planes)]
    bytes_of = lambda at: data[file.u32(at + 12) + (file.u32(at + 20) << 32) :][: file.u32(at + 16)]
    for index, at in enumerate(entries[:layers]):
        check_layer(index, file.f32(at), file.f32(at + 4))
        record = file.u32(at + 12) - 84
        if version >= 3:
            assert data[record : record + 36] == data[at : at + 36], "the record begins with the entry"
            way, second = TWO_STAGES["bottom" if index < 3 else "normal"]
            assert file.f32(record + 40) == way and file.f32(record + 80) == (200 if index < 3 else 220)
            assert file.f32(record + 48) == (second if version >= 4 else 0)
    if magic == 0x12FD0019:
        stored = [[plane(bytes_of(entries[n + p * layers])) for p in range(planes)] for n in range(layers)]
        return [planes_to_grey(one) for one in stored], FOUR_PLANES
    return [seven_bits(bytes_of(at)) for at in entries], SEVEN_BITS


def anycubic(data, name):
    """Layers and process numbers of an Anycubic file."""
    file = File(data)
    version, header, table = file.u32(12), file.u32(20), file.u32(36)
    assert file.text(header, 12) == "HEADER" and file.text(table, 12) == "LAYERDEF"
    assert (file.u32(header + 60), file.u32(header + 64)) == (WIDTH, HEIGHT)
    assert file.u32(table + 16) == LAYERS and file.u32(table + 12) == 4 + 32 * LAYERS
    assert abs(file.f32(header + 16) - 47.25) < 1e-4 and file.text(header + 76, 4) == "EUR"
    extra = file.u32(40)
    if version >= 516:
        assert file.text(extra, 12) == "EXTRA" and file.text(file.u32(44), 12) == "MACHINE"
        for at, (way, second) in [(extra + 20, TWO_STAGES["bottom"]), (extra + 48, TWO_STAGES["normal"])]:
            assert (file.f32(at), file.f32(at + 12)) == (way - second, second)
    z, layers = 0.0, []
    for index in range(LAYERS):
        at = table + 20 + 32 * index
        z += file.f32(at + 20)
        check_layer(index, z, file.f32(at + 16))
        assert file.f32(at + 8) == TWO_STAGES["bottom" if index < 3 else "normal"][0]
        stored = data[file.u32(at) :][: file.u32(at + 4)]
        if name.endswith(".pws"):
            parts = []
            while stored:
                ends = np.cumsum(np.frombuffer(stored, np.uint8) & 0x7F)
                end = int(np.searchsorted(ends, WIDTH * HEIGHT)) + 1
                parts.append(plane(stored[:end]))
                stored = stored[end:]
            layers.append(planes_to_grey(parts))
        else:
            picture, rest = four_bits(stored)
            assert len(rest) == (2 if name.endswith(".pw0") else 0), "checksum"
            layers.append(picture)
        assert file.u32(at + 24) == np.count_nonzero(layers[-1]), "lit pixels"
    return layers, FOUR_PLANES if name.endswith(".pws") else FOUR_BITS


def check_layer(index, z_mm, exposure_s):
    assert abs(z_mm - (index + 1) * LAYER_MM) < 1e-5, f"layer {index} at {z_mm}"
    assert abs(exposure_s - EXPOSURES[index]) < 1e-5, f"layer {index} exposes {exposure_s}"


def listed(lines):
    """Layers as `value:length`."""
    runs = [[tuple(map(int, run.split(":"))) for run in line.split()] for line in lines]
    return [pixels([value for value, _ in layer], [length for _, length in layer]) for layer in runs]


def same(found, asked, levels):
    return len(found) == len(asked) and all(np.array_equal(a, levels[b]) for a, b in zip(found, asked))


def read(path, data):
    return ctb(data) if path.suffix in (".ctb", ".cbddlp", ".photon") else anycubic(data, path.name)


def judge(folder, out):
    asked = listed((folder / "layers.txt").read_text().splitlines())
    assert any(((layer > 0) & (layer < 255)).any() for layer in asked), "there is grey to get wrong"
    passed = 0
    for path in sorted(folder.iterdir()):
        if path.suffix not in OURS:
            continue
        found, levels = read(path, path.read_bytes())
        assert same(found, asked, levels), path.name
        passed += 1
    # The judge notices: the last layer of a file with one bit of grey changed.
    data = bytearray((folder / "ctb-v4.ctb").read_bytes())
    layer = File(data).u32(File(data).u32(0x40) + 36 * 5 + 12)
    data[layer] ^= 1
    found, levels = ctb(bytes(data))
    assert not same(found, asked, levels), "a changed pixel has to be noticed"
    photon = Photon(str(folder / "photon.photon"))
    assert [round(photon.layer_height, 6), photon.exposure_time, photon.exposure_time_bottom] == [LAYER_MM, 2.5, 30.0]
    assert photon.bottom_layers == 3 and len(photon.layers) == LAYERS
    for index, layer in enumerate(photon.layers):
        # It knows one plane, the highest.
        assert np.array_equal(plane(layer._data) == 1, FOUR_PLANES[asked[index]] == 255), f"pyphotonfile layer {index}"
        assert abs(layer.exposure_time - EXPOSURES[index]) < 1e-5
    theirs = Photon()
    for layer in asked:
        picture = (FOUR_PLANES[layer] == 255).reshape(HEIGHT, WIDTH).astype(np.uint8)
        theirs.append_layer(imgarr_to_rle(picture))
    theirs.write(str(out))
    print(f"formats: {passed} files are what was asked for, pyphotonfile reads what it should")
    assert passed >= 26, passed


def compare(folder, said):
    asked = listed((folder / "layers.txt").read_text().splitlines())
    lines = said.read_text().splitlines()
    assert '"format":"cbddlp"' in lines[0], lines[0]
    binary = np.where(FOUR_PLANES == 255, 255, 0)
    assert same(listed(lines[1:]), asked, binary), "the file of pyphotonfile is read as it was written"
    print("formats: the file of pyphotonfile is read; 2 passed")


OURS = {".ctb", ".cbddlp", ".photon"} | {
    "." + name
    for name in "pws pw0 pwx dlp dl2p pwmx pmx2 pwmb px6s pwmo pm3n pwms pwma pmsq pm3 pm3m pm3r pm5".split()
}

if __name__ == "__main__":
    {"judge": judge, "compare": compare}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
