#!/usr/bin/env bash
# check.sh OUT
#
# Runs the NEON kernels and a whole small model under qemu on Cortex-A processors against their expected results, and looks for registers spilled in inner loops.
# Last line: "N passed, N failed", over all processors.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh" arm64-check "${1:?usage: check.sh OUT}"
have_all
processors=(cortex-a53 cortex-a72 cortex-a76)
models=("$here"/../../models/cifar10-mbnet-{dense,sparse90}/model.onnx)

compile_kernels
passed=0 failed=0
# count FILE WHAT: adds the totals in the last line of a program's output.
count() {
  cat "$1"
  if [[ $(tail -n 1 "$1") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    echo "arm64-check: $2 ended early" >&2
    failed=$((failed + 1))
  fi
}

echo "== inner loops"
disassemble
tool Report Report loops "$out/kernels.txt" >"$out/loops.log" 2>&1 || true
count "$out/loops.log" "the search for spills"

build Cases net10.0
tool Cases Cases check "$out/cases.bin"
build Models net10.0
plans=()
for model in "${models[@]}"; do
  plan=$out/$(basename "$(dirname "$model")").plan
  quietly tool Models EdgeSparse.Arm64.Models "$plan" "$model"
  plans+=("$plan")
done
for processor in "${processors[@]}"; do
  echo "== $processor"
  qemu-aarch64 -cpu "$processor" "$out/harness" "$out/cases.bin" >"$out/$processor.log" 2>&1 || true
  count "$out/$processor.log" "the run on $processor"
  for plan in "${plans[@]}"; do
    echo "$(basename "$plan" .plan):"
    qemu-aarch64 -cpu "$processor" "$out/model" "$plan" >"$plan.log" 2>&1 || true
    count "$plan.log" "the model on $processor"
  done
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
