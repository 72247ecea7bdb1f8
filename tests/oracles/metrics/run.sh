#!/usr/bin/env bash
# smearscope-train's figures against pycocotools' COCOeval, and the federated ones against LVIS's package where it is there.
# Exit status 0: equal, 1: not, 77: skipped.
# Usage: run.sh random [--build DIR] [options of random_cases.py]   random data sets full of edge cases
#        run.sh real [--build DIR] [--model FILE]   what a model (default: the shipped one) finds in the validation parts of
#                                                   TXL-PBC and BCCD, through the engine and through LibTorch
# Python comes from $SMEARSCOPE_PYTHON (default python3), pictures from $SMEARSCOPE_SHARED_DATA.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${SMEARSCOPE_PYTHON:-python3}
data=${SMEARSCOPE_SHARED_DATA:-$root/../shared/data}
build=$root/build model=$root/models/smearscope-cells.safetensors
what=${1:-random} rest=()
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$(cd "$2" && pwd); shift 2 ;;
    --model) model=$2; shift 2 ;;
    *) rest+=("$1"); shift ;;
  esac
done

skip() { echo "skipped: $1"; exit 77; }
"$python" -c 'import pycocotools' 2>/dev/null || skip "$python can't import pycocotools (SMEARSCOPE_PYTHON names another)"
if [ "$what" = random ]; then
  exec "$python" "$here/random_cases.py" "$build/tests/oracles/metrics/metrics_figures" "${rest[@]}"
fi
[ "$what" = real ] || { echo "run.sh: unknown argument $what" >&2; exit 2; }

train=$build/training/smearscope-train corpus=$build/dataset-tools/smearscope-corpus
[ -d "$data/txl-pbc" ] && [ -d "$data/bccd" ] || skip "no pictures in $data (set SMEARSCOPE_SHARED_DATA)"
[ -f "$model" ] || skip "no model $model"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

compare() { # SOURCE FOLDER
  "$corpus" standardise --source "$1" --input "$data/$2" --output "$work/$1" >/dev/null 2>&1 || [ $? = 2 ]
  for through in engine libtorch; do
    "$train" evaluate --corpus "$work/$1" --model "$model" --through $through --json "$work/$1-$through.json" \
      --results "$work/$1-$through-results.json" >/dev/null
  done
  echo "$1:"
  "$python" "$here/real_predictions.py" --coco "$work/$1/annotations/val.json" \
    --results "$work/$1-engine-results.json" --report "$work/$1-engine.json" --other "$work/$1-libtorch.json" || failed=1
}

compare bccd bccd/BCCD
compare txl txl-pbc/TXL_PBC
exit $failed
