#include "tools/vit-infer/zero_shot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "engine/base/cosine.h"
#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/npz.h"

namespace vit::infer {

namespace {

/// The arrays of the archive by name. Errors name the archive.
struct Archive {
    std::vector<NpyArray> arrays;
    std::string where;

    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorKind::format,
                    fmt::format("{}: {}; tools/zero-shot/text_embeddings.py writes such files",
                                where, what));
    }
    const NpyArray* find(std::string_view name) const {
        const auto found = std::ranges::find(arrays, name, &NpyArray::name);
        return found == arrays.end() ? nullptr : &*found;
    }
    const NpyArray& get(std::string_view name) const {
        if (const NpyArray* array = find(name)) return *array;
        refuse(fmt::format("expected an array {}, found none", in_quotes(name)));
    }
    /// An array of the UTF-8 bytes of a text.
    std::string text(std::string_view name) const {
        const NpyArray& array = get(name);
        if (array.dtype != DType::u8 || array.shape.size() != 1)
            refuse(fmt::format("{}: expected uint8 [bytes], a text in UTF-8, found {} {}",
                               in_quotes(name), dtype_name(array.dtype), to_string(array.shape)));
        return {reinterpret_cast<const char*>(array.data.data()), array.data.size()};
    }
    float number(std::string_view name) const {
        const NpyArray& array = get(name);
        const std::vector<float> values = floats(array);
        if (values.size() != 1 || !std::isfinite(values[0]))
            refuse(fmt::format("{}: expected one finite number", in_quotes(name)));
        return values[0];
    }
    std::vector<float> floats(const NpyArray& array) const {
        if (array.dtype != DType::f32 && array.dtype != DType::f16 && array.dtype != DType::f64)
            refuse(fmt::format("{}: expected float32, float16 or float64, found {}",
                               in_quotes(array.name), dtype_name(array.dtype)));
        return to_f32(array.view());
    }
};

std::vector<std::string> lines_of(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    std::vector<std::string> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

void make_unit(std::span<float> vector, const Archive& archive, const std::string& name) {
    const double factor = inverse_length(vector);
    if (factor == 0)
        archive.refuse(fmt::format("'text': the embedding of class {} is zero or not finite",
                                   in_quotes(name)));
    for (float& x : vector) x = static_cast<float>(x * factor);
}

}  // namespace

TextClasses read_text_classes(const std::filesystem::path& path, std::int64_t dim) {
    const Archive archive{read_npz(path), in_quotes(path.native())};
    TextClasses classes;
    classes.names = lines_of(archive.text("names"));
    const NpyArray& text = archive.get("text");
    const Shape expected{static_cast<std::int64_t>(classes.names.size()), dim};
    if (text.shape != expected)
        archive.refuse(fmt::format(
            "'text': expected {}, the number of names and the length of the model's image "
            "embeddings (its logits), found {}",
            to_string(expected), to_string(text.shape)));
    classes.text = archive.floats(text);
    const auto length = static_cast<std::size_t>(dim);
    for (std::size_t i = 0; i < classes.names.size(); ++i)
        make_unit(std::span(classes.text).subspan(i * length, length), archive, classes.names[i]);

    classes.scale = archive.number("logit_scale");
    if (!(classes.scale > 0))
        archive.refuse(
            fmt::format("'logit_scale': expected the factor of the cosines, above 0, "
                        "found {}; checkpoints store its logarithm",
                        classes.scale));
    if (archive.find("logit_bias") != nullptr) classes.bias = archive.number("logit_bias");
    const std::string kind = archive.text("kind");
    if (kind != "softmax" && kind != "sigmoid")
        archive.refuse(
            fmt::format("'kind': expected softmax or sigmoid, found {}", in_quotes(kind)));
    classes.sigmoid = kind == "sigmoid";
    return classes;
}

std::vector<Prediction> classify(const TextClasses& classes, std::span<const float> embedding,
                                 int k) {
    const double factor = classes.scale * inverse_length(embedding);
    std::vector<double> logits(classes.names.size());
    for (std::size_t c = 0; c < logits.size(); ++c)
        logits[c] = factor * std::inner_product(embedding.begin(), embedding.end(),
                                                classes.text.data() + c * embedding.size(), 0.0) +
                    classes.bias;
    const double most = *std::ranges::max_element(logits);
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - most);

    std::vector<std::size_t> order(logits.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto count = static_cast<std::ptrdiff_t>(std::min(order.size(), std::size_t(k)));
    std::ranges::partial_sort(order, order.begin() + count, [&](std::size_t a, std::size_t b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    });
    std::vector<Prediction> predictions;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        const std::size_t c = order[static_cast<std::size_t>(i)];
        const double probability =
            classes.sigmoid ? 1 / (1 + std::exp(-logits[c])) : std::exp(logits[c] - most) / sum;
        predictions.push_back({static_cast<std::int64_t>(c), classes.names[c],
                               static_cast<float>(probability), static_cast<float>(logits[c])});
    }
    return predictions;
}

}  // namespace vit::infer
