// A model repository on the Hugging Face hub, and what names there may look like.
#pragma once

#include <string>
#include <string_view>

namespace vit::hub {

struct Repository {
    std::string id;                 ///< "ORG/NAME", or "NAME" alone
    std::string revision = "main";  ///< a branch, tag or commit
};

/// "hf-hub:ORG/NAME[@REVISION]" taken apart. Throws Error(usage) on anything that is no such name.
Repository parse_repository(std::string_view source);

/// As parse_repository reads it; the revision is left out where it is "main".
std::string name_of(const Repository& repository);

/// 40 hexadecimal digits.
bool is_commit(std::string_view text);

/// 64 hexadecimal digits, as the hub's ETag of a large file.
bool is_sha256(std::string_view text);

/// May stand as one file name below a folder of ours: letters, digits and -_.+ alone, no leading
/// dot, at most 200 bytes. Names from servers and index files have to pass.
bool is_plain_name(std::string_view text);

}  // namespace vit::hub
