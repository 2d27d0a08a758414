#!/bin/bash
# Checks the files that are compiled for AVX2 and AVX-512. Usage: kernel_objects.sh libvit.a
set -euo pipefail

# They must use fused multiply-adds on registers of their width.
for isa_and_register in avx2:ymm avx512:zmm; do
    isa=${isa_and_register%:*}
    register=${isa_and_register#*:}
    if ! objdump -d "$1" | awk -v object="isa_$isa" -v instruction="vfn?madd.*%$register" '
            /file format/ { here = index($1, object) == 1 }
            here && $0 ~ instruction { ++found }
            END { exit found < 10 }'; then
        echo "isa_$isa has no fused multiply-adds on $register registers"
        exit 1
    fi
done

# They must not define a function that the linker may merge with one of another file. The linker keeps one of the
# copies. If it kept this one, a CPU without the instructions would run it.
nm --defined-only "$1" | awk '
    /^[^ ]+\.o:$/ { object = $1; special = object ~ /^isa_(avx|amx)/; next }
    $2 == "W" {
        ++files[$3]
        where[$3] = where[$3] " " object
        if (special) kernels[$3] = 1
    }
    END {
        for (symbol in kernels) {
            ++found
            if (files[symbol] > 1) { print symbol " is in" where[symbol]; shared = 1 }
        }
        if (!found) print "found no kernels for AVX2 and AVX-512"
        exit shared || !found
    }'
