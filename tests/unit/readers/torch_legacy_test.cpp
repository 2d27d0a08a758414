#include "weights/readers/torch_legacy.h"

#include "archives.h"
#include "support.h"
#include "torch_files.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string six(24, '\x01');  // floats

std::string one(const std::string& value) {
    return make_legacy(state_dict({{"w", value}}), {{"0", six}});
}

TEST(TorchLegacy, HandMadeFileIsRead) {
    const std::string bytes = one(tensor("0", 6, 1, {2, 2}, {2, 1}));
    const Checkpoint checkpoint = read(bytes);
    ASSERT_EQ(checkpoint.tensors.size(), 1u);
    EXPECT_EQ(checkpoint.tensors[0].shape, (Shape{2, 2}));
    EXPECT_EQ(checkpoint.tensors[0].data.size(), 16u);
}

TEST(TorchLegacy, TensorsMustLieInTheirStorage) {
    const std::pair<std::string, const char*> cases[] = {
        {tensor("0", 7, 0, {6}, {1}), "expected 7 elements, found a count of 6"},
        {tensor("0", INT64_MAX, 0, {6}, {1}), "found a count of 6"},
        {tensor("0", 6, 0, {7}, {1}), "reaches 28 bytes into a storage of 24"},
        {tensor("0", 6, 7, {0}, {1}), "reaches 28 bytes"},
        {tensor("0", 6, 0, {3}, {INT64_MAX}), "does not fit"},
        {tensor("9", 6, 0, {6}, {1}), "storage '0' is listed, but nothing refers to it"},
        {tensor("0", 6, 0, {6}, {1}, "DoubleStorage"), "should have 48 bytes"},
    };
    for (const auto& [value, words] : cases) {
        SCOPED_TRACE(words);
        EXPECT_THAT(refused(one(value)), HasSubstr(words));
    }
}

/// A tensor over a part of storage 0, in the form from before torch 0.4.
std::string part(std::int64_t begin, std::int64_t count, std::int64_t offset, std::int64_t size) {
    std::string value = tensor("0", 6, offset, {size}, {1});
    const std::string end = "tQ";
    return value.replace(value.find(end), 2,
                         tuple({text("1"), integer(begin), integer(count)}) + end);
}

TEST(TorchLegacy, ViewsMustLieInTheirStorage) {
    EXPECT_EQ(read(one(part(2, 4, 1, 3))).tensors[0].data.size(), 12u);
    EXPECT_THAT(refused(one(part(2, 4, 1, 4))), HasSubstr("reaches 20 bytes into a storage of 16"));
    EXPECT_THAT(refused(one(part(2, 5, 0, 1))), HasSubstr("reaches beyond its storage of 6"));
    EXPECT_THAT(refused(one(part(7, 0, 0, 0))), HasSubstr("reaches beyond"));
    EXPECT_THAT(refused(one(part(-1, 2, 0, 1))), HasSubstr("-1"));
    EXPECT_THAT(refused(one(part(1, INT64_MAX, 0, 1))), HasSubstr("reaches beyond"));
}

TEST(TorchLegacy, StoragesAndKeysComeOnceEach) {
    const std::string w = tensor("0", 6, 0, {6}, {1});
    const std::string pickle = state_dict({{"w", w}});
    EXPECT_THAT(refused(make_legacy(pickle, {{"0", six}, {"0", six}})), HasSubstr("listed twice"));
    EXPECT_THAT(refused(make_legacy(pickle, {})), HasSubstr("missing"));
    EXPECT_THAT(refused(make_legacy(pickle, {{"0", six}}) + "x"), HasSubstr("1 bytes follow"));
    EXPECT_THAT(refused(make_legacy(state_dict({{"w", w}, {"v", tensor("0", 3, 0, {3}, {1})}}),
                                    {{"0", six}})),
                HasSubstr("FloatStorage of 6 and a FloatStorage of 3"));
    EXPECT_THAT(refused(make_legacy(
                    state_dict({{"w", w}, {"v", tensor("0", 6, 0, {3}, {1}, "IntStorage")}}),
                    {{"0", six}})),
                HasSubstr("IntStorage"));
}

TEST(TorchLegacy, HeaderMustBeTorchs) {
    const std::string good = one(tensor("0", 6, 0, {6}, {1}));
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string bytes = good;
        return bytes.replace(bytes.find(from), from.size(), to);
    };
    EXPECT_THAT(refused(changed("M\xe9\x03.", "M\xe8\x03."), ErrorKind::unsupported),
                HasSubstr("protocol version 1001, found 1000"));
    EXPECT_THAT(refused(changed("M\xe9\x03.", "N."), ErrorKind::unsupported), HasSubstr("None"));
    EXPECT_THAT(refused(changed(cat({"}", text("little_endian"), "\x88s."}), "].")),
                HasSubstr("describes the system, found a list"));
    EXPECT_THAT(refused(changed(cat({"](", text("0"), "e."}), "}.")),
                HasSubstr("list of storages, found a mapping"));
    EXPECT_THAT(refused(changed(cat({"](", text("0"), "e."}),
                                "](K\x01"
                                "e.")),
                HasSubstr("text as a storage's key, found an integer"));
}

TEST(TorchLegacy, NothingIsExecuted) {
    const std::string call = proto + global("os", "system") + tuple({text("true")}) + "R.";
    EXPECT_THAT(refused(make_legacy(call, {}), ErrorKind::model),
                AllOf(HasSubstr("'os.system'"), HasSubstr("nothing was executed")));
    const std::string good = one(tensor("0", 6, 0, {6}, {1}));
    for (const char* before : {"M\xe9\x03.", "](X"}) {  // in the file's other pickles too
        std::string bytes = good;
        bytes.insert(bytes.find(before), global("os", "system"));
        EXPECT_THAT(refused(bytes, ErrorKind::model), HasSubstr("'os.system'"));
    }
}

TEST(TorchLegacy, EveryByteOfTheHeaderChanged) {
    const std::string bytes = read_all(format_file("old_plain.pth"));
    const std::size_t header = bytes.find("type_sizes") + 50;
    const Checkpoint good = read(bytes);
    std::size_t refusals = 0;
    for (std::size_t at = 0; at < header; ++at)
        for (int value = 0; value < 256; ++value) {
            std::string changed = bytes;
            changed[at] = static_cast<char>(value);
            try {
                const Checkpoint found = read(changed);
                ASSERT_EQ(found.tensors.size(), good.tensors.size());
                for (std::size_t i = 0; i < good.tensors.size(); ++i) {
                    EXPECT_EQ(found.tensors[i].name, good.tensors[i].name);
                    EXPECT_EQ(found.tensors[i].shape, good.tensors[i].shape);
                    EXPECT_TRUE(std::ranges::equal(found.tensors[i].data, good.tensors[i].data));
                }
            } catch (const Error& error) {
                EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
                ++refusals;
            }
        }
    EXPECT_GT(refusals, header * 100);
}

}  // namespace
}  // namespace vit::test
