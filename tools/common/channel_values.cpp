#include "tools/common/channel_values.h"

#include <fmt/format.h>

#include <charconv>
#include <string>

#include "vit/error.h"

namespace vit::tools {

namespace {

std::array<float, 3> parse(std::string_view option, std::string_view text) {
    const auto refuse = [&](std::string_view wanted) {
        throw Error(ErrorKind::usage, fmt::format("{}: expected {}, found {}", option, wanted,
                                                  text.empty() ? "nothing" : text));
    };
    std::array<float, 3> values{};
    std::string_view rest = text;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto [end, error] =
            std::from_chars(rest.data(), rest.data() + rest.size(), values[i]);
        const bool last = i + 1 == values.size();
        const auto used = static_cast<std::size_t>(end - rest.data());
        if (error != std::errc() ||
            (last ? used != rest.size() : !rest.substr(used).starts_with(',')))
            refuse("three values R,G,B such as 0.5,0.5,0.5");
        rest.remove_prefix(used + (last ? 0 : 1));
    }
    for (const float value : values)
        if (!(value >= 0 && value <= 1))
            refuse("values from 0 to 1, because pixels are divided by 255");
    return values;
}

}  // namespace

std::array<float, 3> parse_mean(std::string_view text) {
    return parse("--mean", text);
}

std::array<float, 3> parse_std(std::string_view text) {
    const std::array<float, 3> values = parse("--std", text);
    for (const float value : values)
        if (value == 0)
            throw Error(ErrorKind::usage,
                        fmt::format("--std: expected values above 0, found {}", text));
    return values;
}

}  // namespace vit::tools
