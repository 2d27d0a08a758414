// What happened to each tensor and configuration key of a checkpoint.
#pragma once

#include <string>

namespace vit::inline internal {

struct ReportLine {
    std::string name;  ///< tensor or configuration key, as in the source
    bool used = false;
    std::string text;  ///< its use, or why it is dropped
};

}  // namespace vit::inline internal
