#include "tools/pictures/colours.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vit::pictures {

namespace {

/// Every eighth colour of matplotlib 3.11's table.
constexpr std::array<Colour, 33> inferno_table{
    {{0, 0, 4},       {4, 3, 18},      {11, 7, 36},    {21, 11, 55},   {33, 12, 74},
     {47, 10, 91},    {61, 9, 101},    {74, 12, 107},  {87, 16, 110},  {100, 21, 110},
     {113, 25, 110},  {125, 30, 109},  {138, 34, 106}, {151, 39, 102}, {163, 44, 97},
     {176, 49, 91},   {188, 55, 84},   {199, 62, 76},  {210, 70, 68},  {219, 80, 59},
     {228, 90, 49},   {235, 102, 40},  {241, 115, 29}, {246, 128, 19}, {249, 142, 9},
     {251, 157, 7},   {252, 172, 17},  {251, 188, 33}, {249, 203, 53}, {245, 219, 76},
     {242, 234, 105}, {243, 246, 138}, {252, 255, 164}}};

}  // namespace

Colour inferno(float value) {
    constexpr auto steps = static_cast<float>(inferno_table.size() - 1);
    const float at = (value > 0 ? std::min(value, 1.0f) : 0.0f) * steps;
    const auto first = static_cast<std::size_t>(at),
               second = std::min(first + 1, inferno_table.size() - 1);
    return mix(inferno_table[first], inferno_table[second], at - static_cast<float>(first));
}

Colour mix(Colour under, Colour over, float share) {
    Colour result{};
    for (std::size_t i = 0; i < 3; ++i)
        result[i] = static_cast<std::uint8_t>(std::lround(
            std::lerp(static_cast<float>(under[i]), static_cast<float>(over[i]), share)));
    return result;
}

std::uint8_t grey(Colour colour) {
    return static_cast<std::uint8_t>(
        (colour[0] * 19595 + colour[1] * 38470 + colour[2] * 7471 + 0x8000) >> 16);
}

}  // namespace vit::pictures
