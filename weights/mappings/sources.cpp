#include "weights/mappings/sources.h"

#include <algorithm>
#include <array>

#include "weights/mappings/facebook/facebook_vit.h"
#include "weights/mappings/google/npz_vit.h"
#include "weights/mappings/open_clip/clip_vit.h"
#include "weights/mappings/open_clip/open_clip_timm.h"
#include "weights/mappings/timm/timm_vit.h"
#include "weights/mappings/torchvision/torchvision_vit.h"
#include "weights/mappings/transformers/transformers.h"
#include "weights/mappings/transformers/transformers_rules.h"
#include "weights/mappings/vit_pytorch/vit_pytorch.h"

namespace vit::inline internal {

namespace {

constexpr std::array<std::string_view, 2> vit_prefixes{"vit.", "deit."};
constexpr std::array<std::string_view, 2> dinov2_prefixes{"dinov2.", "dinov2_with_registers."};
constexpr std::array<std::string_view, 1> clip_prefixes{"vision_model."};

constexpr std::array sources{
    Source{"Google", is_npz_vit, resolve_npz_vit, npz_vit_rules},
    Source{"torchvision", is_torchvision, resolve_torchvision, torchvision_rules},
    Source{"vit-pytorch", is_vit_pytorch, resolve_vit_pytorch, vit_pytorch_rules},
    Source{"CLIP", is_clip, resolve_clip, clip_rules},
    Source{"open_clip", is_open_clip_timm, resolve_open_clip_timm, open_clip_timm_rules},
    Source{"transformers", is_transformers_vit, resolve_transformers, transformers_vit_rules,
           vit_prefixes},
    Source{"transformers", is_transformers_dinov2, resolve_transformers, transformers_dinov2_rules,
           dinov2_prefixes},
    Source{"transformers", is_transformers_clip, resolve_transformers, transformers_clip_rules,
           clip_prefixes},
    Source{"transformers", is_other_transformers, resolve_transformers, transformers_vit_rules},
    Source{"Facebook", is_facebook, resolve_facebook, facebook_rules},
    Source{"timm", [](const Checkpoint&) { return true; }, resolve_timm, timm_vit_rules},
};

}  // namespace

const Source& find_source(const Checkpoint& checkpoint, const std::optional<std::string>& arch) {
    const auto recognised = [&](const Source& source) {
        return source.recognise(checkpoint) ||
               (source.rules == facebook_rules && arch && arch->starts_with("facebook.") &&
                has_facebooks_blocks(checkpoint));
    };
    return *std::find_if(sources.begin(), sources.end() - 1, recognised);
}

}  // namespace vit::inline internal
