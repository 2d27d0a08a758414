#include "tests/support/machine.h"

#include <fstream>

#include "engine/kernels/dispatch.h"
#include "engine/ops/onednn_isa.h"

namespace vit::test {

namespace {

std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    std::string name = "unknown CPU", family, model;
    const auto value = [](const std::string& line) { return line.substr(line.find(": ") + 2); };
    for (std::string line; std::getline(file, line) && !line.empty();) {
        if (line.starts_with("model name")) name = value(line);
        if (line.starts_with("cpu family")) family = value(line);
        if (line.starts_with("model\t")) model = value(line);
    }
    return name + " (family " + family + ", model " + model + ")";
}

}  // namespace

std::vector<const kernels::Table*> tables() {
    std::vector<const kernels::Table*> all;
    for (const kernels::Isa isa : kernels::all_isas)
        if (const kernels::Table* table = kernels::table_for(isa);
            table && isa <= kernels::select_table().isa)
            all.push_back(table);
    return all;
}

std::string describe_machine() {
    std::string text = cpu_name() + "; kernels";
    for (const kernels::Table* table : tables()) {
        text += std::string(" ") + kernels::isa_name(table->isa);
        if (kernels::bf16_table_for(table->isa)) text += " (bf16)";
    }
    return text + "; " + onednn_name();
}

}  // namespace vit::test
