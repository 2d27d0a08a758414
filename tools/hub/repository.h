// A model repository on the Hugging Face hub, and what names there may look like.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vit::hub {

struct Repository {
    std::string id;                 ///< "ORG/NAME", or "NAME" alone
    std::string revision = "main";  ///< a branch, tag or commit
};

/// "hf-hub:ORG/NAME[@REVISION]" taken apart. Throws Error(usage) on anything that is no such name.
Repository parse_repository(std::string_view source);

/// The same of ORG/NAME[@REVISION], or of the address of a repository's page on huggingface.co;
/// nothing where the text is neither.
std::optional<Repository> repository_of_name(std::string_view text);
std::optional<Repository> repository_of_page(std::string_view address);

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
