#include "weights/mappings/timm/named_model.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "engine/model/json_text.h"
#include "vit/error.h"
#include "weights/mappings/timm/architectures.h"

namespace vit::inline internal {

namespace {

/// The architecture in config.json. "" where it has none, or is malformed: convert() reports that.
std::string architecture_in(const std::string& config_json) {
    const nlohmann::json parsed = json_or_null(config_json);
    if (!parsed.is_object()) return "";
    const auto found = parsed.find("architecture");
    return found != parsed.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_other(const std::string& architecture, const std::string& name) {
    try {
        return find_architecture(architecture).name != find_architecture(name).name;
    } catch (const Error&) {
        return false;  // convert() reports what is wrong
    }
}

}  // namespace

void build_as_named(const std::string& name, Checkpoint& checkpoint, ConvertOptions& options) {
    if (checkpoint.config_json) {
        const std::string said = architecture_in(*checkpoint.config_json);
        if (said.empty() || !is_other(said, name)) return;
        checkpoint.notes.push_back(
            fmt::format("config.json is not used: it is of {}, and {} has its weights too",
                        in_quotes(said), name));
        checkpoint.config_json.reset();
    }
    if (options.arch) return;
    options.arch = name;
    options.arch_by = "timm's name";
}

}  // namespace vit::inline internal
