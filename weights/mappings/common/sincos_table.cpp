#include "weights/mappings/common/sincos_table.h"

#include <fmt/format.h>

#include <cmath>

#include "vit/error.h"

namespace vit::inline internal {

std::vector<float> sincos_table(ImageSize grid, std::int64_t dim) {
    if (dim % 4 != 0 || dim <= 4)
        throw Error(ErrorKind::model,
                    fmt::format("a sine and cosine position table needs a width that is a multiple "
                                "of 4 above 4, found {}",
                                dim));
    const std::int64_t quarter = dim / 4;
    std::vector<double> omega;
    for (std::int64_t i = 0; i < quarter; ++i)
        omega.push_back(
            std::pow(10'000.0, -static_cast<double>(i) / static_cast<double>(quarter - 1)));
    std::vector<float> table;
    table.reserve(static_cast<std::size_t>(grid.height * grid.width * dim));
    for (std::int64_t y = 0; y < grid.height; ++y)
        for (std::int64_t x = 0; x < grid.width; ++x)
            for (const auto at : {x, y})
                for (const bool sine : {true, false})
                    for (const double w : omega) {
                        const double angle = static_cast<double>(at) * w;
                        table.push_back(
                            static_cast<float>(sine ? std::sin(angle) : std::cos(angle)));
                    }
    return table;
}

}  // namespace vit::inline internal
