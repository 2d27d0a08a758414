#include "tools/vit-infer/look_options.h"

#include <charconv>
#include <string>

#include "CLI/CLI.hpp"
#include "tools/common/image_files.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

/// An option that takes a number, or the word that stands for its default.
void add_number_or(CLI::App& app, const std::string& name, const std::string& word,
                   std::optional<std::int64_t>& to) {
    app.add_option_function<std::string>(name, [&to, name, word](const std::string& text) {
        to.reset();
        if (text == word) return;
        std::int64_t number = -1;
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, number);
        if (read.ec != std::errc() || read.ptr != end || number < 0)
            throw CLI::ValidationError(name + ": expected a number from 0, or \"" + word +
                                       "\", found \"" + text + "\"");
        to = number;
    });
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

void add_look_options(CLI::App& app, LookOptions& options) {
    const auto add_path = [&](const std::string& name, std::filesystem::path& to) {
        app.add_option_function<std::string>(name, [&to](const std::string& text) { to = text; });
    };
    add_path("--attention", options.attention);
    add_path("--attention-npy", options.attention_npy);
    add_path("--pca", options.pca);
    add_path("--occlusion", options.occlusion);
    add_number_or(app, "--attention-block", "last", options.block);
    add_number_or(app, "--attention-head", "mean", options.head);
    app.add_flag("--attention-rollout", options.rollout);
    app.add_option("--occlusion-size", options.occlusion_size)->check(CLI::Range(1, 65536));
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
