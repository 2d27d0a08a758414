#include "weights/readers/checkpoint.h"

#include <sys/stat.h>

#include "archives.h"
#include "support.h"
#include "weights/readers/state_dict.h"

namespace vit::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(Folders, FirstOfTimmsNamesIsRead) {
    const Folder folder;
    write_all(folder / "config.json", "{\"architecture\": \"vit\"}");
    EXPECT_THAT(message_of([&] { read_checkpoint(folder.path()); }, ErrorKind::io),
                HasSubstr("model.safetensors"));
    // The names go from the last to the first in timm's order.
    for (const char* name : {"model.pth", "pytorch_model.pth", "pytorch_model.bin"}) {
        std::filesystem::copy_file(data_file("plain.pth"), folder / name);
        const Checkpoint checkpoint = read_checkpoint(folder.path());
        EXPECT_EQ(checkpoint.path, folder / name);
        EXPECT_EQ(checkpoint.container, "torch zip");
        EXPECT_EQ(checkpoint.config_json, "{\"architecture\": \"vit\"}");
    }
    std::filesystem::copy_file(data_file("prefixes.safetensors"), folder / "model.safetensors");
    EXPECT_EQ(read_checkpoint(folder.path()).container, "safetensors");
    EXPECT_THAT(read_checkpoint(folder.path()).notes, Not(Contains(HasSubstr("config.json"))));
}

TEST(Folders, ConfigBesideAFileIsReadAndNoted) {
    const Folder folder;
    std::filesystem::copy_file(data_file("plain.pth"), folder / "any.name");
    EXPECT_EQ(read_checkpoint(folder / "any.name").config_json, std::nullopt);
    write_all(folder / "config.json", "{}");
    const Checkpoint checkpoint = read_checkpoint(folder / "any.name");
    EXPECT_EQ(checkpoint.config_json, "{}");
    EXPECT_THAT(checkpoint.notes, Contains(HasSubstr("config.json")));
}

// Such configurations were once treated as missing.
TEST(Folders, AConfigurationThatIsNoFileIsRefused) {
    const Folder folder;
    std::filesystem::copy_file(data_file("plain.pth"), folder / "model.pth");
    const std::filesystem::path config = folder / "config.json";
    const auto refusal = [&] {
        return message_of([&] { read_checkpoint(folder.path()); }, ErrorKind::format);
    };
    std::filesystem::create_directory(config);
    EXPECT_THAT(refusal(), HasSubstr("config.json': expected a file, found a folder"));
    std::filesystem::remove(config);
    ASSERT_EQ(mkfifo(config.c_str(), 0600), 0);
    EXPECT_THAT(refusal(), HasSubstr("config.json': expected a file, found a device or a pipe"));
    std::filesystem::remove(config);
    std::filesystem::create_symlink("/dev/zero", config);
    EXPECT_THAT(refusal(), HasSubstr("config.json': expected a file, found a device or a pipe"));
}

TEST(Folders, WithoutWeightsAreAnsweredWithWhatIsThere) {
    const Folder folder;
    EXPECT_THAT(message_of([&] { read_checkpoint(folder.path()); }, ErrorKind::io),
                HasSubstr("found none; name the weights file itself"));
    for (const char* name : {"last.ckpt", "best.pth", "notes.txt"}) write_all(folder / name, "x");
    EXPECT_THAT(message_of([&] { read_checkpoint(folder.path()); }, ErrorKind::io),
                HasSubstr("found 'best.pth', 'last.ckpt'; name the weights file itself"));
}

TEST(Files, UnreadableOnesAreNamed) {
    const Folder folder;
    EXPECT_THAT(message_of([&] { read_checkpoint(folder / "none\n.pth"); }, ErrorKind::io),
                HasSubstr("none\\x0a.pth"));
    write_all(folder / "empty.pth", "");
    EXPECT_THAT(message_of([&] { read_checkpoint(folder / "empty.pth"); }, ErrorKind::format),
                HasSubstr("empty"));
}

