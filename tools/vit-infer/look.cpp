#include "tools/vit-infer/look.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

#include "engine/base/text.h"
#include "tools/looking/attention_view.h"
#include "tools/looking/occlusion.h"
#include "tools/looking/patch_pca.h"
#include "tools/looking/seen_image.h"
#include "tools/pictures/overlay.h"
#include "tools/pictures/png.h"
#include "tools/vit-infer/images.h"
#include "tools/vit-infer/interrupt.h"
#include "tools/vit-infer/picture_files.h"
#include "tools/vit-infer/progress.h"
#include "tools/vit-infer/row_file.h"
#include "tools/vit-infer/run_settings.h"
#include "tools/vit-infer/tar_images.h"
#include "vit/attention.h"

namespace vit::infer {

namespace {

using pictures::Grid;

/// Pictures of small images are enlarged by a whole factor, to at least this many pixels.
constexpr std::int64_t least_side = 448;

std::int64_t block_of(const LookOptions& options, const Model& model) {
    return options.block.value_or(attention_info(model).blocks - 1);
}

/// Draws all pictures of one run.
class Artist {
  public:
    Artist(const Options& options, const Model& model, std::span<Input> inputs)
        : options_(options),
          look_(options.look),
          model_(model),
          info_(model.info()),
          transform_(transform_for(options, model.info())),
          inputs_(inputs),
          pixels_(static_cast<std::size_t>(info_.channels * info_.height * info_.width)),
          factor_(pictures::enlargement(info_.height, info_.width, least_side)),
          covered_{info_.grid_rows * info_.patch_height * factor_,
                   info_.grid_columns * info_.patch_width * factor_},
          progress_(static_cast<std::int64_t>(inputs.size())) {
        const auto name = [&](const std::filesystem::path& out, const char* kind) {
            return out.empty() ? Files() : picture_files(out, kind, inputs_);
        };
        attention_ = name(look_.attention, "attention");
        pca_ = name(look_.pca, "pca");
        occlusion_ = name(look_.occlusion, "occlusion");
        if (!look_.attention_npy.empty())
            npy_.emplace(look_.attention_npy,
                         Shape{attention_info(model_).heads, info_.tokens, info_.tokens},
                         PartFile::Begin::anew);
    }

    void draw() {
        if (!pca_.empty()) find_basis();
        for_each([&](std::size_t index, bool good) {
            if (good) draw_one(index);
            if (npy_) write_attention(good);
        });
        if (npy_) npy_->commit();
    }

  private:
    using Files = std::vector<std::filesystem::path>;

    /// Calls visit(index, good) for each input. The pixels of a good input are in pixels_.
    void for_each(const std::function<void(std::size_t, bool)>& visit) {
        seen_ = 0;
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            stop_if_interrupted();
            Input input = inputs_[i];
            const bool good = input.error.empty();
            if (good) {
                if (!input.member.empty()) input.bytes = tars_.read(input.path, input.member);
                const std::string error =
                    prepare(input, transform_, info_.channels, options_.decode, pixels_);
                stop_if_interrupted();
                if (!error.empty())
                    throw Error(ErrorKind::input,
                                fmt::format("{}: pictures need to read it a second time: {}",
                                            in_quotes(input.name), error));
            }
            visit(i, good);
            progress_.show(++seen_);
        }
    }

    /// The tokens of the patches of the image in pixels_, [patches, embed_dim].
    std::span<const float> patch_tokens() {
        tokens_.resize(static_cast<std::size_t>(info_.tokens * info_.embed_dim));
        model_.run(pixels_, 1, {{}, {}, tokens_});
        return std::span(tokens_).subspan(
            static_cast<std::size_t>(info_.prefix_tokens * info_.embed_dim));
    }

    /// All images share one basis, so that a colour means the same in all pictures.
    void find_basis() {
        looking::TokenStatistics statistics(info_.embed_dim);
        for_each([&](std::size_t, bool good) {
            if (good) statistics.add(patch_tokens());
        });
        if (statistics.count() > 0) basis_ = statistics.basis();
    }

