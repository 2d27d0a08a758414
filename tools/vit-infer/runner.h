// Runs inputs and writes their results in input order.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/page/image_page.h"
#include "tools/vit-infer/inputs.h"
#include "tools/vit-infer/names_file.h"
#include "tools/vit-infer/options.h"
#include "tools/vit-infer/page_report.h"
#include "tools/vit-infer/progress.h"
#include "tools/vit-infer/records.h"
#include "tools/vit-infer/resume.h"
#include "tools/vit-infer/row_output.h"
#include "tools/vit-infer/sink.h"
#include "tools/vit-infer/zero_shot.h"
#include "vit/model.h"

namespace vit::infer {

struct Totals {
    std::int64_t inputs = 0;
    std::int64_t failed = 0;
    std::string first_failed;         ///< name of the first input that failed
    std::vector<float> first_pixels;  ///< for --profile: the first good images, preprocessed
    std::int64_t first_count = 0;
    std::vector<Input> inputs_to_look_at;  ///< for LookOptions: all inputs, not decoded
};

/// What an evaluation adds to a run.
struct Judge {
    /// Told about every input, in input order: its logits [classes], or nothing if it failed.
    std::function<void(std::span<const float> logits)> observe;
    std::span<const std::int64_t> truth;  ///< the true class of each input, for the page
};

/// Writes every output of a run: records, arrays, names and the page. Use it from one thread.
class Runner {
  public:
    /// `total`: the number of inputs, where it is known. The references must outlive this object.
    Runner(const Options& options, const Model& model, std::optional<std::int64_t> total,
           const Judge& judge);

    /// The inputs whose results an earlier run has written.
    const std::vector<EarlierRecord>& earlier() const { return earlier_; }
    /// Called for each of them, in order.
    void name_earlier(std::string_view name) {
        if (names_) names_->write(name);
    }

    /// Runs some inputs, on all threads of the model.
    void run(std::vector<Input> inputs);

    /// Completes all outputs.
    Totals finish();

    /// What remains of this run after an interrupt, for a message.
    std::string kept();

  private:
    using Clock = std::chrono::steady_clock;

    std::int64_t classes() const;
    std::filesystem::path names_path() const;
    void find_earlier();
    std::string summary_of_arrays() const;
    std::optional<std::int64_t> truth() const;
    void keep_outputs();
    bool fill(std::size_t index, std::span<float> image);
    void keep_pixels(std::span<const float> image);
    void write_known(std::size_t index);
    void write_record(std::size_t index);

    const Options& options_;
    const Model& model_;
    const Judge& judge_;
    const Transform transform_;
    const std::optional<TextClasses> classes_;
    const RecordStyle style_;
    Sink sink_;
    RowOutput logits_, features_, tokens_;
    std::optional<NamesFile> names_;
    std::optional<tools::ImagePage> page_;
    Progress progress_;
    Totals totals_;
    std::vector<EarlierRecord> earlier_;

    // State of one run. While a thread works on image i, inputs_[i], errors_[i] and portraits_[i]
    // belong to it. Everything else may be used only by the holder of the lock.
    std::vector<Input> inputs_;
    std::vector<std::string> errors_;
    std::vector<Portrait> portraits_;
    std::vector<Clock::time_point> begun_;
    std::mutex mutex_;
    std::vector<bool> known_;
    std::size_t written_ = 0;
    std::string text_;
    double decoding_seconds_ = 0;
    bool broken_ = false;
};

}  // namespace vit::infer
