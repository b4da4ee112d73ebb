#!/usr/bin/env bash
# Publishes the two programs, ahead-of-time compiled:  publish.sh FOLDER ISA
# net10.0 where its AOT runtime pack restores, else net9.0, and says which.
set -euo pipefail

bin=$1
isa=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
probe=$root/out/aot-probe
mkdir -p "$bin" "$probe"

case $(uname -m) in
  x86_64) rid=linux-x64 ;;
  aarch64) rid=linux-arm64 ;;
  *) echo "build: no ahead-of-time compiler for $(uname -m)" >&2; exit 1 ;;
esac

# Which framework: asked once per SDK version.
sdk=$(dotnet --version)
choice=$probe/framework-$sdk-$rid
if [[ ! -s $choice ]]; then
  printf '<Project />\n' > "$probe/Directory.Build.props"
  printf '<Project />\n' > "$probe/Directory.Packages.props"
  cat > "$probe/Probe.csproj" <<X
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <RuntimeIdentifier>$rid</RuntimeIdentifier>
    <PublishAot>true</PublishAot>
  </PropertyGroup>
  <ItemGroup>
    <FrameworkReference Include="Microsoft.AspNetCore.App" />
  </ItemGroup>
</Project>
X
  if dotnet restore "$probe/Probe.csproj" >"$probe/net10.0.log" 2>&1; then echo net10.0; else echo net9.0; fi > "$choice"
fi
framework=$(cat "$choice")
[[ $framework == net10.0 ]] || echo "build: the registry has no net10.0 AOT runtime pack for $rid: publishing for $framework" >&2

# The compiler of .NET 9 spells the x64 levels with a second x.
[[ $framework == net9.0 ]] && isa=${isa/x86-64-v/x86-x64-v}
[[ $rid == linux-arm64 ]] && isa=""

for program in Cli Daemon; do
  log=$root/out/publish-$program.log
  echo "build: publishing EdgeSparse.$program ($framework, ${isa:-baseline})" >&2
  if ! dotnet publish "$root/src/EdgeSparse.$program" -c Release -f "$framework" -r "$rid" --nologo -v quiet \
      -p:AotFramework="$framework" ${isa:+-p:IlcInstructionSet="$isa"} -o "$root/out/publish/$program" >"$log" 2>&1; then
    grep -E 'error|warning' "$log" | sort -u | head -n 20 >&2 || tail -n 20 "$log" >&2
    echo "build: publishing EdgeSparse.$program failed; all of it is in $log" >&2
    exit 1
  fi
  if grep -qE 'warning [A-Z]+[0-9]+' "$log"; then
    grep -E 'warning' "$log" | sort -u >&2
    echo "build: warnings are errors" >&2
    exit 1
  fi
done
install -m 755 "$root/out/publish/Cli/edgesparse" "$bin/edgesparse"
install -m 755 "$root/out/publish/Daemon/edgesparsed" "$bin/edgesparsed"
if [[ ${OnnxRuntimePackage:-} == true ]]; then
  install -m 644 "$root/out/publish/Daemon/libonnxruntime.so" "$bin/libonnxruntime.so"
  mkdir -p "$bin/onnxruntime"
  install -m 644 "$root/out/publish/Daemon/onnxruntime/"* "$bin/onnxruntime/"
fi
ls -l "$bin/edgesparse" "$bin/edgesparsed" | awk '{ printf "build: %-40s %.1f MiB\n", $NF, $5 / 1048576 }' >&2
