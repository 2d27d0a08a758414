// The options that show what happens inside a model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vit::tools {
class Parser;
}

namespace vit::infer {

struct LookOptions {
    std::filesystem::path attention;  ///< a picture, or a folder for pictures; empty: not wanted
    std::filesystem::path attention_npy;
    std::filesystem::path pca;
    std::filesystem::path occlusion;

    std::optional<std::int64_t> block;  ///< none: the last
    std::optional<std::int64_t> head;   ///< none: the mean of all
    bool rollout = false;
    std::int64_t occlusion_size = 0;  ///< patches; 0: chosen from the model's grid

    bool any() const;
    /// The outputs that are files. Pictures in a folder get their names later.
    std::vector<std::filesystem::path> files() const;
};

/// Whether OUT names a picture and not a folder.
bool is_picture(const std::filesystem::path& out);

/// The options as the command line has them.
struct LookArguments {
    LookOptions options;  ///< those that need no more reading
    std::string attention, attention_npy, pca, occlusion, block, head;

    void add_to(tools::Parser& parser);
    /// Throws Error(usage).
    LookOptions parsed() const;
};

/// Checks combinations that do not depend on the model. Throws Error(usage).
void check(const LookOptions& options);

}  // namespace vit::infer
