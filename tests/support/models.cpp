#include "tests/support/models.h"

#include <unistd.h>

#include <atomic>

#include "engine/base/random.h"
#include "engine/graph/build_vit.h"
#include "engine/model/model_writer.h"
#include "weights/quantization/quantize.h"
#include "weights/random_model/random_model.h"

namespace vit::test {

ModelConfig small_config() {
    ModelConfig c;
    c.architecture = "test";
    c.image_size = {32, 48};
    c.patch_height = c.patch_width = 8;
    c.embed_dim = 40;
    c.depth = 3;
    c.heads = 2;
    c.head_dim = 20;
    c.mlp_dim = 72;
    c.num_classes = 10;
    return c;
}

std::vector<NamedConfig> small_configs() {
    std::vector<NamedConfig> all;
    const auto add = [&](std::string name, auto change) {
        ModelConfig c = small_config();
        change(c);
        all.push_back({std::move(name), c});
    };
    add("plain", [](ModelConfig&) {});
    add("average", [](ModelConfig& c) {
        c.pooling = Pooling::avg;
        c.fc_norm = true;
        c.final_norm = false;
    });
    add("no_class_token", [](ModelConfig& c) {
        c.class_token = false;
        c.pooling = Pooling::avg;
    });
    add("distilled", [](ModelConfig& c) { c.distillation_token = true; });
    add("mean_head", [](ModelConfig& c) {
        c.mean_head = true;
        c.register_tokens = 2;
    });
    add("registers", [](ModelConfig& c) {
        c.register_tokens = 4;
        c.no_embed_class = true;
    });
    add("registers_in_table", [](ModelConfig& c) { c.register_tokens = 2; });
    add("layer_scale", [](ModelConfig& c) { c.layer_scale = true; });
    add("no_biases",
        [](ModelConfig& c) { c.qkv_bias = c.proj_bias = c.fc1_bias = c.fc2_bias = false; });
    add("pre_logits", [](ModelConfig& c) { c.representation_size = 24; });
    add("no_head", [](ModelConfig& c) { c.num_classes = 0; });
    add("no_final_norm", [](ModelConfig& c) { c.final_norm = false; });
    add("wide_heads", [](ModelConfig& c) { c.head_dim = 33; });
    add("odd_patches", [](ModelConfig& c) {
        c.patch_height = 16;
        c.patch_width = 6;
    });
    add("one_block", [](ModelConfig& c) { c.depth = 1; });
    add("training_nodes", [](ModelConfig& c) {
        c.pos_drop_rate = c.patch_drop_rate = c.proj_drop_rate = 0.1;
        c.attn_drop_rate = c.drop_rate = 0.2;
        c.drop_path_rate = 0.3;
        c.layer_scale = true;
    });
    add("res_post_norm", [](ModelConfig& c) { c.block = BlockKind::res_post_norm; });
    add("parallel_scaling", [](ModelConfig& c) {
        c.block = BlockKind::parallel_scaling;
        c.fc2_bias = false;
        c.layer_scale = true;
        c.drop_path_rate = 0.1;
    });
    add("parallel_things", [](ModelConfig& c) {
        c.block = BlockKind::parallel_things;
        c.parallel = 2;
        c.layer_scale = true;
    });
    add("pre_norm", [](ModelConfig& c) {
        c.pre_norm = true;
        c.patch_bias = false;
    });
    add("patch_norm", [](ModelConfig& c) { c.patch_norm = true; });
    add("patch_and_embed_norm", [](ModelConfig& c) { c.patch_norm = c.embed_norm = true; });
    add("embed_norm", [](ModelConfig& c) { c.embed_norm = true; });
    add("embed_norm_only", [](ModelConfig& c) {
        c.embed_norm = c.pre_norm = true;
        c.position_table = c.class_token = false;
        c.pooling = Pooling::avg;
    });
    add("no_position_table", [](ModelConfig& c) { c.position_table = false; });
    add("rms_norm", [](ModelConfig& c) {
        c.norm = Norm::rms_norm;
        c.embed_norm = true;
    });
    add("glu", [](ModelConfig& c) {
        c.glu = true;
        c.activation = Activation::silu;
        c.proj_drop_rate = 0.1;
    });
    add("qk_norm", [](ModelConfig& c) { c.qk_norm = true; });
    add("rms_qk_norm", [](ModelConfig& c) {
        c.qk_norm = true;
        c.norm = Norm::rms_norm;
    });
    add("scale_norms", [](ModelConfig& c) { c.scale_attn_norm = c.scale_mlp_norm = true; });
    add("differential", [](ModelConfig& c) { c.differential_attention = true; });
    add("differential_everything", [](ModelConfig& c) {
        c.differential_attention = c.qk_norm = c.scale_attn_norm = c.scale_mlp_norm = c.glu = true;
        c.head_dim = 34;
        c.block = BlockKind::parallel_things;
        c.parallel = 2;
    });
    for (const auto& [name, pooling] :
         {std::pair{"max_pooling", Pooling::max}, std::pair{"avgmax_pooling", Pooling::avgmax},
          std::pair{"map_pooling", Pooling::map}})
        for (const bool include_prefix : {false, true})
            add(std::string(name) + (include_prefix ? "_with_prefix" : ""),
                [p = pooling, include_prefix](ModelConfig& c) {
                    c.pooling = p;
                    c.pool_include_prefix = include_prefix;
                    c.register_tokens = 1;
                    if (p != Pooling::map) return;
                    c.pool_heads = 4;
                    c.pool_mlp_dim = 56;
                });
    add("map_pooling_of_patches", [](ModelConfig& c) {
        c.class_token = false;
        c.pooling = Pooling::map;
        c.pool_heads = 5;
        c.pool_mlp_dim = 31;
    });
    add("pooler_of_another_width", [](ModelConfig& c) {
        c.pooling = Pooling::map;
        c.pool_include_prefix = c.fc_norm = true;
        c.pool_heads = 3;
        c.pool_width = 51;
    });
    add("cut_patches", [](ModelConfig& c) { c.image_size = {37, 54}; });
    for (const auto& [name, activation] :
         {std::pair{"gelu_tanh", Activation::gelu_tanh},
          std::pair{"quick_gelu", Activation::quick_gelu}, std::pair{"silu", Activation::silu},
          std::pair{"relu", Activation::relu}})
        add(name, [a = activation](ModelConfig& c) { c.activation = a; });
    return all;
}

namespace {

/// Rounds the weights of a model file to int8.
void quantize_file(const std::filesystem::path& path) {
    const ModelFile file = ModelFile::open(path, Reading::copied);
    ModelHeader header = file.header();
    header.dtype = DType::i8;
    ModelWeights weights(file.tensors());
    quantize(build_vit(header.config, header.config.image_size), weights);
    write_model_file(path, header, weights.views());
}

}  // namespace

TemporaryModel::TemporaryModel(const ModelConfig& config, std::uint64_t seed, DType stored) {
    static std::atomic<int> counter = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("vit-test-" + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".vit");
    ModelHeader header;
    header.config = config;
    header.preprocessing.input_size = config.image_size;
    write_random_model(path_, header, seed);
    if (stored == DType::i8) quantize_file(path_);
}

TemporaryModel::~TemporaryModel() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

std::vector<float> random_images(const ModelConfig& config, std::int64_t count,
                                 std::uint64_t seed) {
    std::vector<float> images(static_cast<std::size_t>(
        count * config.in_chans * config.image_size.height * config.image_size.width));
    self_test_input(seed, images);
    return images;
}

}  // namespace vit::test
