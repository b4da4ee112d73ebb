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
if [[ -e $work/package/LICENSE ]]; then
  cp "$work/package/LICENSE" "$folder/LICENSE"
else
  # The npm package names its licence (package.json: MIT) and has no file of it.
  cat > "$folder/LICENSE" <<'X'
libonnxruntime.so is ONNX Runtime, from the npm package onnxruntime-node.

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

Third parties' parts and their notices: https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt
X
fi
echo "$version" > "$folder/VERSION"
