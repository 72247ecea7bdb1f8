#!/usr/bin/env bash
# Everything that needs a GPU, on a machine with a compiler, Meson, ninja and CUDA; Python with torchvision for the comparisons.
#
#   tests/gpu/run.sh [--out FOLDER] [--packages FOLDER] [--cudnn FOLDER] [--pictures FOLDER] [--quick]
#     builds for this machine's GPU, runs every kernel and the whole engine against the CPU engine, compute-sanitizer on the
#     kernels, whole pictures, and the benchmark against torchvision; the training's tests, where --packages has a trainer.
#     About eight minutes; writes summary.txt, speed.json, speed.txt and log.txt to FOLDER (build/gpu-results). --quick: one
#     minute of benchmark, memcheck only.
#
#   tests/gpu/run.sh --training --packages FOLDER [--corpus DIR] [...]
#     the training's tests, and its speed against torchvision's reference loop (training-speed.txt, training-speed.json). About
#     five minutes; builds nothing. --quick: two. With a corpus, whose part val is looked at (some hundred images do): the AP of
#     smearscope-differential in f32 and f16, too (accuracy-f32.json, accuracy-f16.json).
#
#   tests/gpu/run.sh --train REGIMEN --corpus DIR --minutes N [--init FILE] [--set TABLE.KEY=VALUE]... [--resume FOLDER] [...]
#     trains with smearscope-train on the GPU for N minutes and writes the run, model and checkpoint included, as run.tar.part-*
#     of 15 MB each, to be put together by cat. --resume FOLDER goes on with such parts. The program is the trainer of --packages;
#     without one it is built, which needs what smearscope-train needs, and --libtorch FOLDER.
#
# --packages: a folder that tests/gpu/pack.sh filled elsewhere: a trainer ready to run, and oneDNN and GoogleTest for a machine
# that lacks them.
# Exit status: 0 all passed, 1 something failed, 77 no GPU here (it says why). Parts that lack something say what, and are
# counted as skipped.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1

out=$root/build/gpu-results build=$root/build/gpu packages='' cudnn='' pictures='' quick=no
regimen='' corpus='' minutes='' libtorch='' resume='' training_only=no train_options=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes; shift; continue ;;
    --training) training_only=yes; shift; continue ;;
    -h | --help) sed -n '2,23s/^# \{0,1\}//p' "$0"; exit 0 ;;
  esac
  [ $# -ge 2 ] || { echo "tests/gpu/run.sh: $1 lacks its value, or is no option (see --help)" >&2; exit 2; }
  case $1 in
    --out) out=$2 ;;
    --packages) packages=$(cd "$2" && pwd) || exit 2 ;;
    --cudnn) cudnn=$2 ;;
    --pictures) pictures=$2 ;;
    --train) regimen=$2 ;;
    --corpus) corpus=$2 ;;
    --minutes) minutes=$2 ;;
    --libtorch) libtorch=$2 ;;
    --resume) resume=$2 ;;
    --init | --set) train_options+=("$1" "$2") ;;
    *) echo "tests/gpu/run.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
  esac
  shift 2
done
mkdir -p "$out"
out=$(cd "$out" && pwd)
python=${SMEARSCOPE_PYTHON:-python3}
# Meson and ninja may have come with Python; compute-sanitizer comes with the toolkit.
PATH=$PATH:/usr/local/cuda/bin:$("$python" -c 'import os, sys; print(os.path.dirname(sys.executable))')
export SMEARSCOPE_CACHE_DIR=${SMEARSCOPE_CACHE_DIR:-$build/cache}

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
die() { echo "tests/gpu/run.sh: $*" >&2; exit 1; }
passed=0 failed=0 skipped=0
: >"$out/summary.txt"
count() { # NAME EXIT_STATUS
  local word
  case $2 in
    0) passed=$((passed + 1)) word=passed ;;
    77) skipped=$((skipped + 1)) word=skipped ;;
    *) failed=$((failed + 1)) word="FAILED ($2)" ;;
  esac
  printf '%-44s %s\n' "$1" "$word" | tee -a "$out/summary.txt"
}

command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total --format=csv,noheader |
  tee -a "$out/summary.txt"
nvidia-smi -L >/dev/null 2>&1 || [ -e /dev/nvidiactl ] || { echo "skipped: no GPU here (no nvidia-smi that lists one)"; exit 77; }

# --- a trainer that came along ---
trainer=''
torch_libraries() { # of Python's torch, and of the packages beside it
  "$python" -c 'import glob, importlib.util as u, os
torch = u.find_spec("torch").submodule_search_locations[0]
print(":".join([torch + "/lib"] + sorted(glob.glob(os.path.dirname(torch) + "/nvidia/*/lib"))))' 2>/dev/null
}
if [ -n "$packages" ] && [ -e "$packages/trainer.tar.xz" ]; then
  trainer=$build/trainer
  mkdir -p "$build" && rm -rf "$trainer" # Python knows xz where the machine may not
  "$python" -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' "$packages/trainer.tar.xz" "$build" ||
    die "$packages/trainer.tar.xz can't be unpacked"
  trainer_libraries=$trainer/lib:$(torch_libraries) || die "$python has no torch, which the trainer in $packages needs"
  wanted=$(cat "$trainer/torch-version")
  there=$("$python" -c 'import torch; print(torch.__version__)')
  [ "$wanted" = "$there" ] || die "the trainer in $packages needs torch $wanted; $python has $there"
  LD_LIBRARY_PATH=$trainer_libraries "$trainer/smearscope-train" --version || die "the trainer in $packages doesn't run here"
