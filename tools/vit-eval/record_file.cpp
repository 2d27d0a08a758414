#include "tools/vit-eval/record_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::eval {

namespace {

using nlohmann::json;

/// Of the array that --format json writes, the first line says what is wrong.
constexpr const char* expected_record = "expected a record as vit-infer --format jsonl writes it";

struct NotARecord {
    std::string found;
};

const json& member(const json& object, const char* key) {
    const auto at = object.find(key);
    if (at == object.end()) throw NotARecord{fmt::format("no \"{}\"", key)};
    return *at;
}

std::string string_of(const json& object, const char* key) {
    const json& value = member(object, key);
    if (!value.is_string()) throw NotARecord{fmt::format("{} as \"{}\"", value.type_name(), key)};
    return value.get<std::string>();
}

std::optional<double> number_of(const json& object, const char* key) {
    const json& value = member(object, key);
    if (value.is_null()) return {};
    if (!value.is_number()) throw NotARecord{fmt::format("{} as \"{}\"", value.type_name(), key)};
    return value.get<double>();
}

/// The bytes of a name that is not UTF-8.
std::string bytes_of(const std::string& hex) {
    std::string bytes;
    const bool digits = std::ranges::all_of(
        hex, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!digits || hex.size() % 2 != 0) throw NotARecord{"\"file_hex\" that is not hexadecimal"};
    for (std::size_t i = 0; i < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
}

RecordedClass class_of(const json& value) {
    if (!value.is_object()) throw NotARecord{fmt::format("{} as prediction", value.type_name())};
    constexpr std::int64_t most_classes = 10'000'000;  // memory grows with the largest index
    const json& index = member(value, "index");
    if (!index.is_number_integer() || index < 0 || index >= most_classes)
        throw NotARecord{"an \"index\" that is not a class"};
    const std::optional<double> probability = number_of(value, "prob");
    if (probability && !(*probability >= 0 && *probability <= 1))
        throw NotARecord{"a \"prob\" that is not from 0 to 1"};
    return {index.get<std::int64_t>(), string_of(value, "label"), probability,
            number_of(value, "logit")};
}

Record record_of(const std::string& line, std::size_t number) {
    const json value = json::parse(line, nullptr, false);
    if (value.is_discarded()) throw NotARecord{"no JSON"};
    if (!value.is_object()) throw NotARecord{value.type_name()};
    Record record;
    record.line = number;
    record.file = value.contains("file_hex") ? bytes_of(string_of(value, "file_hex"))
                                             : string_of(value, "file");
    const json& ok = member(value, "ok");
    if (!ok.is_boolean()) throw NotARecord{fmt::format("{} as \"ok\"", ok.type_name())};
    if (!ok.get<bool>()) return record;
    const json& predictions = member(value, "predictions");
    if (!predictions.is_array() || predictions.empty())
        throw NotARecord{"\"predictions\" without a prediction"};
    for (const json& each : predictions) record.best.push_back(class_of(each));
    return record;
}

}  // namespace

void read_records(const std::filesystem::path& path, const std::function<void(Record)>& use) {
    const std::string where = in_quotes(path.native());
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        throw Error(ErrorKind::io,
                    fmt::format("{}: expected a file of records, found a folder", where));
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw Error(ErrorKind::io, fmt::format("{}: cannot read the records: {}", where,
                                               std::generic_category().message(errno)));
    std::string line;
    std::size_t number = 0;
    while (std::getline(in, line)) {
        ++number;
        if (line.empty()) continue;
        Record record;
        try {
            record = record_of(line, number);
        } catch (const NotARecord& problem) {
            throw Error(ErrorKind::input, fmt::format("{}: line {}: {}, found {}", where, number,
                                                      expected_record, problem.found));
        }
        use(std::move(record));
    }
    if (in.bad()) throw Error(ErrorKind::io, fmt::format("{}: cannot read the records", where));
}

tools::ClassNames classes_of_records(const std::filesystem::path& path) {
    std::error_code ignored;
    const std::filesystem::file_status status = std::filesystem::status(path, ignored);
    if (std::filesystem::is_fifo(status) || std::filesystem::is_character_file(status))
        throw Error(ErrorKind::io,
                    fmt::format("{}: expected a regular file, because without --model the records "
                                "are read twice",
                                in_quotes(path.native())));
    tools::ClassNames classes;
    classes.complete = false;
    read_records(path, [&](const Record& record) {
        for (const RecordedClass& each : record.best) {
            const auto i = static_cast<std::size_t>(each.index);
            classes.count = std::max(classes.count, each.index + 1);
            if (each.label == std::to_string(each.index)) continue;
            if (i >= classes.labels.size()) classes.labels.resize(i + 1);
            std::string& label = classes.labels[i];
            if (!label.empty() && label != each.label)
                throw Error(ErrorKind::input,
                            fmt::format("{}: line {}: class {} is {}, but was {} before; expected "
                                        "records of one model",
                                        in_quotes(path.native()), record.line, each.index,
                                        in_quotes(each.label), in_quotes(label)));
            label = each.label;
        }
    });
    return classes;
}

std::optional<tools::ImageResult> result_of_record(const Record& record, std::int64_t label) {
    if (record.best.empty()) return {};
    const RecordedClass& first = record.best.front();
    if (!first.probability || !first.logit || *first.probability <= 0) return {};
    tools::ImageResult result;
    result.confidence = *first.probability;
    for (const RecordedClass& each : record.best) {
        if (result.best.size() < tools::top_classes) result.best.push_back(each.index);
        if (each.index == label && each.logit)
            result.log_likelihood = *each.logit - *first.logit + std::log(*first.probability);
    }
    return result;
}

}  // namespace vit::eval
