#!/usr/bin/env bash
# Brings the ONNX Runtime C library (CPU provider) from the npm package onnxruntime-node into the folder given.
# Only the library is taken; the package's install script, which would download more, never runs.
set -euo pipefail

folder=$1
version=1.30.0
[[ -e $folder/libonnxruntime.so && $(cat "$folder/VERSION" 2>/dev/null) == "$version" ]] && exit 0
command -v npm >/dev/null || { echo "deps-onnxruntime: npm is missing: apt-get install npm, or point EDGESPARSE_ONNXRUNTIME to a libonnxruntime.so you have" >&2; exit 1; }

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "deps-onnxruntime: no library for $(uname -m)" >&2; exit 1 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "deps-onnxruntime: fetching onnxruntime-node $version" >&2
(cd "$work" && npm pack --silent "onnxruntime-node@$version" >/dev/null)
tar -xzf "$work"/onnxruntime-node-*.tgz -C "$work" "package/bin/napi-v6/linux/$arch/libonnxruntime.so.1" package/LICENSE 2>/dev/null ||
  tar -xzf "$work"/onnxruntime-node-*.tgz -C "$work" "package/bin/napi-v6/linux/$arch/libonnxruntime.so.1"
mkdir -p "$folder"
cp "$work/package/bin/napi-v6/linux/$arch/libonnxruntime.so.1" "$folder/libonnxruntime.so"
[[ ! -e $work/package/LICENSE ]] || cp "$work/package/LICENSE" "$folder/LICENSE"
echo "$version" > "$folder/VERSION"
