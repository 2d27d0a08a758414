#include "weights/quantization/rounding.h"

#include <algorithm>
#include <cmath>

#include "engine/model/model_tensors.h"

namespace vit::inline internal {

namespace {

void round_row(std::span<const float> row, float scale, std::span<std::int8_t> numbers) {
    for (std::size_t i = 0; i < row.size(); ++i) numbers[i] = round_to_int8(row[i], scale);
    // Rounding may raise both magnitudes of a pair. The one that was raised more is lowered.
    for (std::size_t i = 0; i + 1 < row.size(); i += 2) {
        std::int8_t &first = numbers[i], &second = numbers[i + 1];
        if (std::abs(first) + std::abs(second) <= int8_pair_limit) continue;
        const auto raised = [&](std::int8_t number, float x) {
            return static_cast<float>(std::abs(number)) - std::abs(x) / scale;
        };
        std::int8_t& lower = raised(first, row[i]) > raised(second, row[i + 1]) ? first : second;
        lower = static_cast<std::int8_t>(lower > 0 ? lower - 1 : lower + 1);
    }
}

}  // namespace

std::vector<float> QuantizedWeight::floats() const {
    std::vector<float> result(numbers.size());
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = static_cast<float>(numbers[i]) * scales[i / in()];
    return result;
}

float smallest_scale(std::span<const float> row) {
    float largest = 0, largest_pair = 0;
    for (std::size_t i = 0; i < row.size(); i += 2) {
        const float first = std::abs(row[i]),
                    second = i + 1 < row.size() ? std::abs(row[i + 1]) : 0;
        largest = std::max({largest, first, second});
        largest_pair = std::max(largest_pair, first + second);
    }
    const float scale = std::max(largest / 127, largest_pair / int8_pair_limit);
    return scale < 1e-32f ? 0 : scale;
}

std::int8_t round_to_int8(float x, float scale, int limit) {
    const auto most = static_cast<float>(limit);
    return static_cast<std::int8_t>(std::clamp(std::nearbyint(x / scale), -most, most));
}

QuantizedWeight round_to_nearest(std::span<const float> weight, std::size_t out) {
    const std::size_t in = weight.size() / out;
    QuantizedWeight result{std::vector<std::int8_t>(weight.size()), std::vector<float>(out)};
    for (std::size_t o = 0; o < out; ++o) {
        const std::span row = weight.subspan(o * in, in);
        const float scale = result.scales[o] = smallest_scale(row);
        if (scale > 0) round_row(row, scale, std::span(result.numbers).subspan(o * in, in));
    }
    return result;
}

}  // namespace vit::inline internal
