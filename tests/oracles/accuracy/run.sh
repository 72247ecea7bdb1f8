#!/usr/bin/env bash
# COCO accuracy of a model (default: the shipped one) on the validation parts of TXL-PBC and BCCD and on synthetic smear
# that it was not trained on, by pycocotools on what smearscope-detect found, and on what celldetect found when the same
# images came as frames of a pipeline: both must give the same AP. Exit status 0: all bars met, 1: not, 77: skipped. Usage: run.sh [--build DIR] [--model FILE] [--json FOLDER]
# Python comes from $SMEARSCOPE_PYTHON (default python3), pictures from $SMEARSCOPE_SHARED_DATA.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${SMEARSCOPE_PYTHON:-python3}
data=${SMEARSCOPE_SHARED_DATA:-$root/../shared/data}
build=$root/build model=$root/models/smearscope-cells.safetensors json=
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$(cd "$2" && pwd) ;;
    --model) model=$2 ;;
    --json) json=$2 ;;
    *) echo "run.sh: unknown argument $1" >&2; exit 2 ;;
  esac
  shift 2
done

skip() { echo "skipped: $1"; exit 77; }
[ -f "$model" ] || skip "no model $model"
"$python" -c 'import pycocotools' 2>/dev/null || skip "$python can't import pycocotools"
work=$(mktemp -d)
[ -n "$json" ] || json=$work
export GST_PLUGIN_PATH=$build/gst-plugin GST_REGISTRY=$work/registry.bin
trap 'rm -rf "$work"' EXIT
corpus=$build/dataset-tools/smearscope-corpus
detect=$build/engine/tools/smearscope-detect
failed=0

evaluate() { # NAME CORPUS BAR(AP50)
  echo
  echo "$1: AP50 of at least $3 wanted"
  "$detect" --model "$model" --score-threshold 0.01 --agnostic-nms-threshold 1 --coco-images "$2/annotations/val.json" \
    --coco-results "$work/$1-results.json" "$2/images" >/dev/null
  "$python" "$here/evaluate.py" --coco "$2/annotations/val.json" --results "$work/$1-results.json" \
    --require-ap50 "$3" --json "$json/$1.json" || failed=1
}

same_through_pipeline() { # NAME CORPUS, after evaluate
  "$python" "$here/through_pipeline.py" --coco "$2/annotations/val.json" --images "$2/images" --model "$model" \
    --results "$work/$1-pipeline.json" &&
    "$python" "$here/evaluate.py" --coco "$2/annotations/val.json" --results "$work/$1-pipeline.json" \
      --json "$json/$1-pipeline.json" >/dev/null || { failed=1; return; }
  "$python" -c 'import json, sys
direct, piped = (json.load(open(name))["all"] for name in sys.argv[1:])
print("as frames of a pipeline: AP50 %.4f" % piped["AP50"])
sys.exit(any(abs(direct[key] - piped[key]) > 5e-4 for key in direct))' "$json/$1.json" "$json/$1-pipeline.json" ||
    { echo "the pipeline's AP is not that of smearscope-detect" >&2; failed=1; }
}

if [ -d "$data/txl-pbc" ] && [ -d "$data/bccd" ]; then
  "$corpus" standardise --source txl --input "$data/txl-pbc/TXL_PBC" --output "$work/txl" >/dev/null
  "$corpus" standardise --source bccd --input "$data/bccd/BCCD" --output "$work/bccd" >/dev/null
  evaluate txl-pbc "$work/txl" 0.95
  same_through_pipeline txl-pbc "$work/txl"
  evaluate bccd "$work/bccd" 0.88
  same_through_pipeline bccd "$work/bccd"
else
  echo "no pictures in $data (set SMEARSCOPE_SHARED_DATA): only synthetic smear is measured"
fi

# Another seed than any used in training (900000 and up).
gst-launch-1.0 -q smeartestsrc num-buffers=40 seed=4711 \
  stage-path=raster stage-speed=400 "corpus-location=$work/smear" corpus-part=val ! video/x-raw,width=640,height=480,framerate=5/1 ! fakesink
evaluate synthetic-smear "$work/smear" 0.90
exit $failed
