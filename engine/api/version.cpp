#include "vit/model.h"

namespace vit {

std::string version() {
    return "vit 0.1.0";
}

}  // namespace vit
