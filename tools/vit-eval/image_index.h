// Finds the image that a record is about.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "tools/evaluation/ground_truth.h"

namespace vit::eval {

/// Finds images by the end of their paths, because vit-infer may have run in another folder or on
/// another machine.
class ImageIndex {
  public:
    /// Throws Error(input) where a file occurs twice.
    explicit ImageIndex(const tools::GroundTruth& truth);

    /// The position in truth.files of the image whose path below truth.base is `file`, or is the
    /// end of it, of whole names. If there are several, that with the longest path. Empty: none.
    std::optional<std::size_t> find(const std::string& file) const;

  private:
    std::unordered_map<std::string, std::size_t> images_;
};

}  // namespace vit::eval
