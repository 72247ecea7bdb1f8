#!/usr/bin/env bash
# The LibTorch network's losses, gradients and detections against torchvision's: prints a table;
# exit status 0: same, 1: different, 77: skipped.
# Usage: run.sh [--curve] [--build DIR | --program FILE] [options of compare.py, e.g. --quick]
# --curve compares the losses of 200 training steps instead (loss_curve.py and its options).
# Python comes from $SMEARSCOPE_PYTHON (default python3), pictures from $SMEARSCOPE_SHARED_DATA.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${SMEARSCOPE_PYTHON:-python3}
data=${SMEARSCOPE_SHARED_DATA:-$root/../shared/data}
build=$root/build
program= oracle=compare name=network_gradients
[ "${1:-}" != --curve ] || { oracle=loss_curve name=loss_curve; shift; }
case "${1:-}" in
  --build) build=$2; shift 2 ;;
  --program) program=$2; shift 2 ;;
esac

skip() { echo "skipped: $1"; exit 77; }
"$python" -c 'import torchvision, safetensors, PIL' 2>/dev/null ||
  skip "$python can't import torchvision, safetensors and Pillow"
[ -d "$data/bccd" ] || skip "no pictures in $data (set SMEARSCOPE_SHARED_DATA)"
if [ -z "$program" ]; then
  ninja -C "$build" tests/oracles/training/$name >/dev/null || { echo "the build failed"; exit 1; }
  program=$build/tests/oracles/training/$name
fi
exec "$python" "$here/$oracle.py" --program "$program" --data "$data" "$@"
