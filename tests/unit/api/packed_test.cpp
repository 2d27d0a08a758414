// Model files with packed weights give the same results. The weights are used in place if they fit
// this machine.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <list>

#include "engine/model/model_writer.h"
#include "tests/support/models.h"
#include "vit/reports.h"

namespace vit {
namespace {

namespace fs = std::filesystem;

class Packed : public testing::Test {
  protected:
    std::vector<float> logits(const fs::path& path, const LoadOptions& options = {}) const {
        const Model model = Model::load(path, options);
        std::vector<float> out(static_cast<std::size_t>(2 * model.info().classes));
        model.run(images_, 2, {out, {}, {}});
        return out;
    }

    ModelConfig config_ = test::small_config();
    test::TemporaryModel plain_{config_};
    fs::path packed_ = plain_.path().string() + ".packed";
    std::vector<float> images_ = test::random_images(config_, 2);

    ~Packed() override { fs::remove(packed_); }
};

TEST_F(Packed, WeightsAreUsedInPlaceAndGiveTheSameBits) {
    pack_model_file(plain_.path(), packed_);
    EXPECT_FALSE(Model::load(plain_.path()).info().packed_in_file);
    EXPECT_TRUE(Model::load(packed_).info().packed_in_file);
    EXPECT_EQ(logits(packed_), logits(plain_.path()));
    EXPECT_EQ(logits(packed_, {.threads = 3}), logits(plain_.path()));
}

/// Writes the packed file again as a safetensors tool would that does not know about packed
/// weights.
template <class Change>
void edit(const fs::path& path, const Change& change) {
    const ModelFile file = ModelFile::open(path, Reading::copied);
    std::vector<TensorView> tensors = file.tensors();
    std::list<std::vector<float>> kept;
    const auto values = [&](const char* name) -> std::vector<float>& {
        const auto tensor = std::ranges::find(tensors, name, &TensorView::name);
        std::vector<float>& own = kept.emplace_back(to_f32(*tensor));
        tensor->data = std::as_bytes(std::span(own));
        return own;
    };
    change(values);
    write_model_file(path, file.header(), tensors);
}

TEST_F(Packed, WeightsOfAnEditedFileAreNotUsed) {
    using Values = std::function<std::vector<float>&(const char*)>;
    const std::vector<std::function<void(const Values&)>> edits{
        [](const Values& values) { values("blocks.0.mlp.fc1.weight")[5] += 1; },
        [](const Values& values) { values("blocks.1.attn.proj.bias")[0] += 1; },
        [](const Values& values) {
            std::ranges::swap_ranges(values("blocks.0.attn.q.weight"),
                                     values("blocks.0.attn.k.weight"));
        }};
    for (const auto& change : edits) {
        pack_model_file(plain_.path(), packed_);
        EXPECT_EQ(self_test(Model::load(packed_)).packed_fits, true);
        const std::vector<float> before = logits(packed_);
        edit(packed_, change);
        const Model edited = Model::load(packed_);
        EXPECT_FALSE(edited.info().packed_in_file);
        EXPECT_EQ(self_test(edited).packed_fits, false);
        const std::vector<float> found = logits(packed_);
        EXPECT_NE(found, before);
        pack_model_file(packed_, packed_);
        EXPECT_TRUE(Model::load(packed_).info().packed_in_file);
        EXPECT_EQ(logits(packed_), found);
    }
}

/// The logits of a model whose file is truncated after loading.
std::vector<float> logits_without_file(const fs::path& path, bool copy_file,
                                       std::span<const float> images) {
    const Model model = Model::load(path, {.threads = 2, .copy_file = copy_file});
    fs::resize_file(path, 0);
    std::vector<float> out(static_cast<std::size_t>(2 * model.info().classes));
    model.run(images, 2, {out, {}, {}});
    return out;
}

TEST_F(Packed, AModelOutlivesItsFile) {
    const std::vector<float> expected = logits(plain_.path());
    pack_model_file(plain_.path(), packed_);
    EXPECT_EQ(logits_without_file(packed_, true, images_), expected);
    EXPECT_EQ(logits_without_file(plain_.path(), false, images_), expected);
}

TEST_F(Packed, TensorsMayLieAtAnyByte) {
    const std::vector<float> expected = logits(plain_.path());
    std::ifstream in(plain_.path(), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    bytes.insert(sizeof header + header, 1, ' ');
    ++header;
    std::memcpy(bytes.data(), &header, sizeof header);
    std::ofstream(packed_, std::ios::binary) << bytes;
    EXPECT_EQ(logits(packed_), expected);
}

TEST_F(Packed, AFileCanBePackedAgainInPlace) {
    pack_model_file(plain_.path(), packed_);
    const auto size = fs::file_size(packed_);
    pack_model_file(packed_, packed_);
    EXPECT_EQ(fs::file_size(packed_), size);
    EXPECT_EQ(logits(packed_), logits(plain_.path()));
}

TEST_F(Packed, AnotherKeyMeansPackingInMemory) {
    pack_model_file(plain_.path(), packed_);
    const ModelFile file = ModelFile::open(packed_);
    ModelHeader header = file.header();
    EXPECT_THAT(header.packed_key, testing::StartsWith("oneDNN "));
    header.packed_key += " of another machine";
    const fs::path other = packed_.string() + ".other";
    write_model_file(other, header, file.tensors());
    EXPECT_FALSE(Model::load(other).info().packed_in_file);
    EXPECT_EQ(logits(other), logits(plain_.path()));
    fs::remove(other);
}

TEST_F(Packed, AnotherPrecisionMeansPackingInMemory) {
    pack_model_file(plain_.path(), packed_);
    try {
        const LoadOptions bf16{.precision = Precision::bf16};
        EXPECT_EQ(logits(packed_, bf16), logits(plain_.path(), bf16));
        EXPECT_FALSE(Model::load(packed_, bf16).info().packed_in_file);
    } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::unsupported) << error.what();
        GTEST_SKIP() << error.what();
    }
}

TEST_F(Packed, AHeaderWithoutItsTensorIsRefused) {
    pack_model_file(plain_.path(), packed_);
    const ModelFile file = ModelFile::open(packed_);
    std::vector<TensorView> tensors = file.tensors();
    std::erase_if(tensors, [](const TensorView& t) { return t.name == "packed"; });
    EXPECT_THROW(write_model_file(packed_.string() + ".bad", file.header(), tensors), Error);
    ModelHeader header = file.header();
    header.packed_key.clear();
    EXPECT_THROW(write_model_file(packed_.string() + ".bad", header, file.tensors()), Error);
}

}  // namespace
}  // namespace vit
