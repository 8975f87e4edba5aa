#!/usr/bin/env python3
"""Holds zip print files against zipfile, json, Pillow and PrusaSlicer.

    formats_b.py part PART.stl      writes an asymmetric part
    formats_b.py judge DIRECTORY    judges the files that formats_b.sh made; prints `N passed`

Written from the descriptions of the formats alone. Exit code 0 if all hold, 1 with a line for each that does not.
"""

import io
import json
import pathlib
import re
import struct
import sys
import zipfile

import numpy
from PIL import Image

passed = 0
failed = []


def hold(what, is_so, seen=""):
    global passed
    if is_so:
        passed += 1
    else:
        failed.append(f"{what}: {seen}")


def boxes():
    """A flat L with a post on its long arm: no turn and no mirror image of it is itself."""
    return [((0, 0, 0), (14, 4, 2)), ((0, 3, 0), (4, 9, 2)), ((10, 1, 1), (12.5, 2.25, 3))]


def write_part(path):
    triangles = []
    for low, high in boxes():
        corner = [[(low, high)[bit >> axis & 1][axis] for axis in range(3)] for bit in range(8)]
        for a, b, c, d in ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)):
            triangles += [(corner[a], corner[b], corner[c]), (corner[a], corner[c], corner[d])]
    data = bytes(80) + struct.pack("<I", len(triangles))
    for corners in triangles:
        data += struct.pack("<12fH", 0, 0, 0, *(number for corner in corners for number in corner), 0)
    pathlib.Path(path).write_bytes(data)


def picture(archive, name):
    image = Image.open(io.BytesIO(archive.read(name)))
    return numpy.asarray(image), image


def opened(path):
    archive = zipfile.ZipFile(path)
    hold(f"{path.name}: sums of all entries", archive.testzip() is None)
    return archive


def layers_of(archive, pattern):
    names = [name for name in archive.namelist() if re.fullmatch(pattern, name)]
    return sorted(names, key=lambda name: int(re.findall(r"\d+", name)[-1]))


def ini(archive, name):
    lines = archive.read(name).decode().splitlines()
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def judge_sl1(work):
    ours, theirs = opened(work / "ours.sl1"), zipfile.ZipFile(work / "theirs.sl1")
    config, their_config = ini(ours, "config.ini"), ini(theirs, "config.ini")
    hold("sl1: keys of config.ini", set(config) == set(their_config), set(config) ^ set(their_config))
    settings, their_settings = ini(ours, "prusaslicer.ini"), ini(theirs, "prusaslicer.ini")
    for key in ("display_orientation", "display_mirror_x", "display_mirror_y", "display_pixels_x", "display_pixels_y"):
        hold(f"sl1: {key}", settings[key] == their_settings[key], (settings[key], their_settings[key]))
    for key in ("display_width", "display_height"):
        hold(f"sl1: {key}", abs(float(settings[key]) - float(their_settings[key])) < 1e-6)
    names = layers_of(ours, re.escape(config["jobDir"]) + r"\d{5}\.png")
    their_names = layers_of(theirs, re.escape(their_config["jobDir"]) + r"\d{5}\.png")
    hold("sl1: layers", len(names) == len(their_names) == 60, (len(names), len(their_names)))
    for index in range(0, min(len(names), len(their_names)), 6):
        (mine, image), (other, _) = picture(ours, names[index]), picture(theirs, their_names[index])
        hold("sl1: size and mode", image.mode == "L" and mine.shape == other.shape, (mine.shape, other.shape))
        area, their_area = mine.sum(dtype=float), other.sum(dtype=float)
        hold(f"sl1: area of layer {index} within 0.1 %", abs(area / their_area - 1) < 1e-3, area / their_area - 1)
        # Placement on the bed may differ by parts of a pixel; a turned or mirrored part differs by a third of itself.
        difference = numpy.abs(mine.astype(int) - other.astype(int)).sum()
        hold(f"sl1: pixels of layer {index}", difference / their_area < 0.02, difference / their_area)
    hold("sl1: no larger than PrusaSlicer's",
         (work / "ours.sl1").stat().st_size < (work / "theirs.sl1").stat().st_size + 20_000)
    return names


def judge_stack(work):
    archive = opened(work / "ours.zip")
    manifest = json.loads(archive.read("manifest.json"))
    names = [layer["file"] for layer in manifest["layers"]]
    hold("zip: layers", names == layers_of(archive, r"\d{5}\.png") and len(names) == 60, len(names))
    hold("zip: heights", [layer["z_um"] for layer in manifest["layers"]] == [50.0 * (i + 1) for i in range(60)])
    pixels = [picture(archive, name)[0] for name in names[::10]]
    hold("zip: size", pixels[0].shape == (manifest["height_px"], manifest["width_px"]) == (4320, 8520))
    return pixels


