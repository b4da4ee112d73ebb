#!/usr/bin/env bash
# Publishes the two programs for another architecture:  cross.sh ARCHITECTURE FOLDER
# Exits 3, and says what is missing, where the registry or this machine lacks what that takes.
set -euo pipefail

architecture=$1
bin=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
case $architecture in
  arm64) rid=linux-arm64 triplet=aarch64-linux-gnu ;;
  *) echo "deb: no cross-compiling for $architecture" >&2; exit 3 ;;
esac

[[ ! -x $bin/edgesparsed || -n $(find "$root/src" "$root/Directory.Build.props" "$root/Directory.Packages.props" -newer "$bin/edgesparsed" -type f -print -quit) ]] || exit 0

probe=$root/out/packages/cross-probe-$architecture
mkdir -p "$probe" "$bin"
printf '<Project />\n' >"$probe/Directory.Build.props"
printf '<Project />\n' >"$probe/Directory.Packages.props"
framework=""
for candidate in net10.0 net9.0; do
  cat >"$probe/Probe.csproj" <<P
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>$candidate</TargetFramework>
    <RuntimeIdentifier>$rid</RuntimeIdentifier>
    <PublishAot>true</PublishAot>
    <RestorePackagesWithLockFile>false</RestorePackagesWithLockFile>
  </PropertyGroup>
  <ItemGroup>
    <FrameworkReference Include="Microsoft.AspNetCore.App" />
  </ItemGroup>
</Project>
P
  if dotnet restore "$probe/Probe.csproj" >"$probe/$candidate.log" 2>&1; then framework=$candidate; break; fi
done
if [[ -z $framework ]]; then
  echo "deb: skipped $architecture: the package registry lacks $(grep -ohE 'Unable to find package [A-Za-z0-9.-]+|package [A-Za-z.0-9-]+ with version' "$probe"/net*.log | grep -oE '[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+' | sed 's/\.$//' | sort -u | paste -sd ' ')" >&2
  exit 3
fi
missing=()
for tool in "$triplet-gcc" "$triplet-objcopy"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
[[ ${#missing[@]} -eq 0 ]] || { echo "deb: skipped $architecture: ${missing[*]} missing: apt-get install gcc-${triplet/_/-}" >&2; exit 3; }

export EDGESPARSE_CROSS_GCC=$triplet-gcc
for program in Cli Daemon; do
  echo "deb: publishing EdgeSparse.$program ($framework, $rid)" >&2
  log=$root/out/packages/publish-$architecture-$program.log
  if ! dotnet publish "$root/src/EdgeSparse.$program" -c Release -f "$framework" -r "$rid" --nologo -v quiet -p:AotFramework="$framework" \
      -p:CppCompilerAndLinker="$root/tools/packaging/cross-linker.sh" -p:ObjCopyName="$triplet-objcopy" -o "$root/out/publish/$architecture-$program" >"$log" 2>&1; then
    grep -E 'error' "$log" | sort -u | head -n 20 >&2
    exit 1
  fi
done
install -m 755 "$root/out/publish/$architecture-Cli/edgesparse" "$bin/edgesparse"
install -m 755 "$root/out/publish/$architecture-Daemon/edgesparsed" "$bin/edgesparsed"
