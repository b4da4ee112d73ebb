#!/usr/bin/env bash
# models.sh OUT [MODEL...]
#
# Runs whole models, planned on x64 for NEON, under qemu on two Cortex-A processors: outputs against those of the native engine here, and instructions per inference (counts, not times).
# MODEL: see Models/Program.cs; the default are MobileNetV2 dense and 90 % sparse, DeiT-Ti, and YOLOX-nano where the test data is (EDGESPARSE_TEST_DATA or ../shared/data).
# Last line: "N passed, N failed", over models and processors.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh" arm64-models "${1:?usage: models.sh OUT [MODEL...]}"
need gcc gcc
have_all
processors=(cortex-a72 cortex-a76)
models=("${@:2}")
if [[ ${#models[@]} -eq 0 ]]; then
  models=(mobilenet_v2 mobilenet_v2:0.9 mobilenet_v2:0.9:4x1 deit_tiny)
  yolox=${EDGESPARSE_TEST_DATA:-$here/../../../shared/data}/models/yolox_nano_coco.onnx
  if [[ -e $yolox ]]; then models+=("$yolox"); else echo "yolox_nano skipped: no test data"; fi
fi

compile_kernels
compile_counter
build Models net10.0
build Report net10.0
folder=$out/models
rm -rf "$folder"
mkdir -p "$folder"
passed=0 failed=0
for model in "${models[@]}"; do
  name=$(basename "$model" .onnx)
  plan=$folder/${name//:/-}.plan
  quietly tool Models EdgeSparse.Arm64.Models "$plan" "$model"
  for processor in "${processors[@]}"; do
    echo "== ${name//:/ } on $processor"
    if qemu-aarch64 -cpu "$processor" -plugin "$out/libicount.so,out=${plan%.plan}.$processor.counts" "$out/model" "$plan" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    tool Report Report model "${plan%.plan}.$processor.counts" "$plan.steps"
  done
done
tool Report Report ratios "$folder"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
