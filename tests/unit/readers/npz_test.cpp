#include "weights/readers/npz.h"

#include "archives.h"
#include "support.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

std::string npy(const std::string& shape, std::string_view data) {
    const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}";
    return std::string("\x93NUMPY\x01\0", 8) + little(header.size(), 2) + header +
           std::string(data);
}

/// Deflate without compression: one stored block.
std::string deflated(std::string_view data) {
    const auto size = data.size();
    return cat({"\x01", little(size, 2), little(~size & 0xFFFF, 2), data});
}

std::string refused(const std::vector<Entry>& entries) {
    const std::string bytes = make_zip(entries);
    return message_of([&] { parse_checkpoint(as_bytes(bytes), "file.npz"); }, ErrorKind::format);
}

TEST(Npz, StoredAndDeflatedMembersAreEqual) {
    const std::string array = npy("(2,)", "01234567");
    const std::string bytes = make_zip({{.name = "a.npy", .data = array},
                                        {.name = "b/c.npy",
                                         .data = deflated(array),
                                         .method = 8,
                                         .size = array.size(),
                                         .crc = crc32(array)},
                                        {.name = "d.npy", .data = array, .zip64 = true}},
                                       true);
    const Checkpoint checkpoint = parse_checkpoint(as_bytes(bytes), "file.npz");
    ASSERT_EQ(checkpoint.tensors.size(), 3u);
    EXPECT_EQ(checkpoint.tensors[1].name, "b/c");
    for (const TensorView& tensor : checkpoint.tensors)
        EXPECT_TRUE(std::ranges::equal(tensor.data, as_bytes("01234567")));
}

TEST(Npz, DamagedMembersAreRefused) {
    const std::string array = npy("(2,)", "01234567");
    const auto packed = [&](const std::string& data, std::uint64_t size) {
        return Entry{.name = "a.npy", .data = data, .method = 8, .size = size, .crc = crc32(array)};
    };
    refused({{.name = "a.npy", .data = array, .crc = 1}});
    Entry wrong_sum = packed(deflated(array), array.size());
    wrong_sum.crc = 1;
    refused({wrong_sum});
    refused({packed(deflated(array), array.size() + 1)});
    refused({packed(deflated(array), array.size() - 1)});
    refused({packed(deflated(array + "x"), array.size())});
    refused({packed(deflated(array.substr(0, 20)), array.size())});
    refused({packed(deflated(array).substr(0, 30), array.size())});
    refused({packed("\x07 no deflate stream", array.size())});
    refused({packed("", array.size())});
    EXPECT_THAT(refused({{.name = "a.npy", .data = npy("(3,)", "01234567")}}),
                HasSubstr("needs 12 bytes"));
    EXPECT_THAT(refused({{.name = "a.npy", .data = npy("(9000000000000000000,)", "01234567")}}),
                HasSubstr("does not fit"));
    EXPECT_THAT(refused({{.name = "a.npy", .data = array}, {.name = "b.txt", .data = "text"}}),
                HasSubstr("'b.txt'"));
    EXPECT_THAT(refused({{.name = "a.npy", .data = "text"}}), HasSubstr("expected an .npy array"));
}

TEST(Npz, BombsAreRefusedByWhatTheyClaim) {
    const std::string array = npy("(2,)", "01234567");
    EXPECT_THAT(refused({{.name = "a.npy",
                          .data = deflated(array),
                          .method = 8,
                          .size = std::uint64_t{0xF0000000}}}),
                HasSubstr("inflate to 4026531840"));
}

}  // namespace
}  // namespace vit::test
