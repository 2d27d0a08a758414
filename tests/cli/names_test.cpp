// Runs vit-convert with a name or an address instead of a file.
#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "engine/model/model_file.h"
#include "tests/cli/convert_fixture.h"
#include "tests/support/fake_hub.h"

namespace vit::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class NamesTool : public DownloadTest {
  protected:
    NamesTool() {
        ::setenv("TORCH_HOME", path("torch").c_str(), 1);
        serve("timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", read(digits() / "config.json"));
    }
    void serve(const std::string& repository, const std::string& config) {
        server.change([&](HubState& state) {
            state.id = repository;
            state.files.clear();
            if (!config.empty()) state.files["config.json"].bytes = config;
            state.files["model.safetensors"] =
                HubFile{read(digits() / "model.safetensors"), true, {}, {}};
        });
    }
    std::string source_of_output() const {
        return ModelFile::open(out()).header().provenance.source;
    }
};

TEST_F(NamesTool, ConvertsTimmsNames) {
    const std::string repository = "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k";
    for (const char* name : {"vit_tiny_patch16_224", "vit_tiny_patch16_224.augreg_in21k_ft_in1k"}) {
        const Finished done = convert(name);
        ASSERT_EQ(done.status, 0) << done.err;
        EXPECT_EQ(done.err, "");
        EXPECT_THAT(done.out, HasSubstr("vit_tiny_patch16_224, 32x32 images"));
        EXPECT_EQ(source_of_output(), "hf-hub:" + repository + "@" + FakeHub::commit);
    }
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    // This is an old name in timm.
    serve("timm/vit_tiny_patch16_224.augreg_in21k", read(digits() / "config.json"));
    EXPECT_EQ(convert("vit_tiny_patch16_224_in21k").status, 0);
}

TEST_F(NamesTool, TakesTimmsConfigurationWhereTheRepositoryHasNone) {
    serve("timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", "");
    // The bundled weights are smaller than the architecture, so timm's numbers do not fit them.
    expect_error(convert("vit_tiny_patch16_224"), 3, "expected shape");
}

TEST_F(NamesTool, TakesTimmsConfigurationWhereARepositoryServesTwoNames) {
    serve("timm/vit_base_patch32_clip_224.openai",
          R"({"architecture": "vit_base_patch32_clip_224"})");
    const std::string name = "vit_base_patch32_clip_quickgelu_224.openai";
    expect_error(convert(name), 3, "expected shape");
    serve("timm/vit_base_patch32_clip_224.openai", R"({"architecture": "resnet50"})");
    fs::remove_all(path("hf"));
    expect_error(convert(name), 3, "'resnet50' is no plain Vision Transformer");
}

