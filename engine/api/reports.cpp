#include "vit/reports.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/api/guard.h"
#include "engine/api/model_impl.h"
#include "engine/base/cosine.h"
#include "engine/base/random.h"
#include "engine/base/text.h"
#include "engine/graph/print.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/model_writer.h"
#include "engine/model/weights_digest.h"

namespace vit {

namespace {

/// The largest relative L2 errors of logits that a self-test accepts, even if the file allows more.
/// docs/performance.md has the measured errors: 3e-6 and 1e-2. In int8, numbers that are close to
/// the middle of two integers round differently after any small difference: measured 3e-2.
constexpr double f32_tolerance = 1e-4, bf16_tolerance = 3e-2, int8_tolerance = 6e-2;
/// An int8 model's self-test is for int8. In f32 and bf16, only the weights have been rounded.
constexpr double unquantized_tolerance = 1e-1;

double largest_error(const SelfTest& test, DType stored, Precision run) {
    if (run == Precision::int8) return std::min(test.tolerance, int8_tolerance);
    if (stored == DType::i8) return unquantized_tolerance;
    return run == Precision::bf16 ? bf16_tolerance : std::min(test.tolerance, f32_tolerance);
}

SelfTestResult replay(const Model& model) {
    const Model::Impl& impl = model.impl();
    const ModelInfo& info = impl.info;
    SelfTestResult result;
    const std::optional<SelfTest>& test = impl.file.header().self_test;
    // Packed weights without a digest (in older files) are not used.
    if (!impl.file.header().packed_digest.empty()) result.packed_fits = impl.file.packed_fits();
    if (!test) return result;
    result.present = true;
    result.tolerance = largest_error(*test, impl.file.header().dtype, info.precision);
    result.made_by = test->made_by;
    const ImageSize own = impl.file.header().config.image_size,
                    made_for = test->image_size == ImageSize{0, 0} ? own : test->image_size;
    if (impl.size != made_for) {
        if (impl.size != own)
            throw Error(ErrorKind::usage,
                        "self-test: it was made for the model file's own image size; load the "
                        "model without another");
        return replay(Model::load(impl.file.path(), {.threads = info.threads,
                                                     .height = made_for.height,
                                                     .width = made_for.width,
                                                     .precision = info.precision}));
    }
    const std::vector<float> expected = to_f32(impl.file.get("self_test.logits"));
    const std::int64_t count = static_cast<std::int64_t>(expected.size()) / info.classes;
    std::vector<float> input(static_cast<std::size_t>(count) * impl.image_floats());
    if (test->stored_input)
        to_f32(impl.file.get("self_test.input"), input);
    else
        self_test_input(test->seed, input);
    std::vector<float> logits(expected.size());
    model.run(input, count, {logits, {}, {}});
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        const double e = expected[i];
        difference += (logits[i] - e) * (logits[i] - e);
        norm += e * e;
    }
    result.relative_l2 = std::sqrt(difference / norm);
    result.passed = result.relative_l2 <= result.tolerance;
    return result;
}

std::optional<QuantizationReplay> replay_samples(const Model& model) {
    const Model::Impl& impl = model.impl();
    const std::optional<QuantizationReport>& report = impl.file.header().quantization;
    if (!report || report->sample_cosines.empty()) return {};
    const ImageSize own = impl.file.header().config.image_size;
    if (impl.size != own)
        return replay_samples(Model::load(impl.file.path(), {.threads = impl.info.threads,
                                                             .height = own.height,
                                                             .width = own.width,
                                                             .precision = impl.info.precision}));
    const TensorView& samples = impl.file.get("quantization.samples");
    const std::vector<float> expected = to_f32(impl.file.get("quantization.outputs"));
    const auto count = static_cast<std::size_t>(samples.shape[0]);
    std::vector<float> input(count * impl.image_floats()), found(expected.size());
    Transform transform = impl.info.transform;
    transform.crop_pct = 1;  // the samples are resized and cropped already
    transform.crop = Crop::squash;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t bytes = samples.data.size() / count;
        preprocess({reinterpret_cast<const std::uint8_t*>(samples.data.data()) + i * bytes,
                    own.height, own.width},
                   transform,
                   std::span(input).subspan(i * impl.image_floats(), impl.image_floats()));
    }
    model.run(input, samples.shape[0], {found, {}, {}});
    QuantizationReplay result{{}, report->sample_cosines, true};
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t width = expected.size() / count;
        result.cosines.push_back(cosine(std::span(found).subspan(i * width, width),
                                        std::span(expected).subspan(i * width, width)));
        if (!(1 - result.cosines[i] <= 2 * (1 - result.recorded[i]) + 1e-3)) result.passed = false;
    }
    return result;
}

