// How the names in a checkpoint and its configuration are used.
#pragma once

#include <string>

namespace vit::inline internal {

struct ReportLine {
    std::string name;  ///< tensor or configuration key, as in the source
    bool used = false;
    std::string text;  ///< how it is used, or why it is dropped
};

}  // namespace vit::inline internal
