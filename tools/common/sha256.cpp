#include "tools/common/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <new>
#include <vector>

#include "vit/error.h"

namespace vit::tools {

namespace {

/// OpenSSL's SHA-256. It uses the CPU's SHA instructions if there are any.
class Hasher {
  public:
    Hasher() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
        if (!context_) throw std::bad_alloc();
        check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
    }
    void add(std::span<const std::byte> bytes) {
        check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
    }
    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
        unsigned length = 0;
        check(EVP_DigestFinal_ex(context_.get(), digest.data(), &length));
        std::string out;
        for (const unsigned char byte : std::span(digest).first(length))
            out += fmt::format("{:02x}", byte);
        return out;
    }

  private:
    static void check(int status) {
        if (status != 1)
            throw Error(ErrorKind::unsupported,
                        "SHA-256: this machine's OpenSSL does not offer it; check the "
                        "configuration of OpenSSL");
    }

    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
    Hasher hasher;
    hasher.add(bytes);
    return hasher.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<char> buffer(1 << 18);
    Hasher hasher;
    while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
           file.gcount() > 0)
        hasher.add(
            std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(file.gcount()))));
    if (!file.eof()) throw Error(ErrorKind::io, path.string() + ": cannot be read");
    return hasher.hex();
}

}  // namespace vit::tools
