#include "tools/vit-infer/run.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <span>
#include <utility>

#include "tools/common/output_check.h"
#include "tools/vit-infer/images.h"
#include "tools/vit-infer/interrupt.h"
#include "tools/vit-infer/progress.h"
#include "tools/vit-infer/records.h"
#include "tools/vit-infer/row_file.h"
#include "tools/vit-infer/sink.h"

namespace vit::infer {

namespace {

Transform transform_for(const Options& options, const ModelInfo& info) {
    Transform transform = info.transform;
    if (options.crop_pct) transform.crop_pct = *options.crop_pct;
    if (options.crop) transform.crop = *options.crop;
    if (options.filter) transform.filter = *options.filter;
    if (options.mean) transform.mean = *options.mean;
    if (options.std) transform.std = *options.std;
    return transform;
}

/// The output of --logits, --features or --tokens: the values of one run and the file for them.
struct RowOutput {
    std::optional<RowFile> file;
    std::vector<float> values;
    std::size_t row_size = 0;

    RowOutput(const std::filesystem::path& path, const Shape& row_shape, bool wanted = false) {
        if (path.empty() && !wanted) return;
        row_size = 1;
        for (const std::int64_t extent : row_shape) row_size *= static_cast<std::size_t>(extent);
        if (!path.empty()) file.emplace(path, row_shape);
    }

    std::span<float> prepare(std::size_t count) {
        values.resize(row_size * count);
        return values;
    }

    std::span<const float> row(std::size_t index) const {
        return std::span(values).subspan(index * row_size, row_size);
    }

    void write(std::size_t index, bool good) {
        if (!file) return;
        if (good)
            file->write(row(index));
        else
            file->write_missing();
    }

    void commit() {
        if (file) file->commit();
    }
};

/// Runs inputs and writes their results in input order.
class Runner {
  public:
    Runner(const Options& options, const Model& model, const ResultObserver& observer)
        : options_(options),
          model_(model),
          observer_(observer),
          transform_(transform_for(options, model.info())),
          style_{options.format, options.output_type,
                 static_cast<int>(std::min<std::int64_t>(options.topk, model.info().classes))},
          logits_(options.logits, {model.info().classes}, true),
          features_(options.features, {model.info().features}),
          tokens_(options.tokens, {model.info().tokens, model.info().embed_dim}),
          progress_(options.output.empty() && !options.evaluates()) {
        if (!options.output.empty() || !options.evaluates()) sink_.emplace(options.output);
        append_begin(text_, style_);
    }

    void run(std::vector<Input> inputs) {
        inputs_ = std::move(inputs);
        errors_.assign(inputs_.size(), {});
        known_.assign(inputs_.size(), false);
        begun_.assign(inputs_.size(), {});
        written_ = 0;
        model_.run_each(
            static_cast<std::int64_t>(inputs_.size()),
            {logits_.prepare(inputs_.size()), features_.prepare(inputs_.size()),
             tokens_.prepare(inputs_.size())},
            [this](std::int64_t index, std::span<float> image) {
                return fill(static_cast<std::size_t>(index), image);
            },
            [this](std::int64_t index) {
                const auto i = static_cast<std::size_t>(index);
                note_image_time(std::chrono::duration<double>(Clock::now() - begun_[i]).count());
                write_known(i);
            });
    }

    Totals finish() {
        append_end(text_, style_, totals_.inputs > 0);
        write_text();
        if (sink_) sink_->commit();
        logits_.commit();
        features_.commit();
        tokens_.commit();
        return std::move(totals_);
    }

  private:
    bool fill(std::size_t index, std::span<float> image) {
        stop_if_interrupted();
        begun_[index] = Clock::now();
        std::string error =
            prepare(inputs_[index], transform_, model_.info().channels, options_.decode, image);
        stop_if_interrupted();  // a signal may have ended the reading
        if (error.empty()) {
            if (options_.profile) keep(image);
            return true;
        }
        errors_[index] = std::move(error);
        write_known(index);
        return false;
    }

