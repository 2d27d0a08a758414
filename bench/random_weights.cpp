#include "bench/random_weights.h"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "weights/mappings/timm/timm_config.h"
#include "weights/random_model/random_model.h"

namespace vit::bench {

RandomModelFile::RandomModelFile(const std::string& architecture) {
    const ResolvedModel resolved =
        resolve_timm_config({.arch = architecture, .checkpoint_arch = {}, .config_json = {}}, {});
    ModelHeader header;
    header.config = resolved.config;
    header.preprocessing = resolved.preprocessing;
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("vit-bench-{}-{}.vit", architecture, ::getpid());
    write_random_model(path_, header, 1);
}

RandomModelFile::~RandomModelFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

}  // namespace vit::bench
