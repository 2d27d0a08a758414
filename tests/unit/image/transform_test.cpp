// Resize, crop and normalise as in timm's create_transform with Pillow images. Every byte and every
// bit of a float must be equal.
#include <gtest/gtest.h>

#include <cmath>
#include <future>

#include "fixtures.h"
#include "vit/error.h"

namespace vit {
namespace {

using nlohmann::json;

const json& golden() {
    static const json value = [] {
        std::ifstream file(test::data_file("transforms.json"));
        return json::parse(file);
    }();
    return value;
}

Transform transform_of(const json& c) {
    const std::map<std::string, Crop> crops{
        {"center", Crop::center}, {"squash", Crop::squash}, {"border", Crop::border}};
    const std::map<std::string, Filter> filters{{"nearest", Filter::nearest},
                                                {"bilinear", Filter::bilinear},
                                                {"bicubic", Filter::bicubic},
                                                {"lanczos", Filter::lanczos}};
    Transform t;
    t.height = c[2];
    t.width = c[3];
    t.crop = crops.at(c[4]);
    t.filter = filters.at(c[5]);
    t.crop_pct = c[6];
    const json& norm = golden()["norms"][c[7].get<std::string>()];
    for (std::size_t i = 0; i < 3; ++i) {
        t.mean[i] = norm[0][i].get<float>();
        t.std[i] = norm[1][i].get<float>();
    }
    return t;
}

std::uint32_t crc_of(const auto& values) {
    return test::crc32(std::as_bytes(std::span(values)));
}

TEST(Transform, EqualsTimm) {
    const json& cases = golden()["cases"];
    ASSERT_GT(cases.size(), 1800U);
    std::map<std::pair<std::int64_t, std::int64_t>, Image> sources;
    int refused = 0;
    for (const json& c : cases) {
        SCOPED_TRACE(c.dump());
        const auto [source, added] = sources.try_emplace({c[0], c[1]});
        if (added) {
            source->second = test::pattern(c[0], c[1]);
        }
        const Transform transform = transform_of(c);
        std::vector<float> floats(static_cast<std::size_t>(3 * transform.height * transform.width));
        if (c[8].is_null()) {  // a side would have 0 pixels; Pillow refuses that too
            ++refused;
            EXPECT_THROW(preprocess(source->second, transform, floats), Error);
            continue;
        }
        const Image cropped = resize_and_crop(source->second, transform);
        EXPECT_EQ(cropped.height, transform.height);
        EXPECT_EQ(cropped.width, transform.width);
        EXPECT_EQ(crc_of(cropped.rgb), c[8].get<std::uint32_t>());
        preprocess(source->second, transform, floats);
        EXPECT_EQ(crc_of(floats), c[9].get<std::uint32_t>());
    }
    EXPECT_GT(refused, 0);
    EXPECT_LT(refused, 100);
}

// Compares a few whole arrays, so that a failure shows the place and the size of the difference.
TEST(Transform, EqualsTimmPixelByPixel) {
    int compared = 0;
    for (const auto& [name, array] : test::read_arrays("transforms.safetensors")) {
        const std::size_t slash = name.find('/');
        const json& c = golden()["cases"][std::stoul(name.substr(slash + 1))];
        SCOPED_TRACE(name + " " + c.dump());
        const Transform transform = transform_of(c);
        const Image source = test::pattern(c[0], c[1]);
        ++compared;
        if (name.rfind("pixels/", 0) == 0) {
            const Image cropped = resize_and_crop(source, transform);
            ASSERT_EQ(cropped.rgb.size(), array.bytes.size());
            for (std::size_t i = 0; i < cropped.rgb.size(); ++i) {
                ASSERT_EQ(cropped.rgb[i], static_cast<std::uint8_t>(array.bytes[i]))
                    << "row " << i / 3 / transform.width << " column " << i / 3 % transform.width
                    << " channel " << i % 3;
            }
        } else {
            std::vector<float> floats(array.bytes.size() / 4);
            preprocess(source, transform, floats);
            std::vector<float> expected(floats.size());
            std::memcpy(expected.data(), array.bytes.data(), array.bytes.size());
            for (std::size_t i = 0; i < floats.size(); ++i) {
                ASSERT_EQ(floats[i], expected[i]) << i;
            }
        }
    }
    EXPECT_GE(compared, 20);
}

template <typename Call>
ErrorKind kind_of(Call call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        return error.kind();
    }
    ADD_FAILURE() << "expected an error";
    return ErrorKind::internal;
}

TEST(Transform, RefusesWhatMakesNoSense) {
    const Image image = test::pattern(8, 8);
    std::vector<float> out(3 * 4 * 4);
    const Transform good{.height = 4, .width = 4};
    preprocess(image, good, out);
    EXPECT_EQ(kind_of([&] { preprocess(image, good, std::span(out).first(47)); }),
              ErrorKind::usage);
    EXPECT_EQ(kind_of([&] { preprocess(Image{}, good, out); }), ErrorKind::input);
    Image wrong = image;
    wrong.rgb.pop_back();
    EXPECT_EQ(kind_of([&] { preprocess(wrong, good, out); }), ErrorKind::input);
    for (const double crop_pct : {0.0, -1.0, 1e-300, 1e300, std::nan("")}) {
        Transform bad = good;
        bad.crop_pct = crop_pct;
        EXPECT_EQ(kind_of([&] { preprocess(image, bad, out); }), ErrorKind::usage) << crop_pct;
    }
    for (const std::int64_t side : {std::int64_t{0}, std::int64_t{-4}, std::int64_t{1} << 40}) {
        Transform bad = good;
        bad.width = side;
        EXPECT_EQ(kind_of([&] { preprocess(image, bad, out); }), ErrorKind::usage) << side;
        EXPECT_EQ(kind_of([&] { resize_and_crop(image, bad); }), ErrorKind::usage) << side;
    }
}

TEST(Transform, AnyThreadGetsTheSame) {
    const auto work = [] {
        const Image image = decode_image(test::image_file("progressive_420.jpg"), "x");
        std::vector<float> out(3 * 224 * 224);
        preprocess(image, {}, out);
        decode_image(test::image_file("palette_4_interlaced.png"), "x");
        decode_image(test::image_file("lossy_alpha.webp"), "x");
        return out;
    };
    const std::vector<float> expected = work();
    std::vector<std::future<std::vector<float>>> results;
    for (int i = 0; i < 8; ++i) {
        results.push_back(std::async(std::launch::async, work));
    }
    for (auto& result : results) {
        EXPECT_EQ(result.get(), expected);
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Transform, AResultBeyondMemoryIsAnError) {
    const Image image = test::pattern(8, 8);
    const Transform huge{.height = 1 << 24,
                         .width = 1 << 24,
                         .crop_pct = 1,
                         .crop = Crop::squash,
                         .filter = Filter::nearest};
    EXPECT_EQ(kind_of([&] { resize_and_crop(image, huge); }), ErrorKind::memory);
}
#endif

// Pillow would make the whole resized image of 256 × 16,776,960 pixels. This library makes only the
// crop.
TEST(Transform, LongNarrowImagesCostLittle) {
    const Image image = test::pattern(1, 65'535);
    for (const Filter filter : {Filter::nearest, Filter::bicubic}) {
        const Image out = resize_and_crop(image, {.filter = filter});
        EXPECT_EQ(out.height, 224);
        EXPECT_EQ(out.width, 224);
    }
}

}  // namespace
}  // namespace vit
