#!/usr/bin/env bash
# Makes corpora of the real data sets and holds them to an independent count of their labels, and the merged one to
# what other readers of COCO and LVIS files make of it ($SMEARSCOPE_PYTHON with pycocotools, torchvision, lvis).
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

standardise bccd bccd cells
standardise txl txl-pbc cells
standardise bccd bccd paper
standardise txl txl-pbc paper
standardise chula chula-rbc-12 paper
standardise pbc pbc paper

"$program" merge "$work/paper/"{txl,bccd,chula,pbc} --output "$work/merged" > /dev/null
"$program" split "$work/merged" --output "$work/corpus" > /dev/null
"$program" check "$work/corpus"  # errors end this
python3 "$here/counts.py" "$work/corpus" --data "$data"
status=0
"${SMEARSCOPE_PYTHON:-python3}" "$here/loads.py" "$work/corpus" || status=$?
[ $status = 0 ] || [ $status = 77 ] || exit 1
