#include "tools/pictures/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/text.h"

namespace vit::pictures {

Svg::Svg(double width, double height, std::string_view title) {
    fmt::format_to(std::back_inserter(out_),
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
                   "width=\"{0:.0f}\" height=\"{1:.0f}\" "
                   "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n"
                   "<title>{2}</title>\n",
                   width, height, escape_xml(title));
    rect(0, 0, width, height, colour::paper);
}

void Svg::rect(double x, double y, double width, double height, std::string_view fill,
               double opacity, std::string_view tip) {
    auto to = std::back_inserter(out_);
    fmt::format_to(to, R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}")", x,
                   y, width, height, fill);
    if (opacity < 1) fmt::format_to(to, R"( fill-opacity="{:.3f}")", opacity);
    if (tip.empty())
        out_ += "/>\n";
    else
        fmt::format_to(to, "><title>{}</title></rect>\n", escape_xml(tip));
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view stroke,
               double stroke_width, bool dashed) {
    fmt::format_to(std::back_inserter(out_),
                   "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
                   "stroke-width=\"{:.1f}\"{}/>\n",
                   x1, y1, x2, y2, stroke, stroke_width, dashed ? " stroke-dasharray=\"5 4\"" : "");
}

void Svg::text(double x, double y, std::string_view text, const TextStyle& style) {
    auto to = std::back_inserter(out_);
    fmt::format_to(to,
                   R"(<text x="{:.1f}" y="{:.1f}" font-size="{:.1f}" text-anchor="{}" fill="{}")",
                   x, y, style.size, style.anchor, style.fill);
    if (style.bold) out_ += " font-weight=\"bold\"";
    if (style.degrees != 0)
        fmt::format_to(to, " transform=\"rotate({:.0f} {:.1f} {:.1f})\"", style.degrees, x, y);
    fmt::format_to(to, ">{}</text>\n", escape_xml(text));
}

std::string Svg::finish() && {
    out_ += "</svg>\n";
    return std::move(out_);
}

std::string escape_xml(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        constexpr std::string_view markup = "<>&\"";
        if (const std::size_t at = markup.find(text[0]); at != std::string_view::npos) {
            constexpr std::string_view names[] = {"&lt;", "&gt;", "&amp;", "&quot;"};
            out += names[at];
            text.remove_prefix(1);
        } else {
            text.remove_prefix(append_visible(out, text));
        }
    }
    return out;
}

std::string shortened(std::string_view text, std::size_t most) {
    std::string out;
    std::size_t before_last = 0;
    for (std::size_t count = 0; !text.empty(); ++count) {
        if (count == most) return out.substr(0, before_last) + "…";
        before_last = out.size();
        const std::size_t length = std::max<std::size_t>(utf8_sequence(text), 1);
        out += text.substr(0, length);
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace vit::pictures
