// Model files with packed weights: the same results, used in place where they fit.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/support/models.h"
#include "vit/model.h"

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

TEST_F(Packed, WeightsAreWhatIsReadNotTheOthers) {
    pack_model_file(plain_.path(), packed_);
    const ModelFile file = ModelFile::open(packed_);
    const TensorView& tensor = file.get("packed");
    const TensorView& embed = file.get("patch_embed.weight");
    std::fstream bytes(packed_, std::ios::in | std::ios::out | std::ios::binary);
    const std::vector<char> zeros(embed.data.size(), 0);
    // The distance in the mapping is the distance in the file.
    const auto first = static_cast<std::streamoff>(fs::file_size(packed_)) -
                       (file.tensors().back().data.data() + file.tensors().back().data.size() -
                        tensor.data.data());
    bytes.seekp(first + (embed.data.data() - tensor.data.data()));
    bytes.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
    bytes.close();
    EXPECT_EQ(logits(packed_), logits(plain_.path()));
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
