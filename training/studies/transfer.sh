#!/usr/bin/env bash
# The paper's comparison on two CPU cores: random start against another collection's weights, crossed with its two ways of
# changing pictures. A small network learns TXL-PBC, then Chula RBC-12 four times: baseline, baseline-augmented (random start),
# transfer-plain, transfer (TXL-PBC's weights). Ends with a report of the four.
# Usage: transfer.sh --data FOLDER --output FOLDER [--build DIR] [--epochs N] [--threads N]
# FOLDER of --data holds txl-pbc/ and chula-rbc-12/. Runs that are finished are not run again; others go on where they ended.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
data='' output='' build=$root/build epochs=4 threads=1
while [ $# -gt 0 ]; do
  case $1 in
    --data) data=$2 ;; --output) output=$2 ;; --build) build=$2 ;; --epochs) epochs=$2 ;; --threads) threads=$2 ;;
    *) sed -n '2,6s/^# //p' "$0"; exit 2 ;;
  esac
  shift 2
done
[ -n "$data" ] && [ -n "$output" ] || { sed -n '2,6s/^# //p' "$0"; exit 2; }
corpus=$build/dataset-tools/smearscope-corpus train=$build/training/smearscope-train
mkdir -p "$output"

for source in txl:txl-pbc chula:chula-rbc-12; do
  kind=${source%:*}
  [ -d "$output/$kind" ] && continue
  "$corpus" standardise --source "$kind" --taxonomy paper --input "$data/${source#*:}" --output "$output/$kind-all" \
    >"$output/$kind.log" 2>&1 || [ $? = 2 ]  # 2: something could not be read, and is in the log
  "$corpus" split "$output/$kind-all" --output "$output/$kind" >>"$output/$kind.log"
done

# The network of differential.toml, in place of the paper's ResNet-50 at 800 pixels.
small=(--set 'network.backbone="resnet18"' --set network.fpn_channels=64 --set network.head_width=256
  --set network.min_side=320 --set network.max_side=569 --set 'network.anchor_sizes=[[18],[32],[54],[104],[157]]'
  --set sampling.proposals_before_nms=1000 --set sampling.proposals=500 --set sampling.roi_samples=128
  --set network.proposals_before_nms=500 --set network.proposals=300
  --set training.warmup_steps=100 --set training.autocast=true --threads "$threads")
run() { # NAME REGIMEN CORPUS EPOCHS [options]
  local name=$1 regimen=$root/training/regimens/$2.toml corpus=$output/$3 resume=()
  [ ! -e "$output/$name/finished" ] || return 0
  [ ! -e "$output/$name/checkpoint.safetensors" ] || resume=(--resume)
  "$train" train --regimen "$regimen" --corpus "$corpus" --output "$output/$name" "${small[@]}" --set training.epochs="$4" \
    --set training.step_epochs=$(($4 * 3 / 4)) "${@:5}" "${resume[@]}"
  touch "$output/$name/finished"
}

run txl-pretrained baseline-augmented txl 3
run baseline baseline chula "$epochs"
run baseline-augmented baseline-augmented chula "$epochs"
# As wide a choice of layers to train as the random start has: frozen ones would differ, too.
free=(--init "$output/txl-pretrained/model.safetensors" --set network.frozen_batch_norm=false --set network.frozen_stages=0)
run transfer-plain transfer-plain chula "$epochs" "${free[@]}"
run transfer transfer chula "$epochs" "${free[@]}"
"$train" report "$output/baseline" "$output/baseline-augmented" "$output/transfer-plain" "$output/transfer" \
  --corpus "$output/chula" --output "$output/report" --threads "$threads"