def judge_nanodlp(work, name, pixels, packed):
    archive = opened(work / name)
    plate, profile, slicer, options, info = (
        json.loads(archive.read(text))
        for text in ("plate.json", "profile.json", "slicer.json", "options.json", "info.json")
    )
    hold(f"{name}: slicer.json is options.json", slicer == options)
    hold(f"{name}: counts", plate["LayersCount"] == len(info) == slicer["LayerCount"] == 60)
    hold(f"{name}: display", (slicer["PWidth"], slicer["PHeight"]) == (8520, 4320))
    hold(f"{name}: times", profile["CureTime"] > 0 and profile["SupportCureTime"] >= profile["CureTime"])
    names = layers_of(archive, r"\d+\.png")
    hold(f"{name}: names from 1", names[0] == "1.png" and len(names) == 60, names[:1])
    for place, expected in enumerate(pixels):
        own, image = picture(archive, names[place * 10])
        hold(f"{name}: mode", image.mode == ("RGB" if packed else "L"), image.mode)
        hold(f"{name}: pixels of layer {place * 10}", (own.reshape(4320, -1)[:, :8520] == expected).all())
        area = expected.sum(dtype=float) / 255 * 0.018**2
        stated = info[place * 10]["TotalSolidArea"]
        hold(f"{name}: area of layer {place * 10}", abs(stated / area - 1) < 1e-6, stated / area)
        rows, columns = expected.nonzero()
        box = [info[place * 10][key] for key in ("MinX", "MaxX", "MinY", "MaxY")]
        hold(f"{name}: box of layer {place * 10}", box == [columns.min(), columns.max(), rows.min(), rows.max()], box)


def judge_cws(work, pixels):
    archive = opened(work / "ours.cws")
    code = next(name for name in archive.namelist() if name.endswith(".gcode"))
    text = archive.read(code).decode()
    stem = code.removesuffix(".gcode")
    hold("cws: the stem ends with no digit", not stem[-1].isdigit(), stem)
    names = layers_of(archive, re.escape(stem) + r"\d{4,}\.png")
    hold("cws: layers", len(names) == 60 == int(re.search(r"^;Number of Slices = (\d+)$", text, re.M)[1]), len(names))
    hold("cws: pictures are shown in order", re.findall(r"^;<Slice> (\d+)$", text, re.M) == [str(i) for i in range(60)])
    for place, expected in enumerate(pixels):
        own, image = picture(archive, names[place * 10])
        hold(f"cws: pixels of layer {place * 10}", image.mode == "L" and (own == expected).all())
    z, lit = 0.0, []
    for line in text.split("M18")[0].splitlines():
        if move := re.match(r"G1 Z(\S+)", line):
            z += float(move[1])
        elif re.match(r"M106 S[1-9]", line):
            lit.append(round(z * 1000))
    hold("cws: the platform stands where each layer is", lit == [50 * i for i in range(60)], lit[:4])


def judge_raster(work, pixels):
    archive = opened(work / "ours.raster.zip")
    manifest = json.loads(archive.read("manifest.json"))
    for place, expected in enumerate(pixels):
        own, image = picture(archive, manifest["layers"][place * 10]["file"])
        hold(f"raster: bits of layer {place * 10}", image.mode == "1" and (own == (expected >= 128)).all(), image.mode)


def judge(work):
    judge_sl1(work)
    pixels = judge_stack(work)
    judge_nanodlp(work, "ours.nanodlp", pixels, False)
    judge_nanodlp(work, "packed.nanodlp", pixels, True)
    judge_cws(work, pixels)
    judge_raster(work, pixels)
    # Every layer, exposure and move; only the pictures of the plate pass through other sizes.
    goo, again = ((work / name).read_bytes()[195310:] for name in ("ours.goo", "again.goo"))
    hold("goo -> zip -> goo", goo == again, (len(goo), len(again)))
    archive = opened(work / "theirs.zip")
    theirs = zipfile.ZipFile(work / "theirs.sl1")
    for name, other in zip(layers_of(archive, r"\d{5}\.png")[::9], layers_of(theirs, r"[^/]*\d{5}\.png")[::9]):
        hold(f"PrusaSlicer's layer {other}", (picture(archive, name)[0] == picture(theirs, other)[0]).all())


def main(arguments):
    if arguments[:1] == ["part"] and len(arguments) == 2:
        write_part(arguments[1])
        return 0
    if arguments[:1] == ["judge"] and len(arguments) == 2:
        judge(pathlib.Path(arguments[1]))
        print(*failed, sep="\n")
        print(f"{passed} passed" if not failed else f"{passed} passed, {len(failed)} FAILED")
        return 1 if failed else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
