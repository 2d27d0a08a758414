// A page that shows images with their predictions (--report).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/atomic_file.h"
#include "vit/model.h"

namespace vit::tools {

/// A class, as the page names it.
struct PageClass {
    std::int64_t index = 0;
    std::string label;
};

/// One image of the page. Empty fields are left out.
struct PageImage {
    std::string file;
    std::string error, warning;
    std::vector<Prediction> predictions;
    std::optional<PageClass> truth;
    std::vector<std::byte> thumbnail;     ///< a JPEG file
    std::vector<std::uint8_t> attention;  ///< [grid rows, grid columns], 0 to 255
};

/// What the page says about the run.
struct PageFacts {
    std::string title, model;
    std::int64_t grid_rows = 0, grid_columns = 0;  ///< of the attention
    double aspect = 1;                             ///< width / height of the thumbnails
};

/// Writes one HTML file that loads nothing from elsewhere. Images are written as they come, so
/// memory does not grow with their number. The file appears on finish(). Not thread-safe.
class ImagePage {
  public:
    /// Throws Error(io).
    ImagePage(const std::filesystem::path& path, const PageFacts& facts);
    void add(const PageImage& image);
    void finish();

  private:
    void write(std::string_view text);

    AtomicFile file_;
    bool is_first_ = true;
};

/// Base64 (RFC 4648, section 4).
std::string base64(std::span<const std::byte> bytes);

}  // namespace vit::tools