fi
with_trainer() { LD_LIBRARY_PATH=$trainer_libraries "$@"; } # the program and its libraries, and nobody else's

train() { # PROGRAM...
  [ -n "$corpus" ] && [ -n "$minutes" ] || die "--train needs --corpus and --minutes"
  local run=$build/run go_on=("${train_options[@]}")
  rm -rf "$run"
  mkdir -p "$build"
  if [ -n "$resume" ]; then
    mkdir -p "$run" && cat "$resume"/run.tar.part-* | tar -C "$run" -x || die "$resume holds no whole run"
    go_on+=(--resume)
  fi
  say "Training for $minutes minutes"
  "$@" train --device cuda --corpus "$corpus" --regimen "$regimen" --output "$run" --max-minutes "$minutes" \
    "${go_on[@]}" 2>&1 | tee "$out/train.txt"
  count "training" "${PIPESTATUS[0]}"
  rm -f "$out"/run.tar.part-*
  [ -d "$run" ] || return
  tar -C "$run" -c . | split -b 15M - "$out/run.tar.part-" || die "the run can't be packed into $out"
  ls -l "$out"/run.tar.part-*
}

# The network and its kernels on the GPU against the CPU; with --training the speed against torchvision's reference loop, too.
test_training() {
  say "Training on the GPU against the CPU"
  if [ -z "$trainer" ]; then
    echo "skipped: no trainer came along (tests/gpu/pack.sh FOLDER BUILD, and --packages FOLDER here)"
    count "training" 77
    return
  fi
  SMEARSCOPE_REQUIRE_CUDA=1 with_trainer timeout 180 "$trainer/training_device_test" --gtest_brief=1 2>&1 | tail -40
  count "training_device_test" "${PIPESTATUS[0]}"
  [ $training_only = yes ] || return
  say "Speed of training"
  local seconds=200 rounds=2; [ $quick = yes ] && seconds=80 rounds=1
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/smearscope-train "$@"\n' "$trainer_libraries" "$trainer" >"$out/smearscope-train"
  chmod +x "$out/smearscope-train"
  timeout 400 "$python" tests/gpu/training_speed.py --train "$out/smearscope-train" --seconds $seconds --rounds $rounds \
    --json "$out/training-speed.json" 2>&1 | tee "$out/training-speed.txt"
  count "training speed" "${PIPESTATUS[0]}"
}

# f16 may cost 0.002 of AP.
test_half_precision() {
  say "Average precision in f32 and f16"
  rm -f "$out"/accuracy-f32.json "$out"/accuracy-f16.json
  if [ -z "$corpus" ] || [ -z "$trainer" ]; then
    echo "skipped: no corpus (--corpus DIR) or no trainer (--packages FOLDER)"
    count "f16 within 0.002 of f32's AP" 77
    return
  fi
  for precision in f32 f16; do
    with_trainer timeout 200 "$trainer/smearscope-train" evaluate --corpus "$corpus" --device cuda --precision $precision \
      --model models/smearscope-differential.safetensors --json "$out/accuracy-$precision.json" 2>&1 | tail -40
    count "evaluate in $precision" "${PIPESTATUS[0]}"
  done
  "$python" -c 'import json, sys
f32, f16 = (json.load(open(name))["federated"]["coco"]["AP"] for name in sys.argv[1:])
print(f"federated mAP: f32 {f32:.4f}, f16 {f16:.4f}")
sys.exit(abs(f32 - f16) > 0.002)' "$out/accuracy-f32.json" "$out/accuracy-f16.json" 2>&1 | tee -a "$out/summary.txt"
  count "f16 within 0.002 of f32's AP" "${PIPESTATUS[0]}"
}

summarise() {
  say "Summary"
  cat "$out/summary.txt"
  echo "$passed passed, $failed failed, $skipped skipped, $SECONDS s; results in $out"
  [ "$failed" = 0 ]
}

if [ $training_only = yes ]; then
  test_training
  test_half_precision
  summarise
  exit
fi
if [ -n "$regimen" ] && [ -n "$trainer" ]; then
  train with_trainer "$trainer/smearscope-train"
  [ "$failed" = 0 ]; exit
fi

