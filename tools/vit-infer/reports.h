// What --info and --verify print.
#pragma once

#include <string>

#include "vit/model.h"

namespace vit::infer {

std::string info_report(const Model& model);

/// One line; `passed` is false where the model file has no self-test too.
struct Verdict {
    bool passed = false;
    std::string text;
};
Verdict verify_report(const Model& model);

}  // namespace vit::infer
