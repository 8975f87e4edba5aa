#!/usr/bin/env bash
# Zip formats of ours, read by zipfile, json and Pillow alone; `.sl1` also against a file that PrusaSlicer makes of the
# same asymmetric part, pixel by pixel: orientation and mirroring are right or the part comes out as its mirror image.
#
# Needs $PYTHON (numpy, Pillow), $SPRUE and the Debian package prusa-slicer, which is installed when run as root.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${PYTHON:?an interpreter with the libraries of requirements.txt}" "${SPRUE:?the program}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

if ! command -v prusa-slicer >/dev/null; then
  if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "prusa-slicer is missing: install the Debian package prusa-slicer"
    exit 77
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends prusa-slicer >/dev/null
fi

# The SL1 as its maker's profile has it; no compensation, no supports.
cat >"$work/sl1.ini" <<'INI'
printer_technology = SLA
printer_model = SL1
printer_variant = default
bed_shape = 0x0,120.96x0,120.96x68.04,0x68.04
display_width = 120.96
display_height = 68.04
display_pixels_x = 2560
display_pixels_y = 1440
display_orientation = portrait
display_mirror_x = 1
display_mirror_y = 0
max_print_height = 150
layer_height = 0.05
initial_layer_height = 0.05
exposure_time = 2
initial_exposure_time = 30
faded_layers = 10
gamma_correction = 1
absolute_correction = 0
elefant_foot_compensation = 0
relative_correction = 1,1
material_correction = 1,1,1
slice_closing_radius = 0
pad_enable = 0
supports_enable = 0
support_object_elevation = 0
INI
"$PYTHON" "$here/formats_b.py" part "$work/part.stl"
prusa-slicer --export-sla --load "$work/sl1.ini" -o "$work/theirs.sl1" "$work/part.stl" >"$work/said.txt" 2>&1 || {
  tail -5 "$work/said.txt"
  exit 1
}
slice() { "$SPRUE" slice "$work/part.stl" --printer "$1" --material bluecast-x-one --as-is --layer-um 50 -o "$2" >"$work/said.txt" 2>&1 || { cat "$work/said.txt"; exit 1; }; }
convert() { "$SPRUE" convert "$@" >"$work/said.txt" 2>&1 || { cat "$work/said.txt"; exit 1; }; }
slice prusa-sl1 "$work/ours.sl1"
slice elegoo-mars-4 "$work/ours.goo"
for name in ours.nanodlp ours.cws ours.zip ours.raster.zip; do
  convert "$work/ours.goo" "$work/$name"
done
convert "$work/ours.goo" "$work/packed.nanodlp" --to-format nanodlp-rgb
# There and back: a stack holds all that the file says.
convert "$work/ours.zip" "$work/again.goo"
convert "$work/theirs.sl1" "$work/theirs.zip"
exec "$PYTHON" "$here/formats_b.py" judge "$work"