    void draw_one(std::size_t index) {
        if (!attention_.empty()) {
            Grid grid = look_.rollout ? looking::rollout_of_patches(model_, pixels_)
                                      : looking::class_attention(
                                            model_, pixels_, block_of(look_, model_), look_.head);
            pictures::write_png(attention_[index], draw_attention(std::move(grid)));
        }
        if (!pca_.empty()) pictures::write_png(pca_[index], draw_pca());
        if (!occlusion_.empty()) pictures::write_png(occlusion_[index], draw_occlusion());
    }

    /// The heat goes from the smallest value to the largest but for the highest hundredth: a few
    /// patches often get far more attention than all others.
    Image draw_attention(Grid grid) const {
        const float least = pictures::quantile(grid, 0), most = pictures::quantile(grid, 0.99);
        const float range = most > least ? most - least : 1;
        for (float& x : grid.values) x = std::clamp((x - least) / range, 0.0f, 1.0f);
        return pictures::heat_over(seen_image(), grid, covered_);
    }

    Image draw_pca() {
        return pictures::resized(
            looking::colours_of(basis_, patch_tokens(), info_.grid_rows, info_.grid_columns),
            covered_.height, covered_.width);
    }

    /// All but the largest fiftieth of falls and rises are below the strongest colour. That is at
    /// least for a hundredth, so that an image whose result nothing changes stays grey.
    Image draw_occlusion() {
        const looking::OcclusionSquare square =
            look_.occlusion_size > 0 ? looking::square_of(info_, look_.occlusion_size)
                                     : looking::usual_square(info_);
        const auto places = static_cast<double>(looking::places(info_, square));
        std::mutex mutex;
        std::int64_t begun = 0;
        Grid grid = looking::occlusion(model_, pixels_, square, [&] {
            stop_if_interrupted();
            const std::lock_guard lock(mutex);
            progress_.show(seen_, static_cast<double>(begun++) / places);
        });
        Grid sizes = grid;
        for (float& x : sizes.values) x = std::abs(x);
        const float most = std::max(0.01f, pictures::quantile(sizes, 0.98));
        for (float& x : grid.values) x /= most;
        return pictures::signs_over(seen_image(), grid, covered_);
    }

    /// The image that the model saw, enlarged.
    Image seen_image() const {
        return pictures::resized(looking::seen_image(pixels_, info_.channels, transform_),
                                 info_.height * factor_, info_.width * factor_);
    }

    void write_attention(bool good) {
        if (!good) return npy_->write_missing();
        npy_->write(
            attention(model_, pixels_, block_of(look_, model_), AttentionRows::all).weights);
    }

    const Options& options_;
    const LookOptions& look_;
    const Model& model_;
    const ModelInfo& info_;
    const Transform transform_;
    const std::span<Input> inputs_;
    std::vector<float> pixels_, tokens_;
    const std::int64_t factor_;  // from the model's pixels to those of pictures
    const pictures::Covered covered_;
    Files attention_, pca_, occlusion_;  // by input; empty: not wanted
    std::optional<RowFile> npy_;
    looking::PcaBasis basis_;
    TarReader tars_;
    Progress progress_;
    std::int64_t seen_ = 0;  // inputs
};

}  // namespace

void check_look(const LookOptions& options, const Model& model) {
    const AttentionInfo info = attention_info(model);
    if (options.block && *options.block >= info.blocks)
        throw Error(ErrorKind::usage, fmt::format("--attention-block: expected 0 to {}, the "
                                                  "model's blocks, found {}",
                                                  info.blocks - 1, *options.block));
    if (options.head && *options.head >= info.heads)
        throw Error(ErrorKind::usage, fmt::format("--attention-head: expected 0 to {}, the "
                                                  "model's heads, found {}",
                                                  info.heads - 1, *options.head));
    if (!options.attention.empty() && !info.reads_class_token)
        throw Error(ErrorKind::unsupported,
                    "--attention: the result of this model is not read from a class token, so its "
                    "attention would explain nothing; use --occlusion or --pca");
    if (options.rollout && !info.sums_to_one)
        throw Error(ErrorKind::unsupported,
                    "--attention-rollout: this model's attention is differential, and its rows are "
                    "no weights that add up to 1; use --attention without it, or --occlusion");
}

void look(const Options& options, const Model& model, std::vector<Input> inputs) {
    if (options.look.any()) Artist(options, model, inputs).draw();
}

}  // namespace vit::infer
