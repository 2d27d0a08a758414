// What --profile prints.
#pragma once

#include <string>

#include "tools/vit-infer/profile_run.h"

namespace vit::infer {

/// A summary, and tables of kinds of nodes and of nodes.
std::string profile_text(const MeasuredProfile& measured);

/// The same as one JSON object.
std::string profile_json(const MeasuredProfile& measured);

}  // namespace vit::infer
