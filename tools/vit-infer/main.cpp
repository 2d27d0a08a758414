// vit-infer. docs/cli.md describes it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <new>
#include <optional>
#include <span>
#include <system_error>

#include "engine/base/env.h"
#include "engine/base/text.h"
#include "engine/model/atomic_file.h"
#include "tools/common/error_line.h"
#include "tools/common/image_files.h"
#include "tools/common/measuring_images.h"
#include "tools/common/output_check.h"
#include "tools/page/profile_page.h"
#include "tools/vit-infer/evaluate.h"
#include "tools/vit-infer/images.h"
#include "tools/vit-infer/info.h"
#include "tools/vit-infer/inputs.h"
#include "tools/vit-infer/interrupt.h"
#include "tools/vit-infer/look.h"
#include "tools/vit-infer/model_argument.h"
#include "tools/vit-infer/options.h"
#include "tools/vit-infer/profile_text.h"
#include "tools/vit-infer/resume.h"
#include "tools/vit-infer/run.h"
#include "tools/vit-infer/run_settings.h"
#include "tools/vit-infer/sink.h"
#include "tools/vit-infer/verify.h"
#include "vit/error.h"
#include "vit/reports.h"

namespace vit::infer {

namespace {

void complain(std::string_view what, std::string_view where = {}) {
    std::fprintf(stderr, "%s\n", tools::error_line("vit-infer", what, where).c_str());
}

void note(std::string_view what) {
    std::fprintf(stderr, "vit-infer: note: %s\n", tools::escape_control(what).c_str());
}

/// Starts to decode the first image in the background if this certainly does not have to wait for
/// input.
std::future<Input> decode_first(const Options& options, InputSource& source) {
    std::error_code error;
    if (options.inputs.empty() || !source.ready()) return {};
    std::optional<Input> first = source.next();
    if (!first) return {};
    const bool is_file = std::filesystem::is_regular_file(first->path, error);
    return std::async(is_file ? std::launch::async : std::launch::deferred,
                      [input = std::move(*first), decoding = options.decode]() mutable {
                          return decode_ahead(std::move(input), decoding);
                      });
}

/// Says where the user asked for something that has no effect.
void note_what_has_no_effect(const Options& options, const ModelInfo& info) {
    if (const auto threads = env("OMP_NUM_THREADS");
        threads && !threads->empty() && options.load.threads == 0)
        note("OMP_NUM_THREADS has no effect; --threads sets the number of threads");
    if (!info.classifies && !options.inputs.empty() && options.features.empty() &&
        options.tokens.empty() && options.logits.empty())
        note(
            "this model has no classes and gives no predictions; --features FILE.npy writes its "
            "features");
    const bool any_tensor = std::ranges::any_of(options.inputs, [](const std::string& input) {
        return tools::lower_extension(input) == ".npy";
    });
    if (any_tensor && options.changes_preprocessing())
        note(
            "options of the preprocessing have no effect on .npy files, which hold preprocessed "
            "images");
}

/// Reports are for people. If standard output carries records for a program, reports go to standard
/// error.
void print_report(const Options& options, const std::string& text) {
    const bool records_for_programs =
        !options.inputs.empty() && options.output.empty() && options.format != Format::text;
    if (records_for_programs || (options.evaluates() && options.format == Format::json))
        std::fputs(text.c_str(), stderr);
    else
        Sink({}).write(text);
}

int run(const Options& options) {
    tools::check_not_output(options.model, options.outputs());
    tools::check_not_output(options.classes, options.outputs());
    for (const std::string& input : options.inputs)
        if (input != "-") tools::check_not_output(input, options.outputs());
    if (options.resume && is_done(options)) {
        note("--resume: nothing to continue, every output is complete");
        return tools::exit_ok;
    }
    check_model_argument(options.model);
    InputSource source(options.inputs, options.nul_separated, options.shard);
    std::future<Input> first = decode_first(options, source);
    const Model model = Model::load(options.model, options.load);
    if (model.info().bf16_unavailable)
        note("this CPU has no bf16 instructions (AVX512_BF16); the model runs in f32");
    note_what_has_no_effect(options, model.info());

    int status = tools::exit_ok;
    if (options.info)
        print_report(options, options.json_reports() ? info_json(model) : info_text(model));
    if (options.graph != GraphFormat::none)
        print_report(options,
                     print_graph(model, options.graph == GraphFormat::dot, options.built_graph));
    if (options.verify) {
        const Verdict verdict = verify_report(model);
        if (!verdict.passed) {
            complain(verdict.text, options.model.native());
            return tools::exit_model_refused;
        }
        print_report(options, verdict.text + "\n");
    }

    Totals totals;
    if (options.look.any()) check_look(options.look, model);
    if (!options.inputs.empty() || options.evaluates()) {
        totals = options.evaluates()
                     ? evaluate(options, model)
                     : run_inputs(options, model, source,
                                  first.valid() ? std::optional(first.get()) : std::nullopt);
        if (source.left_out() > 0)
            note(
                fmt::format("left out {} image{} of formats other than JPEG, PNG and WebP, such "
                            "as {}",
                            source.left_out(), source.left_out() == 1 ? "" : "s",
                            in_quotes(source.first_left_out().native())));
        look(options, model, std::move(totals.inputs_to_look_at));
        if (totals.failed > 0) {
            complain(fmt::format("{} of {} inputs failed", totals.failed, totals.inputs),
                     totals.failed == 1 ? totals.first_failed : "first: " + totals.first_failed);
            status = tools::exit_some_inputs_failed;
        }
    }
    if (options.profile) {
        if (totals.first_count == 0) {
            totals.first_count = profiled_images(options, model);
            totals.first_pixels = tools::measuring_images(model.info(), totals.first_count);
        }
        const MeasuredProfile measured =
            measure_profile(model, totals.first_pixels, totals.first_count);
        if (options.report_is_of_profile()) {
            const std::string page =
                tools::profile_page(fmt::format("Profile of {}", options.model.filename().string()),
                                    profile_json(measured));
            AtomicFile file(options.report);
            file.write(std::as_bytes(std::span(page)));
            file.commit();
        }
        print_report(options,
                     options.json_reports() ? profile_json(measured) : profile_text(measured));
    }
    return status;
}

}  // namespace

}  // namespace vit::infer

int main(int argc, char** argv) {
    using namespace vit;
    const infer::ParsedOptions parsed = infer::parse_options(argc, argv);
    if (!parsed.options) return parsed.status;
    infer::watch_signals();
    return tools::run_tool("vit-infer", [&] {
        try {
            return infer::run(*parsed.options);
        } catch (const infer::Interrupted& interrupted) {
            infer::complain(interrupted.kept.empty() ? "interrupted" : interrupted.kept);
            return 128 + interrupted.signal;
        } catch (const infer::ReaderGone&) {
            return tools::exit_io;
        } catch (const std::bad_alloc&) {
            throw Error(ErrorKind::memory, in_quotes(parsed.options->model.native()) +
                                               ": not enough memory to load and run this model");
        }
    });
}
