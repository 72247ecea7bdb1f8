#!/usr/bin/env bash
# Fetches what tests/gpu/run.sh needs and a GPU machine without a package registry may lack into FOLDER: Debian's packages of
# oneDNN and GoogleTest (8 MB). Run it where Debian's packages can be had, and take FOLDER along.
# Usage: tests/gpu/pack.sh FOLDER [BUILD]
#   BUILD: a build folder with the CUDA engine, with -Dlibtorch=FOLDER of a LibTorch with CUDA, the same that Python's torch on
#   the GPU machine is, and -Dgpu_architectures of its GPU (or all). smearscope-train, the CUDA engine and the training's tests go
#   along in FOLDER/trainer.tar.xz, ready to run, with every library that they need but LibTorch's, CUDA's and the C library:
#   some 30 MB more.
set -euo pipefail
[ $# = 1 ] || [ $# = 2 ] || { sed -n 4p "$0" >&2; exit 2; }
die() { echo "tests/gpu/pack.sh: $*" >&2; exit 1; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)

# Libraries of a program, the libraries' own ones with them. What the GPU machine has is left out.
copy_libraries() { # FOLDER PROGRAM...
  local into=$1 name path program; shift
  local -A paths=()
  local queue=("$@")
  for program in "$@"; do
    while read -r name _ path _; do paths[$name]=$path; done < <(ldd "$program" | grep ' => /')
  done
  while [ ${#queue[@]} -gt 0 ]; do
    program=${queue[0]}; queue=("${queue[@]:1}")
    while read -r name; do
      case $name in
        libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | ld-linux* | libgomp.so.*) continue ;;
        libtorch* | libc10* | libcud* | libcublas* | libnv* | libnccl*) continue ;;
        libgdal.so.*) make_gdal "$into/$name" "${paths[$name]}" "$program"; continue ;;
      esac
      [ ! -e "$into/$name" ] || continue
      [ -n "${paths[$name]:-}" ] || die "$program needs $name, which isn't found"
      cp -L "${paths[$name]}" "$into/$name"
      queue+=("${paths[$name]}")
    done < <(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  done
}

# OpenCV is linked with GDAL, which reads maps and brings a hundred libraries; no code of ours gets there. In its place goes a
# library of the same functions, each of which ends the program.
make_gdal() { # FILE GDAL USER
  local functions
  functions=$(comm -12 <(nm -D --undefined-only "$3" | awk '{print $2}' | sed 's/@.*//' | sort -u) \
    <(nm -D --defined-only "$2" | awk '{print $3}' | sed 's/@.*//' | sort -u))
  for function in $functions; do printf '.globl %s\n.type %s, @function\n%s: ud2\n' "$function" "$function" "$function"; done |
    gcc -x assembler - -shared -nostdlib -Wl,-soname,"$(basename "$1")" -Wl,-z,noexecstack -o "$1"
}

pack_trainer() { # BUILD
  local trainer=$folder/trainer libtorch
  command -v xz >/dev/null || die "xz is missing"
  libtorch=$(meson introspect --buildoptions "$1" |
    python3 -c 'import json, sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "libtorch"))')
  [ -e "$libtorch/lib/libtorch_cuda.so" ] || die "$1 was not set up with -Dlibtorch=FOLDER of a LibTorch with CUDA"
  ninja -C "$1" -t query engine/libsmearscope-engine-cuda.so >/dev/null 2>&1 || die "$1 has no CUDA engine"
  ninja -C "$1" training/smearscope-train tests/training/training_device_test engine/libsmearscope-engine-cuda.so >/dev/null || die "the build in $1 failed"
  rm -rf "$trainer"
  mkdir -p "$trainer/lib"
  local programs=("$1/training/smearscope-train" "$1/tests/training/training_device_test")
  copy_libraries "$trainer/lib" "${programs[@]}"
  # The engine loads it from its own folder.
  copy_libraries "$trainer/lib" "$1/engine/libsmearscope-engine-cuda.so"
  strip -o "$trainer/lib/libsmearscope-engine-cuda.so" "$1/engine/libsmearscope-engine-cuda.so"
  for program in "${programs[@]}"; do strip -o "$trainer/$(basename "$program")" "$program"; done
  sed -n "s/^__version__ = '\(.*\)'/\1/p" "$libtorch/version.py" >"$trainer/torch-version" 2>/dev/null ||
    cp "$libtorch/build-version" "$trainer/torch-version" || die "$libtorch doesn't say which version it is"
  tar -C "$folder" -c trainer | xz -T0 >"$folder/trainer.tar.xz"
  rm -r "$trainer"
}

[ $# = 1 ] || pack_trainer "$(cd "$2" && pwd)"
cd "$folder"
apt-get download -q libdnnl-dev libdnnl2 libgtest-dev libgmock-dev ocl-icd-libopencl1
