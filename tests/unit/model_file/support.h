// Code that the tests of this room share.
#pragma once

#include <cstring>

#include "engine/model/mapped_file.h"
#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"
#include "tests/support/files.h"

namespace vit::test {

/// A safetensors file with this header and `data_bytes` zero bytes of data.
inline std::string container(std::string_view header, std::size_t data_bytes = 0) {
    std::string out;
    for (int i = 0; i < 8; ++i) out += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
    out += header;
    out.append(data_bytes, '\0');
    return out;
}

/// The smallest config with every kind of tensor that the flags require.
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
