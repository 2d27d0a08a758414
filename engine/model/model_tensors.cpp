#include "engine/model/model_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// Collects the tensors that a model needs, in the order of the file.
class Specs {
  public:
    explicit Specs(const ModelConfig& config) : c_(config) {}

    void add(std::string name, Shape shape) {
        specs_.push_back({std::move(name), std::move(shape)});
    }
    void linear(const std::string& name, std::int64_t out, std::int64_t in, bool bias) {
        add(name + ".weight", {out, in});
        if (bias) add(name + ".bias", {out});
    }
    void norm(const std::string& name, std::int64_t width) {
        add(name + ".weight", {width});
        if (c_.norm == Norm::layer_norm) add(name + ".bias", {width});
    }

    void attention(const std::string& name) {
        const std::int64_t dim = c_.embed_dim, width = c_.heads * c_.head_dim;
        const bool differential = c_.differential_attention;
        if (differential) {
            for (const char* part : {".q1", ".q2", ".k1", ".k2"})
                linear(name + part, width / 2, dim, c_.qkv_bias);
        } else {
            linear(name + ".q", width, dim, c_.qkv_bias);
            linear(name + ".k", width, dim, c_.qkv_bias);
        }
        linear(name + ".v", width, dim, c_.qkv_bias);
        if (c_.qk_norm) {
            norm(name + ".q_norm", differential ? c_.head_dim / 2 : c_.head_dim);
            norm(name + ".k_norm", differential ? c_.head_dim / 2 : c_.head_dim);
        }
        if (differential) {
            add(name + ".lambda", {1});
            add(name + ".sub_norm.weight", {c_.head_dim});
        }
        if (c_.scale_attn_norm) norm(name + ".norm", width);
        linear(name + ".proj", dim, width, c_.proj_bias);
    }

    void mlp(const std::string& name) {
        if (c_.glu) linear(name + ".gate", c_.mlp_dim, c_.embed_dim, c_.fc1_bias);
        linear(name + ".fc1", c_.mlp_dim, c_.embed_dim, c_.fc1_bias);
        if (c_.scale_mlp_norm) norm(name + ".norm", c_.mlp_dim);
        linear(name + ".fc2", c_.embed_dim, c_.mlp_dim, c_.fc2_bias);
    }

    void layer_scale(const std::string& name) {
        if (c_.layer_scale) add(name, {c_.embed_dim});
    }

    void block(const std::string& name) {
        if (c_.block == BlockKind::parallel_things) {
            for (std::int64_t j = 0; j < c_.parallel; ++j) {
                const std::string branch = fmt::format("{}.attns.{}", name, j);
                norm(branch + ".norm", c_.embed_dim);
                attention(branch + ".attn");
                layer_scale(branch + ".ls");
            }
            for (std::int64_t j = 0; j < c_.parallel; ++j) {
                const std::string branch = fmt::format("{}.ffns.{}", name, j);
                norm(branch + ".norm", c_.embed_dim);
                mlp(branch + ".mlp");
                layer_scale(branch + ".ls");
            }
            return;
        }
        norm(name + ".norm1", c_.embed_dim);
        attention(name + ".attn");
        layer_scale(name + ".ls1");
        if (c_.block != BlockKind::parallel_scaling) norm(name + ".norm2", c_.embed_dim);
        mlp(name + ".mlp");
        layer_scale(name + ".ls2");
    }

    void attention_pooling() {
        const std::int64_t dim = c_.pooled_dim();
        add("attn_pool.latent", {dim});
        linear("attn_pool.q", dim, dim, true);
        for (const char* part : {"attn_pool.k", "attn_pool.v"})
            linear(part, dim, c_.embed_dim, true);
        linear("attn_pool.proj", dim, dim, true);
        if (c_.pool_mlp_dim == 0) return;
        norm("attn_pool.norm", dim);
        linear("attn_pool.mlp.fc1", c_.pool_mlp_dim, dim, true);
        linear("attn_pool.mlp.fc2", dim, c_.pool_mlp_dim, true);
    }

    std::vector<TensorSpec> take() { return std::move(specs_); }

  private:
    const ModelConfig& c_;
    std::vector<TensorSpec> specs_;
};

std::int64_t outputs(const ModelConfig& config) {
    if (config.num_classes > 0) return config.num_classes;
    return config.features();
}

}  // namespace

DType stored_dtype(const TensorSpec& tensor, const ModelHeader& header) {
    const bool in_blocks = tensor.name.starts_with("blocks.");
    if (tensor.shape.size() < 2 || (!in_blocks && tensor.name != "patch_embed.weight"))
        return DType::f32;
    if (header.dtype != DType::i8) return header.dtype;
    const std::string linear = tensor.name.substr(0, tensor.name.rfind('.'));
    return in_blocks && !std::ranges::binary_search(header.float_linears, linear) ? DType::i8
                                                                                  : DType::f32;
}

std::string scale_name(std::string_view weight) {
    return std::string(weight) + "_scale";
}

std::vector<std::string> int8_weights(std::span<const TensorView> tensors) {
    std::vector<std::string> names;
    for (const TensorView& tensor : tensors)
        if (tensor.dtype == DType::i8) names.push_back(tensor.name);
    std::ranges::sort(names);
    return names;
}

