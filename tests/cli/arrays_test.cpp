// Tests .npy files as input and output.
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "tests/cli/fixture.h"
#include "vit/model.h"
#include "weights/readers/npy.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

std::vector<float> values(const NpyArray& array) {
    return to_f32(array.view());
}

class Arrays : public InferTest {
  protected:
    NpyArray logits(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--logits", path("logits.npy"), "--format", "jsonl"});
        EXPECT_EQ(infer(arguments).status, 0);
        return read_npy(path("logits.npy"));
    }

    /// The sample images, preprocessed by the library.
    std::vector<float> preprocessed(int count) const {
        const Model loaded = Model::load(model());
        const ModelInfo& info = loaded.info();
        std::vector<float> pixels;
        int taken = 0;
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(digits() / "samples"))
            files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            if (taken++ == count) break;
            std::vector<float> one(static_cast<std::size_t>(3 * info.height * info.width));
            preprocess(decode_image(file), info.transform, one);
            pixels.insert(pixels.end(), one.begin(), one.end());
        }
        return pixels;
    }
};

TEST_F(Arrays, LogitsAreTheSameBitsForEveryBatchAndThreadCount) {
    const NpyArray reference = logits({digits() / "samples", "-b", "1", "-t", "1"});
    EXPECT_EQ(reference.shape, (Shape{20, 10}));
    for (const char* threads : {"1", "2", "3", "64"})
        for (const char* batch : {"1", "2", "7", "20", "500"}) {
            SCOPED_TRACE(std::string(threads) + " threads, batch " + batch);
            const NpyArray other = logits({digits() / "samples", "-b", batch, "-t", threads});
            EXPECT_EQ(other.shape, reference.shape);
            EXPECT_TRUE(other.data == reference.data);
        }
}

TEST_F(Arrays, ATensorGivesTheLogitsOfItsImages) {
    const NpyArray reference = logits({digits() / "samples"});
    write_npy(path("in.npy"), {20, 3, 32, 32}, preprocessed(20));
    const NpyArray other = logits({path("in.npy"), "-b", "3"});
    EXPECT_TRUE(other.data == reference.data);
    // The same array with the byte order of another kind of machine.
    std::string bytes = read(path("in.npy"));
    const std::size_t order = bytes.find("<f4");
    bytes[order] = '>';
    for (std::size_t at = bytes.size() - std::size_t{20} * 3 * 32 * 32 * 4; at < bytes.size();
         at += 4)
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes.begin() + static_cast<std::ptrdiff_t>(at + 4));
    EXPECT_TRUE(logits({write("big.npy", bytes)}).data == reference.data);
    const auto records = lines_of(infer({path("in.npy"), "--format", "jsonl"}).out);
    ASSERT_EQ(records.size(), 20u);
    EXPECT_EQ(records[0]["file"], path("in.npy") + "[0]");
    EXPECT_EQ(records[19]["file"], path("in.npy") + "[19]");
    EXPECT_EQ(records[0]["predictions"][0]["label"], "five");
}

/// A .npy file of version 1.0.
std::string npy(const std::string& dtype, const std::string& shape,
                std::span<const std::byte> data) {
    std::string header =
        "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': " + shape + "}";
    header.resize(117, ' ');
    header += '\n';
    const std::string bytes(reinterpret_cast<const char*>(data.data()), data.size());
    return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + bytes;
}

TEST_F(Arrays, TensorsMayHaveOtherTypesOfFloatsAndNoBatch) {
    std::vector<float> pixels = preprocessed(1);
    // float16 keeps the values of 8-bit pixels to 11 bits; these keep all of theirs.
    for (float& each : pixels) each = std::round(each * 256) / 256;
    std::vector<double> doubles(pixels.begin(), pixels.end());
    std::vector<std::uint16_t> halves;
    for (const float each : pixels) {
        int exponent = 0;
        const float mantissa = std::frexp(std::abs(each), &exponent);  // in [0.5, 1), or 0
        const auto bits =
            each == 0 ? 0 : ((exponent + 14) << 10) + static_cast<int>(mantissa * 2048) - 1024;
        halves.push_back(static_cast<std::uint16_t>(bits | (each < 0 ? 0x8000 : 0)));
    }
    write("f4.npy", npy("<f4", "(1, 3, 32, 32)", std::as_bytes(std::span(pixels))));
    write("f8.npy", npy("<f8", "(1, 3, 32, 32)", std::as_bytes(std::span(doubles))));
    write("f2.npy", npy("<f2", "(1, 3, 32, 32)", std::as_bytes(std::span(halves))));
    write("one.npy", npy("<f4", "(3, 32, 32)", std::as_bytes(std::span(pixels))));
    const std::vector<float> expected = values(logits({path("f4.npy")}));
    for (const char* name : {"f8.npy", "f2.npy", "one.npy"})
        EXPECT_EQ(values(logits({path(name)})), expected) << name;
    const auto records = lines_of(infer({path("one.npy"), "--format", "jsonl"}).out);
    EXPECT_EQ(records.at(0)["file"], path("one.npy"));
}

