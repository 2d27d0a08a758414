#include "vit/model.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <stdexcept>

#include "engine/base/random.h"
#include "engine/base/text.h"
#include "engine/base/threads.h"
#include "engine/executor/executor.h"
#include "engine/graph/print.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/model_file.h"
#include "engine/model/weights_digest.h"
#include "engine/ops/onednn_isa.h"

namespace vit {

namespace {

Crop to_crop(CropMode mode) {
    switch (mode) {
        case CropMode::center:
            return Crop::center;
        case CropMode::squash:
            return Crop::squash;
        case CropMode::border:
            return Crop::border;
    }
    throw Error(ErrorKind::internal, "unknown crop mode");
}

Filter to_filter(Interpolation interpolation) {
    switch (interpolation) {
        case Interpolation::nearest:
            return Filter::nearest;
        case Interpolation::bilinear:
            return Filter::bilinear;
        case Interpolation::bicubic:
            return Filter::bicubic;
        case Interpolation::lanczos:
            return Filter::lanczos;
    }
    throw Error(ErrorKind::internal, "unknown interpolation");
}

/// The largest relative L2 errors of logits that a self-test may allow, whatever the file says
/// (docs/performance.md has what is measured: 3e-6 and 1e-2).
constexpr double f32_tolerance = 1e-4, bf16_tolerance = 3e-2;

ImageSize loaded_size(const ModelConfig& config, const LoadOptions& options) {
    if (options.height < 0 || options.width < 0 || (options.height == 0) != (options.width == 0))
        throw Error(ErrorKind::usage, "image size: expected both height and width, or neither");
    return options.height == 0 ? config.image_size : ImageSize{options.height, options.width};
}

int loaded_threads(const LoadOptions& options) {
    constexpr int most = 1024;
    if (options.threads < 0 || options.threads > most)
        throw Error(ErrorKind::usage, "threads: expected 0 to " + std::to_string(most) +
                                          ", found " + std::to_string(options.threads));
    return options.threads == 0 ? vit::usable_threads() : options.threads;
}

/// A file for bf16 runs in f32 where there are no kernels for bf16 and nobody asked for it.
DType loaded_precision(const ModelFile& file, const LoadOptions& options, const KernelSet& set) {
    if (!options.precision) return set.bf16 == nullptr ? DType::f32 : file.header().dtype;
    return *options.precision == Precision::bf16 ? DType::bf16 : DType::f32;
}

/// Why bf16 cannot run in this process; "" where it can.
std::string bf16_obstacle(const KernelSet& set) {
    if (set.bf16 == nullptr)
        return std::string(
                   "expected a CPU with AVX512_BF16 and the avx512 or amx kernels, found ") +
               kernels::isa_name(set.f32.isa) +
               (set.f32.isa == kernels::Isa::avx512 ? " without AVX512_BF16" : "");
    // Without tiles oneDNN multiplies bfloat16.
    const OnednnLevel level = set.tiles() ? OnednnLevel::avx512_bf16 : onednn_level();
    if (level == OnednnLevel::avx512_bf16) return "";
    if (level == OnednnLevel::amx)
        return "oneDNN uses AMX in this process and the engine does not, and sums would depend on "
               "the number of images (ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 keeps it from AMX)";
    return "oneDNN is kept from AVX512_BF16 in this process (ONEDNN_MAX_CPU_ISA or "
           "dnnl::set_max_cpu_isa)";
}

KernelSet kernel_set(const LoadOptions& options, const kernels::Table& table) {
    KernelSet set{table, kernels::bf16_table_for(table.isa)};
    const std::string obstacle = bf16_obstacle(set);
    if (obstacle.empty()) return set;
    if (options.precision == Precision::bf16)
        throw Error(ErrorKind::unsupported, "precision bf16: " + obstacle + "; use precision f32");
    return {table, nullptr};
}

void expect_count(std::int64_t count) {
    if (count < 0) throw Error(ErrorKind::usage, "images: negative count");
}

void expect_floats(const char* what, std::size_t found, std::size_t expected) {
    if (found != expected)
        throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::to_string(expected) +
                                          " floats, found " + std::to_string(found));
}

}  // namespace

struct Model::Impl {
    ModelFile file;
    ImageSize size;
    Executor executor;
    ModelInfo info;

