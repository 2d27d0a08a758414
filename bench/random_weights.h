// A temporary model file with random weights, for --random-weights.
#pragma once

#include <filesystem>
#include <string>

namespace vit::bench {

/// Deletes the file when it is destroyed.
class RandomModelFile {
  public:
    /// `architecture`: any timm name that vit-convert knows. An int8 model also runs in float.
    /// Throws Error (usage, model, io).
    RandomModelFile(const std::string& architecture, bool int8);
    ~RandomModelFile();
    RandomModelFile(const RandomModelFile&) = delete;
    RandomModelFile& operator=(const RandomModelFile&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace vit::bench
