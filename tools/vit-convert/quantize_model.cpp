#include "tools/vit-convert/quantize_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "engine/base/cosine.h"
#include "engine/graph/build_vit.h"
#include "tools/vit-convert/calibration_images.h"
#include "vit/error.h"
#include "weights/quantization/quantize.h"

namespace vit::tools {

namespace {

/// One row of logits or features for each image.
using Outputs = std::vector<std::vector<float>>;

/// Runs a model on many images, some at a time.
class Measurement {
  public:
    Measurement(const Graph& graph, const ModelHeader& header, CalibrationFiles& files)
        : graph_(graph), header_(header), files_(files) {}

    /// Leaves the images that cannot be read out of files.measured.
    Outputs outputs(const ModelWeights& weights, const std::function<void(double)>& progress) {
        constexpr std::size_t at_once = 64;
        Outputs all;
        const ValueId values[] = {graph_.logits};
        std::vector<LabelledFile> kept;
        for (std::size_t first = 0; first < files_.measured.size(); first += at_once) {
            const auto begin = files_.measured.begin() + static_cast<std::ptrdiff_t>(first);
            const std::size_t count = std::min(at_once, files_.measured.size() - first);
            std::vector<LabelledFile> part(begin, begin + static_cast<std::ptrdiff_t>(count));
            const Images images = read_images(part, header_, files_.skipped);
            kept.insert(kept.end(), part.begin(), part.end());
            all.resize(all.size() + images.size());
            observe(graph_, weights, {graph_.image, images}, values,
                    [&](std::size_t image, std::size_t, const MatrixView& row) {
                        all[all.size() - images.size() + image].assign(row.data,
                                                                       row.data + row.cols);
                    });
            progress(static_cast<double>(first + count) /
                     static_cast<double>(files_.measured.size()));
        }
        files_.measured = std::move(kept);
        return all;
    }

  private:
    const Graph& graph_;
    const ModelHeader& header_;
    CalibrationFiles& files_;
};

std::int64_t top1(std::span<const float> row) {
    return std::ranges::max_element(row) - row.begin();
}

/// The share of images for which `right` holds.
template <class Right>
double share(std::size_t images, Right right) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < images; ++i) count += right(i) ? 1 : 0;
    return static_cast<double>(count) / static_cast<double>(images);
}

/// Returns the cosine of each image.
std::vector<double> compare(const Outputs& expected, const Outputs& found,
                            std::span<const LabelledFile> files, bool classes,
                            QuantizationReport& report) {
    const std::size_t images = expected.size();
    report.measured_images = static_cast<std::int64_t>(images);
    report.compared = classes ? "logits" : "features";
    report.mean_cosine = 0;
    report.worst_cosine = 1;
    std::vector<double> cosines;
    for (std::size_t i = 0; i < images; ++i) {
        const double c = cosines.emplace_back(cosine(expected[i], found[i]));
        if (std::isnan(c))
            throw Error(ErrorKind::model, fmt::format("{}: the int8 model's {} are not finite",
                                                      files[i].path.string(), report.compared));
        report.mean_cosine += c / static_cast<double>(images);
        report.worst_cosine = std::min(report.worst_cosine, c);
    }
    if (!classes) return cosines;
    report.top1_agreement =
        share(images, [&](std::size_t i) { return top1(expected[i]) == top1(found[i]); });
    if (!std::ranges::all_of(files, [](const LabelledFile& f) { return f.label.has_value(); }))
        return cosines;
    report.float_accuracy =
        share(images, [&](std::size_t i) { return top1(expected[i]) == *files[i].label; });
    report.int8_accuracy =
        share(images, [&](std::size_t i) { return top1(found[i]) == *files[i].label; });
    return cosines;
}

/// In percentage points, as QuantizeOptions::max_drop.
double drop_of(const QuantizationReport& report) {
    if (report.float_accuracy) return 100 * (*report.float_accuracy - *report.int8_accuracy);
    if (report.top1_agreement) return 100 * (1 - *report.top1_agreement);
    return 100 * (1 - report.mean_cosine);
}

/// Tensors that the model file gets in addition, and their memory.
struct Samples {
    std::vector<std::uint8_t> pixels;
    std::vector<float> outputs;
    std::vector<TensorView> tensors;
};

