// Model::load: chooses image size, precision and kernels, and describes the loaded model.
#include <algorithm>
#include <array>
#include <optional>

#include "engine/api/model_impl.h"
#include "engine/base/text.h"
#include "engine/base/threads.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/model_tensors.h"
#include "engine/model/transform.h"
#include "engine/ops/onednn_isa.h"

namespace vit {

namespace {

ImageSize loaded_size(const ModelConfig& config, const LoadOptions& options) {
    if (options.height < 0 || options.width < 0 || (options.height == 0) != (options.width == 0))
        throw Error(ErrorKind::usage, "image size: expected both height and width, or neither");
    return options.height == 0 ? config.image_size : ImageSize{options.height, options.width};
}

int loaded_threads(const LoadOptions& options) {
    if (options.threads < 0 || options.threads > most_threads)
        throw Error(ErrorKind::usage, "threads: expected 0 to " + std::to_string(most_threads) +
                                          ", found " + std::to_string(options.threads));
    return options.threads == 0 ? vit::usable_threads() : options.threads;
}

struct PrecisionType {
    Precision precision;
    DType type;
};
constexpr std::array precisions{PrecisionType{Precision::f32, DType::f32},
                                PrecisionType{Precision::bf16, DType::bf16},
                                PrecisionType{Precision::int8, DType::i8}};

/// A file for bf16 runs in f32 where bf16 kernels are missing and the caller did not choose a
/// precision.
DType loaded_precision(const ModelFile& file, const LoadOptions& options, const KernelSet& set) {
    const DType stored = file.header().dtype;
    if (!options.precision)
        return stored == DType::bf16 && set.bf16 == nullptr ? DType::f32 : stored;
    if (*options.precision == Precision::int8 && stored != DType::i8)
        throw Error(ErrorKind::unsupported,
                    in_quotes(file.path().native()) +
                        ": precision int8: expected int8 weights, found a model file without them; "
                        "convert it with --quantize int8, or use precision f32");
    return std::ranges::find(precisions, *options.precision, &PrecisionType::precision)->type;
}

/// Why bf16 cannot run in this process; "" if it can.
std::string bf16_obstacle(const KernelSet& set) {
    if (set.bf16 == nullptr)
        return std::string(
                   "expected a CPU with AVX512_BF16 and the avx512 or amx kernels, found ") +
               kernels::isa_name(set.f32.isa) +
               (set.f32.isa == kernels::Isa::avx512 ? " without AVX512_BF16" : "");
    // Without tiles, oneDNN multiplies bfloat16.
    const OnednnLevel level = set.tiles() ? OnednnLevel::avx512_bf16 : onednn_level();
    if (level == OnednnLevel::avx512_bf16) return "";
    if (level == OnednnLevel::amx)
        return "oneDNN uses AMX in this process and the engine does not, and sums would depend on "
               "the number of images (ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 keeps it from AMX)";
    return "oneDNN is kept from AVX512_BF16 in this process (ONEDNN_MAX_CPU_ISA or "
           "dnnl::set_max_cpu_isa)";
}

KernelSet kernel_set(const LoadOptions& options, const kernels::Table& table) {
    KernelSet set{table, kernels::bf16_table_for(table.isa), &kernels::int8_table_for(table.isa)};
    const std::string obstacle = bf16_obstacle(set);
    if (obstacle.empty()) return set;
    if (options.precision == Precision::bf16)
        throw Error(ErrorKind::unsupported, "precision bf16: " + obstacle + "; use precision f32");
    return {table, nullptr, set.int8};
}

void expect_floats(const char* what, std::size_t found, std::size_t expected) {
    if (found != expected)
        throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::to_string(expected) +
                                          " floats, found " + std::to_string(found));
}

}  // namespace

Model::Impl::Impl(ModelFile opened, const LoadOptions& options, const kernels::Table& table)
    : file(std::move(opened)),
      size(loaded_size(file.header().config, options)),
      executor(file, size, kernel_set(options, table), loaded_threads(options),
               loaded_precision(file, options, kernel_set(options, table))) {
    describe(loaded_threads(options));
    const DType precision = loaded_precision(file, options, executor.kernels());
    info.precision = std::ranges::find(precisions, precision, &PrecisionType::type)->precision;
    info.bf16_unavailable = !options.precision && file.header().dtype == DType::bf16 &&
                            info.precision == Precision::f32;
}

void Model::Impl::describe(int threads) {
    const ModelHeader& header = file.header();
    const Graph& graph = executor.built();
    info.architecture = header.config.architecture;
    info.height = size.height;
    info.width = size.width;
    info.channels = graph.channels;
    info.tokens = graph.value(graph.tokens).rows;
    info.embed_dim = graph.value(graph.tokens).cols;
    info.prefix_tokens = header.config.prefix_tokens();
    info.patch_height = header.config.patch_height;
    info.patch_width = header.config.patch_width;
    info.grid_rows = size.height / info.patch_height;
    info.grid_columns = size.width / info.patch_width;
    info.features = graph.value(graph.features).cols;
    info.classes = graph.value(graph.logits).cols;
    info.classifies = header.config.num_classes > 0;
    for (const TensorSpec& tensor : required_tensors(header.config)) {
        std::int64_t count = 1;
        for (std::int64_t extent : tensor.shape) count *= extent;
        info.parameters += count;
    }
    info.gflop_per_image = flop(graph) * 1e-9;
    info.gflop_executed_per_image = flop(executor.optimised({})) * 1e-9;
    info.labels = header.labels;
    info.float_linears = header.float_linears;
    info.transform = transform_of(header.preprocessing, size);
    info.packed_in_file = executor.model().packed_in_file();
    info.threads = threads;
    info.isa = kernels::isa_name(executor.kernels().f32.isa);
}

ResultPointers Model::Impl::result_pointers(std::int64_t count, const Outputs& outputs) const {
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

void Model::Impl::expect_images(std::span<const float> images, std::int64_t count) const {
    if (count < 0) throw Error(ErrorKind::usage, "images: negative count");
    expect_floats("images", images.size(), static_cast<std::size_t>(count) * image_floats());
}

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
    } catch (const std::exception& error) {
        throw Error(ErrorKind::internal, in_quotes(path.native()) + ": " + error.what());
    }
}

}  // namespace vit
