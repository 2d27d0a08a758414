#include "weights/mappings/timm/arch_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::int64_t most = 1 << 20;

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::usage, "--arch: " + what);
}

std::optional<std::int64_t> parsed(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most)
        return std::nullopt;
    return value;
}

}  // namespace

std::optional<std::string> ArchSettings::text(std::string_view key) const {
    const auto found = values.find(key);
    return found == values.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> ArchSettings::count(std::string_view key) const {
    const std::optional<std::string> value = text(key);
    if (!value) return std::nullopt;
    const std::optional<std::int64_t> number = parsed(*value);
    if (!number) refuse(fmt::format("{}: expected a number, found {}", key, in_quotes(*value)));
    return number;
}

std::optional<ImageSize> ArchSettings::size(std::string_view key) const {
    const std::optional<std::string> value = text(key);
    if (!value) return std::nullopt;
    const std::size_t cross = value->find('x');
    const auto height = parsed(std::string_view(*value).substr(0, cross));
    const auto width =
        cross == std::string::npos ? height : parsed(std::string_view(*value).substr(cross + 1));
    if (!height || !width)
        refuse(fmt::format("{}: expected N or HxW, found {}", key, in_quotes(*value)));
    return ImageSize{*height, *width};
}

void refuse_other_library(std::string_view arch, std::string_view library) {
    static constexpr std::array<std::string_view, 4> libraries{"torchvision", "vit_pytorch", "clip",
                                                               "facebook"};
    const std::string_view named = arch.substr(0, arch.find('.'));
    if (named.size() < arch.size() && std::ranges::find(libraries, named) != libraries.end())
        refuse(
            fmt::format("{} is an architecture of {}'s, but the tensors are named as {} names "
                        "them: expected one of timm's names",
                        in_quotes(arch), named, library));
}

ArchSettings arch_settings(const std::optional<std::string>& arch, std::string_view library,
                           std::span<const std::string_view> keys) {
    ArchSettings out;
    if (!arch) return out;
    std::string_view rest = *arch;
    const std::string_view name = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (!name.starts_with(library) || name.size() < library.size() + 2 ||
        name[library.size()] != '.')
        refuse(fmt::format("the tensors are named as {} names them: expected {}.NAME, found {}",
                           library, library, in_quotes(*arch)));
    out.name = name.substr(library.size() + 1);
    while (!rest.empty()) {
        const std::string_view item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), item.size() + 1));
        const std::size_t equals = item.find('=');
        const std::string_view key = item.substr(0, equals);
        if (equals == std::string_view::npos ||
            std::find(keys.begin(), keys.end(), key) == keys.end())
            refuse(fmt::format("expected {}=VALUE, found {}", fmt::join(keys, "=VALUE or "),
                               in_quotes(item)));
        if (!out.values.emplace(key, item.substr(equals + 1)).second)
            refuse(fmt::format("{} is given twice", key));
    }
    return out;
}

}  // namespace vit::inline internal
