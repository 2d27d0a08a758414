// Names a model repository on the Hugging Face hub, and checks such names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vit::hub {

struct Repository {
    std::string id;                 ///< "ORG/NAME", or "NAME" alone
    std::string revision = "main";  ///< a branch, tag or commit
};

/// Reads "hf-hub:ORG/NAME[@REVISION]". Throws Error(usage) if the text has another form.
Repository parse_repository(std::string_view source);

/// The same for ORG/NAME[@REVISION], and for the address of a repository's page on huggingface.co.
/// Empty if the text has another form.
std::optional<Repository> repository_of_name(std::string_view text);
std::optional<Repository> repository_of_page(std::string_view address);

/// The name in the form that parse_repository reads. The revision is left out if it is "main".
std::string name_of(const Repository& repository);

/// True for 40 hexadecimal digits.
bool is_commit(std::string_view text);

/// True for 64 hexadecimal digits, the form of the hub's ETag of a large file.
bool is_sha256(std::string_view text);

/// True if the text may be used as a file name in one of our folders: only letters, digits and
/// -_.+, no leading dot, at most 200 bytes. Names from servers and index files must pass this
/// check.
bool is_plain_name(std::string_view text);

}  // namespace vit::hub
