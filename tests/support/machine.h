// Describes the machine on which the suite runs.
#pragma once

#include <string>
#include <vector>

#include "engine/kernels/kernels.h"

namespace vit::test {

/// The kernel tables that this CPU can run, up to the one that VIT_ISA names, lowest first.
std::vector<const kernels::Table*> tables();

/// One line with the CPU, the kernels that it can run, and the instruction set that oneDNN uses.
/// Limits oneDNN in the same way as loading a model does.
std::string describe_machine();

}  // namespace vit::test
