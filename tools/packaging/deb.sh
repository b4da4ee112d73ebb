#!/usr/bin/env bash
# Builds the Debian package:  deb.sh ARCHITECTURE FOLDER
# amd64 is compiled for x86-64-v3. Another architecture is cross-compiled where the registry has the compiler's packs for it; else this says what is missing and exits 3.
# MAINTAINER ("Name <address>") stands in the package as whom to write to.
# SOURCE_DATE_EPOCH (default: the time of the last commit) makes the package the same for the same source.
set -euo pipefail

architecture=$1
folder=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tools/packaging
work=$folder/$architecture
bin=$folder/bin-$architecture
mkdir -p "$work" "$bin"

fail() { echo "deb: $*" >&2; exit 1; }
for tool in dpkg-deb dpkg-shlibdeps readelf python3 gzip; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install dpkg-dev binutils python3 gzip"
done

version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")
[[ $(sed -n '1s/.*(\(.*\)).*/\1/p' "$here/debian/changelog") == "$version" ]] || fail "tools/packaging/debian/changelog does not begin with version $version"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)

# ---- programs ----------------------------------------------------------------------------------------------------
# BIN names programs that are built already for the baseline; otherwise they are published here where a source is newer.
host=$(dpkg --print-architecture)
if [[ -n ${BIN:-} ]]; then
  bin=$BIN
elif [[ $architecture == "$host" ]]; then
  if [[ ! -x $bin/edgesparsed || -n $(find "$root/src" "$root/Directory.Build.props" "$root/Directory.Packages.props" -newer "$bin/edgesparsed" -type f -print -quit) ]]; then
    "$root/tools/build/publish.sh" "$bin" x86-64-v3
  fi
else
  "$here/cross.sh" "$architecture" "$bin"
fi
# Manual pages and the model are made by programs that run here.
tools=$bin
[[ $architecture == "$host" ]] || tools=${HOST_BIN:-$folder/bin-$host}
[[ -x $tools/edgesparse ]] || fail "the programs for $host are missing: make deb makes them first"
"$root/tools/build/models.sh" "$tools"

# ---- tree --------------------------------------------------------------------------------------------------------
tree=$work/tree
rm -rf "$tree"
put() { install -D -m "$1" "$2" "$tree/$3"; }
put 755 "$bin/edgesparse" usr/bin/edgesparse
put 755 "$bin/edgesparsed" usr/bin/edgesparsed
put 644 "$tools/models/street.esm" usr/share/edgesparse/models/street.esm
put 644 "$root/models/street/MODEL_CARD.md" usr/share/doc/edgesparse/street.MODEL_CARD.md
put 644 "$root/firmware-config/systemd/edgesparsed.service" usr/lib/systemd/system/edgesparsed.service
[[ $architecture != amd64 ]] || put 644 "$here/debian/x86-64-v3.conf" usr/lib/systemd/system/edgesparsed.service.d/10-x86-64-v3.conf
put 644 "$root/firmware-config/sysusers.d/edgesparse.conf" usr/lib/sysusers.d/edgesparse.conf
put 644 "$root/firmware-config/udev/60-edgesparse.rules" usr/lib/udev/rules.d/60-edgesparse.rules
put 644 "$root/firmware-config/etc/edgesparse/edgesparse.json" etc/edgesparse/edgesparse.json
install -d -m 755 "$tree/etc/edgesparse/conf.d"

doc=usr/share/doc/edgesparse
put 644 "$here/debian/copyright" $doc/copyright
gzip -9n <"$here/debian/changelog" >"$work/changelog.gz"
put 644 "$work/changelog.gz" $doc/changelog.gz
for example in raspberrypi jetson kubernetes grafana; do
  [[ -d $root/firmware-config/$example ]] || continue
  while read -r file; do put 644 "$root/firmware-config/$file" "$doc/examples/$file"; done < <(cd "$root/firmware-config" && find "$example" -type f | sort)
done
for schema in "$root"/src/EdgeSparse.Daemon/schema/*.json; do put 644 "$schema" "$doc/schema/$(basename "$schema")"; done

python3 "$here/manual.py" "$tools/edgesparse" "$tools/edgesparsed" "$root/firmware-config/etc/edgesparse/edgesparse.json" "$version" "$date" "$work"
for page in edgesparse.1 edgesparsed.8 edgesparsed.json.5; do
  gzip -9n <"$work/$page" >"$work/$page.gz"
  put 644 "$work/$page.gz" "usr/share/man/man${page##*.}/$page.gz"
done
put 644 "$work/edgesparse.bash" usr/share/bash-completion/completions/edgesparse
ln -s edgesparse "$tree/usr/share/bash-completion/completions/edgesparsed"
put 644 "$here/debian/lintian-overrides" usr/share/lintian/overrides/edgesparse

# ---- control -----------------------------------------------------------------------------------------------------
# What the programs are linked with; libssl they load themselves (TLS of the bridge, signatures of models).
if [[ $architecture == "$host" ]]; then
  rm -rf "$work/shlibs"
  mkdir -p "$work/shlibs/debian"
  printf 'Source: edgesparse\n\nPackage: edgesparse\nArchitecture: any\n' >"$work/shlibs/debian/control"
  libraries=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$tree/usr/bin/edgesparse" "$tree/usr/bin/edgesparsed" 2>"$work/shlibs.log" | sed -n 's/^shlibs:Depends=//p') ||
    { cat "$work/shlibs.log" >&2; fail "the libraries of the programs cannot be found"; }
else
  # Debian's list of symbols is that of another architecture: the newest version of a symbol decides.
  libraries="libc6 (>= $(readelf -VW "$tree/usr/bin/edgesparse" "$tree/usr/bin/edgesparsed" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -n 1 | cut -d_ -f2))"
fi
[[ -n $libraries ]] || fail "no library was found"
depends="$libraries, libssl3 | libssl3t64, systemd | systemd-standalone-sysusers"

baseline=""
[[ $architecture != amd64 ]] || baseline=" .
 This build needs a processor with AVX2 and FMA (x86-64-v3)."
mkdir -p "$tree/DEBIAN"
size=$(du -k --apparent-size -s --exclude=DEBIAN "$tree" | cut -f1)
sed -e "s/@MAINTAINER@/${MAINTAINER:-EdgeSparse maintainers <edgesparse@localhost.localdomain>}/" -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@INSTALLED_SIZE@/$size/" -e "s/@DEPENDS@/$depends/" "$here/debian/control.in" |
  awk -v baseline="$baseline" '/^@BASELINE@$/ { if (baseline != "") print baseline; next } { print }' >"$tree/DEBIAN/control"
(cd "$tree" && find etc -type f | sort | sed 's:^:/:') >"$tree/DEBIAN/conffiles"
(cd "$tree" && find . -path ./DEBIAN -prune -o -path ./etc -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
for script in postinst prerm postrm; do install -m 755 "$here/debian/$script" "$tree/DEBIAN/$script"; done
chmod 644 "$tree"/DEBIAN/{control,conffiles,md5sums}
find "$tree" -type d -exec chmod 755 {} +
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

package=$folder/edgesparse_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$tree" "$package" >/dev/null
echo "deb: $package ($(($(stat -c %s "$package") / 1048576)) MiB), depends: $depends" >&2
