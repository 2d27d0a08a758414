#include "weights/mappings/sources.h"

#include <algorithm>
#include <array>

#include "weights/mappings/npz_vit.h"
#include "weights/mappings/timm_vit.h"
#include "weights/mappings/torchvision_vit.h"

namespace vit {

namespace {

constexpr std::array sources{
    Source{"Google", is_npz_vit, resolve_npz_vit, npz_vit_rules},
    Source{"torchvision", is_torchvision, resolve_torchvision, torchvision_rules},
    Source{"timm", [](const Checkpoint&) { return true; }, resolve_timm, timm_vit_rules},
};

}  // namespace

const Source& find_source(const Checkpoint& checkpoint) {
    return *std::find_if(sources.begin(), sources.end() - 1,
                         [&](const Source& source) { return source.recognise(checkpoint); });
}

}  // namespace vit
