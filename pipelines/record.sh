#!/usr/bin/env bash
# Records a camera as it is, without marks, to look at again later with replay.sh or to label. Ctrl-C ends it; the file
# opens in any player, also after a power cut (then under its unfinished name).
#
#   pipelines/record.sh [--seconds N] DEVICE|URI|test FILE.mkv
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seconds='' arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds=$(value_of "$@"); shift 2 ;;
    -h|--help) usage; exit 0 ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) arguments+=("$1"); shift ;;
  esac
done
[ ${#arguments[@]} -eq 2 ] || die "name an input and a file (see --help)"
file=${arguments[1]}
[[ $file == *.mkv ]] || die "$file: the name has to end in .mkv"
[ ! -e "$file" ] || die "$file: is there already"
part=${file%.mkv}.part.mkv
use_smearscope
set_source "${arguments[0]}"
play_live "$seconds" "${source[@]}" ! queue leaky=downstream max-size-buffers=30 ! videoconvert ! "${encode[@]}" \
  ! filesink "location=$part"
mv "$part" "$file"
