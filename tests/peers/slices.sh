#!/usr/bin/env bash
# Printer files of ours, read by other people's code: layers against sections by trimesh and shapely, pictures
# by Pillow, and what `sprue inspect` says against both. Made rings always; other meshes if they are there.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
: "${PYTHON:?an interpreter with the libraries of requirements.txt}" "${SPRUE:?the program}"
# Far above what a slow machine with one core needs.
seconds_max=900
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=0

# bounded COMMAND...: no check may run for ever.
bounded() { timeout --kill-after=5 "$((seconds_max - SECONDS > 0 ? seconds_max - SECONDS : 1))" "$@"; }

# ring FILE WORDS...: writes a made ring.
ring() {
  local out="$1"
  shift
  (cd "$root" && cargo run --quiet --locked --package sprue --example generate_ring -- "$@" -o "$out")
}

# slice MESH PRINTER OUT [OPTION...]
slice() {
  local mesh="$1" printer="$2" out="$3"
  shift 3
  bounded "$SPRUE" slice "$mesh" --printer "$printer" --material bluecast-x-one --as-is --layer-um 50 "$@" -o "$out" \
    >"$work/said.txt" 2>&1 || {
    cat "$work/said.txt"
    echo "slicing $(basename "$mesh") for $printer failed"
    return 1
  }
}

# judge MESH FIRST [FILE...]: the first file is also inspected by the program itself.
judge() {
  local mesh="$1"
  shift
  bounded "$SPRUE" inspect "$1" --json >"$work/inspected.json" || return 1
  bounded "$PYTHON" "$here/check_slices.py" --mesh "$mesh" --inspect "$work/inspected.json" "$@"
}

# check MESH: both formats, two displays.
check() {
  local mesh="$1" stem="$work/out"
  echo "$(basename "$mesh"):"
  rm -f "$stem".*
  slice "$mesh" elegoo-mars-4 "$stem.goo" && slice "$mesh" prusa-sl1 "$stem.prusa.sl1" &&
    judge "$mesh" "$stem.goo" "$stem.prusa.sl1" || failed=1
}

ring "$work/band.stl" band us:7 4 1.6 half-round
ring "$work/solitaire.stl" solitaire iso:54 6 5
check "$work/solitaire.stl"
check "$work/band.stl"
# The same display in both formats must show the same; and without grey, and inspected as .sl1.
slice "$work/band.stl" elegoo-mars-4 "$work/band.goo" && slice "$work/band.stl" elegoo-mars-4 "$work/band.sl1" &&
  judge "$work/band.stl" "$work/band.sl1" "$work/band.goo" || failed=1
slice "$work/band.stl" prusa-sl1 "$work/centres.sl1" --aa 1 && judge "$work/band.stl" "$work/centres.sl1" || failed=1

# Closed meshes that no code of ours has made: a hollow, 28 through-holes, raised letters.
meshes="${SPRUE_SHARED:-$root/../shared}/meshes"
for name in pendant_heart_closed_void.stl ring_eternity_28stone.stl.xz real_embossed_band_us9_126k.stl.xz; do
  if [[ ! -r $meshes/$name ]]; then
    echo "$name is not there; left out"
    continue
  fi
  mesh="$work/$(basename "$name" .xz)"
  case "$name" in
  *.xz) "$PYTHON" -c 'import lzma, sys; sys.stdout.buffer.write(lzma.open(sys.argv[1]).read())' "$meshes/$name" >"$mesh" ;;
  *) cp "$meshes/$name" "$mesh" ;;
  esac
  check "$mesh"
done

# Whether the judge would notice: one bit in the pixels of a layer, and one layer in the place of another.
"$PYTHON" - "$work" <<'PYTHON'
import pathlib, sys, zipfile
work = pathlib.Path(sys.argv[1])
data = bytearray((work / "band.goo").read_bytes())
data[195477 + 70 + 10] ^= 1  # Ten bytes into the picture of the first layer.
(work / "broken.goo").write_bytes(data)
with zipfile.ZipFile(work / "band.sl1") as sound, zipfile.ZipFile(work / "broken.sl1", "w") as broken:
    layers = sorted(name for name in sound.namelist() if name.endswith(".png") and "/" not in name)
    for name in sound.namelist():
        broken.writestr(name, sound.read(layers[0] if name == layers[len(layers) // 4] else name))
PYTHON
for broken in broken.goo broken.sl1; do
  if bounded "$PYTHON" "$here/check_slices.py" --mesh "$work/band.stl" "$work/$broken" >"$work/said.txt" 2>&1; then
    echo "$broken was taken as sound"
    failed=1
  else
    echo "noticed: $(tail -n 1 "$work/said.txt" | cut -c 1-200 | sed "s|$work/||")"
  fi
done
((failed == 0)) && echo "slices: all files are what their meshes say, $SECONDS s"
exit "$failed"
