// The command line of vit-convert: docs/cli.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/model/model_config.h"
#include "tools/vit-convert/image_options.h"
#include "tools/vit-convert/origin.h"
#include "weights/readers/checkpoint.h"

namespace vit::tools {

struct ConvertArguments {
    std::string source;
    Origin origin;                    ///< what `source` names
    std::optional<std::string> list;  ///< names that fit are listed, and nothing else
    std::filesystem::path output;     ///< empty with --inspect alone
    std::optional<std::string> arch;
    std::optional<std::string> prefix;  ///< of tensors' names
    std::filesystem::path labels;       ///< empty: the checkpoint's
    EmaChoice ema = EmaChoice::automatic;
    std::optional<ImageSize> image_size;
    ImageOptions images;
    DType dtype = DType::f32;  ///< or bf16
    bool pack = false;
    std::filesystem::path expect;  ///< empty: the reference evaluator makes the self-test
    bool self_test = true;
    bool inspect = false;
    bool quiet = false;
};

/// Sets `arguments`, or returns the exit status when there is nothing to do (--help, --version, an
/// error, already told). Throws Error(usage), Error(unsupported).
std::optional<int> parse_arguments(int argc, const char* const* argv, ConvertArguments& arguments);

}  // namespace vit::tools