/// Some of the measured images, for replay_quantization(). They take about a hundredth of the
/// file's size: up to 8 of them.
void keep_samples(const Outputs& expected, std::span<const double> cosines,
                  std::span<const LabelledFile> files, const ModelWeights& weights,
                  ModelHeader& header, Samples& samples) {
    const ImageSize size = header.config.image_size;
    const auto image_bytes = static_cast<std::size_t>(3 * size.height * size.width);
    std::size_t file_bytes = 0;
    for (const TensorView& tensor : weights.views()) file_bytes += tensor.data.size();
    const std::size_t count = std::min(
        files.size(), std::clamp(file_bytes / 100 / image_bytes, std::size_t{1}, std::size_t{8}));
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t image = i * files.size() / count;
        const std::vector<std::uint8_t> pixels = read_pixels(files[image], header);
        samples.pixels.insert(samples.pixels.end(), pixels.begin(), pixels.end());
        samples.outputs.insert(samples.outputs.end(), expected[image].begin(),
                               expected[image].end());
        header.quantization->sample_cosines.push_back(cosines[image]);
    }
    const auto n = static_cast<std::int64_t>(count);
    samples.tensors = {{"quantization.samples",
                        DType::u8,
                        {n, size.height, size.width, 3},
                        std::as_bytes(std::span(samples.pixels))},
                       {"quantization.outputs",
                        DType::f32,
                        {n, static_cast<std::int64_t>(expected[0].size())},
                        std::as_bytes(std::span(samples.outputs))}};
}

/// Quantises with images. Sets the header's report and the linears that stay in float.
void calibrate(const Graph& graph, Converted& model, const QuantizeOptions& options, Steps& steps,
               ModelWeights& weights, Samples& samples) {
    QuantizationReport& report = *model.header.quantization;
    CalibrationFiles files = calibration_files(options.calibrate, model.header);
    const std::size_t found = files.calibrated.size() + files.measured.size();
    const auto show = [&](double share) { steps.show(share); };
    steps.begin("reading images");
    CalibrationImages images;
    images.calibrated = read_images(files.calibrated, model.header, files.skipped);
    std::vector<LabelledFile> some(
        files.measured.begin(),
        files.measured.begin() +
            static_cast<std::ptrdiff_t>(std::min<std::size_t>(8, files.measured.size())));
    images.measured = read_images(some, model.header, files.skipped);

    Measurement measurement(graph, model.header, files);
    steps.begin("running the model in float");
    const Outputs expected = measurement.outputs(ModelWeights(model.tensors), show);
    if (images.calibrated.empty() || images.measured.empty() || expected.empty())
        throw Error(ErrorKind::input,
                    "--calibrate: too few images can be decoded: " + files.skipped);
    steps.begin("calibrating");
    std::vector<QuantizedLinear> linears = quantize(graph, weights, images, show);
    report.calibrated_images = static_cast<std::int64_t>(images.calibrated.size());
    add_errors(linears, report);
    if (const std::size_t used = files.calibrated.size() + files.measured.size(); used < found)
        model.header.provenance.notes.push_back(
            fmt::format("--calibrate: {} of {} images cannot be decoded, such as {}", found - used,
                        found, files.skipped));

    std::ranges::stable_sort(linears, std::greater<>(), &QuantizedLinear::error);
    std::vector<std::string>& in_float = model.header.float_linears;
    for (std::size_t next = 1;; next *= 2) {
        steps.begin("running the model in int8");
        // First: it replaces files.measured.
        const Outputs in_int8 = measurement.outputs(weights, show);
        const std::vector<double> cosines =
            compare(expected, in_int8, files.measured, model.header.config.num_classes > 0, report);
        if (!options.max_drop || drop_of(report) <= *options.max_drop) {
            std::ranges::sort(in_float);
            keep_samples(expected, cosines, files.measured, weights, model.header, samples);
            return;
        }
        if (next >= linears.size())
            throw Error(
                ErrorKind::model,
                fmt::format("--max-drop {}: the drop is {:.2f} with {} of {} linears in "
                            "float; allow more, or convert without --quantize",
                            *options.max_drop, drop_of(report), in_float.size(), linears.size()));
        while (in_float.size() < next) {
            keep_float(linears[in_float.size()], weights);
            in_float.push_back(linears[in_float.size()].name);
        }
    }
}

}  // namespace

void quantize_model(Converted& model, const QuantizeOptions& options, Steps& steps) {
    struct Storage {
        std::shared_ptr<const void> before;
        ModelWeights weights;
        Samples samples;
    };
    const auto storage =
        std::make_shared<Storage>(Storage{model.storage, ModelWeights(model.tensors), {}});
    if (options.calibrate.empty()) {
        steps.begin("rounding weights");
        quantize_without_images(model.header, storage->weights);
    } else {
        const Graph graph = build_vit(model.header.config, model.header.config.image_size);
        model.header.quantization.emplace();
        calibrate(graph, model, options, steps, storage->weights, storage->samples);
        model.header.dtype = DType::i8;
    }
    model.tensors = storage->weights.views();
    model.tensors.insert(model.tensors.end(), storage->samples.tensors.begin(),
                         storage->samples.tensors.end());
    model.storage = storage;
}

}  // namespace vit::tools
