#!/usr/bin/env bash
# Times the benchmark models against ONNX Runtime, one thread, both engines alternating in one process:  run.sh BIN FOLDER [SECONDS]
set -euo pipefail

bin=$1
folder=$2
seconds=${3:-10}
root=$(cd "$(dirname "$0")/../.." && pwd)
library=$root/out/onnxruntime/libonnxruntime.so
mkdir -p "$folder"

models=(
  "mobilenet_v2 0" "mobilenet_v2 0.7" "mobilenet_v2 0.9"
  "mobilenet_v1 0" "mobilenet_v1 0.9"
  "resnet50 0" "resnet50 0.9"
  "deit_tiny 0" "deit_tiny 0.8"
)

field() { sed -n "s/.*\"$2\": *\([0-9.eE+-]*\).*/\1/p" <<<"$1" | head -n 1; }
section() { tr -d '\n' <"$1" | sed -n "s/.*\"$2\": *{\([^}]*\)}.*/\1/p"; }

printf 'processor: %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
"$bin/edgesparse" kernels | head -n 3
printf '\n%-14s %8s   %14s %14s   %8s\n' model zeros 'native p50 ms' 'onnxrt p50 ms' speedup
for model in "${models[@]}"; do
  read -r arch sparsity <<<"$model"
  onnx=$folder/$arch-$sparsity.onnx
  [[ -e $onnx ]] || "$bin/edgesparse" synth "$arch" --sparsity "$sparsity" --seed 1 -o "$onnx" >/dev/null
  json=$folder/$arch-$sparsity.json
  "$bin/edgesparse" bench "$onnx" --threads 1 --seconds "$seconds" --against onnxruntime --onnxruntime-library "$library" --json >"$json"
  native=$(field "$(section "$json" native)" p50_milliseconds)
  other=$(field "$(section "$json" onnxruntime)" p50_milliseconds)
  speedup=$(field "$(tr -d '\n' <"$json")" speedup)
  printf '%-14s %8s   %14.2f %14.2f   %7.2fx\n' "$arch" "$sparsity" "$native" "$other" "$speedup"
done
echo
echo "medians, one thread, float32, batch 1; both engines alternating in one process; JSON in $folder"
