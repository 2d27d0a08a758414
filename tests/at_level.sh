#!/bin/bash
# Runs a test program at a lower level of instruction sets, as on a CPU without the higher ones. oneDNN is limited to
# the same level. Usage: at_level.sh LEVEL DESCRIBE_MACHINE PROGRAM [ARGUMENT...]
# Exits with 77 if there is nothing to run: this CPU lacks the level, or the level is its best one, which the suite
# tests anyway.
set -euo pipefail
level=$1
describe=$2
shift 2
best=$("$describe")
export VIT_ISA=$level
case $level in
    baseline) export ONEDNN_MAX_CPU_ISA=SSE41 ;;
    avx2) export ONEDNN_MAX_CPU_ISA=AVX2 ;;
    avx512) export ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 ;;
esac
if ! machine=$("$describe" 2>&1) || [ "$machine" = "$best" ]; then
    echo "nothing to run at level $level"
    exit 77
fi
exec "$@"
