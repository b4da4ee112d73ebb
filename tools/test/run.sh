#!/usr/bin/env bash
# Runs every test and closes with "N passed, N failed, N skipped" from the runners' own counts:  run.sh CONFIGURATION
set -uo pipefail

configuration=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
logs=$root/out/test
mkdir -p "$logs"
cd "$root" || exit 1
passed=0 failed=0 skipped=0 broken=()

echo "test: building the test projects ($configuration)"
if ! dotnet build EdgeSparse.sln -c "$configuration" --nologo -v quiet >"$logs/build.log" 2>&1; then
  grep -E 'error|warning' "$logs/build.log" | sort -u | head -n 40
  echo "test: the build failed; all of it is in $logs/build.log"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  grep -q '<IsTestProject>false' "$project" && continue
  # What is not in the solution is built and tested on request (make iot).
  grep -qF "$name.csproj" EdgeSparse.sln || continue
  start=$SECONDS
  # The console shows why a test was skipped or failed; the summary line gives the counts.
  dotnet test "$project" -c "$configuration" --no-build --nologo --logger "console;verbosity=normal" >"$logs/$name.log" 2>&1
  code=$?
  read -r p f s < <(awk '
    /^ *Passed: /  { p = $2 } /^ *Failed: / { f = $2 } /^ *Skipped: / { s = $2 }
    END { printf "%d %d %d\n", p, f, s }' "$logs/$name.log")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  printf '  %-34s %6d passed %4d failed %4d skipped  %4d s\n' "$name" "$p" "$f" "$s" $((SECONDS - start))
  grep -E '[0-9]+ cases, [0-9]+ claimed' "$logs/$name.log" | sed 's/^ */    /'
  if [[ $f -gt 0 || ( $code -ne 0 && $p -gt 0 ) ]]; then
    grep -A 12 -E '^ *Failed ' "$logs/$name.log" | head -n 120
    [[ $f -gt 0 ]] || { failed=$((failed + 1)); broken+=("$name exited $code"); }
  elif [[ $code -ne 0 ]]; then
    tail -n 30 "$logs/$name.log"
    failed=$((failed + 1)); broken+=("$name exited $code")
  elif [[ $p -eq 0 && $s -eq 0 ]]; then
    failed=$((failed + 1)); broken+=("$name ran no test")
  fi
done

start=$SECONDS
tools/arm64/check.sh "$root/out/arm64" >"$logs/arm64-check.log" 2>&1
code=$?
# The last such line is the sum over the processors.
read -r p f s < <(awk '/^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; s = $5 } END { printf "%d %d %d\n", p, f, s }' "$logs/arm64-check.log")
passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
printf '  %-34s %6d passed %4d failed %4d skipped  %4d s\n' "arm64-check (qemu)" "$p" "$f" "$s" $((SECONDS - start))
if [[ $code -ne 0 || $p -eq 0 ]]; then
  tail -n 40 "$logs/arm64-check.log"
  [[ $f -gt 0 ]] || { failed=$((failed + 1)); broken+=("arm64-check exited $code"); }
fi

# The package of the programs as they are, its unit and its samples; installing it is what appliance-test does.
start=$SECONDS
if command -v dpkg-shlibdeps >/dev/null && command -v python3 >/dev/null; then
  BIN=$root/out/bin tools/packaging/deb.sh "$(dpkg --print-architecture)" "$root/out/test/packages" >"$logs/packaging.log" 2>&1 && tools/packaging/check.sh "$root/out/test/packages" >>"$logs/packaging.log" 2>&1
else
  echo "  skip  the package: skipped: no dpkg-shlibdeps or python3" >"$logs/packaging.log"; echo "0 passed, 0 failed, 1 skipped" >>"$logs/packaging.log"
fi
code=$?
read -r p f s < <(awk '/^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; s = $5 } END { printf "%d %d %d\n", p, f, s }' "$logs/packaging.log")
passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
printf '  %-34s %6d passed %4d failed %4d skipped  %4d s\n' "packaging" "$p" "$f" "$s" $((SECONDS - start))
if [[ $code -ne 0 ]]; then
  tail -n 40 "$logs/packaging.log"
  [[ $f -gt 0 ]] || { failed=$((failed + 1)); broken+=("packaging exited $code"); }
fi

for line in "${broken[@]:-}"; do [[ -n $line ]] && echo "test: $line"; done
grep -hoE 'skipped: [a-z ,:-]+' "$logs"/*.log | sort | uniq -c | sed 's/^/  /'
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
