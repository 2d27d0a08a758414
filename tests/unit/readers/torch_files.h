// Makes files of torch.save as bytes in memory.
#pragma once

#include <string>

#include "support.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {

inline Checkpoint read(const std::string& bytes) {
    return parse_checkpoint(as_bytes(bytes), "file.pth");
}

inline std::string refused(const std::string& bytes, ErrorKind kind = ErrorKind::format) {
    return message_of([&] { read(bytes); }, kind);
}

}  // namespace vit::test
