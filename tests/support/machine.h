// What the suite runs on.
#pragma once

#include <string>
#include <vector>

#include "engine/kernels/kernels.h"

namespace vit::test {

/// The tables that this CPU has, up to the one that VIT_ISA names, lowest first.
std::vector<const kernels::Table*> tables();

/// One line: the CPU, the kernels that it can run, and what oneDNN uses. Limits oneDNN as loading a
/// model does.
std::string describe_machine();

}  // namespace vit::test
