#!/usr/bin/env bash
# The board's system before anything of ours is on it, as a tar; prints its path:  base.sh FOLDER
# Made by mmdebstrap from the packages listed beside this script, and kept by the list's hash. Needs root.
set -euo pipefail

folder=$1
here=$(cd "$(dirname "$0")" && pwd)
suite=bookworm
key=$({ echo $suite; cat "$here/packages"; } | sha256sum | cut -c 1-16)
tar=$folder/base-$key.tar
mkdir -p "$folder"
if [[ ! -s $tar ]]; then
  echo "appliance: making the base system (about 2 minutes)" >&2
  rm -f "$folder"/base-*.tar
  if ! timeout 600 nice -n 5 mmdebstrap --architectures=amd64 --variant=minbase --mode=root --include="$(paste -sd , "$here/packages")" "$suite" "$tar.new" >"$folder/base.log" 2>&1; then
    tail -n 20 "$folder/base.log" >&2
    rm -f "$tar.new"
    echo "appliance: mmdebstrap could not make the base system" >&2
    exit 1
  fi
  mv "$tar.new" "$tar"
fi
echo "$tar"