TEST_F(NamesTool, PrefersWhatIsHere) {
    fs::copy(digits(), path("vit_tiny_patch16_224"), fs::copy_options::recursive);
    const fs::path before = fs::current_path();
    fs::current_path(path(""));
    const Finished done = convert("vit_tiny_patch16_224");
    fs::current_path(before);
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(source_of_output(), "model.safetensors");
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(NamesTool, TakesARepositorysName) {
    serve("google/vit", read(digits() / "config.json"));
    ASSERT_EQ(convert("google/vit").status, 0);
    EXPECT_EQ(source_of_output(), std::string("hf-hub:google/vit@") + FakeHub::commit);
    ASSERT_EQ(convert(std::string("google/vit@") + FakeHub::commit).status, 0);
    expect_error(convert("google/other"), 74, "hf-hub:google/other: there is no such repository");
    expect_error(convert("google/other"), 74, "nor is there such a file or folder here");
    EXPECT_THAT(convert("hf-hub:google/other").err, Not(HasSubstr("nor is there")));
    // These sources are paths to files that do not exist, not ORG/NAME.
    expect_error(convert("google/vit.safetensors"), 74, "No such file");
    expect_error(convert("./google/vit"), 74, "No such file");
    fs::create_directories(path("google"));
    const fs::path before = fs::current_path();
    fs::current_path(path(""));
    expect_error(convert("google/vit"), 74, "No such file");
    fs::current_path(before);
}

TEST_F(NamesTool, SaysWhatIsWrongWithAName) {
    expect_error(convert("vit_bas_patch16_224"), 2, "such as vit_base_patch16_224,");
    expect_error(convert("resnet50"), 2, "'resnet50' is no plain Vision Transformer");
    expect_error(convert("vit_base_patch16_224.nope"), 2, "expected one of augreg2_in21k_ft_in1k");
    expect_error(convert("vit_giant_patch14_224"), 2, "timm has no weights");
    expect_error(convert("vit_base_patch32_clip_224.openai_ft_in12k_in1k"), 2, "it has those of");
    expect_error(convert("vit_tiny_patch16_224", {"--arch", "vit_base_patch16_224"}), 2,
                 "--arch says");
    EXPECT_FALSE(fs::exists(out()));
}

std::vector<std::string> words(const std::string& line) {
    std::istringstream stream(line);
    return {std::istream_iterator<std::string>(stream), {}};
}

TEST_F(NamesTool, ListsTimmsNames) {
    const nlohmann::json timm =
        nlohmann::json::parse(read(std::string(VIT_TEST_DATA) + "/mappings/architectures.json"))
            .at("architectures");
    const Finished all = run({VIT_CONVERT, "--list"});
    ASSERT_EQ(all.status, 0) << all.err;
    std::istringstream lines(all.out);
    std::string line;
    std::getline(lines, line);
    EXPECT_THAT(line, AllOf(StartsWith("name "), HasSubstr("default tag")));
    const std::size_t column = line.find("default tag");
    for (const nlohmann::json& each : timm) {
        ASSERT_TRUE(std::getline(lines, line));
        const std::vector<std::string> parts = words(line);
        ASSERT_GE(parts.size(), 6u) << line;
        EXPECT_EQ(parts[0], each.at("name"));
        char parameters[32];
        std::snprintf(parameters, sizeof parameters, "%.2f",
                      each.at("parameters").get<double>() / 1e6);
        EXPECT_EQ(parts[1], parameters) << line;
        EXPECT_EQ(parts[3], std::to_string(each.at("image")[0].get<int>()) + "x" +
                                std::to_string(each.at("image")[1].get<int>()));
        const std::string tag = each.at("tag");
        const bool trained = each.at("weights").at(tag) != "";
        EXPECT_EQ(line.substr(column), tag + (trained ? "" : ", no weights"));
    }
    EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(NamesTool, ListsWhatFits) {
    const auto list = [](const std::string& pattern) {
        return run({VIT_CONVERT, "--list", pattern});
    };
    EXPECT_THAT(list("vit_base_patch16_224").out, HasSubstr("35.13  augreg2_in21k_ft_in1k"));
    EXPECT_THAT(list("tiny").out,
                AllOf(HasSubstr("\nvit_tiny_patch16_224 "), HasSubstr("\ndeit_tiny_patch16_224 "),
                      Not(HasSubstr("base"))));
    EXPECT_THAT(list("deit*tiny*").out,
                AllOf(HasSubstr("\ndeit_tiny_patch16_224 "), Not(HasSubstr("\nvit_tiny"))));
    EXPECT_THAT(list("vit_base_patch16_224.*").out,
                AllOf(HasSubstr("augreg2_in21k_ft_in1k\n"), HasSubstr("orig_in21k\n"),
                      HasSubstr("sam_in1k\n")));
    expect_error(list("resnet50"), 2, "no plain Vision Transformer");
    expect_error(list("vit_bas_patch16_224"), 2, "such as vit_base_patch16_224");
    expect_error(list("x*x"), 2, "fits 'x*x'");
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(NamesTool, ConvertsAnAddress) {
    const std::string weights =
        read(std::string(VIT_TEST_DATA) + "/sources/npz_augreg/weights.npz");
    const LoopbackServer web([&](const HttpRequest& request) {
        HttpReply reply;
        if (request.path.find("weights") == std::string::npos) reply.status = 404;
        reply.body = weights;
        return reply;
    });
    const std::string url = web.url() + "/a/weights.npz";
    write("torch/hub/checkpoints/config.json", "somebody else's");
    const Finished done = convert(url + "?x=y");
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.err, "");
    EXPECT_THAT(done.out, Not(HasSubstr("config.json")));
    EXPECT_EQ(source_of_output(), url);
    EXPECT_EQ(read(path("torch/hub/checkpoints/weights.npz")), weights);
    EXPECT_EQ(run({tool(), out(), "--verify"}).status, 0);
    EXPECT_EQ(convert(url + "?x=y").status, 0);
    EXPECT_EQ(web.requests().size(), 1u);

    expect_error(convert(web.url() + "/none.npz"), 74, "/none.npz: there is no such file");
    expect_error(convert(web.url() + "/weights-00000000.npz"), 74, "wrong checksum");
    expect_error(convert(web.url()), 2, "the address of a file");
    expect_error(convert("https://["), 2, "");
}

}  // namespace
}  // namespace vit::test
