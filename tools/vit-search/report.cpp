#include "tools/vit-search/report.h"

#include <fmt/format.h>

#include <functional>
#include <string_view>

#include "tools/common/error_line.h"
#include "tools/common/record_text.h"

namespace vit::search {

namespace {

using tools::csv_field;
using tools::escape_control;
using tools::json_number;
using tools::json_string;

/// Joins JSON records: one array, or one a line.
std::string json_records(Format format, std::size_t count,
                         const std::function<std::string(std::size_t)>& record) {
    const bool array = format == Format::json;
    std::string out = array ? "[" : "";
    for (std::size_t i = 0; i < count; ++i) {
        if (array) out += i == 0 ? "\n" : ",\n";
        out += record(i);
        if (!array) out += '\n';
    }
    if (array) out += count > 0 ? "\n]\n" : "]\n";
    return out;
}

template <class Items, class Text>
std::string json_list(const Items& items, Text text) {
    std::string out = "[";
    for (const auto& each : items) {
        if (out.size() > 1) out += ", ";
        out += text(each);
    }
    return out + "]";
}

const std::string& name_of(std::int64_t row, const Names& names) {
    return names[static_cast<std::size_t>(row)];
}

std::string search_json(const std::string& query, const std::string& error,
                        const std::vector<Match>& matches, const Names& names) {
    std::string out = fmt::format(R"({{"query": {}, "ok": {})", json_string(query), error.empty());
    if (!error.empty()) return out + fmt::format(R"(, "error": {}}})", json_string(error));
    int rank = 0;
    return out + R"(, "matches": )" +
           json_list(matches,
                     [&](const Match& match) {
                         std::string one =
                             fmt::format(R"({{"rank": {}, "row": {}, "cosine": {})", ++rank,
                                         match.row, json_number(match.cosine));
                         if (!names.empty())
                             one += fmt::format(R"(, "name": {})",
                                                json_string(name_of(match.row, names)));
                         return one + "}";
                     }) +
           "}";
}

std::string search_csv(const Queries& queries, const std::vector<std::vector<Match>>& matches,
                       const Names& names) {
    std::string out = "query,ok,error,rank,row,cosine,name\n";
    for (std::size_t q = 0; q < matches.size(); ++q) {
        const std::string query = csv_field(queries.names[q]);
        if (!queries.errors[q].empty())
            out += fmt::format("{},false,{},,,,\n", query, csv_field(queries.errors[q]));
        int rank = 0;
        for (const Match& match : matches[q])
            out += fmt::format("{},true,,{},{},{},{}\n", query, ++rank, match.row, match.cosine,
                               names.empty() ? "" : csv_field(name_of(match.row, names)));
    }
    return out;
}

std::string search_text(const Queries& queries, const std::vector<std::vector<Match>>& matches,
                        const Names& names) {
    std::string out;
    for (std::size_t q = 0; q < matches.size(); ++q) {
        out += escape_control(queries.names[q]) + "\n";
        if (!queries.errors[q].empty())
            out += fmt::format("  error: {}\n", escape_control(queries.errors[q]));
        int rank = 0;
        for (const Match& match : matches[q])
            out += fmt::format("  {:>4}  {:7.4f}  {}\n", ++rank, match.cosine,
                               names.empty() ? fmt::format("row {}", match.row)
                                             : escape_control(name_of(match.row, names)));
    }
    return out;
}

std::string class_name(const Evaluation& evaluation, int index) {
    return index < 0 ? "" : evaluation.classes[static_cast<std::size_t>(index)];
}

std::string prediction_json(const Evaluation& evaluation, std::size_t i) {
    const auto name = [&](const std::vector<int>& found) {
        return json_string(class_name(evaluation, found[i]));
    };
    return fmt::format(
        R"({{"row": {}, "knn": {}, "weighted_knn": {}, "linear_probe": {}, "right": [{}, {}, {}]}})",
        evaluation.rows[i], name(evaluation.knn), name(evaluation.weighted_knn),
        name(evaluation.linear_probe), evaluation.knn[i] == evaluation.truth[i],
        evaluation.weighted_knn[i] == evaluation.truth[i],
        evaluation.linear_probe[i] == evaluation.truth[i]);
}

std::string evaluation_text(const Evaluation& evaluation) {
    std::string out =
        fmt::format("{} training vectors, {} test vectors, {} classes\n", evaluation.train,
                    evaluation.rows.size(), evaluation.classes.size());
    if (evaluation.skipped_train + evaluation.skipped_test > 0)
        out +=
            fmt::format("left out, as zero or not finite: {} training vectors, {} test vectors\n",
                        evaluation.skipped_train, evaluation.skipped_test);
    const auto line = [&](std::string_view name, const std::vector<int>& found) {
        out += fmt::format("  {:<28}{:7.2f} %\n", name, 100 * accuracy(found, evaluation.truth));
    };
    line(fmt::format("k-NN, k = {}", evaluation.k), evaluation.knn);
    line(fmt::format("weighted k-NN, k = {}", evaluation.k), evaluation.weighted_knn);
    line("linear probe", evaluation.linear_probe);
    return out;
}

}  // namespace

std::string search_report(Format format, const Queries& queries,
                          const std::vector<std::vector<Match>>& matches, const Names& names) {
    if (format == Format::text) return search_text(queries, matches, names);
    if (format == Format::csv) return search_csv(queries, matches, names);
    return json_records(format, matches.size(), [&](std::size_t q) {
        return search_json(queries.names[q], queries.errors[q], matches[q], names);
    });
}

std::string duplicates_report(Format format, const std::vector<std::vector<std::int64_t>>& groups,
                              const Names& names) {
    if (format == Format::json || format == Format::jsonl)
        return json_records(format, groups.size(), [&](std::size_t i) {
            std::string out =
                fmt::format(R"({{"group": {}, "rows": [{}])", i, fmt::join(groups[i], ", "));
            if (!names.empty())
                out += R"(, "names": )" + json_list(groups[i], [&](std::int64_t row) {
                           return json_string(name_of(row, names));
                       });
            return out + "}";
        });
    std::string out = format == Format::csv ? "group,row,name\n" : "";
    for (std::size_t i = 0; i < groups.size(); ++i) {
        std::vector<std::string> line;
        for (const std::int64_t row : groups[i]) {
            if (format == Format::text)
                line.push_back(names.empty() ? fmt::format("{}", row)
                                             : escape_control(name_of(row, names)));
            else
                out += fmt::format("{},{},{}\n", i, row,
                                   names.empty() ? "" : csv_field(name_of(row, names)));
        }
        if (format == Format::text) out += fmt::format("{}\n", fmt::join(line, "\t"));
    }
    return out;
}

std::string evaluation_report(Format format, const Evaluation& evaluation) {
    if (format == Format::text) return evaluation_text(evaluation);
    if (format == Format::csv) {
        std::string out = "row,knn,weighted_knn,linear_probe\n";
        for (std::size_t i = 0; i < evaluation.rows.size(); ++i)
            out += fmt::format("{},{},{},{}\n", evaluation.rows[i],
                               csv_field(class_name(evaluation, evaluation.knn[i])),
                               csv_field(class_name(evaluation, evaluation.weighted_knn[i])),
                               csv_field(class_name(evaluation, evaluation.linear_probe[i])));
        return out;
    }
    const std::string records = json_records(format, evaluation.rows.size(), [&](std::size_t i) {
        return prediction_json(evaluation, i);
    });
    if (format == Format::jsonl) return records;
    return fmt::format(R"({{"train": {}, "test": {}, "classes": {}, "k": {}, "knn": {}, )"
                       R"("weighted_knn": {}, "linear_probe": {}, "predictions": {}}})",
                       evaluation.train, evaluation.rows.size(), evaluation.classes.size(),
                       evaluation.k, accuracy(evaluation.knn, evaluation.truth),
                       accuracy(evaluation.weighted_knn, evaluation.truth),
                       accuracy(evaluation.linear_probe, evaluation.truth),
                       std::string_view(records).substr(0, records.size() - 1)) +
           "\n";
}

}  // namespace vit::search
