// What --help says of the options of evaluation, in vit-infer and vit-eval.
#pragma once

#include "tools/manual/tool_text.h"

namespace vit::tools::option_text {

inline constexpr OptionText class_map{
    "--class-map",
    "FILE",
    "names of the class folders: one a line in the order of the classes, or NAME INDEX",
    {},
    Completes::files};
inline constexpr OptionText real_labels{
    "--real-labels",
    "FILE",
    "also count against ImageNet's reassessed labels (real.json)",
    {},
    Completes::files};
inline constexpr OptionText confusion{
    "--confusion", "FILE", "write the confusion matrix, as .csv or .svg", {}, Completes::files};
inline constexpr OptionText reliability{"--reliability",
                                        "FILE.svg",
                                        "write a reliability diagram: accuracy over confidence",
                                        {},
                                        Completes::files};
inline constexpr OptionText all_classes{
    "--all-classes", "", "show all classes, not only the 20 with the lowest accuracy"};

}  // namespace vit::tools::option_text
