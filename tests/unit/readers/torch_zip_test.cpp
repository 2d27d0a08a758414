#include "weights/readers/torch_zip.h"

#include "archives.h"
#include "support.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Checkpoint read(const std::string& bytes) {
    return parse_checkpoint(as_bytes(bytes), "file.pth");
}

std::string refused(const std::string& bytes, ErrorKind kind = ErrorKind::format) {
    return message_of([&] { read(bytes); }, kind);
}

/// An archive of one tensor `w` over a storage of six floats.
std::string one(const std::string& value) {
    return make_torch(state_dict({{"w", value}}), {std::string(24, '\x01')});
}

TEST(TorchZip, HandMadeArchiveIsRead) {
    const std::string bytes = one(tensor("0", 6, 1, {2, 2}, {2, 1}));
    const Checkpoint checkpoint = read(bytes);
    ASSERT_EQ(checkpoint.tensors.size(), 1u);
    EXPECT_EQ(checkpoint.tensors[0].shape, (Shape{2, 2}));
    EXPECT_EQ(checkpoint.tensors[0].data.size(), 16u);
}

TEST(TorchZip, TensorsMustLieInTheirStorage) {
    const std::int64_t most = INT64_MAX;
    const std::pair<std::string, const char*> cases[] = {
        {tensor("0", 7, 0, {6}, {1}), "should have 28 bytes, found 24"},
        {tensor("0", 5, 0, {5}, {1}), "should have 20 bytes, found 24"},
        {tensor("0", most, 0, {6}, {1}), "does not fit"},
        {tensor("9", 6, 0, {6}, {1}), "missing"},
        {tensor("0", 6, 0, {7}, {1}), "reaches 28 bytes"},
        {tensor("0", 6, 1, {6}, {1}), "reaches 28 bytes"},
        {tensor("0", 6, 7, {0}, {1}), "reaches 28 bytes"},
        {tensor("0", 6, 0, {2, 3}, {4, 1}), "reaches 28 bytes"},
        {tensor("0", 6, most, {1}, {1}), "does not fit"},
        {tensor("0", 6, 0, {most}, {1}), "does not fit"},
        {tensor("0", 6, 0, {most, most}, {0, 0}), "does not fit"},
        {tensor("0", 6, 0, {3}, {most}), "does not fit"},
        {tensor("0", 6, 0, {6}, {-1}), "-1"},
        {tensor("0", 6, 0, {-1}, {1}), "-1"},
        {tensor("0", 6, -1, {1}, {1}), "-1"},
        {tensor("0", -1, 0, {1}, {1}), "-1"},
        {tensor("0", 6, 0, {6}, {1, 1}), "strides"},
        {tensor("0", 6, 0, Shape(9, 1), Shape(9, 1)), "8 dimensions"},
        {tensor("0", 3, 0, {6}, {1}, "DoubleStorage"), "reaches 48 bytes"},
    };
    for (const auto& [value, words] : cases) {
        SCOPED_TRACE(words);
        EXPECT_THAT(refused(one(value)), HasSubstr(words));
    }
    // Empty tensors reach nothing, whatever their other extents and strides.
    EXPECT_EQ(read(one(tensor("0", 6, 6, {0, most}, {most, most}))).tensors[0].data.size(), 0u);
}

TEST(TorchZip, RepeatedStoragesAreNoBombs) {
    EXPECT_EQ(read(one(tensor("0", 6, 0, {1000, 6}, {0, 1}))).tensors[0].data.size(), 24000u);
    EXPECT_THAT(refused(one(tensor("0", 6, 0, {100'000'000'000, 6}, {0, 1})), ErrorKind::model),
                AllOf(HasSubstr("'w'"), HasSubstr("repeats")));
    std::vector<std::pair<std::string, std::string>> many;
    for (int i = 0; i < 100; ++i)
        many.push_back({cat({"w", std::to_string(i)}), tensor("0", 6, 0, {100'000, 6}, {0, 1})});
    EXPECT_THAT(refused(make_torch(state_dict(many), {std::string(24, '\0')}), ErrorKind::model),
                HasSubstr("repeats"));
}

TEST(TorchZip, ArchivesOfAnotherKindAreRefused) {
    const std::string pickle = state_dict({{"w", tensor("0", 1, 0, {1}, {1})}});
    EXPECT_THAT(refused(make_torch(pickle, {"0000"}, "big"), ErrorKind::unsupported),
                HasSubstr("'big'"));
    const Entry data{.name = "a/data.pkl", .data = pickle};
    const Entry storage{.name = "a/data/0", .data = "0000"};
    EXPECT_NO_THROW(read(make_zip({data, storage})));  // as before `byteorder` was written
    EXPECT_NO_THROW(
        read(make_zip({{.name = "data.pkl", .data = pickle}, {.name = "data/0", .data = "0000"}})));
    EXPECT_THAT(refused(make_zip({data, storage, {.name = "b/data/1"}})), HasSubstr("outside"));
    EXPECT_THAT(
        refused(make_zip({data, {.name = "a/data/0", .data = "zz", .method = 8, .size = 4}})),
        HasSubstr("compressed"));
    EXPECT_THAT(refused(make_zip({data, storage, {.name = "a/constants.pkl"}}), ErrorKind::model),
                HasSubstr("TorchScript"));
}

TEST(TorchZip, ControlBytesInNamesAreEscaped) {
    const std::string bytes =
        make_torch(state_dict({{"bad\x1b[31m\n", tensor("0", 1, 5, {1}, {1})}}), {"0000"});
    EXPECT_THAT(refused(bytes), HasSubstr("'bad\\x1b[31m\\x0a'"));
}

}  // namespace
}  // namespace vit::test
