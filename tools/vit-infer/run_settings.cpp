#include "tools/vit-infer/run_settings.h"

namespace vit::infer {

Transform transform_for(const Options& options, const ModelInfo& info) {
    Transform transform = info.transform;
    if (options.crop_pct) transform.crop_pct = *options.crop_pct;
    if (options.crop) transform.crop = *options.crop;
    if (options.filter) transform.filter = *options.filter;
    if (options.mean) transform.mean = *options.mean;
    if (options.std) transform.std = *options.std;
    return transform;
}

std::size_t run_size(const Options& options, const Model& model) {
    if (options.batch_size > 0) return static_cast<std::size_t>(options.batch_size);
    return static_cast<std::size_t>(model.info().threads) * (options.tokens.empty() ? 16 : 2);
}

int profiled_images(const Options& options, const Model& model) {
    return options.batch_size > 0 ? options.batch_size : model.info().threads;
}

}  // namespace vit::infer
