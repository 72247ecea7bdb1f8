#!/usr/bin/env bash
# Fetches what tests/gpu/run.sh needs and a GPU machine without a package registry may lack into FOLDER: Debian's packages of
# oneDNN and GoogleTest (8 MB). Run it where Debian's packages can be had, and take FOLDER along.
# Usage: tests/gpu/pack.sh FOLDER
set -euo pipefail
[ $# = 1 ] || { echo "usage: tests/gpu/pack.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
apt-get download -q libdnnl-dev libdnnl2 libgtest-dev libgmock-dev ocl-icd-libopencl1
