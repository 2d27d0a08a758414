// Classes that are given as text embeddings, for models such as CLIP and SigLIP (--classes).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "vit/model.h"

namespace vit::infer {

/// One embedding for each class. An image's logits are scale · cosine + bias.
struct TextClasses {
    std::vector<std::string> names;
    std::vector<float> text;  ///< [classes, D], each of length 1
    float scale = 1;
    float bias = 0;
    /// Each class has a probability of its own (SigLIP): the sigmoid of its logit. Otherwise the
    /// probabilities are the softmax of the logits (CLIP).
    bool sigmoid = false;
};

/// Reads the arrays of an .npz (docs/cli.md): `text` [classes, D], `names`, `logit_scale`,
/// `logit_bias`, `kind`. `dim` is the length of the model's image embeddings. Throws Error(io),
/// Error(format), Error(unsupported).
TextClasses read_text_classes(const std::filesystem::path& path, std::int64_t dim);

/// The `k` most probable classes of an image embedding [D] of any length, the most probable first.
/// Of equal logits the lower index comes first. Radford et al., "Learning Transferable Visual
/// Models From Natural Language Supervision", 2021; Zhai et al., "Sigmoid Loss for Language Image
/// Pre-Training", 2023. Thread-safe.
std::vector<Prediction> classify(const TextClasses& classes, std::span<const float> embedding,
                                 int k);

}  // namespace vit::infer
