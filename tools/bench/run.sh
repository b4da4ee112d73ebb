#!/usr/bin/env bash
# Prints the benchmark tables, goal beside figure; the native engine and ONNX Runtime alternate run by run in one process.
#   run.sh BIN FOLDER [RESULTS]     environment: SECONDS_EACH (per model, default 8), BENCH_KERNELS=0 leaves out the kernel table
# With RESULTS, RESULTS/<processor>-<instruction set>/ gets results.md (what is printed) and results.json (every report).
set -euo pipefail

bin=$1
folder=$2
results=${3:-}
seconds=${SECONDS_EACH:-8}
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${EDGESPARSE_TEST_DATA:-$root/../shared/data}/models
library=$root/out/onnxruntime/libonnxruntime.so
state=$folder/state
mkdir -p "$folder"
report=$folder/results.md
: >"$report"
rm -f "$folder"/report-*.json

say() { printf "$@" | tee -a "$report"; }
field() { sed -n "s/.*\"$2\": *\([0-9.eE+-]*\).*/\1/p" <<<"$1" | head -n 1; }
section() { tr -d '\n' <"$1" | sed -n "s/.*\"$2\": *{\([^}]*\)}.*/\1/p"; }
verdict() { awk -v figure="$1" -v goal="$2" 'BEGIN { if (goal == "-") print ""; else print (figure + 0 >= goal + 0 ? "reached" : sprintf("%.0f %% of it", 100 * figure / goal)) }'; }

# model ARCHITECTURE ZEROS PATTERN [SIZE]: the path of the ONNX file, made where it is missing
model() {
  local path=$folder/$1-$2-${3/:/of}${4:+-$4}.onnx
  [[ -e $path ]] || "$bin/edgesparse" synth "$1" --sparsity "$2" --pattern "$3" --seed 1 --size "${4:-224}" -o "$path" >/dev/null
  echo "$path"
}

