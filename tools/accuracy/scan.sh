#!/usr/bin/env bash
# scan.sh sound|film SET SEED SCORE.py OUT [THRESHOLD]: what `minutia scan` finds of a development set of sound or film; see
# README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case "${1-} $#" in
  "sound "[56]) threshold=13 ;;
  "film "[56]) threshold=2 ;;
  *) echo "usage: scan.sh sound|film SET SEED SCORE.py OUT [THRESHOLD]" >&2; exit 2 ;;
esac
kind=$1; shift
set_dir=$(cd "$1" && pwd); seed=$2; score=$3; mkdir -p "$4"; out=$(cd "$4" && pwd); threshold=${5:-$threshold}
queries=$set_dir/queries-$seed
minutia=${MINUTIA:-${CARGO_TARGET_DIR:-$here/../../target}/release/minutia}
if [ ! -e "$out/index" ]; then
  # Under its id a reference says nothing of its name, and a finding names it.
  mkdir -p "$out/references"
  while IFS=$'\t' read -r id path; do
    ln "$set_dir/$path" "$out/references/$id.${path##*.}" 2>/dev/null || cp "$set_dir/$path" "$out/references/$id.${path##*.}"
  done < "$set_dir/references.tsv"
  "$minutia" index add "$out/index" "$out/references" ${MINUTIA_THREADS:+--threads "$MINUTIA_THREADS"} ||
    echo "$kind: some references could not be added, see above" >&2
fi
records=$out/records-$seed.jsonl
"$minutia" scan "$queries" --index "$out/index" --json ${MINUTIA_THREADS:+--threads "$MINUTIA_THREADS"} > "$records" || [ $? -le 2 ]
python3 "$here/${kind}_results.py" < "$records" > "$out/results-$seed.jsonl"
python3 "$score" "$queries" "$out/results-$seed.jsonl" --threshold "$threshold" --json "$out/score-$seed.json" > "$out/score-$seed.md"
echo "$kind: everything is in $out" >&2
