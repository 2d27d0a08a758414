#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/base/text.h"
#include "tools/evaluation/csv_table.h"
#include "tools/evaluation/ground_truth.h"
#include "tools/evaluation/text_file.h"
#include "vit/error.h"

namespace vit::tools {

namespace fs = std::filesystem;

namespace {

/// The classes that the texts of the label column mean.
class LabelColumn {
  public:
    LabelColumn(std::string where, const ClassNames& classes, const ClassIndex* class_map)
        : where_(std::move(where)), classes_(classes), class_map_(class_map) {}

    /// Row 1 is the first after the header.
    void add(std::size_t row, std::string text) {
        if (const auto known = meanings_.find(text); known != meanings_.end()) {
            rows_.push_back(&*known);
            return;
        }
        Meaning meaning{row, {}, parse_index(text)};
        if (class_map_ != nullptr) {
            if (const auto at = class_map_->find(text); at != class_map_->end())
                meaning.named = at->second;
        } else {
            meaning.named = class_with_label(classes_, text, where_);
        }
        rows_.push_back(&*meanings_.emplace(std::move(text), meaning).first);
    }

    /// The class of every row.
    std::vector<std::int64_t> classes() const {
        std::vector<std::int64_t> found;
        const bool names = std::ranges::all_of(
            meanings_, [](const auto& each) { return each.second.named.has_value(); });
        for (const auto* row : rows_) {
            const auto& [text, meaning] = *row;
            if (names) {
                found.push_back(*meaning.named);
                continue;
            }
            if (class_map_ != nullptr) {
                if (!meaning.named) refuse(meaning.row, text, "a name in --class-map");
                found.push_back(*meaning.named);
                continue;
            }
            if (!meaning.index || (classes_.complete && *meaning.index >= classes_.count))
                refuse(meaning.row, text, expected());
            found.push_back(*meaning.index);
        }
        return found;
    }

  private:
    struct Meaning {
        std::size_t row;  ///< where the text occurs first
        std::optional<std::int64_t> named, index;
    };

    std::string expected() const {
        if (!classes_.complete) return "a label of the records, or the index of a class (--model)";
        return fmt::format("{}an index from 0 to {}",
                           classes_.labels.empty() ? "" : "a label of the model, or in all rows ",
                           classes_.count - 1);
    }

    [[noreturn]] void refuse(std::size_t row, std::string_view text,
                             const std::string& wanted) const {
        throw Error(ErrorKind::input, fmt::format("{}: row {}: expected as label {}, found {}",
                                                  where_, row, wanted, in_quotes(text)));
    }

    std::string where_;
    const ClassNames& classes_;
    const ClassIndex* class_map_;
    std::unordered_map<std::string, Meaning> meanings_;
    std::vector<const std::pair<const std::string, Meaning>*> rows_;
};

}  // namespace

GroundTruth read_labelled_csv(const fs::path& path, ClassNames& classes,
                              const ClassIndex* class_map) {
    const std::string where = in_quotes(path.native());
    GroundTruth truth;
    truth.base = path.parent_path();
    LabelColumn labels(where, classes, class_map);
    std::size_t row = 0, file_column = 0, label_column = 0, columns = 0;
    read_csv(read_text_file(path, "CSV"), where, [&](std::vector<std::string> fields) {
        if (row++ == 0) {
            const auto file = std::ranges::find(fields, "file");
            const auto label = std::ranges::find(fields, "label");
            if (file == fields.end() || label == fields.end())
                throw Error(
                    ErrorKind::input,
                    fmt::format("{}: expected a first row with the columns file and label, "
                                "found {}; add a row \"file,label\"",
                                where, in_quotes(fmt::format("{}", fmt::join(fields, ",")))));
            file_column = static_cast<std::size_t>(file - fields.begin());
            label_column = static_cast<std::size_t>(label - fields.begin());
            columns = fields.size();
            return;
        }
        if (fields.size() != columns)
            throw Error(ErrorKind::input, fmt::format("{}: row {}: expected {} fields, found {}",
                                                      where, row - 1, columns, fields.size()));
        if (fields[file_column].empty())
            throw Error(ErrorKind::input,
                        fmt::format("{}: row {}: expected the name of a file, found nothing", where,
                                    row - 1));
        truth.files.push_back((truth.base / fields[file_column]).native());
        labels.add(row - 1, std::move(fields[label_column]));
    });
    if (truth.files.empty())
        throw Error(
            ErrorKind::input,
            fmt::format("{}: expected a row for each image after the header, found none", where));
    truth.classes = labels.classes();
    for (const std::int64_t each : truth.classes) classes.count = std::max(classes.count, each + 1);
    return truth;
}

}  // namespace vit::tools
