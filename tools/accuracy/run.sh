#!/usr/bin/env bash
# run.sh SET SEED SCORE.py [OUT]: recall of `minutia scan` on a development set; see README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 3 ] || { echo "usage: run.sh SET SEED SCORE.py [OUT]" >&2; exit 2; }
set_dir=$(cd "$1" && pwd); seed=$2; score=$3; out=${4:-$(mktemp -d)}
queries=$set_dir/queries-$seed
minutia=${MINUTIA:-${CARGO_TARGET_DIR:-$here/../../target}/release/minutia}
mkdir -p "$out"
{
  echo 'file,work_id,title,holder,identifiers,territory,window,policy'
  awk -F '\t' '{ gsub(/"/, "\"\"", $2); printf "\"%s\",%s,,,,,,infringing\n", $2, $1 }' "$set_dir/references.tsv"
} > "$out/works.csv"
rm -rf "$out/index"
(cd "$set_dir" && cut -f 2 references.tsv | tr '\n' '\0' | xargs -0 -n 100000 "$minutia" index add "$out/index" --catalogue "$out/works.csv" --) ||
  echo "run: some references could not be added, see above" >&2
"$minutia" scan "$queries" --index "$out/index" --json > "$out/records.jsonl" || [ $? -le 2 ]
python3 "$here/results.py" "$queries" < "$out/records.jsonl" > "$out/results.jsonl"
python3 "$score" "$queries" "$out/results.jsonl" --threshold 4 --json "$out/score.json" | tee "$out/score.md"
echo "everything is in $out" >&2
