#include "vit/version.h"

#include "vit/model.h"

namespace vit {

std::string version() {
    return "vit " VIT_VERSION_STRING;
}

}  // namespace vit
