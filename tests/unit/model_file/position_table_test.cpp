#include "engine/model/position_table.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "support.h"

namespace vit {
namespace {

TEST(PositionTable, AgreesWithTimm) {
    const test::Golden golden("position_tables.safetensors");
    int cases = 0;
    for (const TensorView& tensor : golden.content.tensors) {
        if (!tensor.name.ends_with("/table")) continue;
        ++cases;
        const std::string name = tensor.name.substr(0, tensor.name.size() - 6);
        long prefix = 0;
        ImageSize from, to;
        ASSERT_EQ(std::sscanf(name.c_str(), "%ld %ldx%ld %ldx%ld", &prefix, &from.height,
                              &from.width, &to.height, &to.width),
                  5);
        const std::int64_t dim = tensor.shape[1];
        const auto table = to_f32(tensor);
        for (const auto& [kind, interpolation] :
             {std::pair("/resized", TableInterpolation::bicubic),
              std::pair("/bicubic_plain", TableInterpolation::bicubic_plain),
              std::pair("/bilinear", TableInterpolation::bilinear),
              std::pair("/bilinear_corners", TableInterpolation::bilinear_corners)}) {
            const auto expected = golden.values(name + kind);
            const auto found = resample_position_table(table, prefix, from, to, dim, interpolation);
            ASSERT_EQ(found.size(), expected.size()) << name;
            const auto head = static_cast<std::size_t>(prefix * dim);
            for (std::size_t i = 0; i < found.size(); ++i) {
                if (i < head || from == to) {
                    EXPECT_EQ(found[i], expected[i]) << name << " element " << i;
                } else {  // the table's numbers lie in [-1, 1)
                    // For the plain kind, torch rounds the positions (up to 32 here) to float32.
                    const double bound =
                        interpolation == TableInterpolation::bicubic_plain ? 1e-6 : 5e-7;
                    EXPECT_NEAR(found[i], expected[i], bound) << name << kind << " element " << i;
                }
            }
        }
    }
    EXPECT_EQ(cases, 13);
}

TEST(PositionTable, RefusesSizesThatDisagree) {
    const std::vector<float> table(2 * 3);
    const auto refused = [&](std::int64_t prefix, ImageSize from, ImageSize to, std::int64_t dim,
                             ErrorKind kind) {
        test::message_of([&] { resample_position_table(table, prefix, from, to, dim); }, kind);
    };
    EXPECT_EQ(resample_position_table(table, 0, {2, 1}, {3, 3}, 3).size(), 27u);
    refused(1, {2, 1}, {3, 3}, 3, ErrorKind::usage);
    refused(-1, {3, 1}, {3, 3}, 3, ErrorKind::usage);
    refused(0, {2, 1}, {0, 3}, 3, ErrorKind::usage);
    refused(0, {2, 1}, {3, 3}, 0, ErrorKind::usage);
    refused(0, {1LL << 62, 1LL << 62}, {3, 3}, 3, ErrorKind::format);
}

}  // namespace
}  // namespace vit
