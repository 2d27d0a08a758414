// The images in a .tar file, one after the other, without unpacking it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct archive;

namespace vit::infer {

/// Whether a name ends like that of a .tar file, compressed or not.
bool is_tar(const std::filesystem::path& path);

/// Reads .tar files as WebDataset writes them, also compressed ones. Not thread-safe.
class TarImages {
  public:
    /// Throws Error(io), Error(format) with the file's name.
    explicit TarImages(std::filesystem::path path);
    TarImages(const TarImages&) = delete;
    TarImages& operator=(const TarImages&) = delete;
    ~TarImages();

    struct Member {
        std::string name;
        std::vector<std::byte> bytes;
    };

    /// The next member that is named like an image; nothing at the end. Throws Error(format) where
    /// the archive is damaged, and Error(input) where a member is larger than 1 GiB. After an
    /// Error(format) the archive has ended.
    std::optional<Member> next();

  private:
    [[noreturn]] void fail() const;

    std::filesystem::path path_;
    std::unique_ptr<archive, int (*)(archive*)> archive_;
    bool ended_ = false;
};

/// Reads images of .tar files by name. This is fast in the order in which they stand there: only a
/// name that does not follow makes it read the file from its beginning. Not thread-safe.
class TarReader {
  public:
    /// Throws what TarImages throws, and Error(input) where there is no such image.
    std::vector<std::byte> read(const std::filesystem::path& tar, const std::string& name);

  private:
    std::optional<std::vector<std::byte>> find_next(const std::string& name);

    std::filesystem::path path_;
    std::unique_ptr<TarImages> tar_;
};

}  // namespace vit::infer
