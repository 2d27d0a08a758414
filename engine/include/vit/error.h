// The one exception type of the library.
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

#include <stdexcept>
#include <string>

namespace vit {

/// What went wrong, in classes that a caller can act on. The tools map a kind to an exit status.
enum class ErrorKind {
    usage,        ///< the caller's arguments are wrong (a size, an option, a combination)
    io,           ///< a file could not be read or written
    format,       ///< a file's bytes are not what its format allows
    model,        ///< a model or checkpoint was read, but this library cannot run it
    input,        ///< an image or input tensor cannot be used
    unsupported,  ///< valid, but this build or this CPU cannot process it
    memory,       ///< an allocation failed or a size exceeds what can be addressed
    internal,     ///< a bug in this library; please report it
};

/// The message is one line. It names the file, tensor or node, what was expected and what was
/// found.
class VIT_API Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const noexcept { return kind_; }

  private:
    ErrorKind kind_;
};

}  // namespace vit

#endif  // VIT_CXX20
