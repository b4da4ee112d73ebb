#!/usr/bin/env bash
# Checks for the Debian packages that building, running and testing need. Installs what is missing when root,
# otherwise prints the one command that does and exits 1:  deps.sh [packaging | appliance]
set -euo pipefail

command -v dotnet >/dev/null || { echo "deps: the .NET SDK 10 is missing: install it and put dotnet on the PATH" >&2; exit 1; }

# package            file that shows it is there
wanted=(
  "gcc                     /usr/bin/gcc"
  "libc6-dev               /usr/include/stdio.h"
  "zlib1g-dev              /usr/include/zlib.h"
  "binutils                /usr/bin/objcopy"
  "libturbojpeg0           /usr/lib/x86_64-linux-gnu/libturbojpeg.so.0 /usr/lib/aarch64-linux-gnu/libturbojpeg.so.0"
  "ffmpeg                  /usr/bin/ffmpeg"
  "mosquitto-clients       /usr/bin/mosquitto_sub"
  "mosquitto               /usr/sbin/mosquitto"
  "python3-paho-mqtt       /usr/lib/python3/dist-packages/paho/__init__.py"
  "chromium                /usr/bin/chromium"
  "gcc-aarch64-linux-gnu   /usr/bin/aarch64-linux-gnu-gcc"
  "libc6-dev-arm64-cross   /usr/aarch64-linux-gnu/include/stdio.h"
  "qemu-user               /usr/bin/qemu-aarch64"
)
case ${1:-} in
  packaging) wanted=(
    "dpkg-dev              /usr/bin/dpkg-shlibdeps"
    "lintian               /usr/bin/lintian"
    "man-db                /usr/bin/man"
    "systemd               /usr/bin/systemd-analyze"
    "binutils              /usr/bin/objdump"
    "qemu-user             /usr/bin/qemu-x86_64"
    "python3               /usr/bin/python3"
  ) ;;
  appliance) wanted=(
    "mmdebstrap            /usr/bin/mmdebstrap"
    "qemu-system-x86       /usr/bin/qemu-system-x86_64"
    "seabios               /usr/share/seabios/bios.bin"
    "e2fsprogs             /usr/sbin/mke2fs"
    "openssl               /usr/bin/openssl"
    "gcc                   /usr/bin/gcc"
    "libc6-dev             /usr/include/stdio.h"
    "mosquitto-clients     /usr/bin/mosquitto_sub"
  ) ;;
esac

missing=()
for line in "${wanted[@]}"; do
  read -r package files <<<"$line"
  found=no
  for file in $files; do [[ -e $file ]] && found=yes; done
  [[ $found == yes ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

if [[ $(id -u) -ne 0 ]]; then
  echo "deps: missing from Debian: ${missing[*]}" >&2
  echo "deps: run:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "deps: installing ${missing[*]}" >&2
log=$(mktemp)
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "deps: apt-get could not install ${missing[*]}" >&2
  exit 1
fi
rm -f "$log"