TEST(Files, LookalikesGetAdvice) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "an empty file"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"},
        {"<!DOCTYPE html><html></html>", "web page"},
        {"\n  <HTML lang=en>", "web page"},
        {"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML"},
        {"{\"error\": \"Repository not found\"}", "JSON"},
        {std::string("\x89HDF\r\n\x1a\n\0\0", 10), "HDF5"},
        {"\x1f\x8b\x08 compressed", "gzip"},
        {"\x80\x02}q.", "a Python pickle that torch.save did not write"},
        {"storages" + std::string(249, '\0') + "ustar" + std::string(250, '\0'),
         "before PyTorch 0.1.10"},
        {"readme" + std::string(251, '\0') + "ustar" + std::string(250, '\0'), "a tar archive"},
        {"some text", "other bytes"},
        {std::string(64, '\0'), "other bytes"},
    };
    for (const auto& [bytes, words] : cases) {
        SCOPED_TRACE(words);
        EXPECT_THAT(
            message_of([&] { parse_checkpoint(as_bytes(bytes), "file"); }, ErrorKind::format),
            HasSubstr(words));
    }
}

TEST(Files, ZipOfNeitherKindIsRefused) {
    const std::string bytes = make_zip({{.name = "readme.txt", .data = "hello"}});
    EXPECT_THAT(message_of([&] { parse_checkpoint(as_bytes(bytes), "file"); }, ErrorKind::format),
                HasSubstr("data.pkl"));
    message_of([&] { parse_checkpoint(as_bytes(make_zip({})), "file"); }, ErrorKind::format);
}

std::string weights(const char* value) {
    return std::string("}") + text("w") + tensor(value, 1, 0, {1}, {1}) + "s";
}

/// The storage from which the weights were taken.
std::string taken(const std::vector<std::pair<std::string, std::string>>& top,
                  EmaChoice ema = EmaChoice::automatic) {
    const std::string bytes = make_torch(state_dict(top), {"0000", "1111", "2222", "3333", "4444"});
    const Checkpoint checkpoint = parse_checkpoint(as_bytes(bytes), "file", ema);
    EXPECT_EQ(checkpoint.tensors.size(), 1u);
    EXPECT_EQ(checkpoint.tensors.at(0).name, "w");
    return {reinterpret_cast<const char*>(checkpoint.tensors.at(0).data.data()), 1};
}

TEST(Unwrapping, TimmsOrder) {
    std::vector<std::pair<std::string, std::string>> top{{"model", weights("3")},
                                                         {"state_dict", weights("2")},
                                                         {"model_ema", weights("1")},
                                                         {"state_dict_ema", weights("0")}};
    EXPECT_EQ(taken(top), "0");
    EXPECT_EQ(taken(top, EmaChoice::ema), "0");
    EXPECT_EQ(taken(top, EmaChoice::no_ema), "2");
    top[3].second = "N";  // None counts as missing
    EXPECT_EQ(taken(top), "1");
    top.resize(2);
    EXPECT_EQ(taken(top), "2");
    top.resize(1);
    EXPECT_EQ(taken(top), "3");
    EXPECT_EQ(taken({{"w", tensor("4", 1, 0, {1}, {1})}}), "4");
}

TEST(Unwrapping, TutorialsModelStateDict) {
    EXPECT_EQ(taken({{"epoch", "N"}, {"model_state_dict", weights("3")}}), "3");
}

TEST(Unwrapping, KeepsWhatStandsAmongTheWeights) {
    const std::string bytes = make_torch(state_dict({{"module.w", tensor("0", 1, 0, {1}, {1})},
                                                     {"module.bias", text("lost")},
                                                     {std::string(1000, 'x'), "N"}}),
                                         {"0000"});
    const Checkpoint checkpoint = parse_checkpoint(as_bytes(bytes), "file");
    ASSERT_EQ(checkpoint.other_entries.size(), 2u);
    EXPECT_EQ(checkpoint.other_entries[0].name, "bias");
    EXPECT_EQ(checkpoint.other_entries[0].kind, "text");
    EXPECT_LT(checkpoint.other_entries[1].name.size(), 300u);
}