    Impl(ModelFile opened, const LoadOptions& options, const kernels::Table& table)
        : file(std::move(opened)),
          size(loaded_size(file.header().config, options)),
          executor(file, size, kernel_set(options, table), loaded_threads(options),
                   loaded_precision(file, options, kernel_set(options, table))) {
        describe(loaded_threads(options));
        if (loaded_precision(file, options, executor.kernels()) == DType::bf16)
            info.precision = Precision::bf16;
        info.bf16_unavailable = !options.precision && file.header().dtype == DType::bf16 &&
                                info.precision == Precision::f32;
    }

    void describe(int threads) {
        const ModelHeader& header = file.header();
        const Graph& graph = executor.built();
        info.architecture = header.config.architecture;
        info.height = size.height;
        info.width = size.width;
        info.channels = graph.channels;
        info.tokens = graph.value(graph.tokens).rows;
        info.embed_dim = graph.value(graph.tokens).cols;
        info.features = graph.value(graph.features).cols;
        info.classes = graph.value(graph.logits).cols;
        for (const TensorSpec& tensor : required_tensors(header.config)) {
            std::int64_t count = 1;
            for (std::int64_t extent : tensor.shape) count *= extent;
            info.parameters += count;
        }
        info.gflop_per_image = flop(graph) * 1e-9;
        info.gflop_executed_per_image = flop(executor.optimised({})) * 1e-9;
        info.labels = header.labels;
        const Preprocessing& p = header.preprocessing;
        info.transform = {size.height,
                          size.width,
                          p.crop_pct,
                          to_crop(p.crop_mode),
                          to_filter(p.interpolation),
                          p.mean,
                          p.std,
                          p.crop_rounding == CropRounding::down};
        info.packed_in_file = executor.model().packed_in_file();
        info.threads = threads;
        info.isa = kernels::isa_name(executor.kernels().f32.isa);
    }

    /// Throws Error(usage) where sizes disagree.
    ResultPointers result_pointers(std::int64_t count, const Outputs& outputs) const {
        const auto pointer = [&](const char* what, std::span<float> span, std::int64_t floats) {
            if (!span.empty())
                expect_floats(what, span.size(),
                              static_cast<std::size_t>(count) * static_cast<std::size_t>(floats));
            return span.empty() ? nullptr : span.data();
        };
        return {pointer("logits", outputs.logits, info.classes),
                pointer("features", outputs.features, info.features),
                pointer("tokens", outputs.tokens, info.tokens * info.embed_dim)};
    }

    std::size_t image_floats() const {
        return static_cast<std::size_t>(info.channels * info.height * info.width);
    }
};

Model Model::load(const std::filesystem::path& path, const LoadOptions& options) {
    const kernels::Table& table = kernels::select_table();
    const auto too_large = [&](const std::string& what) {
        return Error(ErrorKind::memory, in_quotes(path.native()) + ": " + what);
    };
    try {
        return Model(std::make_shared<const Impl>(
            ModelFile::open(path, options.copy_file ? Reading::copied : Reading::mapped), options,
            table));
    } catch (const Error& error) {
        const std::string what = error.what();
        if (error.kind() != ErrorKind::memory || what.find(path.native()) != std::string::npos)
            throw;
        throw too_large(what);
    } catch (const std::bad_alloc&) {
        throw too_large("not enough memory to load the model at this image size");
    } catch (const std::length_error&) {
        throw too_large("more memory is needed to load the model at this image size than there is");
    }
}

