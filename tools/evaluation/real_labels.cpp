#include "tools/evaluation/real_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/base/text.h"
#include "tools/evaluation/text_file.h"
#include "vit/error.h"

namespace vit::tools {

RealLabels read_real_labels(const std::filesystem::path& path, const ClassNames& classes) {
    constexpr std::int64_t imagenet_classes = 1000;
    const std::int64_t count =
        classes.complete ? classes.count : std::max(classes.count, imagenet_classes);
    const auto refuse = [&](const std::string& found) {
        throw Error(ErrorKind::input,
                    fmt::format("{}: expected a list that has, for each image, a list of classes "
                                "from 0 to {}, found {}",
                                in_quotes(path.native()), count - 1, found));
    };
    const auto json =
        nlohmann::json::parse(read_text_file(path, "list of real labels"), nullptr, false);
    if (json.is_discarded()) refuse("no JSON");
    if (!json.is_array()) refuse(json.type_name());
    RealLabels labels;
    for (const auto& image : json) {
        std::vector<std::int64_t>& into = labels.emplace_back();
        if (!image.is_array())
            refuse(fmt::format("{} for image {}", image.type_name(), labels.size()));
        for (const auto& each : image) {
            if (!each.is_number_integer() || each < 0 || each >= count)
                refuse(fmt::format(
                    "{} for image {}",
                    in_quotes(each.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)),
                    labels.size()));
            into.push_back(each.get<std::int64_t>());
        }
    }
    return labels;
}

std::span<const std::int64_t> real_labels_of(const RealLabels& labels,
                                             const std::filesystem::path& file) {
    constexpr std::string_view prefix = "ILSVRC2012_val_";
    const std::string name = file.stem().native();
    const auto number = name.starts_with(prefix)
                            ? parse_index(std::string_view(name).substr(prefix.size()))
                            : std::nullopt;
    if (!number || *number < 1 || *number > static_cast<std::int64_t>(labels.size()))
        throw Error(ErrorKind::input,
                    fmt::format("--real-labels: expected images named from {0}00000001.JPEG to "
                                "{0}{1:08}.JPEG, found {2}",
                                prefix, labels.size(), in_quotes(file.filename().native())));
    return labels[static_cast<std::size_t>(*number - 1)];
}

}  // namespace vit::tools
