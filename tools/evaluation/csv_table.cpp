#include "tools/evaluation/csv_table.h"

#include <csv.h>
#include <fmt/format.h>

#include <exception>
#include <memory>
#include <utility>

#include "vit/error.h"

namespace vit::tools {

namespace {

struct Reading {
    const std::function<void(std::vector<std::string>)>& row;
    std::vector<std::string> fields;
    std::size_t rows = 0;
    std::exception_ptr error;  // an exception must not pass through C code
};

void end_field(void* field, std::size_t length, void* reading) {
    static_cast<Reading*>(reading)->fields.emplace_back(static_cast<const char*>(field), length);
}

void end_row(int, void* data) {
    auto& reading = *static_cast<Reading*>(data);
    ++reading.rows;
    if (reading.error) return;
    try {
        reading.row(std::exchange(reading.fields, {}));
    } catch (...) {
        reading.error = std::current_exception();
    }
}

}  // namespace

void read_csv(std::string_view text, std::string_view where,
              const std::function<void(std::vector<std::string>)>& row) {
    csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        throw Error(ErrorKind::internal, "libcsv cannot be used");
    const std::unique_ptr<csv_parser, decltype(&csv_free)> guard(&parser, &csv_free);
    Reading reading{row, {}, 0, {}};
    const bool well =
        csv_parse(&parser, text.data(), text.size(), end_field, end_row, &reading) == text.size() &&
        csv_fini(&parser, end_field, end_row, &reading) == 0;
    if (reading.error) std::rethrow_exception(reading.error);
    if (!well)
        throw Error(ErrorKind::input,
                    fmt::format("{}: row {}: {}; quotes begin and end a field, and a quote inside "
                                "of one is written twice",
                                where, reading.rows, csv_strerror(csv_error(&parser))));
}

std::string csv_field(std::string_view text) {
    std::string quoted(csv_write(nullptr, 0, text.data(), text.size()), '\0');
    csv_write(quoted.data(), quoted.size(), text.data(), text.size());
    return quoted;
}

}  // namespace vit::tools
