#include "tools/vit-infer/records.h"

#include <fmt/format.h>

#include <iterator>

#include "engine/base/text.h"
#include "tools/common/error_line.h"
#include "tools/common/record_text.h"
#include "tools/vit-infer/table.h"

namespace vit::infer {

namespace {

void append_json(std::string& out, const Record& record) {
    auto to = std::back_inserter(out);
    fmt::format_to(to, R"({{"file": {})", tools::json_string(record.file));
    if (!is_utf8(record.file)) {  // the bytes keep such names distinguishable
        out += R"(, "file_hex": ")";
        for (const char byte : record.file)
            fmt::format_to(to, "{:02x}", static_cast<unsigned char>(byte));
        out += '"';
    }
    if (!record.error.empty()) {
        fmt::format_to(to, R"(, "ok": false, "error": {}}})", tools::json_string(record.error));
        return;
    }
    out += R"(, "ok": true)";
    if (!record.warning.empty())
        fmt::format_to(to, R"(, "warning": {})", tools::json_string(record.warning));
    out += R"(, "predictions": [)";
    bool first = true;
    for (const Prediction& each : record.predictions) {
        if (!first) out += ", ";
        first = false;
        fmt::format_to(to, R"({{"index": {}, "label": {}, "prob": {}, "logit": {}}})", each.index,
                       tools::json_string(each.label), tools::json_number(each.probability),
                       tools::json_number(each.logit));
    }
    out += "]}";
}

std::string_view value_name(OutputType type) {
    return type == OutputType::prob ? "prob" : "logit";
}

float value(const Prediction& prediction, OutputType type) {
    return type == OutputType::prob ? prediction.probability : prediction.logit;
}

void append_csv(std::string& out, const RecordStyle& style, const Record& record) {
    auto to = std::back_inserter(out);
    fmt::format_to(to, "{},{},{}", tools::csv_field(record.file),
                   record.error.empty() ? "true" : "false", tools::csv_field(record.error));
    for (std::size_t i = 0; i < static_cast<std::size_t>(style.columns); ++i) {
        if (i < record.predictions.size()) {
            const Prediction& each = record.predictions[i];
            fmt::format_to(to, ",{},{},{}", each.index, tools::csv_field(each.label),
                           value(each, style.output_type));
        } else {
            out += ",,,";
        }
    }
    fmt::format_to(to, ",{}\n", tools::csv_field(record.warning));
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
