#include "engine/base/text.h"

#include <gtest/gtest.h>

namespace vit {
namespace {

TEST(InQuotes, WhatNobodySeesIsEscaped) {
    EXPECT_EQ(in_quotes("plain \u00e9 \u4e2d\u6587 \U0001f600"),
              "'plain \u00e9 \u4e2d\u6587 \U0001f600'");
    EXPECT_EQ(in_quotes("it's \\"), "'it\\'s \\\\'");
    EXPECT_EQ(in_quotes("\x1b[31m\n\x7f"), "'\\x1b[31m\\x0a\\x7f'");
    EXPECT_EQ(in_quotes("\u0085"), "'\\xc2\\x85'");
    // Text that runs backwards, line ends that only some programs recognise, and a space without
    // width.
    EXPECT_EQ(in_quotes("a\u202eb"), "'a\\xe2\\x80\\xaeb'");
    EXPECT_EQ(in_quotes("a\u2028b"), "'a\\xe2\\x80\\xa8b'");
    EXPECT_EQ(in_quotes("a\u2029b\ufeff"), "'a\\xe2\\x80\\xa9b\\xef\\xbb\\xbf'");
    EXPECT_EQ(in_quotes("a\u2066b\u200f"), "'a\\xe2\\x81\\xa6b\\xe2\\x80\\x8f'");
    EXPECT_EQ(in_quotes("\U000e0041"), "'\\xf3\\xa0\\x81\\x81'");
    EXPECT_EQ(in_quotes("\xff\xe2\x80"), "'\\xff\\xe2\\x80'");
}

}  // namespace
}  // namespace vit
