#include "bench/random_weights.h"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "engine/model/model_writer.h"
#include "weights/mappings/timm/timm_config.h"
#include "weights/quantization/quantize.h"
#include "weights/random_model/random_model.h"

namespace vit::bench {

RandomModelFile::RandomModelFile(const std::string& architecture, bool int8) {
    const ResolvedModel resolved =
        resolve_timm_config({.arch = architecture, .checkpoint_arch = {}, .config_json = {}}, {});
    ModelHeader header;
    header.config = resolved.config;
    header.preprocessing = resolved.preprocessing;
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("vit-bench-{}-{}.vit", architecture, ::getpid());
    write_random_model(path_, header, 1);
    if (!int8) return;
    const ModelFile in_float = ModelFile::open(path_);
    ModelWeights weights(in_float.tensors());
    quantize_without_images(header, weights);
    write_model_file(path_, header, weights.views());
}

RandomModelFile::~RandomModelFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

}  // namespace vit::bench
