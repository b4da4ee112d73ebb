#!/usr/bin/env bash
# The appliance test:  run.sh PACKAGES FOLDER
# Builds a Debian board's disk with the package beside, boots it in qemu (TCG), and watches: the board's checks report on a serial port, and a subscriber here, outside the
# board, keeps a session at the board's mosquitto, by which it is judged whether a result was lost. Closes with "N passed, N failed, N skipped".
# PARTS="50-gpio 60-update" runs only those of guest/before and guest/parts, without the reboot. REPORT=FILE writes the table. Needs root (for the disk's owners and devices); takes about 10 minutes, at most LIMIT seconds (1500).
set -uo pipefail

packages=$(realpath -m -- "$1")
folder=$(realpath -m -- "$2")
here=$(cd "$(dirname "$0")" && pwd)
limit=${LIMIT:-1500}
begin=$SECONDS
fail() { echo "appliance: $*" >&2; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
[[ $(id -u) -eq 0 ]] || { echo "appliance: skipped: needs root, for the owners and devices on the disk"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
for tool in mmdebstrap qemu-system-x86_64 mke2fs openssl gcc mosquitto_sub dpkg-deb; do command -v "$tool" >/dev/null || fail "$tool is missing: tools/build/deps.sh appliance"; done
package=$(ls -t "$packages"/edgesparse_*_amd64.deb 2>/dev/null | head -n 1)
[[ -n $package ]] || fail "no package for amd64 in $packages: make deb"

mkdir -p "$folder"
base=$("$here/base.sh" "$folder") || exit 1
work=$folder/run
rm -rf "$work"
mkdir -p "$work/root"
qemu="" subscriber=""
clean() {
  [[ -z $subscriber ]] || kill "$subscriber" 2>/dev/null
  [[ -z $qemu ]] || kill "$qemu" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work/root" "$work/disk.raw"
}
trap clean EXIT
trap 'exit 130' INT TERM

# ---- disk --------------------------------------------------------------------------------------------------------
echo "appliance: making the disk" >&2
root=$work/root
tar -xf "$base" -C "$root" || fail "the base system cannot be unpacked"
board=$root/opt/appliance
mkdir -p "$board/tls"
cp -r "$here/guest/." "$board/"
if [[ -n ${PARTS:-} ]]; then
  touch "$board/selected"
  for part in "$board"/before/*.sh "$board"/parts/*.sh; do [[ " $PARTS " == *" $(basename "$part" .sh) "* ]] || rm "$part"; done
fi
cp "$package" "$board/edgesparse.deb"
model=$(ls -t "$packages"/bin-amd64/models/cifar10-mbnet-sparse90.esm "$here"/../../out/bin/models/cifar10-mbnet-sparse90.esm 2>/dev/null | head -n 1)
[[ -n $model ]] || fail "no cifar10-mbnet-sparse90.esm beside the programs: make deb"
cp "$model" "$board/model.esm"
# The same with a later version, to upgrade to.
dpkg-deb -R "$package" "$work/next"
sed -i 's/^Version: .*/&+next1/' "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/next" "$board/edgesparse-next.deb" >/dev/null
# The model that is used there, as a later version.
sed 's/"version": *"[^"]*"/"version": "1.0.1"/' "$here/../../models/cifar10-mbnet-sparse90/model.json" >"$work/model.json"
selftest=""
"$work/next/usr/bin/edgesparse" compile --help | grep -q -e --self-test && selftest=--self-test
# shellcheck disable=SC2086
"$work/next/usr/bin/edgesparse" compile "$here/../../models/cifar10-mbnet-sparse90/model.onnx" --manifest "$work/model.json" $selftest -o "$board/model-next.esm" >"$work/compile.log" 2>&1 || fail "the later version of the model cannot be compiled: $work/compile.log"
gcc -O1 -static -o "$board/gpio-adapter" "$here/guest/gpio-adapter.c" || fail "the GPIO adapter cannot be compiled"
(
  cd "$board/tls" || exit 1
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=appliance test CA' -keyout "$work/ca.key" -out ca.crt
  openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out "$work/server.csr"
  openssl x509 -req -days 30 -in "$work/server.csr" -CA ca.crt -CAkey "$work/ca.key" -CAcreateserial -CAserial "$work/ca.srl" -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out server.crt
) 2>"$work/openssl.log" || fail "certificates cannot be made: $work/openssl.log"
openssl rand -hex 12 >"$board/bridge-password"
install -m 644 "$here/guest/appliance-test.service" "$root/etc/systemd/system/appliance-test.service"
ln -sf ../appliance-test.service "$root/etc/systemd/system/multi-user.target.wants/appliance-test.service"
printf '[Match]\nType=ether\n[Network]\nDHCP=ipv4\n' >"$root/etc/systemd/network/80-board.network"
ln -sf /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
echo appliance >"$root/etc/hostname"
printf '127.0.0.1 localhost appliance\n' >"$root/etc/hosts"
printf '/dev/vda / ext4 defaults 0 1\n' >"$root/etc/fstab"
# Nothing here needs them, and the emulated processor has better to do.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer man-db.timer e2scrub_reap.service; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
cp "$root"/boot/vmlinuz-* "$work/vmlinuz"
cp "$root"/boot/initrd.img-* "$work/initrd"
truncate -s 2G "$work/disk.raw"
mke2fs -q -t ext4 -d "$root" "$work/disk.raw" || fail "the disk cannot be made"
rm -rf "$root"
echo "appliance: disk ready after $((SECONDS - begin)) s" >&2

# ---- boot --------------------------------------------------------------------------------------------------------
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
nice -n 5 qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 1536 -display none -no-reboot -kernel "$work/vmlinuz" -initrd "$work/initrd" \
  -append 'root=/dev/vda rw console=ttyS0 quiet loglevel=4 systemd.show_status=0' -drive file="$work/disk.raw",format=raw,if=virtio,cache=unsafe \
  -nic user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:"$port"-:1884 -device virtio-rng-pci -serial file:"$work/console.log" -serial file:"$work/results.log" >"$work/qemu.log" 2>&1 &
qemu=$!
boots=1
shown=0
finished=""
: >"$work/outside.log"
while (( SECONDS - begin < limit )); do
  sleep 1
  touch "$work/results.log"
  mapfile -t lines < <(tr -d '\r' <"$work/results.log")
  for ((; shown < ${#lines[@]}; shown++)); do
    line=${lines[shown]}
    echo "  $line"
    if [[ $line == "broker ready" ]]; then
      mosquitto_sub -h 127.0.0.1 -p "$port" -u outside -P outside-secret -i outside -c -q 1 -V 311 -k 10 -t 'edgesparse/+/cameras/+/detections' -t 'edgesparse/+/cameras/+/classifications' -F '%U %t %p' >"$work/outside.log" 2>"$work/subscriber.log" &
      subscriber=$!
    fi
    [[ $line == done ]] && finished=yes
  done
  if ! kill -0 "$qemu" 2>/dev/null; then
    wait "$qemu"
    [[ -n $finished || $boots -ge 2 ]] && { qemu=""; break; }
    # -no-reboot: a reboot ends the machine; it is started again with the disk as it is.
    boots=2
    mv "$work/results.log" "$work/results-1.log" && mv "$work/console.log" "$work/console-1.log"
    shown=0
    nice -n 5 qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 1536 -display none -no-reboot -kernel "$work/vmlinuz" -initrd "$work/initrd" \
      -append 'root=/dev/vda rw console=ttyS0 quiet loglevel=4 systemd.show_status=0' -drive file="$work/disk.raw",format=raw,if=virtio,cache=unsafe \
      -nic user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:"$port"-:1884 -device virtio-rng-pci -serial file:"$work/console.log" -serial file:"$work/results.log" >>"$work/qemu.log" 2>&1 &
    qemu=$!
  fi
done
[[ -z $subscriber ]] || kill "$subscriber" 2>/dev/null
subscriber=""

# ---- judgement ---------------------------------------------------------------------------------------------------
cat "$work"/results-1.log "$work"/results.log 2>/dev/null | tr -d '\r' >"$work/all.log"
python3 "$here/judge.py" "$work/all.log" "$work/outside.log" "$work/table.md" "$((SECONDS - begin))" "$(basename "$package")" "${finished:-no}"
code=$?
[[ -z ${REPORT:-} || $code -ne 0 ]] || cp "$work/table.md" "$REPORT"
[[ $code -eq 0 ]] || { echo "appliance: logs are in $work" >&2; tail -n 15 "$work/console.log" >&2; }
exit $code