std::vector<TensorSpec> file_tensors(const ModelHeader& header) {
    std::vector<TensorSpec> out;
    for (TensorSpec& spec : required_tensors(header.config)) {
        const bool int8 = stored_dtype(spec, header) == DType::i8;
        const std::string scale = scale_name(spec.name);
        const std::int64_t outputs = spec.shape[0];
        out.push_back(std::move(spec));
        if (int8) out.push_back({scale, {outputs}});
    }
    return out;
}

std::vector<TensorSpec> required_tensors(const ModelConfig& config) {
    const std::int64_t dim = config.embed_dim;
    Specs specs(config);
    if (config.patch_norm)
        specs.norm("patch_norm", config.in_chans * config.patch_height * config.patch_width);
    specs.add("patch_embed.weight",
              {dim, config.in_chans, config.patch_height, config.patch_width});
    if (config.patch_bias) specs.add("patch_embed.bias", {dim});
    if (config.embed_norm) specs.norm("patch_embed.norm", dim);
    if (config.class_token) specs.add("cls_token", {dim});
    if (config.distillation_token) specs.add("dist_token", {dim});
    if (config.register_tokens > 0) specs.add("reg_token", {config.register_tokens, dim});
    const std::int64_t patches = (config.image_size.height / config.patch_height) *
                                 (config.image_size.width / config.patch_width);
    if (config.position_table)
        specs.add("pos_embed",
                  {patches + (config.no_embed_class ? 0 : config.prefix_tokens()), dim});
    if (config.pre_norm) specs.norm("norm_pre", dim);
    for (std::int64_t n = 0; n < config.depth; ++n) specs.block(fmt::format("blocks.{}", n));
    if (config.final_norm) specs.norm("norm", dim);
    if (config.pooling == Pooling::map) specs.attention_pooling();
    if (config.fc_norm) specs.norm("fc_norm", config.pooled_dim());
    const std::int64_t features = config.features();
    if (config.representation_size > 0)
        specs.linear("pre_logits", features, config.pooled_dim(), true);
    if (config.num_classes > 0) {
        specs.linear("head", config.num_classes, features, true);
        if (config.distillation_token)
            specs.linear("head_dist", config.num_classes, features, true);
        if (config.mean_head) specs.linear("head_mean", config.num_classes, features, false);
    }
    return specs.take();
}

void check_tensors(const ModelHeader& header, std::span<const TensorHead> tensors,
                   const std::string& where) {
    const auto refuse = [&where](const std::string& what) {
        throw Error(ErrorKind::model, fmt::format("{}: {}", where, what));
    };
    std::unordered_map<std::string_view, const TensorHead*> left;
    for (const TensorHead& tensor : tensors) {
        if (!left.emplace(tensor.name, &tensor).second)
            refuse(fmt::format("tensor {} appears twice", in_quotes(tensor.name)));
        const bool bytes = tensor.name == "packed" || tensor.name == "quantization.samples";
        const DType expected =
            bytes ? DType::u8 : stored_dtype({tensor.name, tensor.shape}, header);
        if (tensor.dtype != expected)
            refuse(fmt::format("tensor {}: expected element type {}, found {}",
                               in_quotes(tensor.name), dtype_name(expected),
                               dtype_name(tensor.dtype)));
    }
    if (!header.packed_key.empty() && left.erase("packed") == 0)
        refuse("tensor 'packed' is missing; the header names what it was packed for");
    const auto take = [&](const std::string& name) {
        const auto found = left.find(name);
        if (found == left.end())
            refuse(fmt::format("tensor {} is missing; the model's config asks for it",
                               in_quotes(name)));
        const TensorHead* tensor = found->second;
        left.erase(found);
        return tensor;
    };
    const auto expect = [&](const std::string& name, const Shape& shape) {
        const TensorHead* tensor = take(name);
        if (tensor->shape != shape)
            refuse(fmt::format("tensor {}: expected shape {}, found {}", in_quotes(name),
                               to_string(shape), to_string(tensor->shape)));
    };
    for (const TensorSpec& spec : file_tensors(header)) expect(spec.name, spec.shape);
    if (header.self_test) {
        const TensorHead* logits = take("self_test.logits");
        const std::int64_t width = outputs(header.config);
        if (logits->shape.size() != 2 || logits->shape[0] < 1 || logits->shape[1] != width)
            refuse(fmt::format(
                "tensor 'self_test.logits': expected shape [n, {}] with n of 1 or more, found {}",
                width, to_string(logits->shape)));
        const ModelConfig& config = header.config;
        if (header.self_test->stored_input)
            expect("self_test.input", {logits->shape[0], config.in_chans, config.image_size.height,
                                       config.image_size.width});
    }
    if (header.quantization && !header.quantization->sample_cosines.empty()) {
        const auto count = static_cast<std::int64_t>(header.quantization->sample_cosines.size());
        const ImageSize size = header.config.image_size;
        expect("quantization.samples", {count, size.height, size.width, 3});
        expect("quantization.outputs", {count, outputs(header.config)});
    }
    for (const TensorHead& tensor :
         tensors)  // in file order, so that the message does not depend on hashing
        if (left.contains(tensor.name))
            refuse(fmt::format("unknown tensor {}; the model's config does not ask for it",
                               in_quotes(tensor.name)));
}

}  // namespace vit::inline internal