TEST(Unwrapping, WeightsThatAreNoMappingAreRefused) {
    const std::string bytes = make_torch(state_dict({{"state_dict", text("vit")}}));
    EXPECT_THAT(message_of([&] { parse_checkpoint(as_bytes(bytes), "file"); }, ErrorKind::model),
                testing::AllOf(HasSubstr("'state_dict'"), HasSubstr("text")));
}

TEST(Unwrapping, ArchitectureComesFromArchElseFromArgs) {
    const std::string space =
        global("argparse", "Namespace") + ")\x81}" + text("model") + text("deit_tiny") + "sb";
    std::vector<std::pair<std::string, std::string>> top{{"model", weights("0")}, {"args", space}};
    const auto arch = [&] {
        const std::string bytes = make_torch(state_dict(top), {"0000"});
        return parse_checkpoint(as_bytes(bytes), "file").arch;
    };
    EXPECT_EQ(arch(), "deit_tiny");
    top.push_back({"arch", text("vit_base")});
    EXPECT_EQ(arch(), "vit_base");
    top = {{"model", weights("0")}, {"args", global("argparse", "Namespace") + ")\x81"}};
    EXPECT_EQ(arch(), std::nullopt);
}

TEST(Unwrapping, LongListsOfEntriesAreCutShort) {
    std::vector<std::pair<std::string, std::string>> top{{"w", tensor("0", 1, 0, {1}, {1})}};
    for (int i = 0; i < 100; ++i) top.push_back({cat({"entry", std::to_string(i)}), "N"});
    const std::string bytes = make_torch(state_dict(top), {"0000"});
    const auto notes = parse_checkpoint(as_bytes(bytes), "file").notes;
    EXPECT_EQ(notes.size(), 21u);
    EXPECT_THAT(notes.back(), HasSubstr("80 more"));
}

TEST(Names, AreFreedOfWrappers) {
    const std::pair<const char*, const char*> cases[] = {
        {"module.a", "a"},
        {"net._orig_mod.module.a", "net.a"},
        {"_fsdp_wrapped_module.blocks.0._fsdp_wrapped_module._checkpoint_wrapped_module.a",
         "blocks.0.a"},
        {"module", "module"},
        {"a.module", "a.module"},
        {"modules.a", "modules.a"},
        {"", ""},
    };
    for (const auto& [name, clean] : cases) EXPECT_EQ(without_wrappers(name), clean);
}

TEST(Names, OfATensorAndATextAreNotTheSame) {
    const std::string w = tensor("0", 1, 0, {1}, {1});
    for (const auto& [first, second] : {std::pair(w, text("t")), std::pair(text("t"), w)}) {
        const std::string bytes = make_torch(state_dict({{"a", first}, {"a", second}}), {"0000"});
        EXPECT_THAT(
            message_of([&] { parse_checkpoint(as_bytes(bytes), "file"); }, ErrorKind::model),
            HasSubstr("are named 'a'"));
    }
}

TEST(Names, EqualOnesAreRefused) {
    const std::string w = tensor("0", 1, 0, {1}, {1});
    for (const auto& [first, second] : {std::pair("a", "a"), std::pair("module._orig_mod.a", "a"),
                                        std::pair("_orig_mod.a", "module.a")}) {
        const std::string bytes = make_torch(state_dict({{first, w}, {second, w}}), {"0000"});
        EXPECT_THAT(
            message_of([&] { parse_checkpoint(as_bytes(bytes), "file"); }, ErrorKind::model),
            HasSubstr("two tensors are named 'a'"));
    }
}

}  // namespace
}  // namespace vit::test
