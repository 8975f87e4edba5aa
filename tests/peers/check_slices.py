#!/usr/bin/env python3
"""Holds printer files against other people's code: sections by trimesh, pictures by Pillow, zip by zipfile.

    check_slices.py --mesh MESH.stl [--inspect INSPECT.json] FILE.goo FILE.sl1 ...

Needs numpy, Pillow, trimesh (with shapely, networkx, scipy, rtree). The mesh must be closed, oriented and free of
overlap. Checked for each file: the number of layers, every layer's area against the section at half height, the
volume, heights and exposures, the settings; with --inspect (the output of `sprue inspect FILE --json` for the
first file) also what the program says about each layer. Files with the same mask must show the same pictures.

The .goo reader is written from "Goo Format Spec V1.2" alone and shares nothing with the program.
Exit code: 0 all the same, 1 a difference (one line each), 2 wrong usage.
"""

import argparse
import io
import json
import math
import pathlib
import struct
import sys
import zipfile

import numpy
import trimesh
from PIL import Image

# Median, 99th percentile and worst error of a layer over 0.5 mm2, and error of the volume, as shares.
# A wall along the pixels rounds all its pixels alike: half of 1/255 of a pixel on both sides of a band that is
# 42 pixels wide is 93 ppm with coverage, a third of a pixel is 0.8 % with centres. Tighter bounds hold for
# walls that lie askew; the program's own tests check those.
COVERAGE_LIMITS = (120e-6, 600e-6, 5e-3, 120e-6)
CENTRE_LIMITS = (10e-3, 30e-3, 80e-3, 10e-3)


class Bad(Exception):
    """A file that breaks its format."""


class Goo:
    HEADER = 195477
    TAIL = bytes([0, 0, 0, 7, 0, 0, 0, 0x44, 0x4C, 0x50, 0])

    def __init__(self, data):
        if data[:12] != b"V3.0\x07\x00\x00\x00DLP\x00":
            raise Bad("wrong version or magic")
        get = lambda form, at: struct.unpack_from(">" + form, data, at)
        self.count = get("I", 195310)[0]
        self.size = get("HH", 195314)
        platform = get("3f", 195320)
        self.pitch_um = [platform[i] * 1000 / self.size[i] for i in (0, 1)]
        self.layer_mm = get("f", 195332)[0]
        self.volume_ml = get("f", 195450)[0] / 1000
        self.mirror = tuple(data[195318:195320])
        self.print_s = get("I", 195446)[0]
        if get("I", 195470)[0] != self.HEADER:
            raise Bad("layers do not begin behind the header")
        for start, side in ((194, 116), (27108, 290)):
            picture = numpy.frombuffer(data, ">u2", side * side, start)
            if len(numpy.unique(picture)) < 4 or data[start + 2 * side * side:][:2] != b"\r\n":
                raise Bad(f"the preview of {side} pixels is blank or not ended")
        self.records, at = [], self.HEADER
        for index in range(self.count):
            z, exposure = get("ff", at + 6)
            size = get("I", at + 66)[0]
            body = data[at + 70:at + 70 + size]
            if data[at + 64:at + 66] != b"\r\n" or data[at + 70 + size:at + 72 + size] != b"\r\n":
                raise Bad(f"layer {index}: line ends are missing")
            if body[0] != 0x55 or body[-1] != ~sum(body[1:-1]) & 0xFF:
                raise Bad(f"layer {index}: wrong first byte or checksum")
            self.records.append((z, exposure, body[1:-1]))
            at += 72 + size
        if data[at:] != self.TAIL:
            raise Bad("wrong tail")

    def layer(self, index):
        z, exposure, body = self.records[index]
        values, lengths, at, value = [], [], 0, 0
        while at < len(body):
            head = body[at]
            kind, form, low = head >> 6, head >> 4 & 3, head & 15
            at += 1
            if kind == 2:
                value += -low if form & 2 else low
                length = 1
                if form & 1:
                    length, at = body[at], at + 1
            else:
                if kind == 1:
                    value, at = body[at], at + 1
                else:
                    value = 0 if kind == 0 else 255
                length = int.from_bytes(body[at:at + form], "big") << 4 | low
                at += form
            if not 0 <= value <= 255:
                raise Bad(f"layer {index}: grey {value}")
            values.append(value)
            lengths.append(length)
        if sum(lengths) != self.size[0] * self.size[1]:
            raise Bad(f"layer {index}: {sum(lengths)} pixels")
        flat = numpy.repeat(numpy.array(values, numpy.uint8), lengths)
        return flat.reshape(self.size[1], self.size[0]), z, exposure


