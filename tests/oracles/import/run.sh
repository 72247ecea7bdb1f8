#!/usr/bin/env bash
# Checkpoints written by PyTorch, imported by smearscope-train, against the networks that they were written from:
# prints a line per checkpoint; exit status 0: same, 1: different, 77: skipped.
# Usage: run.sh [--build DIR] [options of compare.py, e.g. --quick]
# Python comes from $SMEARSCOPE_PYTHON (default python3), pictures from $SMEARSCOPE_SHARED_DATA.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${SMEARSCOPE_PYTHON:-python3}
data=${SMEARSCOPE_SHARED_DATA:-$root/../shared/data}
build=$root/build
if [ "${1:-}" = --build ]; then build=$(cd "$2" && pwd); shift 2; fi

skip() { echo "skipped: $1"; exit 77; }
"$python" -c 'import torchvision, numpy, PIL' 2>/dev/null || skip "$python can't import torchvision, numpy and Pillow"
[ -d "$data/bccd" ] || skip "no pictures in $data (set SMEARSCOPE_SHARED_DATA)"
[ -f "$build/build.ninja" ] || { echo "$build is not a build folder (meson setup build)"; exit 1; }
# (meson test has built them already)
[ -n "${MESON_TEST_ITERATION:-}" ] || ninja -C "$build" training/smearscope-train tests/oracles/parity/detect_frames >/dev/null ||
  { echo "the build failed"; exit 1; }
exec "$python" "$here/compare.py" --train "$build/training/smearscope-train" \
  --detect "$build/tests/oracles/parity/detect_frames" --data "$data" "$@"
