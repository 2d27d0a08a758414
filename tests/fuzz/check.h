// Checks that must hold for any input bytes.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/text.h"
#include "engine/model/tensor.h"
#include "vit/error.h"

namespace vit::fuzz {

/// Aborts if `holds` is false, so that libFuzzer stores the input.
inline void require(bool holds, std::string_view promise) {
    if (holds) return;
    std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()),
                 promise.data());
    std::abort();
}

/// Runs a reader. It must return, or throw an Error whose message is one line of limited length. An
/// Error of kind `internal` also counts as a broken promise.
template <typename Read>
void expect_answer_or_error(Read&& read) {
    try {
        read();
    } catch (const Error& error) {
        const std::string_view message = error.what();
        require(error.kind() != ErrorKind::internal, "no internal errors");
        require(!message.empty() && message.size() < 2000, "messages are of bounded length");
        require(message.find_first_of("\n\r\x1b") == std::string_view::npos,
                "messages are one line without control bytes");
        require(is_utf8(message), "messages are UTF-8");
    }
}

/// Checks that sizes agree and that every byte can be read.
inline void check_tensors(std::span<const TensorView> tensors) {
    unsigned sum = 0;
    for (const TensorView& tensor : tensors) {
        require(is_utf8(tensor.name), "names are UTF-8");
        require(static_cast<std::size_t>(tensor.numel()) * item_size(tensor.dtype) ==
                    tensor.data.size(),
                "a tensor's bytes are those of its shape");
        for (const std::byte byte : tensor.data) sum += static_cast<unsigned>(byte);
    }
    volatile unsigned sink = sum;
    (void)sink;
}

}  // namespace vit::fuzz
