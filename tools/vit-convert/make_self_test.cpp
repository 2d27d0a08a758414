#include "tools/vit-convert/make_self_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/base/random.h"
#include "engine/graph/build_vit.h"
#include "engine/graph/passes/passes.h"
#include "engine/graph/reference.h"
#include "engine/graph/weights.h"
#include "engine/model/model_tensors.h"
#include "tools/common/error_line.h"
#include "vit/error.h"
#include "weights/readers/checkpoint.h"

namespace vit::tools {

namespace {

constexpr std::uint64_t seed = 1;

void add_tensor(Converted& model, std::string name, Shape shape, std::vector<float> values) {
    model.owned.push_back(std::make_shared<const std::vector<float>>(std::move(values)));
    model.tensors.push_back({std::move(name), DType::f32, std::move(shape),
                             std::as_bytes(std::span(*model.owned.back()))});
}

/// True if the reference evaluator needs only seconds: about ten on two cores.
bool is_quick(const ModelConfig& config, ImageSize size) {
    constexpr double most_flop = 1.5e11, most_scores = 1.5e8;
    const Graph graph = build_vit(config, size);
    const auto tokens = static_cast<double>(graph.value(graph.tokens).rows);
    return flop(graph) <= most_flop &&
           tokens * tokens * static_cast<double>(config.heads * config.depth) <= most_scores;
}

/// The model's own image size if it is quick to evaluate. Otherwise the largest quick size of about
/// the same shape, in whole patches.
ImageSize self_test_size(const ModelConfig& config) {
    ImageSize size = config.image_size;
    if (is_quick(config, size)) return size;
    std::int64_t rows = size.height / config.patch_height,
                 columns = size.width / config.patch_width;
    do {
        rows = std::max<std::int64_t>(1, rows * 7 / 8);
        columns = std::max<std::int64_t>(1, columns * 7 / 8);
        size = {rows * config.patch_height, columns * config.patch_width};
    } while (!is_quick(config, size) && rows * columns > 1);
    return size;
}

std::int64_t outputs(const ModelConfig& config) {
    if (config.num_classes > 0) return config.num_classes;
    return config.features();
}

/// Reads the array of this name as float32. All values must be finite.
std::vector<float> array(const Checkpoint& file, const std::filesystem::path& path,
                         const std::string& name, Shape& shape) {
    const auto found = std::find_if(file.tensors.begin(), file.tensors.end(),
                                    [&](const TensorView& t) { return t.name == name; });
    if (found == file.tensors.end())
        throw Error(
            ErrorKind::model,
            fmt::format("{}: expected arrays input and logits, found no {}", path.string(), name));
    shape = found->shape;
    std::vector<float> values = to_f32(*found);
    if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }))
        throw Error(ErrorKind::model, fmt::format("{}: array {} has values that are not finite",
                                                  path.string(), name));
    return values;
}

}  // namespace

void make_self_test(Converted& model, const std::function<void(double)>& progress) {
    const ModelConfig& config = model.header.config;
    const ImageSize size = self_test_size(config);
    const Graph graph = quantize_linears(build_vit(config, size), int8_weights(model.tensors));
    std::vector<float> image(static_cast<std::size_t>(config.in_chans * size.height * size.width));
    self_test_input(seed, image);
    WeightMap weights(model.tensors);
    weights.resize_position_table(config, size);
    const std::vector<double> logits = evaluate(graph, weights, image, progress).logits;
    if (!std::all_of(logits.begin(), logits.end(), [](double x) { return std::isfinite(x); }))
        throw Error(ErrorKind::model,
                    "self-test: the model's logits are not finite; the weights overflow");
    SelfTest test;
    test.seed = seed;
    if (model.header.dtype == DType::i8)
        test.tolerance = 6e-2;  // numbers round to their neighbours
    test.made_by = "reference evaluator (float64)";
    if (size != config.image_size) {
        test.image_size = size;
        test.made_by += fmt::format(", {}x{} pixels of {}x{} to be quick", size.height, size.width,
                                    config.image_size.height, config.image_size.width);
    }
    model.header.self_test = test;
    add_tensor(model, "self_test.logits", {1, static_cast<std::int64_t>(logits.size())},
               {logits.begin(), logits.end()});
}

void expect_self_test(Converted& model, const std::filesystem::path& npz) {
    const Checkpoint file = read_checkpoint(npz);
    const ModelConfig& config = model.header.config;
    Shape input_shape, logits_shape;
    std::vector<float> input = array(file, npz, "input", input_shape);
    std::vector<float> logits = array(file, npz, "logits", logits_shape);
    const std::int64_t count = input_shape.empty() ? 0 : input_shape[0];
    const auto check = [&](const char* name, const Shape& found, const Shape& expected) {
        if (found != expected || count < 1)
            throw Error(
                ErrorKind::model,
                fmt::format("{}: array {}: expected shape {} for one or more images, found {}",
                            npz.string(), name, to_string(expected), to_string(found)));
    };
    const std::int64_t images = std::max<std::int64_t>(count, 1);
    check("input", input_shape,
          {images, config.in_chans, config.image_size.height, config.image_size.width});
    check("logits", logits_shape, {images, outputs(config)});
    SelfTest test;
    test.stored_input = true;
    test.made_by = "--expect " + escape_control(npz.filename().string());
    model.header.self_test = test;
    add_tensor(model, "self_test.logits", logits_shape, std::move(logits));
    add_tensor(model, "self_test.input", input_shape, std::move(input));
}

}  // namespace vit::tools
