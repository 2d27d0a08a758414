// What became of each name that a checkpoint or its configuration holds.
#pragma once

#include <string>

namespace vit::inline internal {

struct ReportLine {
    std::string name;  ///< tensor or configuration key, as in the source
    bool used = false;
    std::string text;  ///< what it is used as, or why it is dropped
};

}  // namespace vit::inline internal
