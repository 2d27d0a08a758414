#include "tools/vit-convert/list.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/graph/build_vit.h"
#include "engine/graph/graph.h"
#include "engine/model/model_file.h"
#include "engine/model/model_tensors.h"
#include "vit/error.h"
#include "weights/mappings/timm/architectures.h"
#include "weights/mappings/timm/timm_config.h"

namespace vit::tools {

namespace {

struct Row {
    std::string name, tag, image;
    double parameters = 0, gflop = 0;
};

/// Parameters that this engine has minus those that timm has. For differential attention timm
/// stores four lambda vectors of half a head in each block; here they are one number. For a
/// parallel-scaling block timm stores one LayerScale; here there are two.
std::int64_t beyond_timms(const ModelConfig& c) {
    std::int64_t each = 0;
    if (c.differential_attention) each += 1 - 4 * (c.head_dim / 2);
    if (c.block == BlockKind::parallel_scaling && c.layer_scale) each += c.embed_dim;
    return each * c.depth;
}

std::int64_t parameters_in_timm(const ModelConfig& config) {
    std::int64_t count = -beyond_timms(config);
    for (const TensorSpec& spec : required_tensors(config))
        count += static_cast<std::int64_t>(checked::product(spec.shape, spec.name));
    return count;
}

Row row_of(const Architecture& architecture) {
    const ModelConfig config =
        resolve_timm_config({architecture.name + "." + architecture.tag, {}, {}}, {}).config;
    Row row;
    row.name = architecture.name;
    row.tag = architecture.tag + (architecture.weights.empty() ? ", no weights" : "");
    row.image = fmt::format("{}x{}", config.image_size.height, config.image_size.width);
    row.parameters = static_cast<double>(parameters_in_timm(config)) / 1e6;
    row.gflop = flop(build_vit(config, config.image_size)) / 1e9;
    return row;
}

bool fits(const std::string& pattern, const std::string& name) {
    if (pattern.find_first_of("*?[") == pattern.npos) return name.find(pattern) != name.npos;
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

std::vector<Architecture> fitting(const std::string& pattern) {
    const bool with_tags = pattern.find('.') != pattern.npos;
    std::vector<Architecture> out;
    for (const Architecture& each : with_tags ? all_tags() : all_architectures())
        if (fits(pattern, with_tags ? each.name + "." + each.tag : each.name)) out.push_back(each);
    if (out.empty() && pattern.find_first_of("*?[") == pattern.npos)
        // Accepts an old name, or throws an error that suggests similar names.
        out.push_back(find_architecture(pattern));
    if (out.empty())
        throw Error(ErrorKind::usage,
                    fmt::format("no name of timm's Vision Transformers fits {}; --list without a "
                                "pattern shows them all",
                                in_quotes(pattern)));
    return out;
}

}  // namespace

std::string list_of_names(std::string_view pattern) {
    std::vector<Row> rows;
    std::size_t width = 4;
    for (const Architecture& each : fitting(std::string(pattern))) {
        rows.push_back(row_of(each));
        width = std::max(width, each.name.size());
    }
    std::string out = fmt::format("{:<{}}  parameters      image     GFLOP  {}\n", "name", width,
                                  pattern.find('.') == pattern.npos ? "default tag" : "tag");
    for (const Row& row : rows)
        out += fmt::format("{:<{}}  {:>8.2f} M  {:>9}  {:>8.2f}  {}\n", row.name, width,
                           row.parameters, row.image, row.gflop, row.tag);
    return out;
}

}  // namespace vit::tools