# --- build ---
if [ -n "$packages" ]; then
  unpacked=$root/build/gpu-packages
  rm -rf "$unpacked"
  for package in "$packages"/*.deb; do dpkg -x "$package" "$unpacked" || die "$package can't be unpacked"; done
  packages=$unpacked
  export CPATH=$packages/usr/include:${CPATH:-} LIBRARY_PATH=$packages/usr/lib/x86_64-linux-gnu:${LIBRARY_PATH:-}
  export LD_LIBRARY_PATH=$packages/usr/lib/x86_64-linux-gnu:${LD_LIBRARY_PATH:-}
fi
architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | tr -d .)
if [ -z "$cudnn" ]; then # a Python wheel's cuDNN, where the toolkit has none
  wheel=$("$python" -c 'import importlib.util as u; print(u.find_spec("nvidia.cudnn").submodule_search_locations[0])' 2>/dev/null)
  [ -e /usr/local/cuda/include/cudnn.h ] || [ -e /usr/include/cudnn.h ] || cudnn=$wheel
fi
[ -z "$cudnn" ] || export LD_LIBRARY_PATH=$cudnn/lib:${LD_LIBRARY_PATH:-}
options=(--buildtype=release -Dcuda=enabled "-Dgpu_architectures=${architecture:-90}" -Dcudnn="$cudnn" -Dtests=auto -Dplugin=disabled
  -Dtools=disabled -Dfetch=disabled)
if [ -n "$regimen" ]; then
  options+=(-Dcorpus=enabled -Dtraining=enabled "-Dlibtorch=$libtorch")
else
  options+=(-Dcorpus=disabled -Dtraining=disabled)
fi
say "Build for compute capability ${architecture:-90}"
setup=(meson setup "$build"); [ -f "$build/build.ninja" ] && setup=(meson configure "$build")
"${setup[@]}" "${options[@]}" >"$out/log.txt" 2>&1 || { tail -20 "$out/log.txt"; die "meson failed"; }

if [ -n "$regimen" ]; then
  ninja -C "$build" training/smearscope-train >>"$out/log.txt" 2>&1 || { tail -20 "$out/log.txt"; die "the build failed"; }
  train "$build/training/smearscope-train"
  [ "$failed" = 0 ]; exit
fi

targets=(engine/libsmearscope-engine-cuda.so engine/tools/smearscope-bench tests/oracles/parity/detect_frames)
have_gpu_tests=no
ninja -C "$build" -t query gpu-tests >/dev/null 2>&1 && have_gpu_tests=yes targets+=(gpu-tests)
ninja -C "$build" "${targets[@]}" >>"$out/log.txt" 2>&1 || { grep -E 'error|FAILED' -A5 "$out/log.txt" | head -40; die "the build failed"; }

# --- tests ---
say "Kernels and the engine against the CPU"
tests=("$build"/tests/gpu/*_gpu_test)
if [ $have_gpu_tests = yes ]; then
  for test in "${tests[@]}"; do
    timeout 180 "$test" --gtest_brief=1 2>&1 | tail -30
    count "$(basename "$test")" "${PIPESTATUS[0]}"
  done
else
  echo "skipped: the build has no oneDNN or no GoogleTest (see --packages)"
  count "GPU tests" 77
fi

say "compute-sanitizer"
tools=(memcheck racecheck); [ $quick = yes ] && tools=(memcheck)
if [ $have_gpu_tests = yes ] && command -v compute-sanitizer >/dev/null; then
  for test in "$build"/tests/gpu/{pooling,postprocess,preprocess,proposals,roi_align}_gpu_test; do
    for tool in "${tools[@]}"; do
      timeout 60 compute-sanitizer --tool "$tool" --error-exitcode 9 "$test" --gtest_brief=1 2>&1 | tail -5
      count "$tool $(basename "$test")" "${PIPESTATUS[0]}"
    done
  done
else
  echo "skipped: compute-sanitizer or the GPU tests are missing"
  count "compute-sanitizer" 77
fi

say "Whole pictures"
judge=torchvision; [ $have_gpu_tests = yes ] && judge=cpu
if "$python" -c 'import torchvision' 2>/dev/null; then
  timeout 150 "$python" tests/gpu/whole_network.py --build "$build" --reference $judge ${pictures:+--pictures "$pictures"} \
    --model models/smearscope-cells.safetensors 2>&1 | tee -a "$out/summary.txt"
  count "whole pictures" "${PIPESTATUS[0]}"

  say "Speed"
  seconds=90; [ $quick = yes ] && seconds=45
  timeout 240 "$python" tests/gpu/speed.py --build "$build" --seconds $seconds --json "$out/speed.json" 2>&1 | tee "$out/speed.txt"
  count "speed measured" "${PIPESTATUS[0]}"
else
  echo "skipped: $python can't import torchvision"
  count "whole pictures, speed" 77
fi
for precision in f32 f16; do
  "$build/engine/tools/smearscope-bench" --model models/smearscope-cells.safetensors --device cuda --precision $precision --frames 200 \
    2>&1 | tee -a "$out/speed.txt"
  count "smearscope-bench $precision" "${PIPESTATUS[0]}"
done
"$build/engine/tools/smearscope-bench" --model models/smearscope-cells.safetensors --device cuda --precision f16 --cameras 40 --rate 30 \
  --seconds 10 --batch 8 --json "$out/cameras.json" 2>&1 | tee -a "$out/speed.txt"
count "40 cameras" "${PIPESTATUS[0]}"

test_training
summarise
