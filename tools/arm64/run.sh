#!/usr/bin/env bash
# run.sh OUT
#
# Compiles the kernels of EdgeSparse.Kernels for arm64 with the ahead-of-time compiler's own code generator and runs them under qemu on three Cortex-A
# processors against their reference. Needs no arm64 .NET runtime: the linux-x64 compiler package contains the arm64 code generator, and the kernels need no
# runtime (static methods over pointers, no allocation, no exceptions). Everything is written under OUT. Last line: "N passed, N failed", over all processors.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: run.sh OUT}
processors=(cortex-a53 cortex-a72 cortex-a76)
mkdir -p "$out"
out=$(cd "$out" && pwd)

missing=()
command -v aarch64-linux-gnu-gcc >/dev/null || missing+=(gcc-aarch64-linux-gnu)
[[ -e /usr/aarch64-linux-gnu/include/stdio.h ]] || missing+=(libc6-dev-arm64-cross)
command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
if [[ ${#missing[@]} -gt 0 ]]; then
  echo "arm64-check: missing from Debian: ${missing[*]}; run: sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 69
fi

log=$out/build.log
: >"$log"
quietly() {
  "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; echo "arm64-check: failed: $*" >&2; exit 1; }
}
# AotFramework chooses the one framework to build for; lock files go with the outputs.
build() { quietly dotnet build "$1" -c Release --nologo -v minimal "-p:AotFramework=$2" "-p:ArtifactsPath=$out/$2" "${@:3}"; }

# The kernels and their exports as net9.0 assemblies. The restore brings the compiler; its place and version are in the restored assets.
build "$here/ArmCheck/ArmCheck.csproj" net9.0
assets=$out/net9.0/obj/ArmCheck/project.assets.json
# package NAME: folder of the restored version.
package() {
  local version folder
  version=$(sed -n "s|.*\"$1/\([^\"]*\)\".*|\1|p" "$assets" | head -n 1)
  for folder in $(sed -n '/"packageFolders"/,/}/s|^ *"\(/[^"]*\)":.*|\1|p' "$assets"); do
    [[ -n $version && -d $folder${1,,}/$version ]] && { echo "$folder${1,,}/$version"; return; }
  done
  echo "arm64-check: the package $1 was not restored (version '${version:-none}' in $assets)" >&2
  exit 69
}
compiler=$(package runtime.linux-x64.Microsoft.DotNet.ILCompiler)
linker=$(package Microsoft.NET.ILLink.Tasks)
cecil=$(find "$linker/tools" -name Mono.Cecil.dll -not -path '*net4*' -not -path '*netframework*' | head -n 1)

# References: the compiler's own framework with a core library in which the Arm intrinsics are intrinsics.
references=$out/references
if [[ ! -e $references/.complete || $(cat "$references/.complete") != "$compiler" ]]; then
  build "$here/PatchCoreLib/PatchCoreLib.csproj" net10.0 "-p:CecilPath=$cecil"
  rm -rf "$references"
  mkdir -p "$references"
  ln -s "$compiler"/framework/*.dll "$references/"
  ln -sf "$compiler"/sdk/*.dll "$references/"
  core=$references/System.Private.CoreLib.dll
  original=$(readlink -f "$core")
  rm "$core"
  quietly dotnet "$out/net10.0/bin/PatchCoreLib/release/PatchCoreLib.dll" "$original" "$core"
  echo "$compiler" >"$references/.complete"
fi

binaries=$out/net9.0/bin/ArmCheck/release_linux-x64
[[ -d $binaries ]] || binaries=$out/net9.0/bin/ArmCheck/release
quietly "$compiler/tools/ilc" "$binaries/ArmCheck.dll" "$binaries/EdgeSparse.Kernels.dll" --targetos:linux --targetarch:arm64 -O --nativelib \
  --generateunmanagedentrypoints:ArmCheck --export-unmanaged-entrypoints --root:ArmCheck --noscan --resilient "--exportsfile:$out/kernels.exports" \
  "-r:$references/*.dll" "-o:$out/kernels.o"
# What the kernels do not reach stays unresolved. gcc 12 fails on the harness above -O1.
quietly aarch64-linux-gnu-gcc -O1 -Wall -static "$here/harness.c" "$out/kernels.o" -lm -Wl,--unresolved-symbols=ignore-all -Wl,-z,notext -o "$out/harness"

build "$here/Cases/Cases.csproj" net10.0
dotnet "$out/net10.0/bin/Cases/release/Cases.dll" "$out/cases.bin"

passed=0 failed=0
for processor in "${processors[@]}"; do
  echo "== $processor"
  qemu-aarch64 -cpu "$processor" "$out/harness" "$out/cases.bin" >"$out/$processor.txt" 2>&1 || true
  cat "$out/$processor.txt"
  if [[ $(tail -n 1 "$out/$processor.txt") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    echo "arm64-check: the run on $processor ended early" >&2
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
