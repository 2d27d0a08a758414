// What the tests of this room share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "vit/error.h"
#include "weights/model_file/mapped_file.h"
#include "weights/model_file/model_file.h"
#include "weights/model_file/safetensors.h"

namespace vit::test {

/// A folder of its own for one test, removed at the end.
class Folder {
  public:
    Folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "model_file_test_XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
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
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_all(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// A safetensors file of this header and so many zero bytes of data.
inline std::string container(std::string_view header, std::size_t data_bytes = 0) {
    std::string out;
    for (int i = 0; i < 8; ++i) out += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
    out += header;
    out.append(data_bytes, '\0');
    return out;
}

/// Runs `call`, which must throw Error; returns its message, checked to be one line of bounded
/// length.
template <typename Call>
std::string message_of(Call&& call, ErrorKind kind) {
    try {
        call();
    } catch (const Error& error) {
        const std::string message = error.what();
        EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << message;
        EXPECT_EQ(message.find_first_of("\n\r\t\x1b"), std::string::npos) << message;
        EXPECT_LT(message.size(), 1500u) << message.substr(0, 3000);
        return message;
    }
    ADD_FAILURE() << "expected an Error, but nothing was thrown";
    return {};
}

/// The smallest config that has every kind of tensor the flags ask for.
inline ModelHeader tiny_header() {
    ModelHeader header;
    header.config.architecture = "tiny";
    header.config.image_size = {4, 6};
    header.config.in_chans = 3;
    header.config.patch_height = header.config.patch_width = 2;
    header.config.embed_dim = 4;
    header.config.depth = 1;
    header.config.heads = 2;
    header.config.head_dim = 3;
    header.config.mlp_dim = 5;
    header.config.num_classes = 2;
    header.preprocessing.input_size = {4, 6};
    return header;
}

struct Golden {
    MappedFile file;
    Safetensors content;

    explicit Golden(const char* name)
        : file(std::filesystem::path(VIT_TEST_DATA) / "model_file" / name),
          content(parse_safetensors(file.bytes(), name)) {}
    std::vector<float> values(std::string_view name) const {
        for (const TensorView& tensor : content.tensors)
            if (tensor.name == name) return to_f32(tensor);
        throw std::runtime_error("golden lacks " + std::string(name));
    }
};

}  // namespace vit::test
