// Results that other libraries computed, as the scripts in tools/fixtures store them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/model/tensor.h"
#include "vit/model.h"

namespace vit::golden {

/// Limit of the relative L2 error. It is less than three times the largest error that was measured
/// at any level of instruction sets (1.5e-6), so that small mistakes are noticed. Users are
/// promised 1e-5.
inline constexpr double tolerance = 4e-6;
/// Limit for the graph in float64. Position tables that were resized or computed are stored as
/// float32, which causes this error (measured: up to 4.3e-8; 2e-15 without such a table).
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

/// Fails the running test if the graph of the model file, in float64, differs from any result by
/// more than the float32 numbers in the file explain. It finds small mistakes that the tolerance
/// for float32 hides: an epsilon, a scale, a shift.
void expect_exact(const Expected& expected, const std::filesystem::path& model_file);

/// The largest relative L2 error among the results of the graph in float64.
double exact_error(const Expected& expected, const std::filesystem::path& model_file);

/// The sorted names of the folders that have an expected.safetensors.
std::vector<std::string> folders(const std::filesystem::path& data);

/// Fails the running test if `found` differs from results[name] by more than the tolerance.
void expect_close(const Expected& expected, const std::string& name,
                  const std::vector<float>& found);

}  // namespace vit::golden
