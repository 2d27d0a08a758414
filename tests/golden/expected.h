// What a library that no one here wrote computed, as the scripts in tools/fixtures store it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/model/tensor.h"
#include "vit/model.h"

namespace vit::golden {

inline constexpr double tolerance = 1e-5;  // relative L2, the promise of docs/architecture.md

/// float64 results of one model for random images of one size.
struct Expected {
    Shape input;
    std::uint64_t input_seed = 0;
    std::map<std::string, std::string> metadata;
    std::map<std::string, std::vector<double>> results;

    explicit Expected(const std::filesystem::path& path);
    /// [count, channels, height, width]
    std::vector<float> images() const;
};

/// "logits", "features" and "tokens" of the images.
std::map<std::string, std::vector<float>> run(const Model& model, const Expected& expected);

/// Names of the folders with an expected.safetensors, sorted.
std::vector<std::string> folders(const std::filesystem::path& data);

/// Fails the running test where `found` is further from results[name] than the tolerance.
void expect_close(const Expected& expected, const std::string& name,
                  const std::vector<float>& found);

}  // namespace vit::golden
