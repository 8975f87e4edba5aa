#!/usr/bin/env bash
# Plans of ours, judged by the independent checker of the published instances: generated workshops, the same after
# a breakdown, an absence and a rush order; against the published list scheduler; and the public job shops.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
: "${PYTHON:?an interpreter}" "${SPRUE:?the program}"
sched="${SPRUE_SHARED:-$root/../shared}/sched"
if [ ! -f "$sched/check.py" ]; then
  echo "the published instances and their checker are not at $sched; set SPRUE_SHARED"
  exit 77
fi
seconds_max=900
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=0

bounded() { timeout --kill-after=5 "$((seconds_max - SECONDS > 0 ? seconds_max - SECONDS : 1))" "$@"; }

# wrong TEXT: notes a broken promise.
wrong() {
  echo "wrong: $1"
  failed=1
}

# judged INSTANCE PLAN [OPTION...]: what the checker says.
judged() {
  bounded "$PYTHON" "$sched/check.py" "$@"
}

# objective FILE: from an answer of the checker.
objective() { "$PYTHON" -c 'import json, sys; print(json.load(open(sys.argv[1]))["objective"])' "$1"; }

# after NAME EVENT...: plans on after an event and has history and frozen part checked.
after() {
  local name="$1"
  shift
  bounded "$PYTHON" "$sched/event.py" "$work/i.json" "$@" >"$work/e.json"
  bounded "$SPRUE" plan "$work/e.json" --previous "$work/p.json" --now 1500 --freeze 120 -o "$work/r.json" >"$work/said.txt" ||
    wrong "no plan after $name: $(cat "$work/said.txt")"
  judged "$work/e.json" "$work/r.json" --prev "$work/p.json" --now 1500 --freeze 120 >"$work/judged.json" ||
    wrong "the plan after $name is refused"
  "$PYTHON" - "$work/judged.json" "$name" <<'PY' || wrong "too much moved after $name"
import json, sys
stability = json.load(open(sys.argv[1]))["stability"]
print(f"  after {sys.argv[2]}: {100 * stability['moved']:.2f} % of {stability['open_piece_stages']} piece-stages moved")
# What the event itself touches counts too; in so small a shop an absence touches much.
sys.exit(stability["moved"] > 0.25)
PY
}

for seed in 101 102 103; do
  bounded "$PYTHON" "$sched/generate.py" --pieces 100 --seed "$seed" --tightness 0.6 --load 1.5 >"$work/i.json"
  bounded "$SPRUE" plan "$work/i.json" --decodes 300 --seed 1 --json -o "$work/p.json" --svg "$work/p.svg" >"$work/said.json"
  judged "$work/i.json" "$work/p.json" >"$work/judged.json" || wrong "a plan of seed $seed is refused"
  [ "$(objective "$work/said.json")" = "$(objective "$work/judged.json")" ] || wrong "the objective is not what we say"
  best=
  for rule in fifo edd atc; do
    bounded "$PYTHON" "$sched/dispatch.py" "$work/i.json" --rule "$rule" --out "$work/d.json"
    judged "$work/i.json" "$work/d.json" --quiet >"$work/d.txt" || continue
    now="$(objective "$work/d.txt")"
    if [ -z "$best" ] || [ "$now" -lt "$best" ]; then best="$now"; fi
  done
  ours="$(objective "$work/judged.json")"
  echo "seed $seed: $ours, best simple rule $best"
  [ "$ours" -lt "$best" ] || wrong "a simple rule is better for seed $seed"
  bounded "$SPRUE" plan "$work/i.json" --decodes 300 --seed 1 -o "$work/again.json" >/dev/null
  cmp -s "$work/p.json" "$work/again.json" || wrong "the same seed and decodes gave another plan"
  after "a breakdown" down M1 1800 2400
  after "an absence" sick T2 1500 2880
  after "a rush order" rush 1500 18KY CAST-G 3500
done

# The judge has to notice what is broken on purpose.
"$PYTHON" - "$work/p.json" "$work/broken.json" <<'PY'
import json, sys
plan = json.load(open(sys.argv[1]))
next(task for task in plan["tasks"] if task["kind"] == "cast")["start"] -= 1
json.dump(plan, open(sys.argv[2], "w"))
PY
if judged "$work/i.json" "$work/broken.json" --quiet >/dev/null; then wrong "the judge accepts a broken plan"; fi

# Public job shops with a known optimum.
for known in brandimarte/mk01:40 brandimarte/mk04:60 brandimarte/mk08:523 kacem/k1:11; do
  file="$sched/fjsp/${known%%:*}.txt"
  [ -f "$file" ] || continue
  bounded "$SPRUE" plan "$file" --decodes 60000 --seed 1 --json >"$work/said.json"
  found="$(objective "$work/said.json")"
  echo "${known%%:*}: $found"
  [ "$found" -eq "${known##*:}" ] || wrong "${known%%:*} should be ${known##*:}"
done
exit "$failed"