    void keep(std::span<const float> image) {
        const std::lock_guard lock(mutex_);
        if (totals_.first_count == profiled_images(options_, model_)) return;
        totals_.first_pixels.insert(totals_.first_pixels.end(), image.begin(), image.end());
        ++totals_.first_count;
    }

    /// Called when the result of `index` is known. Writes all results up to the first one that is
    /// still missing.
    void write_known(std::size_t index) {
        const std::lock_guard lock(mutex_);
        known_[index] = true;
        if (broken_) return;
        broken_ = true;  // stays true if writing fails: nothing may follow half a record
        for (; written_ < known_.size() && known_[written_]; ++written_) write_record(written_);
        progress_.show(totals_.inputs);
        broken_ = false;
    }

    void write_record(std::size_t index) {
        Record record{std::move(inputs_[index].name), std::move(errors_[index]), {}, {}};
        const bool good = record.error.empty();
        if (good) record.warning = std::move(inputs_[index].warning);
        if (good)
            record.predictions = model_.top(logits_.row(index), style_.columns);
        else if (totals_.failed++ == 0)
            totals_.first_failed = record.file;
        append_record(text_, style_, record, totals_.inputs++ == 0);
        write_text();  // one record per write, so that a pipe gets all of it or nothing
        if (observer_) observer_(good ? logits_.row(index) : std::span<const float>());
        logits_.write(index, good);
        features_.write(index, good);
        tokens_.write(index, good);
    }

    void write_text() {
        if (sink_) sink_->write(text_);
        text_.clear();
    }

    using Clock = std::chrono::steady_clock;

    const Options& options_;
    const Model& model_;
    const ResultObserver& observer_;
    const Transform transform_;
    const RecordStyle style_;
    std::optional<Sink> sink_;
    RowOutput logits_, features_, tokens_;
    Progress progress_;
    Totals totals_;

    // State of one run. While a thread works on image i, inputs_[i] and errors_[i] belong to it.
    // Everything else may be used only by the holder of the lock.
    std::vector<Input> inputs_;
    std::vector<std::string> errors_;
    std::vector<Clock::time_point> begun_;
    std::mutex mutex_;
    std::vector<bool> known_;
    std::size_t written_ = 0;
    std::string text_;
    bool broken_ = false;
};

/// Adds inputs up to `most`. Waits for the first one only; takes more only if they are there
/// without waiting.
void gather(InputSource& source, std::size_t most, std::vector<Input>& inputs) {
    while (inputs.size() < most && (inputs.empty() || source.ready())) {
        std::optional<Input> input = source.next();
        if (!input) break;
        inputs.push_back(std::move(*input));
    }
}

/// The number of images in one run. Threads wait for each other at the end of each run, so a run
/// has many images. Its results stay in memory until it ends. Results of --tokens are large, so
/// those runs are shorter.
std::size_t run_size(const Options& options, const Model& model) {
    if (options.batch_size > 0) return static_cast<std::size_t>(options.batch_size);
    return static_cast<std::size_t>(model.info().threads) * (options.tokens.empty() ? 16 : 2);
}

}  // namespace

int profiled_images(const Options& options, const Model& model) {
    return options.batch_size > 0 ? options.batch_size : model.info().threads;
}

Totals run_inputs(const Options& options, const Model& model, InputSource& source,
                  std::optional<Input> first, const ResultObserver& observer) {
    Runner runner(options, model, observer);
    while (true) {
        stop_if_interrupted();
        std::vector<Input> inputs;
        if (first) inputs.push_back(*std::exchange(first, {}));
        gather(source, run_size(options, model), inputs);
        // Outputs appear only at the end, so no input has been replaced yet.
        for (const Input& input : inputs) tools::check_not_output(input.path, options.outputs());
        if (inputs.empty()) break;
        runner.run(std::move(inputs));
    }
    stop_if_interrupted();
    return runner.finish();
}

}  // namespace vit::infer
