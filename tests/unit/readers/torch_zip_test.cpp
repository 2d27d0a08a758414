#include "weights/readers/torch_zip.h"

#include "archives.h"
#include "support.h"
#include "torch_files.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// An archive with one tensor `w` over a storage of six floats.
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
    // Empty tensors read no byte, whatever their other extents and strides are.
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
    EXPECT_THAT(refused(make_torch(pickle, {"0000"}, "middle"), ErrorKind::unsupported),
                HasSubstr("'middle'"));
    const Entry data{.name = "a/data.pkl", .data = pickle};
    const Entry storage{.name = "a/data/0", .data = "0000"};
    EXPECT_NO_THROW(read(make_zip({data, storage})));  // torch once wrote no `byteorder`
    EXPECT_NO_THROW(
        read(make_zip({{.name = "data.pkl", .data = pickle}, {.name = "data/0", .data = "0000"}})));
    EXPECT_THAT(refused(make_zip({data, storage, {.name = "b/data/1"}})), HasSubstr("outside"));
    EXPECT_THAT(
        refused(make_zip({data, {.name = "a/data/0", .data = "zz", .method = 8, .size = 4}})),
        HasSubstr("compressed data are damaged"));
    EXPECT_THAT(refused(make_zip({data, storage, {.name = "a/constants.pkl"}}), ErrorKind::model),
                HasSubstr("TorchScript"));
}

TEST(TorchZip, VersionsThatTorchDoesNotKnowAreRefused) {
    const Entry data{.name = "a/data.pkl",
                     .data = state_dict({{"w", tensor("0", 1, 0, {1}, {1})}})};
    const Entry storage{.name = "a/data/0", .data = "0000"};
    const auto archive = [&](const char* version) {
        return make_zip({data, storage, {.name = "a/version", .data = version}});
    };
    for (const char* version : {"3\n", "1", "10\r\n"}) EXPECT_NO_THROW(read(archive(version)));
    for (const char* version : {"999999\n", "0", "11", "-3", "3x", ""})
        EXPECT_THAT(refused(archive(version), ErrorKind::unsupported), HasSubstr("from 1 to 10"));
    EXPECT_THAT(refused(archive(std::string(100, '3').c_str())), HasSubstr("one word"));
}

TEST(TorchZip, ChecksumsOfStoragesAreVerified) {
    const std::string pickle = state_dict({{"w", tensor("0", 6, 0, {6}, {1})}});
    const auto archive = [&](std::uint32_t crc) {
        return make_zip({{.name = "a/data.pkl", .data = pickle},
                         {.name = "a/data/0", .data = std::string(24, '\x01'), .crc = crc},
                         {.name = "a/data/1", .data = "unused", .crc = 1}});
    };
    EXPECT_THAT(refused(archive(0x12345678)),
                AllOf(HasSubstr("'a/data/0'"), HasSubstr("expected checksum 12345678")));
    EXPECT_NO_THROW(read(archive(0)));  // torch may leave it out
    EXPECT_THAT(refused(make_zip({{.name = "a/data.pkl", .data = pickle, .crc = 1},
                                  {.name = "a/data/0", .data = std::string(24, '\x01')}})),
                HasSubstr("data.pkl"));
}

TEST(TorchZip, DeflatedMembersMayNotBeBombs) {
    const std::string pickle = state_dict({{"w", tensor("0", 1 << 28, 0, {1}, {1})}});
    EXPECT_THAT(
        refused(make_zip({{.name = "a/data.pkl", .data = pickle},
                          {.name = "a/data/0", .data = "x", .method = 8, .size = 1 << 30}})),
        HasSubstr("inflate to"));
    EXPECT_THAT(
        refused(make_zip({{.name = "a/data.pkl", .data = "x", .method = 8, .size = 1 << 25}})),
        HasSubstr("expected at most 8388612 bytes"));
}

TEST(TorchZip, SeveralValuesUnderOneNameAreRefused) {
    const std::string w = tensor("0", 6, 0, {6}, {1});
    const auto archive = [&](const std::string& first, const std::string& second) {
        return make_torch(state_dict({{"w", first}, {"w", second}, {"v", w}}),
                          {std::string(24, 'x')});
    };
    EXPECT_THAT(refused(archive(w, text("late")), ErrorKind::model),
                HasSubstr("two entries are named 'w'"));
    EXPECT_THAT(refused(archive(text("early"), w), ErrorKind::model),
                HasSubstr("two tensors are named 'w'"));
}

TEST(TorchZip, EntriesOfTheWeightsThatAreNotUsedAreListed) {
    const std::string w = tensor("0", 6, 0, {6}, {1});
    const std::string bytes =
        make_torch(proto + "}(" + text("v") + w + integer(7) + w + "N" + w + text("more") + "}" +
                       text("a") + w + "s" + text("name") + text("vit") + "u.",
                   {std::string(24, 'x')});
    EXPECT_THAT(read(bytes).notes,
                testing::ElementsAre("did not use 7 (a tensor): it is not a named tensor",
                                     "did not use an entry whose key is None (a tensor): it is not "
                                     "a named tensor",
                                     "did not use 'more' (a mapping with 1 tensor): it is not a "
                                     "named tensor",
                                     "did not use 'name' (text): it is not a named tensor"));
}

TEST(TorchZip, ControlBytesInNamesAreEscaped) {
    const std::string bytes =
        make_torch(state_dict({{"bad\x1b[31m\n", tensor("0", 1, 5, {1}, {1})}}), {"0000"});
    EXPECT_THAT(refused(bytes), HasSubstr("'bad\\x1b[31m\\x0a'"));
}

}  // namespace
}  // namespace vit::test
