#include "vit/model.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "engine/api/guard.h"
#include "engine/api/model_impl.h"

namespace vit {

namespace {

/// The transform to use. Throws Error(usage) where its size differs from the model's.
const Transform& chosen(const ModelInfo& info, const std::optional<Transform>& own) {
    if (!own) return info.transform;
    if (own->height != info.height || own->width != info.width)
        throw Error(ErrorKind::usage,
                    "transform: expected the model's size " + std::to_string(info.height) + "x" +
                        std::to_string(info.width) + ", found " + std::to_string(own->height) +
                        "x" + std::to_string(own->width));
    return *own;
}

/// Runs images in groups of 16 per thread, so that memory hardly grows with their number.
/// outputs(first, count) says where the results of a group go. use(count) is called when they are
/// written.
template <class Images, class OutputsOf, class Use>
void run_images(const Model& model, const Images& images, const Transform& transform,
                const OutputsOf& outputs, const Use& use) {
    const std::size_t most = static_cast<std::size_t>(model.info().threads) * 16;
    for (std::size_t first = 0; first < images.size(); first += most) {
        const std::size_t count = std::min(most, images.size() - first);
        model.run_each(static_cast<std::int64_t>(count), outputs(first, count),
                       [&](std::int64_t i, std::span<float> input) {
                           preprocess(images[first + static_cast<std::size_t>(i)], transform,
                                      input);
                           return true;
                       });
        use(count);
    }
}

template <class Images>
std::vector<std::vector<Prediction>> classify_images(const Model& model, const Images& images,
                                                     int k,
                                                     const std::optional<Transform>& transform) {
    const auto classes = static_cast<std::size_t>(model.info().classes);
    std::vector<std::vector<Prediction>> result;
    std::vector<float> logits;
    run_images(
        model, images, chosen(model.info(), transform),
        [&](std::size_t, std::size_t count) {
            logits.resize(count * classes);
            return Outputs{logits, {}, {}};
        },
        [&](std::size_t count) {
            for (std::size_t i = 0; i < count; ++i)
                result.push_back(model.top(std::span(logits).subspan(i * classes, classes), k));
        });
    return result;
}

void normalize(std::span<float> row) {
    double sum = 0;
    for (const float x : row) sum += static_cast<double>(x) * static_cast<double>(x);
    if (!(sum > 0)) return;
    const double scale = 1 / std::sqrt(sum);
    for (float& x : row) x = static_cast<float>(static_cast<double>(x) * scale);
}

template <class Images>
std::vector<float> embed_images(const Model& model, const Images& images,
                                const EmbedOptions& options) {
    const auto length = static_cast<std::size_t>(model.info().features);
    std::vector<float> features(images.size() * length);
    run_images(
        model, images, chosen(model.info(), options.transform),
        [&](std::size_t first, std::size_t count) {
            return Outputs{{}, std::span(features).subspan(first * length, count * length), {}};
        },
        [](std::size_t) {});
    if (options.normalize)
        for (std::size_t i = 0; i < images.size(); ++i)
            normalize(std::span(features).subspan(i * length, length));
    return features;
}

}  // namespace

const ModelInfo& Model::info() const {
    return impl_->info;
}

void Model::run(std::span<const float> images, std::int64_t count, const Outputs& outputs) const {
    guarded("run", [&] {
        impl_->expect_images(images, count);
        const ResultPointers results = impl_->result_pointers(count, outputs);
        if (results.any()) impl_->executor.run({.count = count, .data = images.data()}, results);
    });
}

void Model::run_each(std::int64_t count, const Outputs& outputs, const FillImage& fill,
                     const ImageDone& done) const {
    guarded("run_each", [&] {
        if (count < 0) throw Error(ErrorKind::usage, "images: negative count");
        const ResultPointers results = impl_->result_pointers(count, outputs);
        if (!results.any()) return;
        ImageBatch images{.count = count};
        images.fill = [&](std::int64_t image, std::span<float> to) {
            return call_callers(fill, image, to);
        };
        if (done) images.done = [&](std::int64_t image) { call_callers(done, image); };
        impl_->executor.run(images, results);
    });
}

std::vector<Prediction> Model::top(std::span<const float> logits, int k) const {
    return guarded("top", [&] {
        const ModelInfo& info = impl_->info;
        if (logits.size() != static_cast<std::size_t>(info.classes))
            throw Error(ErrorKind::usage, "logits: expected " + std::to_string(info.classes) +
                                              " floats, found " + std::to_string(logits.size()));
        std::vector<std::int64_t> order(logits.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
        // NaN sorts last. Otherwise this would not be a strict weak order.
        const auto key = [&](std::int64_t i) {
            const float x = logits[static_cast<std::size_t>(i)];
            return std::isnan(x) ? -HUGE_VALF : x;
        };
        const auto count =
            static_cast<std::ptrdiff_t>(std::clamp<std::int64_t>(k, 0, info.classes));
        std::partial_sort(order.begin(), order.begin() + count, order.end(),
                          [&](std::int64_t a, std::int64_t b) {
                              return key(a) != key(b) ? key(a) > key(b) : a < b;
                          });
        double largest = -HUGE_VAL, sum = 0;
        for (float x : logits) largest = std::max(largest, static_cast<double>(x));
        for (float x : logits) sum += std::exp(static_cast<double>(x) - largest);
        std::vector<Prediction> result;
        for (auto i = order.begin(); i != order.begin() + count; ++i) {
            const auto index = static_cast<std::size_t>(*i);
            result.push_back(
                {*i, info.labels.empty() ? std::to_string(*i) : info.labels[index],
                 static_cast<float>(std::exp(static_cast<double>(logits[index]) - largest) / sum),
                 logits[index]});
        }
        return result;
    });
}

std::vector<Prediction> Model::classify(const ImageView& image, int k,
                                        const std::optional<Transform>& transform) const {
    return std::move(classify(std::span(&image, 1), k, transform).front());
}

std::vector<std::vector<Prediction>> Model::classify(
    std::span<const ImageView> images, int k, const std::optional<Transform>& transform) const {
    return guarded("classify", [&] { return classify_images(*this, images, k, transform); });
}

std::vector<std::vector<Prediction>> Model::classify(
    std::span<const Image> images, int k, const std::optional<Transform>& transform) const {
    return guarded("classify", [&] { return classify_images(*this, images, k, transform); });
}

std::vector<std::vector<Prediction>> Model::classify(std::span<const float> images,
                                                     std::int64_t count, int k) const {
    return guarded("classify", [&] {
        impl_->expect_images(images, count);
        const auto classes = static_cast<std::size_t>(info().classes);
        std::vector<float> logits(static_cast<std::size_t>(count) * classes);
        run(images, count, {logits, {}, {}});
        std::vector<std::vector<Prediction>> result;
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
            result.push_back(top(std::span(logits).subspan(i * classes, classes), k));
        return result;
    });
}

std::vector<float> Model::embed(const ImageView& image, const EmbedOptions& options) const {
    return embed(std::span(&image, 1), options);
}

std::vector<float> Model::embed(std::span<const ImageView> images,
                                const EmbedOptions& options) const {
    return guarded("embed", [&] { return embed_images(*this, images, options); });
}

std::vector<float> Model::embed(std::span<const Image> images, const EmbedOptions& options) const {
    return guarded("embed", [&] { return embed_images(*this, images, options); });
}

void Model::trim() const noexcept {
    impl_->executor.trim();
}

}  // namespace vit
