// What a library that no one here wrote computed, as the scripts in tools/fixtures store it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/model/tensor.h"
#include "vit/model.h"

namespace vit::golden {

/// Of the relative L2 error: less than three times the largest that was measured on any level of
/// instruction sets (1.5e-6), so that small mistakes show. The promise to users is 1e-5.
inline constexpr double tolerance = 4e-6;
/// Of the graph in float64: position tables that were resized or computed are stored as float32
/// (measured: up to 4.3e-8; 2e-15 without such a table).
inline constexpr double exact_tolerance = 1e-7;

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

/// Fails the running test where the graph of the model file, in float64, is further from any result
/// than the float32 numbers in the file explain. This finds what float32 hides: an epsilon, a
/// scale, a shift.
void expect_exact(const Expected& expected, const std::filesystem::path& model_file);

/// The largest relative L2 error of a result of the graph in float64.
double exact_error(const Expected& expected, const std::filesystem::path& model_file);

/// Names of the folders with an expected.safetensors, sorted.
std::vector<std::string> folders(const std::filesystem::path& data);

/// Fails the running test where `found` is further from results[name] than the tolerance.
void expect_close(const Expected& expected, const std::string& name,
                  const std::vector<float>& found);

}  // namespace vit::golden
