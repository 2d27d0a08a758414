// Writes pictures as SVG 1.1.
#pragma once

#include <string>
#include <string_view>

namespace vit::pictures {

/// Colours that charts share: dark on white, and distinguishable with any kind of colour vision.
namespace colour {
inline constexpr std::string_view text = "#24292f", faint = "#57606a", grid = "#d0d7de",
                                  paper = "#ffffff", blue = "#1f6feb", orange = "#bc4c00";
}  // namespace colour

struct TextStyle {
    double size = 12;                   ///< pixels
    std::string_view anchor = "start";  ///< which end of the text is at x: start, middle, end
    std::string_view fill = colour::text;
    bool bold = false;
    double degrees = 0;  ///< rotation about (x, y), clockwise
};

/// A picture on white paper, so that it can be read in dark surroundings too. Coordinates are
/// pixels from the top left corner.
class Svg {
  public:
    Svg(double width, double height, std::string_view title);

    /// `tip` is shown under the pointer, if it is not empty.
    void rect(double x, double y, double width, double height, std::string_view fill,
              double opacity = 1, std::string_view tip = {});
    void line(double x1, double y1, double x2, double y2, std::string_view stroke,
              double stroke_width = 1, bool dashed = false);
    void text(double x, double y, std::string_view text, const TextStyle& style = {});

    /// The complete file.
    std::string finish() &&;

  private:
    std::string out_;
};

/// `text` for XML: with its markup escaped. Bytes that are not UTF-8 and control characters become
/// \xNN.
std::string escape_xml(std::string_view text);

/// At most `most` characters of `text`, of which the last is "…" where some were left out.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace vit::pictures
