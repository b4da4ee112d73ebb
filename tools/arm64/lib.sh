# Sourced by check.sh, report.sh and models.sh:  . lib.sh TASK OUT
#
# Compiles the kernels and the executor of this repository for arm64 with the ahead-of-time compiler's own code generator, to be run under qemu. Needs no arm64 .NET runtime: the linux-x64
# compiler package contains the arm64 code generator, and the code needs no runtime (static methods over pointers, no allocation, no exceptions). Everything is written under OUT.

task=$1 out=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
log=$out/$task.log
: >"$log"

# need PACKAGE FILE-OR-PROGRAM...: notes the Debian package whose file or program is not there.
missing=()
need() { [[ -e $2 ]] || command -v "$2" >/dev/null || missing+=("$1"); }
have_all() {
  [[ ${#missing[@]} -eq 0 ]] && return
  echo "$task: missing from Debian: ${missing[*]}; run: sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 69
}

quietly() {
  "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; echo "$task: failed: $*" >&2; exit 1; }
}

# build PROJECT FRAMEWORK [PROPERTY...]: AotFramework chooses the one framework to build for; lock files go with the outputs.
build() { quietly dotnet build "$here/$1/$1.csproj" -c Release --nologo -v minimal "-p:AotFramework=$2" "-p:ArtifactsPath=$out/$2" "${@:3}"; }

# tool NAME ARGUMENT...: runs a built net10.0 tool.
tool() { dotnet "$out/net10.0/bin/$1/release/${2}.dll" "${@:3}"; }

# package NAME: folder of the version that the restore of ArmCheck brought.
package() {
  local assets=$out/net9.0/obj/ArmCheck/project.assets.json version folder
  version=$(sed -n "s|.*\"$1/\([^\"]*\)\".*|\1|p" "$assets" | head -n 1)
  for folder in $(sed -n '/"packageFolders"/,/}/s|^ *"\(/[^"]*\)":.*|\1|p' "$assets"); do
    [[ -n $version && -d $folder${1,,}/$version ]] && { echo "$folder${1,,}/$version"; return; }
  done
  echo "$task: the package $1 was not restored (version '${version:-none}' in $assets)" >&2
  exit 69
}

# $out/kernels.o: kernels, executor and their exports.
compile_kernels() {
  local compiler linker cecil references=$out/references core original binaries
  build ArmCheck net9.0
  compiler=$(package runtime.linux-x64.Microsoft.DotNet.ILCompiler)
  linker=$(package Microsoft.NET.ILLink.Tasks)
  cecil=$(find "$linker/tools" -name Mono.Cecil.dll -not -path '*net4*' -not -path '*netframework*' | head -n 1)

  # References: the compiler's own framework with a core library in which the Arm intrinsics are intrinsics.
  if [[ ! -e $references/.complete || $(cat "$references/.complete") != "$compiler" ]]; then
    build PatchCoreLib net10.0 "-p:CecilPath=$cecil"
    rm -rf "$references"
    mkdir -p "$references"
    ln -s "$compiler"/framework/*.dll "$references/"
    ln -sf "$compiler"/sdk/*.dll "$references/"
    core=$references/System.Private.CoreLib.dll
    original=$(readlink -f "$core")
    rm "$core"
    quietly tool PatchCoreLib PatchCoreLib "$original" "$core"
    echo "$compiler" >"$references/.complete"
  fi

  binaries=$out/net9.0/bin/ArmCheck/release_linux-x64
  [[ -d $binaries ]] || binaries=$out/net9.0/bin/ArmCheck/release
  quietly "$compiler/tools/ilc" "$binaries/ArmCheck.dll" "$binaries/EdgeSparse.Kernels.dll" --targetos:linux --targetarch:arm64 -O --nativelib \
    --generateunmanagedentrypoints:ArmCheck --export-unmanaged-entrypoints --root:ArmCheck --noscan --resilient "--exportsfile:$out/kernels.exports" \
    "-r:$references/*.dll" "-o:$out/kernels.o"
  program harness
  program model
}

# program NAME: links a C program with the kernels. What they do not reach stays unresolved. gcc 12 fails on the programs above -O1.
program() {
  quietly aarch64-linux-gnu-gcc -O1 -Wall -static "$here/$1.c" "$out/kernels.o" -lm -Wl,--unresolved-symbols=ignore-all -Wl,-z,notext -o "$out/$1"
}

# $out/kernels.txt: the kernels' machine code. Only that of this repository's code: the compiler's framework is many times as much.
disassemble() {
  aarch64-linux-gnu-objdump -d --no-show-raw-insn "$out/kernels.o" >"$out/kernels.txt"
  build Report net10.0
}

# $out/libicount.so: counts instructions.
compile_counter() {
  quietly gcc -O2 -Wall -Wextra -shared -fPIC "$here/icount.c" -o "$out/libicount.so"
}

need gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
need binutils-aarch64-linux-gnu aarch64-linux-gnu-objdump
need libc6-dev-arm64-cross /usr/aarch64-linux-gnu/include/stdio.h
need qemu-user qemu-aarch64
