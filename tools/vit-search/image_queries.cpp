#include "tools/vit-search/image_queries.h"

#include <fmt/format.h>

#include <span>
#include <system_error>
#include <utility>

#include "engine/base/text.h"
#include "tools/common/image_error.h"
#include "tools/common/image_files.h"
#include "vit/error.h"
#include "vit/model.h"

namespace vit::search {

namespace {

std::vector<tools::ImageFile> files_of(const std::filesystem::path& query) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(query, ignored)) return {{query, ""}};
    tools::ImageFiles found = tools::image_files(query);
    std::vector<tools::ImageFile> files = std::move(found.images);
    if (files.empty())
        throw Error(ErrorKind::input,
                    fmt::format("{}: {}", in_quotes(query.native()),
                                tools::no_image_files(found.others, found.other)));
    return files;
}

void check_size(const ModelInfo& info, QueryVectors wanted, std::int64_t dim) {
    const bool features = wanted == QueryVectors::features;
    const std::int64_t found = features ? info.features : info.classes;
    if (found == dim) return;
    const std::int64_t other = features ? info.classes : info.features;
    throw Error(
        ErrorKind::usage,
        fmt::format("the index has vectors of {} values, the model's {} have {}; {}", dim,
                    features ? "features" : "logits", found,
                    other == dim ? fmt::format("try --vectors {}", features ? "logits" : "features")
                                 : "use the model that made the index"));
}

}  // namespace

Queries image_queries(const Options& options, std::int64_t dim) {
    const std::vector<tools::ImageFile> files = files_of(options.query);
    const Model model = Model::load(options.model, options.load);
    const ModelInfo& info = model.info();
    check_size(info, options.vectors, dim);
    if (info.channels != 3)
        throw Error(ErrorKind::unsupported,
                    fmt::format("{}: expected a model of images with 3 channels, found {}; make "
                                "vectors with vit-infer",
                                in_quotes(options.model.native()), info.channels));
    Queries queries;
    for (const tools::ImageFile& file : files) {
        queries.names.push_back(file.path.native());
        queries.errors.push_back(file.error);
    }
    queries.vectors.assign(files.size() * static_cast<std::size_t>(dim), 0.0f);
    Outputs outputs;
    (options.vectors == QueryVectors::features ? outputs.features : outputs.logits) =
        queries.vectors;
    model.run_each(static_cast<std::int64_t>(files.size()), outputs,
                   [&](std::int64_t index, std::span<float> image) {
                       std::string& error = queries.errors[static_cast<std::size_t>(index)];
                       const auto& path = files[static_cast<std::size_t>(index)].path;
                       if (error.empty())
                           error = tools::image_error(
                               [&] { preprocess(decode_image(path), info.transform, image); });
                       return error.empty();
                   });
    return queries;
}

}  // namespace vit::search
