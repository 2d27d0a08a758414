#include "tools/vit-search/output.h"

#include <cerrno>
#include <cstdio>
#include <span>
#include <string>
#include <system_error>

#include "engine/model/atomic_file.h"
#include "vit/error.h"

namespace vit::search {

void write_output(const std::filesystem::path& path, std::string_view text) {
    if (path.empty()) {
        const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
        if (written && std::fflush(stdout) == 0) return;
        if (errno == EPIPE) throw ReaderGone{};
        throw Error(ErrorKind::io, "cannot write the output (standard output: " +
                                       std::generic_category().message(errno) + ")");
    }
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

}  // namespace vit::search
