// Reads config.json of Hugging Face transformers' vision models.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_config.h"
#include "weights/mappings/common/report.h"

namespace vit::inline internal {

/// Models that share tensor names and configuration keys.
enum class TransformersFamily { vit, deit, dinov2, dinov2_with_registers, clip, siglip };

/// The values of config.json, with the defaults of the family's configuration class. A member that
/// no key of a family sets has no meaning for this family.
struct TransformersConfig {
    std::string model_class;  ///< "ViTForImageClassification"
    std::int64_t hidden_size = 768;
    std::int64_t num_hidden_layers = 12;
    std::int64_t num_attention_heads = 12;
    std::optional<std::int64_t> head_dim;
    std::int64_t intermediate_size = 3072;
    double mlp_ratio = 4;
    std::int64_t num_channels = 3;
    ImageSize image_size{224, 224};
    ImageSize patch_size{16, 16};
    std::string hidden_act = "gelu";
    double layer_norm_eps = 1e-12;
    bool qkv_bias = true;
    std::optional<std::int64_t> pooler_output_size;
    std::string pooler_act = "tanh";
    bool use_swiglu_ffn = false;
    std::int64_t num_register_tokens = 4;
    std::int64_t projection_dim = 512;
    bool vision_use_head = true;
    std::optional<std::int64_t> num_labels;
    nlohmann::json id2label;  ///< null where there is none
};

/// The family of `model_type`; nothing for an unknown one.
std::optional<TransformersFamily> transformers_family(std::string_view model_type);

/// The values of `model_type` that transformers_family knows.
std::vector<std::string_view> transformers_model_types();

/// Reads config.json, or its vision half where it has a text half too. Adds every key to `report`.
/// Throws Error(model) with the key where it is unknown, has a wrong type or is not supported.
TransformersConfig read_transformers_config(TransformersFamily family, const nlohmann::json& root,
                                            std::vector<ReportLine>& report);

/// The activation that transformers calls `name`. Throws Error(model) with `key` for an unknown
/// name.
Activation transformers_activation(const std::string& name, std::string_view key);

}  // namespace vit::inline internal
