#!/bin/bash
# Checks that the shared library exports only the public API. Usage: exported_symbols.sh LIBVIT.SO VIT.H
set -euo pipefail
exported=$(nm -DC --defined-only "$1" | cut -d' ' -f2- | grep -v '^A ' | sed -E 's/^[A-Za-z] //; s/@@.*//')

others=$(grep -vE '^vit_[a-z_]+$|^vit::[a-z_]+(\[abi:cxx11\])?\(|^vit::(Model|Image)::[a-z_ ]+(vit::ImageView)?\(|^vit::Model::[a-z_]+\(' <<<"$exported" |
    grep -vE '^(typeinfo|typeinfo name|vtable) for vit::Error$|^vit::Error::' || true)
if [ -n "$others" ]; then
    echo "exported, but not of the public API:"
    echo "$others"
    exit 1
fi

# Every function of the C header must be exported.
declared=$(grep -oE '\bvit_[a-z_]+\(' "$2" | tr -d '(' | sort -u)
missing=$(comm -23 <(echo "$declared") <(sort -u <<<"$exported"))
if [ -n "$missing" ]; then
    echo "declared in vit.h, but not exported:"
    echo "$missing"
    exit 1
fi

# Some C++ functions must be in the list, so that an empty list is noticed.
for name in 'vit::Model::load(' 'vit::decode_image(' 'vit::self_test(' 'typeinfo for vit::Error'; do
    grep -qF "$name" <<<"$exported" || { echo "not exported: $name"; exit 1; }
done
soname=$(readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
[[ $soname =~ ^libvit\.so\.[0-9]+\.[0-9]+$ ]] || { echo "unexpected SONAME $soname"; exit 1; }