# reduced ONNX SPEC: the path of the package with fewer tokens, made from the file
reduced() {
  local path=${1%.onnx}-${2//[^a-z0-9]/-}.esm
  "$bin/edgesparse" compile "$1" --tokens "$2" -o "$path" >/dev/null
  echo "$path"
}

# against LABEL WHAT GOAL PACKAGE ENGINE BASELINE: times a package against another model on an engine, on one thread
against() {
  local json=$folder/report-$((count++)).json
  "$bin/edgesparse" bench "$4" --threads 1 --seconds "$seconds" --state "$state" --against "$5" --baseline "$6" --onnxruntime-library "$library" --json >"$json"
  local ours other gain
  ours=$(section "$json" native) other=$(section "$json" baseline) gain=$(field "$(tr -d '\n' <"$json")" baseline_speedup)
  say '| %-26s | %-26s | %9.2f | %9.2f | %9.2f | %9.2f | %6.2f | %5s | %-9s |\n' "$1" "$2" "$(field "$ours" p50_milliseconds)" "$(field "$ours" min_milliseconds)" \
    "$(field "$other" p50_milliseconds)" "$(field "$other" min_milliseconds)" "$gain" "$3" "$(verdict "$gain" "$3")"
}

# row LABEL ZEROS GOAL FILE: times a file against ONNX Runtime on one thread and prints a line; leaves the native median in $native
row() {
  local json=$folder/report-$((count++)).json
  "$bin/edgesparse" bench "$4" --threads 1 --seconds "$seconds" --state "$state" --against onnxruntime --onnxruntime-library "$library" --json >"$json"
  local ours other
  ours=$(section "$json" native) other=$(section "$json" onnxruntime)
  [[ -n $ours ]] || ours=$(section "$json" mixed)
  native=$(field "$ours" p50_milliseconds)
  local speedup
  speedup=$(field "$(tr -d '\n' <"$json")" speedup)
  say '| %-26s | %-9s | %9.2f | %9.2f | %9.2f | %9.2f | %6.2f | %5s | %-9s |\n' "$1" "$2" "$native" "$(field "$ours" min_milliseconds)" \
    "$(field "$other" p50_milliseconds)" "$(field "$other" min_milliseconds)" "$speedup" "$3" "$(verdict "$speedup" "$3")"
}

count=0
"$bin/edgesparse" tune --state "$state" --json >"$folder/report-tune.json"
name=$(sed -n 's/.*"processor": *"\(.*\)".*/\1/p' "$folder/report-tune.json" | head -n 1)
isa=$(sed -n 's/.*"instruction_set": *"\(.*\)".*/\1/p' "$folder/report-tune.json" | head -n 1)
say '# %s, %s\n\n' "$name" "$isa"
say '`make bench%s`, %s s a model; ONNX Runtime %s; %s processors; load before the run %s.\n' "${results:+ RESULTS=${results#"$root"/}}" "$seconds" \
  "$(cat "$root/out/onnxruntime/VERSION" 2>/dev/null || echo unknown)" "$(nproc)" "$(cut -d ' ' -f 1 /proc/loadavg)"
say 'Peak %.1f GFLOP/s on one core. Times are milliseconds, one thread, float32, batch 1; the ratio is that of the medians, the goal that of the ratio.\n\n' "$(field "$(cat "$folder/report-tune.json")" peak_gigaflops_per_second)"

say '## Models\n\n'
say '| %-26s | %-9s | %9s | %9s | %9s | %9s | %6s | %5s | %-9s |\n' model zeros 'ours p50' 'ours min' 'ORT p50' 'ORT min' ratio goal ''
say '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' -------------------------- --------- --------: --------: --------: --------: -----: ----: ---------
row mobilenet_v2 0 1.2 "$(model mobilenet_v2 0 unstructured)"
dense=$native
row mobilenet_v2 '70 %' - "$(model mobilenet_v2 0.7 unstructured)"
seventy=$native
row mobilenet_v2 '90 %' 2.4 "$(model mobilenet_v2 0.9 unstructured)"
row mobilenet_v2 '90 % 4x1' - "$(model mobilenet_v2 0.9 4x1)"
row mobilenet_v1 0 1.05 "$(model mobilenet_v1 0 unstructured)"
row mobilenet_v1 '90 %' 2.6 "$(model mobilenet_v1 0.9 unstructured)"
row 'mobilenet_v2, GRU head' '90 %' 1.0 "$(model mobilenet_v2_gru 0.9 unstructured)"
row resnet50 0 1.0 "$(model resnet50 0 unstructured)"
row resnet50 '90 %' 3.0 "$(model resnet50 0.9 unstructured)"
row deit_tiny 0 1.0 "$(model deit_tiny 0 unstructured)"
row deit_small 0 1.0 "$(model deit_small 0 unstructured)"
row deit_small '80 %' - "$(model deit_small 0.8 unstructured)"
row 'deit_small, 785 tokens' 0 1.4 "$(model deit_small 0 unstructured 448)"
if [[ -d $data ]]; then
  row yolox_nano - 1.0 "$data/yolox_nano_coco.onnx"
  row squeezenet1.1 - 1.0 "$data/squeezenet11_fp32_from_fp16.onnx"
  row resnet8_cifar10 '80 %' 1.5 "$data/resnet8_cifar10_sparse80.onnx"
else
  say '\nyolox_nano, squeezenet and resnet8_cifar10: not run, %s is absent.\n' "$data"
fi
gain=$(awk -v a="$dense" -v b="$seventy" 'BEGIN { printf "%.2f", a / b }')
say '\nMobileNetV2 at 70 %% against our own dense: %sx (goal 1.0: %s).\n' "$gain" "$(verdict "$gain" 1.0)"

say '\n## Fewer tokens\n\n'
say '| %-26s | %-26s | %9s | %9s | %9s | %9s | %6s | %5s | %-9s |\n' model against 'ours p50' 'ours min' 'its p50' 'its min' ratio goal ''
say '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' -------------------------- -------------------------- --------: --------: --------: --------: -----: ----: ---------
for scale in tiny small; do
  plain=$(model deit_$scale 0 unstructured)
  against "deit_$scale merge:r=13" 'our dense' "$([[ $scale == tiny ]] && echo 1.5 || echo 1.6)" "$(reduced "$plain" merge:r=13)" native "$plain"
done
against 'deit_small 80 % merge:r=13' 'ONNX Runtime, dense' 3.0 "$(reduced "$(model deit_small 0.8 unstructured)" merge:r=13)" onnxruntime "$plain"
large=$(model deit_small 0 unstructured 448)
# 60 is the most that every layer can merge, and leaves half of the multiply-adds; 65 in all but the last layer leaves 70 tokens.
against 'deit_small 785 merge:r=60' 'our dense' - "$(reduced "$large" merge:r=60)" native "$large"
against 'deit_small 785 r=65, 1-11' 'our dense' 2.0 "$(reduced "$large" merge:r=65,layers=1-11)" native "$large"

say '\n## Two threads against one\n\n'
say '| %-26s | %-9s | %12s | %12s | %6s | %9s | %5s | %-9s |\n' model zeros '2 threads p50' '1 thread p50' ratio 'by least' goal ''
say '| %s | %s | %s | %s | %s | %s | %s | %s |\n' -------------------------- --------- ------------: ------------: -----: --------: ----: ---------
for zeros in 0 0.9; do
  [[ $(nproc) -ge 2 ]] || { say 'not run: one processor\n'; break; }
  json=$folder/report-$((count++)).json
  "$bin/edgesparse" bench "$(model mobilenet_v2 $zeros unstructured)" --threads 2 --seconds "$seconds" --state "$state" --against one-thread --json >"$json"
  two=$(section "$json" native) one=$(section "$json" one_thread) ratio=$(field "$(tr -d '\n' <"$json")" thread_speedup)
  goal=$([[ $zeros == 0 ]] && echo - || echo 1.7)
  say '| %-26s | %-9s | %13.2f | %12.2f | %6.2f | %9.2f | %5s | %-9s |\n' mobilenet_v2 "$([[ $zeros == 0 ]] && echo 0 || echo '90 %')" "$(field "$two" p50_milliseconds)" "$(field "$one" p50_milliseconds)" \
    "$ratio" "$(awk -v a="$(field "$one" min_milliseconds)" -v b="$(field "$two" min_milliseconds)" 'BEGIN { print a / b }')" "$goal" "$(verdict "$ratio" "$goal")"
done

if [[ ${BENCH_KERNELS:-1} != 0 ]]; then
  say '\n## Kernels\n\n```\n'
  dotnet build "$root/tools/bench/EdgeSparse.Bench" -c Release --nologo -v q >"$folder/build.log" || { cat "$folder/build.log" >&2; exit 1; }
  DOTNET_TieredCompilation=0 dotnet "$root/artifacts/bin/EdgeSparse.Bench/release/EdgeSparse.Bench.dll" ${BENCH_ARGUMENTS:-sparse-table} | tee -a "$report"
  say '```\n'
fi
say '\nNEON is counted, not timed: docs/ARM64.md, made again by `make arm64-report`.\n'

if [[ -n $results ]]; then
  slug=$(tr 'A-Z' 'a-z' <<<"$name-$isa" | tr -cs 'a-z0-9' '-')
  target=$results/${slug%-}
  mkdir -p "$target"
  cp "$report" "$target/results.md"
  # Every report in one list; the paths of this machine are of no use to another reader.
  { echo '['; first=1; for json in "$folder"/report-*.json; do [[ $first ]] || echo ','; first=; cat "$json"; done; echo ']'; } | sed "s|$folder/||g; s|$data/||g" >"$target/results.json"
  echo "bench: results in $target" >&2
fi
