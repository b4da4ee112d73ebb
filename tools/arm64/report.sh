#!/usr/bin/env bash
# report.sh OUT [no-models]
#
# Counts the instructions of the NEON kernels on MobileNetV2's layers, takes the static cycles of their inner loops from llvm-mca, runs the whole models, and writes the tables of
# docs/ARM64.md. Everything counted is in OUT: counts.log, cycles.log, models.log. With no-models the models' counts of an earlier run are used.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh" arm64-report "${1:?usage: report.sh OUT [no-models]}"
# Version 14, Debian's default, takes the neoverse-n1 for a Cortex-A57; newer ones have a schedule of its own.
mca=$(compgen -c llvm-mca- | grep -E '^llvm-mca-(1[7-9]|[2-9][0-9])$' | sort -V | tail -n 1 || true)
[[ -n $mca ]] || missing+=(llvm-19)
need gcc gcc
have_all

if [[ ${2:-} != no-models ]]; then
  "$here/models.sh" "$out" >"$out/models.log" 2>&1 || { tail -n 40 "$out/models.log" >&2; exit 1; }
fi
compile_kernels
compile_counter
disassemble
build Cases net10.0
quietly tool Cases Cases counts "$out/counts.bin"
qemu-aarch64 -cpu cortex-a72 -plugin "$out/libicount.so,out=$out/counts.txt" "$out/harness" "$out/counts.bin" | tail -n 1
tool Report Report counts "$out/counts.txt" "$out/counts.bin.names" >"$out/counts.log"
tool Report Report cycles "$out/kernels.txt" "$mca" >"$out/cycles.log"
tool Report Report document "$here/../../docs/ARM64.md" "$out" "$mca"
echo "docs/ARM64.md is written; more in $out/counts.log, $out/cycles.log and $out/models.log"