TEST_F(Arrays, PreprocessingOptionsForTensorsGetANote) {
    write_npy(path("x.npy"), {1, 3, 32, 32}, std::vector<float>(3 * 32 * 32));
    EXPECT_THAT(infer({path("x.npy"), "--mean", "0,0,0"}).err, HasSubstr("have no effect on .npy"));
    EXPECT_EQ(infer({path("x.npy")}).err, "");
}

TEST_F(Arrays, ATensorThatAListNamesIsNotReplaced) {
    write_npy(path("in.npy"), {2, 3, 32, 32}, preprocessed(2));
    const std::string before = read(path("in.npy"));
    const Finished done = infer({"-", "--logits", path("in.npy")}, path("in.npy") + "\n");
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, HasSubstr("this output is also an input"));
    EXPECT_TRUE(read(path("in.npy")) == before);
}

TEST_F(Arrays, RowsOfFailedInputsAreNaN) {
    const Finished done =
        infer({path("none.png"), sample("01_five.png"), path("none2.png"), "--logits",
               path("l.npy"), "--features", path("f.npy"), "--tokens", path("t.npy")});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(read_npy(path("l.npy")).shape, (Shape{3, 10}));
    EXPECT_EQ(read_npy(path("f.npy")).shape, (Shape{3, 96}));
    EXPECT_EQ(read_npy(path("t.npy")).shape, (Shape{3, 17, 96}));
    for (const char* file : {"l.npy", "f.npy", "t.npy"}) {
        const std::vector<float> all = values(read_npy(path(file)));
        const std::size_t row = all.size() / 3;
        for (std::size_t i = 0; i < all.size(); ++i)
            EXPECT_EQ(std::isnan(all[i]), i / row != 1) << file << " " << i;
    }
}

TEST_F(Arrays, LogitsFeaturesAndTokensAreWhatTheLibraryGives) {
    const Finished done =
        infer({sample("01_five.png"), sample("02_two.png"), "--logits", path("l.npy"), "--features",
               path("f.npy"), "--tokens", path("t.npy")});
    EXPECT_EQ(done.status, 0);
    const Model loaded = Model::load(model());
    const ModelInfo& info = loaded.info();
    const std::vector<float> pixels = preprocessed(2);
    std::vector<float> l(static_cast<std::size_t>(2 * info.classes));
    std::vector<float> f(static_cast<std::size_t>(2 * info.features));
    std::vector<float> t(static_cast<std::size_t>(2 * info.tokens * info.embed_dim));
    loaded.run(pixels, 2, {l, f, t});
    EXPECT_EQ(values(read_npy(path("l.npy"))), l);
    EXPECT_EQ(values(read_npy(path("f.npy"))), f);
    EXPECT_EQ(values(read_npy(path("t.npy"))), t);
}

TEST_F(Arrays, RecordsAgreeWithTheLogits) {
    const Finished done =
        infer({sample("01_five.png"), "--format", "jsonl", "-k", "10", "--logits", path("l.npy")});
    const std::vector<float> all = values(read_npy(path("l.npy")));
    const auto records = lines_of(done.out);
    ASSERT_EQ(records.at(0)["predictions"].size(), 10u);
    for (const auto& each : records[0]["predictions"])
        EXPECT_EQ(each["logit"].get<float>(), all.at(each["index"]));
}

TEST_F(Arrays, BadTensorsAreRefusedByName) {
    write_npy(path("size.npy"), {1, 3, 16, 16}, std::vector<float>(3 * 16 * 16));
    write_npy(path("rank.npy"), {32, 32}, std::vector<float>(32 * 32));
    std::vector<float> nan(2 * 3 * 32 * 32);
    nan.back() = std::nanf("");
    write_npy(path("nan.npy"), {2, 3, 32, 32}, nan);
    const std::string whole = read(path("nan.npy"));
    write("cut.npy", whole.substr(0, whole.size() - 1));
    write("text.npy", "hello");
    const Finished done =
        infer({path("size.npy"), path("rank.npy"), path("nan.npy"), path("cut.npy"),
               path("text.npy"), path("none.npy"), sample("02_two.png"), "--format", "jsonl"});
    EXPECT_EQ(done.status, 1);
    const auto records = lines_of(done.out);
    ASSERT_EQ(records.size(), 8u);
    const std::vector<std::string> parts{"[3, 32, 32]", "[32, 32]", "", "NaN", "", "", ""};
    for (std::size_t i = 0; i < 7; ++i) {
        EXPECT_EQ(records[i]["ok"], i == 2) << i;  // the first image of nan.npy is good
        if (i == 2) continue;
        const std::string error = records[i]["error"];
        EXPECT_THAT(error, HasSubstr(".npy"));
        EXPECT_THAT(error, HasSubstr(parts[i]));
    }
    EXPECT_TRUE(records[7]["ok"]);
}

}  // namespace
}  // namespace vit::test
