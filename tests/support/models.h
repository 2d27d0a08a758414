// Small models for tests: every variation that the graph supports, with random weights.
#pragma once

#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vit::test {

struct NamedConfig {
    std::string name;
    ModelConfig config;
};

/// 32×48 images, 8×8 patches, 3 blocks, widths that are no multiple of a vector.
ModelConfig small_config();

/// small_config() and all its variations.
std::vector<NamedConfig> small_configs();

/// A model file with random weights. The file is deleted with this object.
class TemporaryModel {
  public:
    /// `stored`: f32, or i8 for weights that are rounded to int8.
    explicit TemporaryModel(const ModelConfig& config, std::uint64_t seed = 7,
                            DType stored = DType::f32);
    ~TemporaryModel();
    TemporaryModel(const TemporaryModel&) = delete;
    TemporaryModel& operator=(const TemporaryModel&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// [count, channels, height, width], uniform in [-2, 2).
std::vector<float> random_images(const ModelConfig& config, std::int64_t count,
                                 std::uint64_t seed = 1);

/// ‖a − b‖ / ‖b‖.
template <class A, class B>
double relative_l2(const A& a, const B& b) {
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
        difference += (x - y) * (x - y);
        norm += y * y;
    }
    return std::sqrt(difference / norm);
}

}  // namespace vit::test
