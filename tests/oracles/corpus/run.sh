#!/usr/bin/env bash
# Standardises the real data sets and holds the result to an independent count of their labels.
# Usage: run.sh SMEARSCOPE-CORPUS; $SMEARSCOPE_SHARED_DATA holds the data sets. Exit status 77: they are not there.
set -euo pipefail
program=$1 here=$(cd "$(dirname "$0")" && pwd) data=${SMEARSCOPE_SHARED_DATA:-}
[ -d "$data/bccd" ] || { echo "skipped: no data sets in '$data'"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

standardise() { # KIND FOLDER TAXONOMY
  local status=0
  "$program" standardise --source "$1" --input "$data/$2" --taxonomy "$3" --output "$work/$3/$1" > /dev/null || status=$?
  [ $status = 0 ] || [ $status = 2 ] || exit 1
  python3 "$here/counts.py" "$work/$3/$1" --data "$data"
}

for taxonomy in paper cells; do
  standardise bccd bccd $taxonomy
  standardise txl txl-pbc $taxonomy
done
