#include "tools/vit-infer/run.h"

#include <algorithm>
#include <span>
#include <utility>

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

/// One of --logits, --features, --tokens: the values of a batch and the file they go to.
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

    std::span<float> prepare(std::int64_t count) {
        values.resize(row_size * static_cast<std::size_t>(count));
        return values;
    }

    std::span<const float> row(std::size_t index) const {
        return std::span(values).subspan(index * row_size, row_size);
    }

    void write(const std::vector<std::string>& errors) {
        if (!file) return;
        std::size_t good = 0;
        for (const std::string& error : errors) {
            if (error.empty())
                file->write(row(good++));
            else
                file->write_missing();
        }
    }

    void commit() {
        if (file) file->commit();
    }
};

/// Waits for one input at most; takes more only as far as they are there at once.
std::vector<Input> gather(InputSource& source, std::size_t most, bool wait) {
    std::vector<Input> inputs;
    while (inputs.size() < most) {
        if ((!inputs.empty() || !wait) && !source.ready()) break;
        std::optional<Input> input = source.next();
        if (!input) break;
        inputs.push_back(std::move(*input));
    }
    return inputs;
}

}  // namespace

int batch_size(const Options& options, const Model& model) {
    return options.batch_size > 0 ? options.batch_size : model.info().threads;
}

Totals run_inputs(const Options& options, const Model& model, InputSource& source,
                  std::optional<Decoded> first) {
    const ModelInfo& info = model.info();
    const Transform transform = transform_for(options, info);
    const auto most = static_cast<std::size_t>(batch_size(options, model));
    const int top = static_cast<int>(std::min<std::int64_t>(options.topk, info.classes));
    const RecordStyle style{options.format, options.output_type, top};

    Sink sink(options.output);
    RowOutput logits(options.logits, {info.classes}, true);
    RowOutput features(options.features, {info.features});
    RowOutput tokens(options.tokens, {info.tokens, info.embed_dim});
    Progress progress(options.output.empty());

    Totals totals;
    std::string text;
    append_begin(text, style);
    while (true) {
        stop_if_interrupted();
        const std::size_t ahead = first ? 1 : 0;
        const std::vector<Input> inputs = gather(source, most - ahead, ahead == 0);
        if (inputs.empty() && ahead == 0) break;
        Batch batch = prepare(std::exchange(first, {}), inputs, transform, info.channels,
                              options.decode, info.threads);
        stop_if_interrupted();
        if (batch.good > 0)
            model.run(batch.pixels, batch.good,
                      {logits.prepare(batch.good), features.prepare(batch.good),
                       tokens.prepare(batch.good)});

        std::size_t good = 0;
        for (std::size_t i = 0; i < batch.names.size(); ++i) {
            Record record{std::move(batch.names[i]), batch.errors[i], {}};
            if (record.error.empty()) {
                record.predictions = model.top(logits.row(good++), top);
            } else if (totals.failed++ == 0) {
                totals.first_failed = record.file;
            }
            append_record(text, style, record, totals.inputs++ == 0);
        }
        sink.write(std::exchange(text, {}));
        logits.write(batch.errors);
        features.write(batch.errors);
        tokens.write(batch.errors);
        progress.show(totals.inputs);
        if (options.profile && totals.first_count == 0) {
            totals.first_count = batch.good;
            totals.first_pixels = std::move(batch.pixels);
        }
    }
    stop_if_interrupted();
    append_end(text, style, totals.inputs > 0);
    sink.write(text);
    sink.commit();
    logits.commit();
    features.commit();
    tokens.commit();
    return totals;
}

}  // namespace vit::infer
