#!/usr/bin/env bash
# What each part of differential.toml brings: the same short run with one of them off at a time, each begun with smearscope-cells.
# Prints a table of COCO and federated mAP on the part `val`.
# Usage: ablations.sh --corpus DIR --output FOLDER [--build DIR] [--share SHARE] [--seed N] [--threads N]
# SHARE of the corpus's images is what a run sees (0.25). Runs that are finished are not run again.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
corpus='' output='' build=$root/build share=0.25 seed=1 threads=1
while [ $# -gt 0 ]; do
  case $1 in
    --corpus) corpus=$2 ;; --output) output=$2 ;; --build) build=$2 ;; --share) share=$2 ;; --seed) seed=$2 ;; --threads) threads=$2 ;;
    *) sed -n '2,5s/^# //p' "$0"; exit 2 ;;
  esac
  shift 2
done
[ -n "$corpus" ] && [ -n "$output" ] || { sed -n '2,5s/^# //p' "$0"; exit 2; }
train=$build/training/smearscope-train
mkdir -p "$output"

run() { # NAME [--set ...]
  local folder=$output/$1
  if [ ! -e "$folder/evaluation.json" ]; then
    rm -rf "$folder"
    "$train" train --regimen "$root/training/regimens/differential.toml" --corpus "$corpus:$share" --output "$folder" --seed "$seed" \
      --init "$root/models/smearscope-cells.safetensors" --threads "$threads" --set training.epochs=1 --set training.warmup_steps=50 \
      "${@:2}" >"$folder.log" 2>&1
    "$train" evaluate --corpus "$corpus" --model "$folder/model.safetensors" --threads "$threads" \
      --json "$folder/evaluation.json.part" >>"$folder.log"
    mv "$folder/evaluation.json.part" "$folder/evaluation.json"
  fi
  python3 - "$1" "$folder/evaluation.json" <<'PYTHON'
import json, sys
figures = json.load(open(sys.argv[2]))
print("%-22s" % sys.argv[1], *("%8.3f" % figures[kind]["coco"][key] for kind in ("coco", "federated") for key in ("AP", "AP50")))
PYTHON
}

printf '%-22s %8s %8s %8s %8s\n' run COCO @.50 federated @.50
run all
run no-completeness --set labels.completeness=false
run no-parents --set labels.parents=false
run no-own-name --set labels.own_name_share=0.0
run no-repeats --set balance.repeat_threshold=0.0
run no-copy-paste --set augmentation.copy_paste=0.0
run no-scale-jitter --set 'augmentation.red_cell_sides=[]'
run focal --set balance.focal_gamma=1.0
run class-weights --set balance.effective_number_beta=0.999
run f32 --set training.autocast=false