class Sl1:
    def __init__(self, data):
        self.zip = zipfile.ZipFile(io.BytesIO(data))
        if self.zip.testzip() is not None:
            raise Bad("an entry has a wrong checksum")
        ini = lambda name: dict(line.split(" = ", 1) for line in self.zip.read(name).decode().splitlines() if " = " in line)
        config, settings = ini("config.ini"), ini("prusaslicer.ini")
        self.count = int(config["numFast"]) + int(config["numSlow"])
        self.job = config["jobDir"]
        names = [f"{self.job}{index:05}.png" for index in range(self.count)]
        if sorted(names) != sorted(n for n in self.zip.namelist() if n.startswith(self.job) and n.endswith(".png")):
            raise Bad("layers and their number differ")
        panel = [int(settings["display_pixels_x"]), int(settings["display_pixels_y"])]
        panel_mm = [float(settings["display_width"]), float(settings["display_height"])]
        if settings["display_orientation"] == "portrait":
            panel.reverse()
            panel_mm.reverse()
        self.size = tuple(panel)
        self.pitch_um = [panel_mm[i] * 1000 / panel[i] for i in (0, 1)]
        self.mirror = tuple(int(settings[f"display_mirror_{axis}"]) for axis in "xy")
        self.layer_mm = float(config["layerHeight"])
        self.volume_ml = float(config["usedMaterial"])
        self.print_s = float(config["printTime"])
        self.first, self.normal = float(config["expTimeFirst"]), float(config["expTime"])
        self.fade = int(config["numFade"])
        for size in ((400, 400), (800, 480)):
            thumbnail = Image.open(io.BytesIO(self.zip.read("thumbnail/thumbnail%dx%d.png" % size)))
            if thumbnail.size != size or thumbnail.mode != "RGBA" or len(thumbnail.getcolors(1 << 20)) < 4:
                raise Bad("the thumbnail of %d x %d is wrong or blank" % size)

    def layer(self, index):
        picture = Image.open(io.BytesIO(self.zip.read(f"{self.job}{index:05}.png")))
        if picture.mode != "L" or picture.size != self.size:
            raise Bad(f"layer {index}: {picture.mode} {picture.size}")
        exposure = max(self.normal, self.first - index * (self.first - self.normal) / (self.fade + 1))
        return numpy.asarray(picture), (index + 1) * self.layer_mm, exposure


def read(path):
    data = pathlib.Path(path).read_bytes()
    return Sl1(data) if data[:4] == b"PK\x03\x04" else Goo(data)


def section_areas(mesh, layer_mm):
    """Areas at half height of each layer: trimesh joins the cuts to polygons, shapely measures them."""
    height = mesh.bounds[1][2] - mesh.bounds[0][2]
    count = math.ceil(height / layer_mm - 1e-4)
    planes = (numpy.arange(count) + 0.5) * layer_mm
    # Coordinates of an STL are single precision; a plane through vertices is moved by far less than they round.
    cuts = mesh.section_multiplane(mesh.bounds[0], [0, 0, 1], planes + 1e-7)
    return numpy.array([0.0 if cut is None else cut.area for cut in cuts])


def lit_part(pixels):
    """The part of a picture that is not black: a display has 37 million pixels, a ring few of them."""
    rows = numpy.flatnonzero(pixels.any(axis=1))
    if not len(rows):
        return pixels[:0, :0]
    band = pixels[rows[0]:rows[-1] + 1]
    columns = numpy.flatnonzero(band.any(axis=0))
    return band[:, columns[0]:columns[-1] + 1]


