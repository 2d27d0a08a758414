// Weights that are split over several files (tests/data/transformers/vit_classifier has three).
#include "weights/readers/shards.h"

#include <map>
#include <nlohmann/json.hpp>

#include "support.h"

namespace vit::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

const std::filesystem::path split =
    std::filesystem::path(VIT_TEST_DATA) / "transformers" / "vit_classifier";
constexpr const char* index_name = "model.safetensors.index.json";

/// A copy of the split checkpoint. A test can change its index.
class Copy {
  public:
    Copy() : index(json::parse(read_all(split / index_name))) {
        for (const auto& entry : std::filesystem::directory_iterator(split))
            std::filesystem::copy(entry.path(), folder / entry.path().filename().string());
        std::filesystem::remove(folder / "expected.safetensors");
    }
    Checkpoint read() const {
        write_all(folder / index_name, index.dump());
        return read_checkpoint(folder.path());
    }
    std::string refused(ErrorKind kind) const {
        return message_of([&] { read(); }, kind);
    }

    Folder folder;
    json index;
};

TEST(Shards, AreReadAsOne) {
    const Checkpoint all = read_checkpoint(split);
    EXPECT_EQ(all.path, split / index_name);
    EXPECT_EQ(all.container, "safetensors");
    EXPECT_EQ(all.files.size(), 3U);
    EXPECT_THAT(all.notes, Contains("weights from 3 files"));
    EXPECT_TRUE(all.config_json && all.preprocessor_json);
    const json map = json::parse(read_all(split / index_name))["weight_map"];
    EXPECT_EQ(all.tensors.size(), map.size());
    for (const TensorView& tensor : all.tensors) {
        EXPECT_TRUE(map.contains(tensor.name)) << tensor.name;
        EXPECT_EQ(to_f32(tensor).size(), static_cast<std::size_t>(tensor.numel()));
    }
    EXPECT_EQ(read_checkpoint(split / index_name).tensors.size(), all.tensors.size());
}

TEST(Shards, OfTorchAreReadToo) {
    const Folder folder;
    std::filesystem::copy_file(std::filesystem::path(VIT_TEST_DATA) / "readers" / "plain.pth",
                               folder / "one.bin");
    json map = json::object();
    for (const TensorView& tensor : read_checkpoint(folder / "one.bin").tensors)
        map[tensor.name] = "one.bin";
    write_all(folder / "pytorch_model.bin.index.json", json{{"weight_map", map}}.dump());
    EXPECT_EQ(read_checkpoint(folder.path()).container, "torch zip");
    EXPECT_EQ(read_checkpoint(folder.path()).tensors.size(), map.size());
}

TEST(Shards, MissingOnesAreNamed) {
    const Copy copy;
    const std::string name = copy.index["weight_map"].begin().value();
    std::filesystem::remove(copy.folder / name);
    EXPECT_THAT(copy.refused(ErrorKind::io),
                AllOf(HasSubstr(index_name), HasSubstr(name), HasSubstr("is missing")));
}

TEST(Shards, LieInTheFolder) {
    for (const char* name : {"../model.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".",
                             "", "a\\b", "..\\b"}) {
        Copy copy;
        copy.index["weight_map"].begin().value() = name;
        EXPECT_THAT(copy.refused(ErrorKind::format), HasSubstr("a file in this folder")) << name;
    }
    Copy copy;
    copy.index["weight_map"].begin().value() = 3;
    EXPECT_THAT(copy.refused(ErrorKind::format), HasSubstr("a file in this folder"));
}

TEST(Shards, HaveJustTheTensorsOfTheIndex) {
    Copy fewer;
    const std::string name = fewer.index["weight_map"].begin().key();
    fewer.index["weight_map"].erase(name);
    EXPECT_THAT(fewer.refused(ErrorKind::model), HasSubstr("tensor '" + name + "' lies in"));

    Copy more;
    more.index["weight_map"]["extra"] = more.index["weight_map"].begin().value();
    EXPECT_THAT(more.refused(ErrorKind::model), HasSubstr("tensor 'extra' is not in"));
}

TEST(Shards, MalformedIndexesAreRefused) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "not valid JSON"},
        {"[]", "weight_map"},
        {"{}", "weight_map"},
        {R"({"weight_map": {}})", "weight_map"},
        {R"({"weight_map": []})", "weight_map"},
        {R"({"weight_map": {"a": "f"}, "other": 1})", "unknown key 'other'"},
        {R"({"weight_map": {"a": "f", "a": "g"}})", "'a' is listed twice"},
        {R"({"weight_map": {"a": ["f"]}})", "a file in this folder"},
    };
    for (const auto& [text, words] : cases)
        EXPECT_THAT(message_of([&] { parse_shard_index(text, "index"); }, ErrorKind::format),
                    HasSubstr(words))
            << text;
    EXPECT_EQ(parse_shard_index(R"({"metadata": {"total_size": 4}, "weight_map": {"a": "f"}})", "i")
                  .size(),
              1U);
}

}  // namespace
}  // namespace vit::test
