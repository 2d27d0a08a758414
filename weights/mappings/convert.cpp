#include "weights/mappings/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/labels.h"
#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/prefixes.h"
#include "weights/mappings/sources.h"

namespace vit::inline internal {

namespace {

/// The number of patches in each direction. As in timm, pixels that do not fill a whole patch are
/// cut off. Throws Error(kind) with `what` for no patch or too many patches.
ImageSize grid_of(ImageSize size, const ModelConfig& config, ErrorKind kind,
                  std::string_view what) {
    if (size.height < config.patch_height || size.width < config.patch_width)
        throw Error(kind,
                    fmt::format("{}: expected at least one patch of {}x{}, found {}x{}", what,
                                config.patch_height, config.patch_width, size.height, size.width));
    // More than any published model has: 2048x2048 in patches of 16. Tables and the self-test need
    // memory and time for every patch, and even more for every pair of patches.
    constexpr std::int64_t most_patches = 16'384;
    const ImageSize grid{size.height / config.patch_height, size.width / config.patch_width};
    if (grid.height > most_patches || grid.width > most_patches / grid.height)
        throw Error(kind, fmt::format("{}: expected at most {} patches of {}x{}, found {}x{}", what,
                                      most_patches, config.patch_height, config.patch_width,
                                      size.height, size.width));
    return grid;
}

constexpr const char* image_size_key = "image size (img_size, input_size or size)";

std::vector<std::string> given_labels(const ConvertOptions& options, std::int64_t num_classes) {
    try {
        return parse_labels(*options.labels, options.labels_name, num_classes);
    } catch (const Error& error) {
        throw Error(ErrorKind::usage, error.what());
    }
}

/// How every entry is used or why it is dropped, under its full name.
std::vector<ReportLine> tensor_report(std::vector<ReportLine> mapped, const Selection& selection) {
    for (ReportLine& line : mapped) line.name = selection.prefix + line.name;
    mapped.insert(mapped.end(), selection.outside.begin(), selection.outside.end());
    for (const OtherEntry& entry : selection.checkpoint.other_entries)
        mapped.push_back({entry.name, false,
                          entry.kind == "a tensor" ? "a tensor without a name"
                                                   : fmt::format("{}, not a tensor", entry.kind)});
    return mapped;
}

Converted convert_selected(const Selection& selection, const ConvertOptions& options) {
    const Checkpoint& checkpoint = selection.checkpoint;
    const Source& source = find_source(checkpoint, options.arch);
    ResolvedModel model = source.resolve(checkpoint, options);
    ModelConfig& config = model.config;

    if (config.patch_height < 1 || config.patch_width < 1)
        throw Error(ErrorKind::model, "patch_size: expected at least 1");
    TableResize resize;
    resize.prefix_rows = model.table_prefix_rows;
    resize.said_grids = {{model.table_size.height / config.patch_height,
                          model.table_size.width / config.patch_width}};
    if (options.image_size) {
        config.image_size = model.preprocessing.input_size = *options.image_size;
        resize.steps = {{grid_of(*options.image_size, config, ErrorKind::usage, "--img-size"),
                         config.table_interpolation}};
    } else {
        // timm resizes the table to the size for which it builds the model. For images of another
        // size it resizes again, bicubically.
        resize.steps = {{grid_of(model.build_size, config, ErrorKind::model, image_size_key),
                         config.table_interpolation},
                        {grid_of(config.image_size, config, ErrorKind::model, image_size_key),
                         TableInterpolation::bicubic}};
    }
    validate(config);

    MappedTensors mapped = map_tensors({.library = source.name,
                                        .rules = source.rules(),
                                        .droppable = model.droppable,
                                        .made = model.made,
                                        .prefixes = source.prefixes,
                                        .resize = std::move(resize),
                                        .label_offset = model.label_offset,
                                        .other_entries = checkpoint.other_entries},
                                       checkpoint.tensors, config);

    Converted out;
    out.library = source.name;
    out.header.config = std::move(config);
    out.header.preprocessing = model.preprocessing;
    out.header.labels = options.labels ? given_labels(options, out.header.config.num_classes)
                                       : std::move(model.labels);
    Provenance& provenance = out.header.provenance;
    provenance.source = checkpoint.path.filename().string();
    provenance.converter = options.converter;
    const std::vector<std::string>* sources[] = {&checkpoint.notes, &model.notes, &mapped.notes};
    for (const std::vector<std::string>* notes : sources)
        provenance.notes.insert(provenance.notes.end(), notes->begin(), notes->end());
    out.tensors = std::move(mapped.tensors);
    out.keys = std::move(model.keys);
    out.tensor_report = tensor_report(std::move(mapped.report), selection);
    out.owned = std::move(mapped.owned);
    out.storage = checkpoint.storage;
    return out;
}

std::string quoted_path(const Checkpoint& checkpoint, std::string_view file) {
    return in_quotes((checkpoint.path.parent_path() / file).string());
}

/// `message` with the path of its file: the configuration file that the message begins with,
/// otherwise the weights file.
std::string located(const Checkpoint& checkpoint, std::string_view message) {
    constexpr std::array<std::string_view, 4> configurations{
        "config.json", "preprocessor_config.json", "processor_config.json",
        "open_clip_config.json"};
    for (const std::string_view file : configurations) {
        const std::string_view rest = message.substr(std::min(file.size(), message.size()));
        if (message.starts_with(file) && (rest.starts_with(' ') || rest.starts_with(": ")))
            return quoted_path(checkpoint, file) + std::string(rest);
    }
    return fmt::format("{}: {}", in_quotes(checkpoint.path.string()), message);
}

}  // namespace

Converted convert(const Checkpoint& checkpoint, const ConvertOptions& options) {
    std::string prefix;
    try {
        const Selection selection = select_prefix(checkpoint, options.prefix);
        prefix = selection.prefix;
        return convert_selected(selection, options);
    } catch (const Error& error) {
        std::string message = error.what();
        if (!prefix.empty() && message.starts_with("tensor "))
            message += fmt::format(" (names without their prefix {})", in_quotes(prefix));
        if (checkpoint.path.empty()) throw Error(error.kind(), message);
        throw Error(error.kind(), located(checkpoint, message));
    }
}

}  // namespace vit::inline internal
