#include "weights/random_model/random_model.h"

#include <array>
#include <cmath>
#include <vector>

#include "engine/base/checked.h"
#include "engine/base/random.h"
#include "engine/model/model_tensors.h"
#include "engine/model/model_writer.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

struct Affine {
    double offset;
    float scale;
};

Affine distribution(std::string_view name, const Shape& shape) {
    const std::size_t block = name.starts_with("blocks.") ? name.find('.', 7) + 1 : 0;
    const std::string_view part =
        name.substr(block);  // "norm1.weight", "attn.q.bias", "head.weight", …
    for (std::string_view norm : {"norm1.weight", "norm2.weight", "norm.weight", "norm_pre.weight"})
        if (part.ends_with(norm)) return {1, 0.1f};
    if (part.ends_with(".bias")) return {0, 0.05f};
    for (std::string_view factor : {"ls1", "ls2", ".ls", ".lambda"})
        if (part.ends_with(factor)) return {0.5, 0.25f};
    for (std::string_view embedding :
         {"cls_token", "dist_token", "reg_token", "pos_embed", "attn_pool.latent"})
        if (part == embedding) return {0, 0.2f};
    double fan_in = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
    return {0, static_cast<float>(std::sqrt(3.0 / fan_in) * 0.8)};
}

}  // namespace

void fill_random_weights(std::string_view name, const Shape& shape, std::uint64_t seed,
                         std::span<float> out) {
    fill_random(name, seed, out);
    const Affine affine = distribution(name, shape);
    // A 24-bit scale times a 24-bit u, plus 0, 0.5 or 1, is exact in double. So a fused
    // multiply-add gives the same result.
    for (float& value : out)
        value = static_cast<float>(affine.offset +
                                   static_cast<double>(affine.scale) * static_cast<double>(value));
}

void write_random_model(const std::filesystem::path& path, const ModelHeader& header,
                        std::uint64_t seed) {
    if (header.self_test)
        throw Error(ErrorKind::usage, "write_random_model: a random model carries no self-test");
    validate(header.config);
    std::vector<TensorHead> heads;
    for (TensorSpec& spec : required_tensors(header.config))
        heads.push_back({std::move(spec.name), DType::f32, std::move(spec.shape)});
    std::vector<float> values;
    stream_model_file(path, header, heads, [&](std::size_t index, const ByteSink& sink) {
        const TensorHead& tensor = heads[index];
        values.resize(checked::to_size(checked::product(tensor.shape, tensor.name), tensor.name));
        fill_random_weights(tensor.name, tensor.shape, seed, values);
        sink(std::as_bytes(std::span(values)));
    });
}

}  // namespace vit::inline internal
