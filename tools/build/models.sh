#!/usr/bin/env bash
# Compiles each models/<name>/model.onnx into FOLDER/models/<name>.esm where it is missing or older:  models.sh FOLDER
set -euo pipefail

bin=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$bin/models"
shopt -s nullglob
for onnx in "$root"/models/*/model.onnx; do
  folder=$(dirname "$onnx")
  package=$bin/models/$(basename "$folder").esm
  [[ -e $package && ! $onnx -nt $package && ! $folder/model.json -nt $package && ! $bin/edgesparse -nt $package ]] && continue
  if ! notes=$("$bin/edgesparse" compile "$onnx" -o "$package" --self-test 2>&1); then
    echo "$notes" >&2
    exit 1
  fi
  echo "build: $package" >&2
done
