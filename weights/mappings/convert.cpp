#include "weights/mappings/convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "vit/error.h"
#include "weights/mappings/labels.h"
#include "weights/mappings/mapping.h"
#include "weights/mappings/recognise.h"
#include "weights/mappings/timm_config.h"
#include "weights/mappings/timm_vit.h"
#include "weights/model_file/text.h"

namespace vit {

namespace {

TensorFacts facts_of(std::span<const TensorView> tensors) {
    TensorFacts facts;
    for (const TensorView& tensor : tensors) {
        const Shape& shape = tensor.shape;
        if (tensor.name == "head.weight" && shape.size() == 2)
            facts.num_classes = shape[0];
        else if (tensor.name == "patch_embed.proj.weight" && shape.size() == 4)
            facts.in_chans = shape[1];
        else if ((tensor.name == "pre_logits.fc.weight" || tensor.name == "pre_logits.weight") &&
                 shape.size() == 2)
            facts.representation_size = shape[0];
    }
    return facts;
}

/// `size` in patches. Throws Error(kind) unless it is a multiple of the patch.
ImageSize grid_of(ImageSize size, const ModelConfig& config, ErrorKind kind,
                  std::string_view what) {
    if (size.height < 1 || size.width < 1 || size.height % config.patch_height != 0 ||
        size.width % config.patch_width != 0)
        throw Error(
            kind, fmt::format("{}: expected a multiple of the patch size {}x{}, found {}x{}", what,
                              config.patch_height, config.patch_width, size.height, size.width));
    return {size.height / config.patch_height, size.width / config.patch_width};
}

std::vector<std::string> given_labels(const ConvertOptions& options, std::int64_t num_classes) {
    try {
        return parse_labels(*options.labels, options.labels_name, num_classes);
    } catch (const Error& error) {
        throw Error(ErrorKind::usage, error.what());
    }
}

Converted convert_unnamed(const Checkpoint& checkpoint, const ConvertOptions& options) {
    const TensorFacts facts = facts_of(checkpoint.tensors);
    if (!options.arch && !checkpoint.arch && !checkpoint.config_json)
        throw Error(ErrorKind::usage, describe_unnamed(checkpoint.tensors));
    ResolvedModel model =
        resolve_timm_config({options.arch, checkpoint.arch, checkpoint.config_json}, facts);
    ModelConfig& config = model.config;

    if (config.patch_height < 1 || config.patch_width < 1)
        throw Error(ErrorKind::model, "patch_size: expected at least 1");
    TableResize resize;
    resize.bilinear = model.bilinear_table;
    resize.said_grids = {{model.table_size.height / config.patch_height,
                          model.table_size.width / config.patch_width}};
    if (options.image_size) {
        config.image_size = model.preprocessing.input_size = *options.image_size;
        resize.steps = {grid_of(*options.image_size, config, ErrorKind::usage, "--img-size")};
    } else {
        resize.steps = {grid_of(model.build_size, config, ErrorKind::model, "image size"),
                        grid_of(config.image_size, config, ErrorKind::model, "image size")};
    }
    validate(config);

    const std::string foreign = foreign_source(checkpoint.tensors);
    if (!foreign.empty())
        throw Error(
            ErrorKind::model,
            fmt::format("the tensors' names are those of {}; only timm's are understood so far",
                        foreign));
    MappedTensors mapped = map_tensors(
        timm_vit_rules(), checkpoint.tensors, config, resize, model.label_offset,
        model.may_drop_attn_pool ? timm_attn_pool_rules() : std::span<const MappingRule>());

    Converted out;
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
    out.tensor_report = std::move(mapped.report);
    out.owned = std::move(mapped.owned);
    out.storage = checkpoint.storage;
    return out;
}

}  // namespace

Converted convert(const Checkpoint& checkpoint, const ConvertOptions& options) {
    try {
        return convert_unnamed(checkpoint, options);
    } catch (const Error& error) {
        if (checkpoint.path.empty()) throw;
        throw Error(error.kind(),
                    fmt::format("{}: {}", in_quotes(checkpoint.path.string()), error.what()));
    }
}

}  // namespace vit
