#include "weights/readers/shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/text.h"
#include "engine/model/json_text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
    throw Error(ErrorKind::format, fmt::format("{}: {}", where, what));
}

/// Whether `name` names a file in the index's own folder.
bool is_plain_name(const std::string& name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

json parse_without_doubles(const std::string& text, const std::string& where) {
    std::string section;
    std::set<std::string> names;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
        if (event != json::parse_event_t::key) return true;
        if (depth == 1) section = parsed.get<std::string>();
        if (depth == 2 && section == "weight_map" && !names.insert(parsed).second)
            refuse(where,
                   fmt::format("tensor {} is listed twice", in_quotes(parsed.get<std::string>())));
        return depth <= 2;  // drops deeper values
    };
    return parse_json(text, where, watch);
}

}  // namespace

ShardIndex parse_shard_index(const std::string& text, const std::string& where) {
    const json root = parse_without_doubles(text, where);
    if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object() ||
        root["weight_map"].empty())
        refuse(where, "expected an object with a weight_map of tensors to files");
    for (const auto& [key, value] : root.items())
        if (key != "weight_map" && key != "metadata")
            refuse(where, fmt::format("unknown key {}", in_quotes(key)));
    ShardIndex index;
    for (const auto& [tensor, file] : root["weight_map"].items()) {
        if (!file.is_string() || !is_plain_name(file.get<std::string>()))
            refuse(where, fmt::format("tensor {}: expected the name of a file in this folder, "
                                      "found {}",
                                      in_quotes(tensor),
                                      file.is_string() ? in_quotes(file.get<std::string>())
                                                       : std::string(file.type_name())));
        index[file].push_back(tensor);
    }
    return index;
}

void check_shard(const std::vector<std::string>& listed, const std::vector<TensorView>& tensors,
                 const std::string& file, const std::string& where) {
    std::set<std::string_view> open(listed.begin(), listed.end());
    for (const TensorView& tensor : tensors)
        if (open.erase(tensor.name) == 0)
            throw Error(ErrorKind::model,
                        fmt::format("{}: tensor {} lies in {}, where the index does not have it",
                                    where, in_quotes(tensor.name), in_quotes(file)));
    if (!open.empty())
        throw Error(ErrorKind::model,
                    fmt::format("{}: tensor {} is not in {}, where the index "
                                "has it",
                                where, in_quotes(*open.begin()), in_quotes(file)));
}

}  // namespace vit::inline internal
