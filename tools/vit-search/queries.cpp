#include "tools/vit-search/queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "engine/base/text.h"
#include "tools/common/image_files.h"
#include "tools/vit-search/image_queries.h"
#include "vit/error.h"

namespace vit::search {

namespace {

Queries from_file(const std::filesystem::path& path, std::int64_t dim) {
    const VectorFile file(path);
    if (file.dim() != dim)
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected vectors of {} values as in the index, found {}",
                                in_quotes(path.native()), dim, file.dim()));
    Queries queries;
    queries.vectors = file.all();
    for (std::int64_t row = 0; row < file.count(); ++row)
        queries.names.push_back(fmt::format("{}[{}]", path.native(), row));
    queries.errors.resize(queries.names.size());
    return queries;
}

Queries from_row(const VectorFile& index, std::int64_t row) {
    if (row >= index.count())
        throw Error(ErrorKind::usage,
                    fmt::format("--row: expected 0 to {}, the rows of {}, found {}",
                                index.count() - 1, in_quotes(index.path().native()), row));
    std::vector<float> scratch;
    const std::span<const float> values = index.rows(row, 1, scratch);
    return {
        {fmt::format("{}[{}]", index.path().native(), row)}, {""}, {values.begin(), values.end()}};
}

Queries read(const Options& options, const VectorFile& index) {
    if (options.row) return from_row(index, *options.row);
    if (tools::lower_extension(options.query) == ".npy")
        return from_file(options.query, index.dim());
    if (options.model.empty())
        throw Error(ErrorKind::usage,
                    fmt::format("{}: queries that are images need --model, the model that made "
                                "the index",
                                in_quotes(options.query.native())));
    return image_queries(options, index.dim());
}

}  // namespace

Queries read_queries(const Options& options, const VectorFile& index) {
    Queries queries = read(options, index);
    const auto dim = static_cast<std::size_t>(index.dim());
    for (std::size_t i = 0; i < queries.names.size(); ++i) {
        const std::span<float> vector = std::span(queries.vectors).subspan(i * dim, dim);
        if (queries.errors[i].empty() && !make_unit(vector))
            queries.errors[i] = fmt::format(
                "{}: this vector has no direction: it is zero, or holds NaN or infinity",
                in_quotes(queries.names[i]));
        if (!queries.errors[i].empty()) std::ranges::fill(vector, 0.0f);
    }
    return queries;
}

}  // namespace vit::search