def compare(path, file, exact, inspection):
    """Differences of one file, as lines."""
    problems = []
    report = lambda text: problems.append(f"{path}: {text}")
    if file.count != len(exact):
        report(f"{file.count} layers, the mesh makes {len(exact)}")
        return problems
    pixel_mm2 = file.pitch_um[0] * file.pitch_um[1] / 1e6
    areas, grey = numpy.zeros(file.count), False
    for index in range(file.count):
        pixels, z, exposure = file.layer(index)
        pixels = lit_part(pixels)
        areas[index] = pixels.sum(dtype=numpy.uint64) / 255 * pixel_mm2
        grey |= bool(((pixels > 0) & (pixels < 255)).any())
        if abs(z - (index + 1) * file.layer_mm) > 1e-4 * file.layer_mm * (index + 1) or not 0 < exposure < 600:
            report(f"layer {index}: height {z} or exposure {exposure} is wrong")
        if inspection is not None:
            said = inspection["layers"][index]
            if said["lit_px"] != int((pixels > 0).sum()) or abs(said["area_mm2"] - areas[index]) > 1e-6 * max(1, areas[index]):
                report(f"layer {index}: inspect says {said}, {int((pixels > 0).sum())} pixels and {areas[index]} mm2 are there")
            if abs(said["z_um"] - 1000 * z) > 0.01 or abs(said["exposure_s"] - exposure) > 1e-4:
                report(f"layer {index}: inspect says {said}, the file {z} mm and {exposure} s")
    limits = COVERAGE_LIMITS if grey else CENTRE_LIMITS
    big = exact > 0.5
    errors = numpy.abs(areas[big] / exact[big] - 1) if big.any() else numpy.zeros(1)
    volume = areas.sum() / exact.sum() - 1
    figures = (numpy.median(errors), numpy.percentile(errors, 99), errors.max(), abs(volume))
    print("%s: %d layers, area median %.1f p99 %.1f worst %.1f ppm, volume %.2f ppm" % (path, file.count, *(1e6 * f for f in figures[:3]), 1e6 * volume))
    for name, figure, limit in zip(("median", "99th percentile", "worst", "volume"), figures, limits):
        if figure > limit:
            report(f"{name} error {1e6 * figure:.1f} ppm is over {1e6 * limit:.0f}")
    stated, summed = file.volume_ml, areas.sum() * file.layer_mm / 1000
    if abs(stated - summed) > 1e-5 * summed + 1e-6:
        report(f"{stated} ml are stated, the layers make {summed}")
    if file.print_s <= 0:
        report("no print time is stated")
    if inspection is not None and (abs(inspection["volume_ml"] - stated) > 1e-6 * stated + 1e-9 or inspection["resolution_px"] != list(file.size)
                                   or numpy.abs(numpy.array(inspection["pixel_um"]) - file.pitch_um).max() > 0.002):
        report("inspect and the file state another volume, resolution or pixel")
    return problems


def same_pictures(first, second):
    """Whether two files with the same mask show the same."""
    (name_a, a), (name_b, b) = first, second
    if (a.size, a.mirror, a.count) != (b.size, b.mirror, b.count) or abs(a.layer_mm - b.layer_mm) > 1e-6:
        return []
    differing = [i for i in range(a.count) if not numpy.array_equal(a.layer(i)[0], b.layer(i)[0])]
    return [f"{name_a} and {name_b}: layers {differing[:5]} differ"] if differing else []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mesh", required=True, help="the mesh that was sliced as it is")
    parser.add_argument("--inspect", help="what the program says about the first file, JSON")
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    mesh = trimesh.load(given.mesh, force="mesh")
    inspection = json.loads(pathlib.Path(given.inspect).read_text()) if given.inspect else None
    problems, opened, sections = [], [], {}
    for path in given.files:
        try:
            file = read(path)
            layer_mm = round(file.layer_mm, 6)
            if layer_mm not in sections:
                sections[layer_mm] = section_areas(mesh, layer_mm)
            problems += compare(path, file, sections[layer_mm], inspection)
            opened.append((path, file))
        except (Bad, KeyError, ValueError, IndexError, OSError, struct.error, zipfile.BadZipFile) as error:
            problems.append(f"{path}: {type(error).__name__} {error}")
        inspection = None
    for i, first in enumerate(opened):
        for second in opened[i + 1:]:
            problems += same_pictures(first, second)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
