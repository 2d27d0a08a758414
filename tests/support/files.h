// Helpers for files, bytes and errors, for the tests of all code that reads files.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::test {

/// A separate folder for one test. It is removed at the end.
class Folder {
  public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vit_test_XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            found.push_back(entry.path().filename());
        return found;
    }

  private:
    std::filesystem::path path_;
};

inline std::string read_all(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_all(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Runs `call`, which must throw an Error of this kind. Returns its message after checking that it
/// is one line.
template <typename Call>
std::string message_of(Call&& call, ErrorKind kind) {
    try {
        call();
    } catch (const Error& error) {
        const std::string message = error.what();
        EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << message;
        EXPECT_EQ(message.find_first_of("\n\r\t\x1b"), std::string::npos) << message;
        EXPECT_TRUE(is_utf8(message));
        EXPECT_LT(message.size(), 1500u) << message.substr(0, 3000);
        return message;
    }
    ADD_FAILURE() << "expected an Error, but nothing was thrown";
    return {};
}

}  // namespace vit::test
