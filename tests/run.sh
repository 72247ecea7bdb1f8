#!/usr/bin/env bash
# Builds and runs every test, and ends with the line "N passed, N failed, N skipped".
# Usage: tests/run.sh [--no-install] [--quick] [MESON OPTION...]     e.g. tests/run.sh -Dwerror=true
#
# What runs: a release build with all its tests, comparisons with torchvision among them, and the CUDA engine on an emulator
# (tests/gpu/run.sh runs it on a GPU); the shipped model's accuracy;
# the programs end to end (tests/pipelines); a second build under AddressSanitizer and UndefinedBehaviorSanitizer; the
# fuzz targets for a minute each. Build folders: build/tests, build/sanitizers, build/fuzz. A test that lacks something
# says what, and counts as skipped. --quick leaves out what takes long: the sanitizers and the comparisons of gradients and
# training with torchvision; and it fuzzes for ten seconds.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD

install=yes quick=no options=()
for argument in "$@"; do
  case $argument in
    --no-install) install=no ;;
    --quick) quick=yes ;;
    -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -D*) options+=("$argument") ;;
    *) echo "tests/run.sh: unknown argument '$argument' (see --help)" >&2; exit 2 ;;
  esac
done

say() { printf '\n== %s\n' "$*"; }
die() { echo "tests/run.sh: $*" >&2; exit 1; }

packages=(g++ meson ninja-build pkg-config ccache clang libclang-rt-14-dev python3 python3-venv
  libdnnl-dev libopencv-dev libjpeg-dev libboost-dev nlohmann-json3-dev libpugixml-dev libtomlplusplus-dev libcurl4-gnutls-dev libarchive-dev libmosquitto-dev libcairo2-dev libpango1.0-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad libgtest-dev libgmock-dev fonts-dejavu-core
  mosquitto mosquitto-clients openssl
  libtorch-dev libgloo-dev libopenblas-dev python3-torchvision python3-pil python3-numpy)
# Headers for frames in CUDA memory, of which nothing is built without CUDA.
[ -z "$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc)" ] || packages+=(libgstreamer-plugins-bad1.0-dev)

if [ "$install" = yes ]; then
  missing=()
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "Installing ${missing[*]}"
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -q || die "apt-get update failed"
    "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" || die "apt-get install failed"
  fi
fi

# The comparisons run with Debian's torchvision, and two small packages from PyPI where that can be reached.
if [ -z "${SMEARSCOPE_PYTHON:-}" ]; then
  venv=$root/build/oracles-venv
  [ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv --system-site-packages "$venv"
  # lvis asks for packages that draw and that nobody needs here.
  "$venv/bin/python" -c 'import safetensors, pycocotools, importlib.util as u; assert u.find_spec("lvis")' 2>/dev/null ||
    { "$venv/bin/python" -m pip install -q 'numpy<2' 'safetensors<0.6' 'pycocotools<2.0.9' &&
      "$venv/bin/python" -m pip install -q --no-deps 'lvis<0.6'; } ||
    echo "safetensors, pycocotools and lvis can't be installed from PyPI: the comparisons that need them are skipped"
  export SMEARSCOPE_PYTHON=$venv/bin/python
fi

passed=0 failed=0 skipped=0 failures=()
count() { # NAME EXIT_STATUS
  case $2 in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)); failures+=("$1") ;;
  esac
}

build() { # FOLDER COMPILER MESON_OPTION... ; a build that fails ends everything
  local folder=$1 compiler=$2; shift 2
  local wrap=; command -v ccache >/dev/null && wrap='ccache '
  local cc=gcc cxx=g++; [ "$compiler" = clang ] && cc=clang cxx=clang++
  if [ ! -f "$folder/build.ninja" ]; then
    CC="$wrap$cc" CXX="$wrap$cxx" meson setup "$folder" "$@" "${options[@]}" || die "meson setup $folder failed"
  else
    meson configure "$folder" "$@" "${options[@]}" || die "meson configure $folder failed"
  fi
  ninja -C "$folder" || die "the build in $folder failed"
}

run_meson_tests() { # FOLDER MESON_TEST_ARGUMENT...
  local folder=$1 log=$1/meson-logs/testlog.json line name; shift
  rm -f "$log"
  # One at a time: some tests look at what a stream does in real time.
  meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes 1 "$@"
  [ -s "$log" ] || { count "$folder: no test ran" 1; return; }
  while read -r line; do
    name="$folder: $(sed -n 's/.*"name": "\([^"]*\)".*/\1/p' <<<"$line")"
    case $line in
      *'"result": "OK"'* | *'"result": "EXPECTEDFAIL"'*) count "$name" 0 ;;
      *'"result": "SKIP"'*) count "$name" 77 ;;
      *) count "$name" 1 ;;
    esac
  done <"$log"
}

say "Release build"
# One architecture: kernels are compiled here to see that they compile, and run by the emulator.
build build/tests gcc --buildtype=release -Dtests=enabled -Dgpu_architectures=90
[ -f build/tests/engine/libsmearscope-engine-cuda.so ] ||
  echo "The CUDA engine is left out of this build: no nvcc (12.4 or later) with cuDNN 9 was found, or -Dcuda=disabled. Its sources run on the emulator."
slow=(); [ "$quick" = no ] || slow=(--no-suite slow)
run_meson_tests build/tests --timeout-multiplier 3 "${slow[@]}"

say "Accuracy of the shipped model"
bash tests/oracles/accuracy/run.sh --build build/tests
count "accuracy" $?

for script in tests/pipelines/*_test.sh; do
  say "$script"
  bash "$script" build/tests
  count "$script" $?
done

if [ "$quick" = no ]; then
  say "AddressSanitizer and UndefinedBehaviorSanitizer"
  build build/sanitizers gcc --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
    -Dtests=enabled -Dtraining=disabled -Dcuda=disabled
  # Leaks of elements are looked for with GStreamer's own tracer, which knows its caches.
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    SMEARSCOPE_PYTHON=/nonexistent run_meson_tests build/sanitizers --timeout-multiplier 10

fi

say "Fuzzing"
fuzz_seconds=60; [ "$quick" = no ] || fuzz_seconds=10
build build/fuzz clang -Dfuzz=true -Dfuzz_seconds=$fuzz_seconds -Dtests=enabled -Dtraining=disabled -Dplugin=disabled \
  -Dfetch=disabled -Dtools=disabled -Dcpu=disabled -Dcuda=disabled
run_meson_tests build/fuzz --suite fuzz

say "Summary"
for failure in "${failures[@]:-}"; do [ -z "$failure" ] || echo "failed: $failure"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
