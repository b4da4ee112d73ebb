#!/usr/bin/env bash
# Checks the unit, its sandbox's score, the samples and the newest package:  check.sh FOLDER
# Closes with "N passed, N failed, N skipped". What needs a tool that is not there is skipped, with the reason.
set -uo pipefail

folder=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() { # NAME COMMAND...
  if output=$("${@:2}" 2>&1); then passed=$((passed + 1)); printf '  ok    %s%s\n' "$1" "${output:+: $(tail -n 1 <<<"$output")}"
  else failed=$((failed + 1)); printf '  FAIL  %s\n%s\n' "$1" "$output"; fi
}
skip() { skipped=$((skipped + 1)); printf '  skip  %s: skipped: %s\n' "$1" "$2"; }

unit=$root/firmware-config/systemd/edgesparsed.service
MOST_EXPOSURE=2.0
exposure() {
  local level
  level=$(LC_ALL=C systemd-analyze security --offline=yes --no-pager "$1" | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p')
  [[ -n $level ]] || { echo "systemd-analyze gave no level"; return 1; }
  echo "$level, at most $MOST_EXPOSURE"
  awk -v level="$level" -v most=$MOST_EXPOSURE 'BEGIN { exit !(level <= most) }'
}
verified() {
  # The programs and manual pages are not installed here; everything else must be right.
  sed -e 's:/usr/bin/edgesparsed:/bin/true:' -e '/^Documentation=/d' "$unit" >"$work/edgesparsed.service"
  local problems
  problems=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$work/edgesparsed.service" 2>&1 | grep -F edgesparsed.service)
  [[ -z $problems ]] || { echo "$problems"; return 1; }
}
if command -v systemd-analyze >/dev/null; then
  check "the unit is right" verified
  check "the sandbox's exposure" exposure "$unit"
else
  skip "the unit and its sandbox" "no systemd-analyze (Debian package systemd)"
fi
for script in "$root"/tools/packaging/debian/{postinst,prerm,postrm}; do check "$(basename "$script") can be parsed" sh -n "$script"; done

package=$(ls -t "$folder"/edgesparse_*_"$(dpkg --print-architecture)".deb 2>/dev/null | head -n 1)
if [[ -z $package ]]; then
  skip "the package" "none in $folder (make deb)"
  echo "$passed passed, $failed failed, $skipped skipped"
  [[ $failed -eq 0 ]]
  exit
fi

# shellcheck disable=SC2016
lint() { lintian --fail-on error,warning --tag-display-limit 0 --allow-root "$1" && echo clean; }
other=$(ls -t "$folder"/edgesparse_*_arm64.deb 2>/dev/null | head -n 1)
[[ $other != "$package" ]] || other=""
if command -v lintian >/dev/null; then
  check "lintian" lint "$package"
  [[ -z $other ]] || check "lintian, $(basename "$other")" lint "$other"
else skip "lintian" "not installed (Debian package lintian)"; fi

tree=$work/tree
dpkg-deb -x "$package" "$tree"
dpkg-deb -e "$package" "$work/control"
sums() { (cd "$tree" && md5sum --quiet -c "$work/control/md5sums"); }
check "md5sums fit" sums
listed() { diff <(cd "$tree" && find etc -type f | sed 's:^:/:' | sort) <(sort "$work/control/conffiles"); }
check "every file in /etc is a conffile" listed
version() { [[ $("$tree/usr/bin/$1" --version) == *"$(dpkg-deb -f "$package" Version)"* ]]; }
check "edgesparse says the package's version" version edgesparse
check "edgesparsed says the package's version" version edgesparsed
configured() { "$tree/usr/bin/edgesparsed" --config "$tree/etc/edgesparse/edgesparse.json" --check-config --mqtt:socket=; }
check "the sample configuration is right" configured
samples() {
  local file
  for file in "$tree"/usr/share/doc/edgesparse/examples/raspberrypi/*.json "$tree"/usr/share/doc/edgesparse/examples/kubernetes/*.json; do
    [[ -e $file ]] || continue
    "$tree/usr/bin/edgesparsed" --config "$file" --check-config --cpus= || { echo "$file"; return 1; }
  done
}
check "the boards' configurations are right" samples
portable() { # nothing beyond libc and what the control file names
  local needed
  needed=$(objdump -p "$tree"/usr/bin/edgesparse* | awk '/NEEDED/ { print $2 }' | sort -u | paste -sd ' ')
  echo "$needed"
  [[ -z $(tr ' ' '\n' <<<"$needed" | grep -vE '^(libc|libm|ld-linux.*|libgcc_s|libdl|libpthread|librt)\.so') ]]
}
if command -v objdump >/dev/null; then check "the programs need libc only" portable; else skip "what the programs need" "no objdump (Debian package binutils)"; fi
older() { # a processor without AVX2 gets a message, not a crash in the middle
  local output code
  output=$(timeout 60 qemu-x86_64 -cpu Nehalem "$tree/usr/bin/edgesparsed" --version 2>&1)
  code=$?
  grep -m 1 -i 'instruction set' <<<"$output" && [[ $code -ne 0 ]]
}
if [[ $(dpkg --print-architecture) == amd64 ]]; then
  if command -v qemu-x86_64 >/dev/null; then check "an older processor is told" older; else skip "an older processor is told" "no qemu-x86_64 (Debian package qemu-user)"; fi
fi
crossed() { # the other architecture's daemon reads the sample configuration, the tool finds its kernels, as on a Pi 4 and on something newer
  dpkg-deb -x "$other" "$work/other"
  local processor
  for processor in cortex-a72 max; do
    timeout 120 qemu-aarch64 -cpu $processor -L /usr/aarch64-linux-gnu "$work/other/usr/bin/edgesparsed" --config "$work/other/etc/edgesparse/edgesparse.json" --check-config || return 1
    timeout 120 qemu-aarch64 -cpu $processor -L /usr/aarch64-linux-gnu "$work/other/usr/bin/edgesparse" kernels >/dev/null || return 1
  done
}
if [[ -n $other ]]; then
  if command -v qemu-aarch64 >/dev/null && [[ -d /usr/aarch64-linux-gnu ]]; then check "the arm64 programs run" crossed; else skip "the arm64 programs" "no qemu-aarch64 (Debian packages qemu-user, libc6-dev-arm64-cross)"; fi
fi
asserted() { # systemd knows the features that the drop-in names, and says of this processor what the kernel says
  local line
  while read -r line; do systemd-analyze condition "$line" || return 1; done < <(grep ^Assert "$root/tools/packaging/debian/x86-64-v3.conf")
}
if command -v systemd-analyze >/dev/null && grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then check "the unit asserts what this processor has" asserted
else skip "the unit's assertions" "no systemd-analyze, or a processor without AVX2"; fi
manuals() {
  local page output
  for page in "$tree"/usr/share/man/man*/*.gz; do
    output=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=100 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)
    [[ -z $output ]] || { echo "$page: $output"; return 1; }
  done
}
if command -v man >/dev/null; then check "manual pages have no warnings" manuals; else skip "manual pages" "no man (Debian package man-db)"; fi
completes() {
  bash -c '. "$1"; COMP_WORDS=(edgesparse comp) COMP_CWORD=1; _edgesparse; echo "${COMPREPLY[*]}"; [[ " ${COMPREPLY[*]} " == *" compile "* ]]
    COMP_WORDS=(edgesparse compile --out) COMP_CWORD=2; _edgesparse; echo "${COMPREPLY[*]}"; [[ ${COMPREPLY[*]} == --output ]]' bash "$tree/usr/share/bash-completion/completions/edgesparse"
}
check "bash completes commands and options" completes

echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
