#include "tools/vit-search/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "engine/base/text.h"
#include "tools/vit-search/knn.h"
#include "tools/vit-search/linear_probe.h"
#include "tools/vit-search/nearest.h"
#include "tools/vit-search/text_lines.h"
#include "vit/error.h"

namespace vit::search {

namespace {

constexpr int default_k = 20;

/// The rows of a file whose vectors have a direction.
std::vector<std::int64_t> usable_rows(const VectorFile& file) {
    std::vector<std::int64_t> rows;
    std::vector<float> scratch, vector;
    for (std::int64_t row = 0; row < file.count(); ++row) {
        const std::span<const float> values = file.rows(row, 1, scratch);
        vector.assign(values.begin(), values.end());
        if (make_unit(vector)) rows.push_back(row);
    }
    if (rows.empty())
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected vectors, found only zeros, NaN and infinity",
                                in_quotes(file.path().native())));
    return rows;
}

int class_of(const std::vector<std::string>& classes, const std::string& label) {
    const auto found = std::ranges::lower_bound(classes, label);
    return found == classes.end() || *found != label ? -1
                                                     : static_cast<int>(found - classes.begin());
}

std::vector<std::string> classes_of(const std::vector<std::string>& labels,
                                    const std::vector<std::int64_t>& rows,
                                    const std::filesystem::path& path) {
    std::vector<std::string> classes;
    for (const std::int64_t row : rows) classes.push_back(labels[static_cast<std::size_t>(row)]);
    std::ranges::sort(classes);
    classes.erase(std::ranges::unique(classes).begin(), classes.end());
    if (classes.size() < 2)
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected two or more classes, found only {}",
                                in_quotes(path.native()), in_quotes(classes[0])));
    return classes;
}

LabelledVectors labelled(const VectorFile& file, const std::vector<std::int64_t>& rows,
                         const std::vector<int>& classes) {
    LabelledVectors result{{}, {}, static_cast<std::size_t>(file.dim())};
    std::vector<float> scratch;
    for (const std::int64_t row : rows) {
        const std::span<const float> values = file.rows(row, 1, scratch);
        result.values.insert(result.values.end(), values.begin(), values.end());
        result.labels.push_back(classes[static_cast<std::size_t>(row)]);
    }
    return result;
}

std::vector<int> class_indices(const std::vector<std::string>& labels,
                               const std::vector<std::string>& classes) {
    std::vector<int> indices;
    for (const std::string& label : labels) indices.push_back(class_of(classes, label));
    return indices;
}

}  // namespace

double accuracy(const std::vector<int>& found, const std::vector<int>& truth) {
    std::size_t right = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) right += found[i] == truth[i];
    return static_cast<double>(right) / static_cast<double>(truth.size());
}

Evaluation evaluate(const Options& options) {
    const VectorFile train(options.index), test(options.query);
    if (test.dim() != train.dim())
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected vectors of {} values as in {}, found {}",
                                in_quotes(options.query.native()), train.dim(),
                                in_quotes(options.index.native()), test.dim()));
    const auto labels = read_lines(options.labels, train.count(), options.index);
    const auto test_labels = read_lines(options.test_labels, test.count(), options.query);
    const std::vector<std::int64_t> train_rows = usable_rows(train);

    Evaluation result;
    result.rows = usable_rows(test);
    result.classes = classes_of(labels, train_rows, options.labels);
    result.train = std::ssize(train_rows);
    result.skipped_train = train.count() - result.train;
    result.skipped_test = test.count() - std::ssize(result.rows);
    result.k = static_cast<int>(
        std::min<std::int64_t>(options.k > 0 ? options.k : default_k, result.train));

    const int threads = options.load.threads > 0 ? options.load.threads : usable_threads();
    const auto classes = static_cast<int>(result.classes.size());
    const std::vector<int> class_of_row = class_indices(labels, result.classes);
    LabelledVectors unknown =
        labelled(test, result.rows, class_indices(test_labels, result.classes));
    result.truth = unknown.labels;
    const LinearProbe probe =
        fit_probe(labelled(train, train_rows, class_of_row), classes, threads);
    for (std::size_t i = 0; i < unknown.count(); ++i) {
        const std::span<float> vector =
            std::span(unknown.values).subspan(i * unknown.dim, unknown.dim);
        result.linear_probe.push_back(predict(probe, vector));
        make_unit(vector);  // for the search
    }
    for (const std::vector<Match>& matches :
         nearest(train, unknown.values, static_cast<std::size_t>(result.k), threads)) {
        result.knn.push_back(vote(matches, class_of_row, classes));
        result.weighted_knn.push_back(weighted_vote(matches, class_of_row, classes));
    }
    return result;
}

}  // namespace vit::search
