#include "tools/vit-infer/look_options.h"

#include <charconv>
#include <string>

#include "tools/common/image_files.h"
#include "tools/common/value_checks.h"
#include "tools/manual/parser.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

/// Reads a number, or the word that stands for the default.
std::optional<std::int64_t> number_or(const std::string& name, const std::string& word,
                                      const std::string& text) {
    if (text.empty() || text == word) return {};
    std::int64_t number = -1;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number < 0)
        throw Error(ErrorKind::usage, name + ": expected a number from 0, or \"" + word +
                                          "\", found \"" + text + "\"");
    return number;
}

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorKind::usage, message);
}

}  // namespace

bool LookOptions::any() const {
    return !(attention.empty() && attention_npy.empty() && pca.empty() && occlusion.empty());
}

std::vector<std::filesystem::path> LookOptions::files() const {
    std::vector<std::filesystem::path> result{attention_npy};
    for (const auto& out : {attention, pca, occlusion})
        if (is_picture(out)) result.push_back(out);
    return result;
}

bool is_picture(const std::filesystem::path& out) {
    return tools::lower_extension(out) == ".png";
}

void LookArguments::add_to(tools::Parser& parser) {
    parser.option("--attention", attention);
    parser.option("--attention-npy", attention_npy);
    parser.option("--pca", pca);
    parser.option("--occlusion", occlusion);
    parser.option("--attention-block", block);
    parser.option("--attention-head", head);
    parser.flag("--attention-rollout", options.rollout);
    parser.option("--occlusion-size", options.occlusion_size)
        ->check(tools::number_within(1, 65536));
}

LookOptions LookArguments::parsed() const {
    LookOptions result = options;
    result.attention = attention;
    result.attention_npy = attention_npy;
    result.pca = pca;
    result.occlusion = occlusion;
    result.block = number_or("--attention-block", "last", block);
    result.head = number_or("--attention-head", "mean", head);
    return result;
}

void check(const LookOptions& options) {
    if (options.rollout && options.attention.empty())
        refuse(
            "--attention-rollout: expected --attention OUT with it, which says where the "
            "picture goes");
    if (options.head && options.attention.empty())
        refuse(
            "--attention-head: expected --attention OUT with it, which says where the picture "
            "goes");
    if (options.block && options.attention.empty() && options.attention_npy.empty())
        refuse("--attention-block: expected --attention OUT or --attention-npy FILE with it");
    if (options.rollout && options.head)
        refuse("--attention-rollout takes the mean of all heads; leave out --attention-head");
    if (options.rollout && options.block && options.attention_npy.empty())
        refuse("--attention-rollout takes all blocks; leave out --attention-block");
    if (options.occlusion_size > 0 && options.occlusion.empty())
        refuse(
            "--occlusion-size: expected --occlusion OUT with it, which says where the picture "
            "goes");
}

}  // namespace vit::infer
