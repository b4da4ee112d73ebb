#!/bin/bash
# Runs on the virtual board at every boot, by appliance-test.service; which part is due, a file says.
cd "$(dirname "$0")" || exit 1
. ./library.sh
mkdir -p $STATE
phase=$(cat $STATE/phase 2>/dev/null || echo first)
say "phase $phase"
. "./$phase.sh"
