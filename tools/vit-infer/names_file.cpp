#include "tools/vit-infer/names_file.h"

#include <span>
#include <string>

#include "tools/common/error_line.h"

namespace vit::infer {

void NamesFile::write(std::string_view name) {
    const std::string line = tools::escape_control(name) + "\n";
    file_.write(std::as_bytes(std::span(line)));
}

}  // namespace vit::infer
