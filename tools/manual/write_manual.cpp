// vit-manual FOLDER: writes the manual pages and the shells' completions of all tools. The build
// runs it.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "bench/text.h"
#include "tools/manual/completion.h"
#include "tools/manual/man_page.h"
#include "tools/vit-convert/text.h"
#include "tools/vit-eval/text.h"
#include "tools/vit-infer/text.h"
#include "tools/vit-search/text.h"
#include "vit/model.h"

namespace {

bool write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) std::fprintf(stderr, "vit-manual: error: cannot write %s\n", path.c_str());
    return !file.fail();
}

}  // namespace

int main(int argc, char** argv) {
    using namespace vit;
    if (argc != 2) {
        std::fprintf(stderr, "vit-manual: error: expected one FOLDER\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    for (const tools::ToolText* tool :
         {&infer::tool_text(), &tools::convert_text(), &search::tool_text(), &eval::tool_text(),
          &bench::tool_text()}) {
        const std::string name(tool->name);
        if (!write(folder / (name + ".1"), tools::man_page(*tool, version())) ||
            !write(folder / (name + ".bash"), tools::bash_completion(*tool)) ||
            !write(folder / ("_" + name), tools::zsh_completion(*tool)))
            return 74;
    }
    return 0;
}
