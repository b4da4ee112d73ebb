#!/usr/bin/env bash
# gcc for another architecture in the place of clang, which the .NET targets expect: gcc is told the target by its name and knows no --target=.
arguments=()
for argument in "$@"; do [[ $argument == --target=* ]] || arguments+=("$argument"); done
exec "$EDGESPARSE_CROSS_GCC" "${arguments[@]}"
