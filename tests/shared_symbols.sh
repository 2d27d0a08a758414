#!/bin/bash
# Fails where a file that is compiled for AVX2 or AVX-512 defines a function that the linker may
# merge with another file's: one of the copies is kept, and a CPU without the instructions would
# then run the wrong one. Usage: shared_symbols.sh libvit.a
set -euo pipefail
nm --defined-only "$1" | awk '
    /^[^ ]+\.o:$/ { object = $1; special = object ~ /^isa_avx/; next }
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
