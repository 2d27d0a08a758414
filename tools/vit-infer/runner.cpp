#include "tools/vit-infer/runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "engine/base/text.h"
#include "tools/common/error_line.h"
#include "tools/common/terminal.h"
#include "tools/vit-infer/images.h"
#include "tools/vit-infer/interrupt.h"
#include "tools/vit-infer/run_settings.h"

namespace vit::infer {

namespace {

std::optional<TextClasses> text_classes(const Options& options, const ModelInfo& info) {
    if (options.classes.empty()) return {};
    return read_text_classes(options.classes, info.classes);
}

/// Where records go. An evaluation writes none unless they were asked for.
std::filesystem::path records_of(const Options& options) {
    return options.evaluates() && options.output.empty() ? "/dev/null" : options.output;
}

PartFile::Begin begin_of(const Options& options) {
    return options.resume ? PartFile::Begin::resumed : PartFile::Begin::anew;
}

}  // namespace

Runner::Runner(const Options& options, const Model& model, std::optional<std::int64_t> total,
               const Judge& judge)
    : options_(options),
      model_(model),
      judge_(judge),
      transform_(transform_for(options, model.info())),
      classes_(text_classes(options, model.info())),
      style_{options.format, options.output_type,
             static_cast<int>(std::min(std::int64_t{options.topk}, classes())),
             options.output.empty() ? tools::terminal_of(STDOUT_FILENO) : std::nullopt},
      sink_(records_of(options), begin_of(options)),
      logits_(options.logits, {model.info().classes}, begin_of(options), true),
      features_(options.features, {model.info().features}, begin_of(options)),
      tokens_(options.tokens, {model.info().tokens, model.info().embed_dim}, begin_of(options)),
      progress_(total) {
    if (const std::filesystem::path path = names_path(); !path.empty())
        names_.emplace(path, begin_of(options));
    if (!options.report.empty()) page_.emplace(options.report, page_facts(options, model));
    if (options.resume) find_earlier();
    if (earlier_.empty()) append_begin(text_, style_);
}

void Runner::run(std::vector<Input> inputs) {
    inputs_ = std::move(inputs);
    errors_.assign(inputs_.size(), {});
    known_.assign(inputs_.size(), false);
    begun_.assign(inputs_.size(), {});
    portraits_.assign(page_ ? inputs_.size() : 0, {});
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

Totals Runner::finish() {
    append_end(text_, style_, totals_.inputs > 0);
    if (options_.format == Format::text && style_.columns == 0) text_ += summary_of_arrays();
    sink_.write(text_);
    sink_.commit();
    for (RowOutput* output : {&logits_, &features_, &tokens_})
        if (RowFile* file = output->file()) file->commit();
    if (names_) names_->commit();
    if (page_) page_->finish();
    progress_.summarise(totals_.inputs, totals_.failed, decoding_seconds_, model_.info().threads);
    return std::move(totals_);
}

std::string Runner::kept() {
    progress_.clear();
    std::string text =
        fmt::format("interrupted after {} input{}", totals_.inputs, totals_.inputs == 1 ? "" : "s");
    if (totals_.inputs == 0) return text;
    if (const PartFile* file = sink_.file())
        text += fmt::format("; their records are in {}", in_quotes(file->path().native()));
    const bool has_arrays = logits_.file() || features_.file() || tokens_.file();
    if (sink_.file() ? options_.format == Format::jsonl : has_arrays)
        text += "; --resume continues";
    return text;
}

/// The number of classes; 0: there are no predictions.
std::int64_t Runner::classes() const {
    if (classes_) return std::ssize(classes_->names);
    return model_.info().classifies ? model_.info().classes : 0;
}

/// Without predictions, text would lose the names of the inputs. Then they go beside the
/// features.
std::filesystem::path Runner::names_path() const {
    if (!options_.names.empty() || style_.columns > 0 || options_.features.empty() ||
        !options_.output.empty() || options_.format != Format::text)
        return options_.names;
    return std::filesystem::path(options_.features).replace_extension(".names");
}

/// Keeps the inputs whose results are complete in every output.
void Runner::find_earlier() {
    std::size_t count = SIZE_MAX;
    PartFile* const file = sink_.file();
    if (file != nullptr) {
        earlier_ = read_records(*file);
        count = earlier_.size();
    }
    for (RowOutput* output : {&logits_, &features_, &tokens_})
        if (const RowFile* rows = output->file())
            count = std::min(count, static_cast<std::size_t>(rows->rows()));
    earlier_.resize(count);
    if (file != nullptr) file->truncate(count == 0 ? 0 : earlier_[count - 1].end);
    for (RowOutput* output : {&logits_, &features_, &tokens_})
        if (RowFile* rows = output->file()) rows->keep_rows(static_cast<std::int64_t>(count));
    totals_.inputs = static_cast<std::int64_t>(count);
    totals_.failed = std::ranges::count(earlier_, true, &EarlierRecord::failed);
    if (totals_.failed > 0) totals_.first_failed = "in an earlier run";
    progress_.skip(totals_.inputs);
    if (count > 0) keep_outputs();
}

/// What text says of a model that gives no predictions.
std::string Runner::summary_of_arrays() const {
    std::string text;
    const auto add = [&](std::string_view what, const std::filesystem::path& path,
                         const std::string& shape) {
        if (path.empty()) return;
        text += fmt::format("{}: {} of {} inputs, float32 {}\n",
                            tools::escape_control(path.native()), what, totals_.inputs, shape);
    };
    const ModelInfo& info = model_.info();
    add("features", options_.features, fmt::format("[{}, {}]", totals_.inputs, info.features));
    add("features", options_.logits, fmt::format("[{}, {}]", totals_.inputs, info.classes));
    add("tokens", options_.tokens,
        fmt::format("[{}, {}, {}]", totals_.inputs, info.tokens, info.embed_dim));
    if (names_)
        text += fmt::format("{}: their names\n", tools::escape_control(names_path().native()));
    return text;
}

/// The true class of the input whose record is written, where it is known.
std::optional<std::int64_t> Runner::truth() const {
    const auto position = static_cast<std::size_t>(totals_.inputs);
    if (position >= judge_.truth.size()) return {};
    return judge_.truth[position];
}

void Runner::keep_outputs() {
    if (PartFile* file = sink_.file()) file->keep();
    for (RowOutput* output : {&logits_, &features_, &tokens_})
        if (RowFile* rows = output->file()) rows->keep();
    if (names_) names_->keep();
}

bool Runner::fill(std::size_t index, std::span<float> image) {
    stop_if_interrupted();
    begun_[index] = Clock::now();
    std::string error =
        prepare(inputs_[index], transform_, model_.info().channels, options_.decode, image);
    stop_if_interrupted();  // a signal may have ended the reading
    const double seconds = std::chrono::duration<double>(Clock::now() - begun_[index]).count();
    {
        const std::lock_guard lock(mutex_);
        decoding_seconds_ += seconds;
    }
    if (error.empty()) {
        if (options_.profile) keep_pixels(image);
        if (page_) portraits_[index] = portrait_of(model_, transform_, image);
        return true;
    }
    errors_[index] = std::move(error);
    write_known(index);
    return false;
}

void Runner::keep_pixels(std::span<const float> image) {
    const std::lock_guard lock(mutex_);
    if (totals_.first_count == profiled_images(options_, model_)) return;
    totals_.first_pixels.insert(totals_.first_pixels.end(), image.begin(), image.end());
    ++totals_.first_count;
}

/// Called when the result of `index` is known. Writes all results up to the first one that is
/// still missing.
void Runner::write_known(std::size_t index) {
    const std::lock_guard lock(mutex_);
    known_[index] = true;
    if (broken_) return;
    broken_ = true;  // stays true if writing fails: nothing may follow half a record
    if (style_.terminal) progress_.clear();
    for (; written_ < known_.size() && known_[written_]; ++written_) write_record(written_);
    progress_.show(totals_.inputs);
    broken_ = false;
}

void Runner::write_record(std::size_t index) {
    if (options_.look.any()) {
        totals_.inputs_to_look_at.push_back(inputs_[index]);
        totals_.inputs_to_look_at.back().error = errors_[index];
    }
    Record record{std::move(inputs_[index].name), std::move(errors_[index]), {}, {}};
    const bool good = record.error.empty();
    if (good) record.warning = std::move(inputs_[index].warning);
    if (good && style_.columns > 0)
        record.predictions = classes_ ? classify(*classes_, logits_.row(index), style_.columns)
                                      : model_.top(logits_.row(index), style_.columns);
    else if (!good && totals_.failed++ == 0)
        totals_.first_failed = record.file;
    append_record(text_, style_, record, totals_.inputs == 0);
    sink_.write(text_);  // one record per write, so that a pipe gets all of it or nothing
    text_.clear();
    if (judge_.observe) judge_.observe(good ? logits_.row(index) : std::span<const float>());
    logits_.write(index, good);
    features_.write(index, good);
    tokens_.write(index, good);
    if (names_) names_->write(record.file);
    if (page_) page_->add(page_image(record, std::move(portraits_[index]), truth(), model_.info()));
    if (totals_.inputs++ == 0) keep_outputs();
}

}  // namespace vit::infer
