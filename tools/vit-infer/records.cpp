#include "tools/vit-infer/records.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "tools/common/error_line.h"
#include "tools/vit-infer/table.h"

namespace vit::infer {

namespace {

/// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The shortest text that gives the same float32 when it is read. JSON has no NaN or infinity, so
/// they become null.
std::string json_number(float value) {
    return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

void append_json(std::string& out, const Record& record) {
    auto to = std::back_inserter(out);
    fmt::format_to(to, R"({{"file": {})", json_string(record.file));
    if (!is_utf8(record.file)) {  // the bytes keep such names distinguishable
        out += R"(, "file_hex": ")";
        for (const char byte : record.file)
            fmt::format_to(to, "{:02x}", static_cast<unsigned char>(byte));
        out += '"';
    }
    if (!record.error.empty()) {
        fmt::format_to(to, R"(, "ok": false, "error": {}}})", json_string(record.error));
        return;
    }
    out += R"(, "ok": true)";
    if (!record.warning.empty())
        fmt::format_to(to, R"(, "warning": {})", json_string(record.warning));
    out += R"(, "predictions": [)";
    bool first = true;
    for (const Prediction& each : record.predictions) {
        if (!first) out += ", ";
        first = false;
        fmt::format_to(to, R"({{"index": {}, "label": {}, "prob": {}, "logit": {}}})", each.index,
                       json_string(each.label), json_number(each.probability),
                       json_number(each.logit));
    }
    out += "]}";
}

/// A field as in RFC 4180, made valid UTF-8.
std::string csv_field(const std::string& text) {
    std::string valid;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t length = utf8_sequence(rest);
        valid += length == 0 ? std::string_view("\xEF\xBF\xBD") : rest.substr(0, length);
        rest.remove_prefix(length == 0 ? 1 : length);
    }
    if (valid.find_first_of(",\"\r\n") == std::string::npos) return valid;
    std::string quoted = "\"";
    for (const char c : valid) {
        quoted += c;
        if (c == '"') quoted += '"';
    }
    return quoted + '"';
}

std::string_view value_name(OutputType type) {
    return type == OutputType::prob ? "prob" : "logit";
}

float value(const Prediction& prediction, OutputType type) {
    return type == OutputType::prob ? prediction.probability : prediction.logit;
}

void append_csv(std::string& out, const RecordStyle& style, const Record& record) {
    auto to = std::back_inserter(out);
    fmt::format_to(to, "{},{},{}", csv_field(record.file), record.error.empty() ? "true" : "false",
                   csv_field(record.error));
    for (std::size_t i = 0; i < static_cast<std::size_t>(style.columns); ++i) {
        if (i < record.predictions.size()) {
            const Prediction& each = record.predictions[i];
            fmt::format_to(to, ",{},{},{}", each.index, csv_field(each.label),
                           value(each, style.output_type));
        } else {
            out += ",,,";
        }
    }
    fmt::format_to(to, ",{}\n", csv_field(record.warning));
}

void append_text(std::string& out, const RecordStyle& style, const Record& record) {
    auto to = std::back_inserter(out);
    fmt::format_to(to, "{}\n", tools::escape_control(record.file));
    if (!record.error.empty()) {
        fmt::format_to(to, "  error: {}\n", tools::escape_control(error_alone(record)));
        return;
    }
    if (!record.warning.empty())
        fmt::format_to(to, "  warning: {}\n", tools::escape_control(record.warning));
    for (const Prediction& each : record.predictions) {
        const std::string label = tools::escape_control(each.label);
        if (style.output_type == OutputType::prob)
            fmt::format_to(to, "  {:8.4f} %", 100 * static_cast<double>(each.probability));
        else
            fmt::format_to(to, "  {:10.4f}", each.logit);
        fmt::format_to(to, "  {:>5}  {}\n", each.index, label);
    }
}

}  // namespace

std::string_view error_alone(const Record& record) {
    const std::string name = in_quotes(record.file) + ": ";
    std::string_view error = record.error;
    if (error.starts_with(name)) error.remove_prefix(name.size());
    return error;
}

void append_begin(std::string& out, const RecordStyle& style) {
    if (style.format == Format::json) out += '[';
    if (style.format != Format::csv) return;
    out += "file,ok,error";
    for (int i = 1; i <= style.columns; ++i)
        fmt::format_to(std::back_inserter(out), ",index_{0},label_{0},{1}_{0}", i,
                       value_name(style.output_type));
    out += ",warning\n";
}

void append_record(std::string& out, const RecordStyle& style, const Record& record, bool first) {
    switch (style.format) {
        case Format::text:
            // Without predictions there is nothing to say of an input that is well.
            if (style.columns == 0 && record.error.empty() && record.warning.empty()) break;
            if (style.terminal)
                append_table_rows(out, *style.terminal, style.output_type, record);
            else
                append_text(out, style, record);
            break;
        case Format::json:
            out += first ? "\n" : ",\n";
            append_json(out, record);
            break;
        case Format::jsonl:
            append_json(out, record);
            out += '\n';
            break;
        case Format::csv:
            append_csv(out, style, record);
            break;
    }
}

void append_end(std::string& out, const RecordStyle& style, bool any) {
    if (style.format == Format::json) out += any ? "\n]\n" : "]\n";
}

}  // namespace vit::infer
