// The command line of vit-convert, which docs/cli.md describes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/model/model_config.h"
#include "tools/vit-convert/image_options.h"
#include "tools/vit-convert/origin.h"
#include "tools/vit-convert/quantize_model.h"
#include "weights/readers/checkpoint.h"

namespace vit::tools {

struct ConvertArguments {
    std::string source;
    Origin origin;                    ///< what `source` means
    std::optional<std::string> list;  ///< lists the matching names and does nothing else
    std::filesystem::path output;     ///< empty if only --inspect is given
    std::optional<std::string> arch;
    std::optional<std::string> prefix;  ///< prefix of the tensors' names
    std::filesystem::path labels;       ///< empty: the names in the checkpoint
    EmaChoice ema = EmaChoice::automatic;
    std::optional<ImageSize> image_size;
    ImageOptions images;
    DType dtype = DType::f32;  ///< or bf16, or i8 (--quantize)
    QuantizeOptions quantize;  ///< for i8
    bool pack = false;
    std::filesystem::path expect;  ///< empty: the reference evaluator computes the self-test
    bool self_test = true;
    bool inspect = false;
    bool quiet = false;
};

/// Sets `arguments`. Returns an exit status if the tool should end: after --help, --version or an
/// error that is already printed. Throws Error(usage), Error(unsupported).
std::optional<int> parse_arguments(int argc, const char* const* argv, ConvertArguments& arguments);

}  // namespace vit::tools
