#include "weights/mappings/sources.h"

#include <algorithm>
#include <array>

#include "weights/mappings/timm_vit.h"

namespace vit {

namespace {

constexpr std::array sources{
    Source{"timm", [](const Checkpoint&) { return true; }, resolve_timm, timm_vit_rules},
};

}  // namespace

const Source& find_source(const Checkpoint& checkpoint) {
    return *std::find_if(sources.begin(), sources.end() - 1,
                         [&](const Source& source) { return source.recognise(checkpoint); });
}

}  // namespace vit