ModelInfo pack(const std::filesystem::path& from, const std::filesystem::path& to,
               const LoadOptions& options) {
    const kernels::Table& table = kernels::select_table();
    const Model::Impl model(ModelFile::open(from), options, table);
    const PreparedModel& prepared = model.executor.model();
    ModelHeader header = model.file.header();
    header.packed_key = prepared.packed_key();
    std::vector<TensorView> tensors{{"packed",
                                     DType::u8,
                                     {static_cast<std::int64_t>(prepared.packed().size())},
                                     prepared.packed()}};
    for (const TensorView& tensor : model.file.tensors())
        if (tensor.name != "packed") tensors.push_back(tensor);
    header.packed_digest = weights_digest(tensors, DigestOf::everything);
    header.packed_samples = weights_digest(tensors, DigestOf::samples);
    write_model_file(to, header, tensors);
    return model.info;
}

}  // namespace

FileInfo file_info(const Model& model) {
    return guarded("file_info", [&] {
        const ModelFile& file = model.impl().file;
        const ModelHeader& header = file.header();
        FileInfo info{header.provenance.source,
                      header.provenance.sha256,
                      header.provenance.converter,
                      header.provenance.notes,
                      header.dtype == DType::bf16 ? "bf16"
                      : header.dtype == DType::i8 ? "int8"
                                                  : "f32",
                      header.self_test ? header.self_test->made_by : "",
                      0};
        std::error_code error;
        info.bytes = std::filesystem::file_size(file.path(), error);
        if (error) info.bytes = 0;
        return info;
    });
}

Profile profile(const Model& model, std::span<const float> images, std::int64_t count) {
    return guarded("profile", [&] {
        const Model::Impl& impl = model.impl();
        impl.expect_images(images, count);
        if (count < 1) throw Error(ErrorKind::usage, "images: expected at least one");
        const RunProfile run = impl.executor.profile({.count = count, .data = images.data()});
        Profile result{{}, run.waiting * 1e3, run.wall * 1e3};
        for (const NodeTime& t : run.nodes)
            result.nodes.push_back(
                {t.name, t.kind, t.seconds * 1e3, t.flop * 1e-9, t.bytes * 1e-6});
        return result;
    });
}

SelfTestResult self_test(const Model& model) {
    return guarded("self-test", [&] { return replay(model); });
}

std::optional<QuantizationReport> quantization_report(const Model& model) {
    return model.impl().file.header().quantization;
}

std::optional<QuantizationReplay> replay_quantization(const Model& model) {
    return guarded("replay_quantization", [&] { return replay_samples(model); });
}

std::string print_graph(const Model& model, bool dot, bool built) {
    return guarded("print_graph", [&] {
        const Executor& executor = model.impl().executor;
        const Graph shown = built ? executor.built() : executor.optimised({});
        return dot ? print_dot(shown) : print_text(shown);
    });
}

ModelInfo pack_model_file(const std::filesystem::path& from, const std::filesystem::path& to,
                          const LoadOptions& options) {
    return guarded(in_quotes(from.native()), [&] { return pack(from, to, options); });
}

}  // namespace vit
