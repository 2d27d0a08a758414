#include "tools/vit-infer/resume.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

/// The bytes of the input's name. `file_hex` has them where `file` could not.
std::string name_of(const nlohmann::json& record) {
    if (!record.contains("file_hex")) return record.at("file").get<std::string>();
    const std::string hex = record["file_hex"].get<std::string>();
    std::string name;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        name += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return name;
}

EarlierRecord parse(std::string_view line) {
    const nlohmann::json record = nlohmann::json::parse(line);
    return {std::hash<std::string>()(name_of(record)), !record.at("ok").get<bool>(), 0};
}

}  // namespace

std::vector<EarlierRecord> read_records(const PartFile& file) {
    std::vector<EarlierRecord> result;
    std::string line;
    std::vector<char> block(1 << 16);
    for (std::uint64_t offset = 0; offset < file.size();) {
        const std::size_t count = std::min<std::uint64_t>(block.size(), file.size() - offset);
        file.read(offset, std::as_writable_bytes(std::span(block).first(count)));
        for (std::size_t i = 0; i < count; ++i) {
            if (block[i] != '\n') {
                line += block[i];
                continue;
            }
            try {
                result.push_back(parse(line));
            } catch (const std::exception&) {  // of nlohmann::json, or of std::stoi
                throw Error(ErrorKind::input,
                            fmt::format("{}: expected records of an earlier run in jsonl, found "
                                        "something else in line {}; remove the file, and begin "
                                        "anew without --resume",
                                        in_quotes(file.path().native()), result.size() + 1));
            }
            result.back().end = offset + i + 1;
            line.clear();
        }
        offset += count;
    }
    return result;
}

bool is_done(const Options& options) {
    return std::ranges::all_of(options.outputs(), [](const std::filesystem::path& output) {
        return output.empty() || is_complete(output);
    });
}

}  // namespace vit::infer
