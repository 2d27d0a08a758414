#include "tools/common/natural_order.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vit::tools {
namespace {

TEST(NaturalOrder, IsAStrictTotalOrder) {
    // This list is in the correct order. It has numbers beyond 64 bits and with leading zeros.
    const std::vector<std::string> sorted{"",
                                          "0",
                                          "00",
                                          "01",
                                          "1",
                                          "2",
                                          "10",
                                          "99999999999999999999998",
                                          "99999999999999999999999",
                                          "A1",
                                          "a",
                                          "a0b",
                                          "a1",
                                          "a1b2",
                                          "a1b10",
                                          "a02",
                                          "a2",
                                          "a2b",
                                          "a10",
                                          "b",
                                          "img",
                                          "img 1",
                                          "img-1",
                                          "img1",
                                          "img10",
                                          "\xc3\xa4"};
    for (std::size_t i = 0; i < sorted.size(); ++i)
        for (std::size_t j = 0; j < sorted.size(); ++j)
            EXPECT_EQ(natural_less(sorted[i], sorted[j]), i < j) << sorted[i] << " " << sorted[j];
}

}  // namespace
}  // namespace vit::tools
