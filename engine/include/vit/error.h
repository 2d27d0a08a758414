// The one exception type of the library.
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

#include <stdexcept>
#include <string>

namespace vit {

/// What went wrong, coarse enough to act on. Tools map a kind to an exit status.
enum class ErrorKind {
    usage,        ///< the caller's arguments are wrong (a size, an option, a combination)
    io,           ///< a file could not be read or written
    format,       ///< a file's bytes are not what its format allows
    model,        ///< a model or checkpoint was understood and refused
    input,        ///< an image or input tensor was refused
    unsupported,  ///< valid, but this build or this CPU cannot do it
    memory,       ///< an allocation failed or a size exceeds what can be addressed
    internal,     ///< a broken promise of this library; please report
};

/// One line that names the file, tensor or node, what was expected and what was found.
class VIT_API Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const noexcept { return kind_; }

  private:
    ErrorKind kind_;
};

}  // namespace vit

#endif  // VIT_CXX20
