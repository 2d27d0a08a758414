// The options of the command line.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/evaluation/options.h"
#include "tools/vit-infer/look_options.h"
#include "vit/model.h"

namespace vit::infer {

enum class Format { text, json, jsonl, csv };
enum class OutputType { prob, logit };
enum class GraphFormat { none, text, dot };

/// Part `index` of `count`, from 0.
struct Shard {
    std::int64_t index = 0, count = 1;
};

struct Options {
    std::filesystem::path model;
    std::vector<std::string> inputs;
    bool nul_separated = false;  ///< for the list on standard input
    Shard shard;                 ///< the part of the inputs that this process runs
    bool resume = false;         ///< continue the outputs of an interrupted run

    int topk = 5;
    Format format = Format::text;
    OutputType output_type = OutputType::prob;
    std::filesystem::path output;  ///< empty: standard output
    std::filesystem::path logits;  ///< .npy files to write; empty: not written
    std::filesystem::path features;
    std::filesystem::path tokens;
    std::filesystem::path report;   ///< an HTML page to write
    std::filesystem::path names;    ///< text file to write: names of the rows
    std::filesystem::path classes;  ///< .npz of text embeddings; empty: the model's own classes

    int batch_size = 0;  ///< 0: chosen from the number of threads
    LoadOptions load;    ///< threads, image size, precision

    std::optional<double> crop_pct;  ///< unset: the value in the model file
    std::optional<Crop> crop;
    std::optional<Filter> filter;
    std::optional<std::array<float, 3>> mean;
    std::optional<std::array<float, 3>> std;
    DecodeOptions decode;
    LookOptions look;

    tools::EvaluationOptions evaluation;

    bool info = false;
    bool verify = false;
    bool profile = false;
    GraphFormat graph = GraphFormat::none;
    bool built_graph = false;  ///< shows the graph before the first pass

    std::vector<std::filesystem::path> outputs() const {
        std::vector<std::filesystem::path> all = look.files();
        all.insert(all.end(), {output, logits, features, tokens, names, report,
                               evaluation.confusion, evaluation.reliability});
        return all;
    }
    /// The page shows the profile, because there are no images to show.
    bool report_is_of_profile() const {
        return !report.empty() && profile && inputs.empty() && !evaluates();
    }
    bool evaluates() const { return !evaluation.source.empty(); }
    /// Whether an option changes how images are prepared.
    bool changes_preprocessing() const {
        return crop_pct || crop || filter || mean || std || decode.exif;
    }
    /// With inputs, the format is that of the records.
    bool json_reports() const {
        return inputs.empty() && (format == Format::json || format == Format::jsonl);
    }
    bool asks_for_report() const { return info || verify || profile || graph != GraphFormat::none; }
};

/// The options; or an exit status if the command line asked for help or version, or was refused.
struct ParsedOptions {
    std::optional<Options> options;
    int status = 0;
};

/// Prints help, version and error messages itself.
ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace vit::infer
