// Reads timm's pretrained_cfg: preprocessing, and the head of the stored weights.
#pragma once

#include <optional>
#include <string>

#include "weights/mappings/common/config_value.h"

namespace vit::inline internal {

/// The values of pretrained_cfg, with the defaults of timm's PretrainedCfg.
struct PretrainedCfg {
    std::int64_t channels = 3;
    ImageSize input_size{224, 224};
    bool fixed_input_size = false;
    std::int64_t num_classes = 1000;
    std::int64_t label_offset = 0;
    double crop_pct = 0.875;
    Crop crop_mode = Crop::center;
    Filter interpolation = Filter::bicubic;
    std::vector<double> mean{0.485, 0.456, 0.406};
    std::vector<double> std{0.229, 0.224, 0.225};
    nlohmann::json label_names;  ///< null where there are none
};

/// Sets the member of the key `name`. Returns "" where the key is used, otherwise why it is
/// dropped. Throws Error(model) for a wrong type, an unknown key, or a value that is not supported.
std::string set_pretrained(PretrainedCfg& cfg, const std::string& name, const ConfigValue& value);

/// The preprocessing for images of `size`. Throws Error(model) unless mean and std have one or
/// three numbers.
Preprocessing preprocessing_of(const PretrainedCfg& cfg, ImageSize size);

}  // namespace vit::inline internal
