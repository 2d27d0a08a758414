// The text of --verify.
#pragma once

#include <string>

#include "vit/model.h"

namespace vit::infer {

/// The result of --verify as one line. `passed` is also false if the model file has no self-test.
struct Verdict {
    bool passed = false;
    std::string text;
};
Verdict verify_report(const Model& model);

}  // namespace vit::infer
