#include "tools/common/output_check.h"

#include <system_error>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::tools {

namespace fs = std::filesystem;

bool same_file(const fs::path& a, const fs::path& b) {
    if (a.empty() || b.empty()) return false;
    std::error_code error;
    const fs::file_status status = fs::status(a, error);
    if (fs::exists(status))
        return (fs::is_regular_file(status) || fs::is_directory(status)) &&
               fs::equivalent(a, b, error);
    const fs::path first = fs::weakly_canonical(a, error);
    return !error && first == fs::weakly_canonical(b, error) && !error;
}

void check_not_output(const fs::path& input, const std::vector<fs::path>& outputs) {
    for (const fs::path& output : outputs)
        if (same_file(output, input))
            throw Error(ErrorKind::usage,
                        in_quotes(output.native()) + ": this output is also an input (" +
                            in_quotes(input.native()) + "); write to another file");
}

}  // namespace vit::tools
