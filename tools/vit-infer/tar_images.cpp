#include "tools/vit-infer/tar_images.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <utility>

#include "engine/base/text.h"
#include "tools/common/image_files.h"
#include "vit/error.h"

namespace vit::infer {

bool is_tar(const std::filesystem::path& path) {
    const std::string last = tools::lower_extension(path);
    return last == ".tar" || last == ".tgz" || tools::lower_extension(path.stem()) == ".tar";
}

TarImages::TarImages(std::filesystem::path path)
    : path_(std::move(path)), archive_(archive_read_new(), archive_read_free) {
    archive_read_support_format_tar(archive_.get());
    archive_read_support_format_gnutar(archive_.get());
    archive_read_support_filter_all(archive_.get());
    constexpr std::size_t block = 1 << 16;
    if (archive_read_open_filename(archive_.get(), path_.c_str(), block) != ARCHIVE_OK) fail();
}

TarImages::~TarImages() = default;

void TarImages::fail() const {
    const char* const what = archive_error_string(archive_.get());
    throw Error(ErrorKind::format,
                fmt::format("{}: cannot read the .tar file: {}", in_quotes(path_.native()),
                            what == nullptr ? "unknown error" : what));
}

std::optional<TarImages::Member> TarImages::next() {
    constexpr std::int64_t largest = std::int64_t{1} << 30;
    while (!ended_) {
        archive_entry* entry = nullptr;
        const int status = archive_read_next_header(archive_.get(), &entry);
        ended_ = status == ARCHIVE_EOF || status == ARCHIVE_FATAL || status == ARCHIVE_RETRY;
        if (status == ARCHIVE_EOF) return {};
        if (ended_) fail();
        const char* const name = archive_entry_pathname(entry);
        if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG ||
            !tools::is_image_name(name))
            continue;
        Member member{name, {}};
        const std::int64_t size = archive_entry_size(entry);
        if (size < 0 || size > largest)
            throw Error(ErrorKind::input,
                        fmt::format("{}: expected an image of at most 1 GiB, found {} bytes",
                                    in_quotes((path_ / member.name).native()), size));
        member.bytes.resize(static_cast<std::size_t>(size));
        for (std::size_t done = 0; done < member.bytes.size();) {
            const la_ssize_t count = archive_read_data(archive_.get(), member.bytes.data() + done,
                                                       member.bytes.size() - done);
            if (count <= 0) {
                ended_ = true;
                if (count < 0) fail();
                throw Error(ErrorKind::format, fmt::format("{}: the file ends within {}",
                                                           in_quotes(path_.native()), member.name));
            }
            done += static_cast<std::size_t>(count);
        }
        return member;
    }
    return {};
}

std::optional<std::vector<std::byte>> TarReader::find_next(const std::string& name) {
    while (std::optional<TarImages::Member> member = tar_->next())
        if (member->name == name) return std::move(member->bytes);
    return {};
}

std::vector<std::byte> TarReader::read(const std::filesystem::path& tar, const std::string& name) {
    if (tar_ && path_ == tar)
        if (auto bytes = find_next(name)) return *std::move(bytes);
    path_ = tar;
    tar_ = std::make_unique<TarImages>(tar);
    if (auto bytes = find_next(name)) return *std::move(bytes);
    throw Error(ErrorKind::input, fmt::format("{}: expected an image {}, found none; the file must "
                                              "not change while it is used",
                                              in_quotes(tar.native()), in_quotes(name)));
}

}  // namespace vit::infer