ModelInfo pack_model_file(const std::filesystem::path& from, const std::filesystem::path& to,
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

const ModelInfo& Model::info() const {
    return impl_->info;
}

void Model::run(std::span<const float> images, std::int64_t count, const Outputs& outputs) const {
    expect_count(count);
    expect_floats("images", images.size(), static_cast<std::size_t>(count) * impl_->image_floats());
    const ResultPointers results = impl_->result_pointers(count, outputs);
    if (results.any()) impl_->executor.run(images.data(), count, results);
}

void Model::run_each(std::int64_t count, const Outputs& outputs, const FillImage& fill,
                     const ImageDone& done) const {
    expect_count(count);
    const ResultPointers results = impl_->result_pointers(count, outputs);
    if (!results.any()) return;
    const std::size_t floats = impl_->image_floats();
    const auto rooms = std::make_unique_for_overwrite<float[]>(
        static_cast<std::size_t>(impl_->executor.rooms()) * floats);
    const auto source = [&](std::int64_t image, int room) -> const float* {
        float* const to = rooms.get() + static_cast<std::size_t>(room) * floats;
        return fill(image, {to, floats}) ? to : nullptr;
    };
    impl_->executor.run(count, source, results, [&](std::int64_t image) {
        if (done) done(image);
    });
}

std::vector<Prediction> Model::top(std::span<const float> logits, int k) const {
    const ModelInfo& info = impl_->info;
    if (logits.size() != static_cast<std::size_t>(info.classes))
        throw Error(ErrorKind::usage, "logits: expected " + std::to_string(info.classes) +
                                          " floats, found " + std::to_string(logits.size()));
    std::vector<std::int64_t> order(logits.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    // NaN sorts last, so that the order stays a strict weak one.
    const auto key = [&](std::int64_t i) {
        const float x = logits[static_cast<std::size_t>(i)];
        return std::isnan(x) ? -HUGE_VALF : x;
    };
    const auto count = static_cast<std::ptrdiff_t>(std::clamp<std::int64_t>(k, 0, info.classes));
    std::partial_sort(
        order.begin(), order.begin() + count, order.end(),
        [&](std::int64_t a, std::int64_t b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
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
}

std::vector<Prediction> Model::classify(const Image& image, int k) const {
    return std::move(classify(std::span(&image, 1), k).front());
}

std::vector<std::vector<Prediction>> Model::classify(std::span<const Image> images, int k) const {
    std::vector<std::vector<Prediction>> result;
    const auto classes = static_cast<std::size_t>(info().classes);
    // A few images a thread at a time: memory hardly grows with the batch.
    const std::size_t most = static_cast<std::size_t>(info().threads) * 16;
    std::vector<float> logits;
    for (std::size_t first = 0; first < images.size(); first += most) {
        const std::size_t count = std::min(most, images.size() - first);
        logits.resize(count * classes);
        run_each(static_cast<std::int64_t>(count), {logits, {}, {}},
                 [&](std::int64_t i, std::span<float> input) {
                     preprocess(images[first + static_cast<std::size_t>(i)], info().transform,
                                input);
                     return true;
                 });
        for (std::size_t i = 0; i < count; ++i)
            result.push_back(top(std::span(logits).subspan(i * classes, classes), k));
    }
    return result;
}

std::vector<float> Model::embed(const Image& image) const {
    std::vector<float> input(impl_->image_floats()),
        features(static_cast<std::size_t>(info().features));
    preprocess(image, info().transform, input);
    run(input, 1, {{}, features, {}});
    return features;
}

Profile Model::profile(std::span<const float> images, std::int64_t count) const {
    if (count < 1 || images.size() != static_cast<std::size_t>(count) * impl_->image_floats())
        throw Error(ErrorKind::usage,
                    "images: expected at least one, and channels * height * width floats for each");
    const RunProfile profile = impl_->executor.profile(images.data(), count);
    Profile result{{}, profile.waiting * 1e3, profile.wall * 1e3};
    for (const NodeTime& t : profile.nodes)
        result.nodes.push_back({t.name, t.kind, t.seconds * 1e3, t.flop * 1e-9, t.bytes * 1e-6});
    return result;
}

SelfTestResult Model::self_test() const {
    SelfTestResult result;
    const std::optional<SelfTest>& test = impl_->file.header().self_test;
    // Without a digest (older files) packed weights are not used.
    if (!impl_->file.header().packed_digest.empty()) result.packed_fits = impl_->file.packed_fits();
    if (!test) return result;
    result.present = true;
    result.tolerance = info().precision == Precision::bf16
                           ? bf16_tolerance
                           : std::min(test->tolerance, f32_tolerance);
    result.made_by = test->made_by;
    const ImageSize own = impl_->file.header().config.image_size,
                    made_for = test->image_size == ImageSize{0, 0} ? own : test->image_size;
    if (impl_->size != made_for) {
        if (impl_->size != own)
            throw Error(ErrorKind::usage,
                        "self-test: it was made for the model file's own image size; load the "
                        "model without another");
        return load(impl_->file.path(), {.threads = info().threads,
                                         .height = made_for.height,
                                         .width = made_for.width,
                                         .precision = info().precision})
            .self_test();
    }
    const std::vector<float> expected = to_f32(impl_->file.get("self_test.logits"));
    const std::int64_t count = static_cast<std::int64_t>(expected.size()) / info().classes;
    std::vector<float> input(static_cast<std::size_t>(count) * impl_->image_floats());
    if (test->stored_input)
        to_f32(impl_->file.get("self_test.input"), input);
    else
        self_test_input(test->seed, input);
    std::vector<float> logits(expected.size());
    run(input, count, {logits, {}, {}});
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

std::string Model::print_graph(bool dot, bool built) const {
    const Graph& graph = impl_->executor.built();
    const Graph shown = built ? graph : impl_->executor.optimised({});
    return dot ? print_dot(shown) : print_text(shown);
}

}  // namespace vit
