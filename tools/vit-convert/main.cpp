// vit-convert. docs/cli.md describes it.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <optional>
#include <vector>

#include "engine/model/model_writer.h"
#include "tools/common/error_line.h"
#include "tools/common/output_check.h"
#include "tools/common/sha256.h"
#include "tools/common/signals.h"
#include "tools/labels/imagenet.h"
#include "tools/vit-convert/list.h"
#include "tools/vit-convert/make_self_test.h"
#include "tools/vit-convert/options.h"
#include "tools/vit-convert/origin.h"
#include "tools/vit-convert/quantize_model.h"
#include "tools/vit-convert/report.h"
#include "tools/vit-convert/round_weights.h"
#include "tools/vit-convert/steps.h"
#include "vit/reports.h"
#include "weights/mappings/timm/named_model.h"

namespace vit::tools {

namespace {

/// Reads a file or a pipe.
std::string read_text(const std::filesystem::path& path) {
    constexpr std::size_t most = std::size_t{64} << 20;
    std::ifstream file(path, std::ios::binary);
    std::string text;
    std::vector<char> chunk(1 << 16);
    while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) ||
           file.gcount() > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
        if (text.size() > most)
            throw Error(ErrorKind::usage,
                        path.string() + ": expected a labels file of at most 64 MiB");
    }
    if (!file.eof()) throw Error(ErrorKind::io, path.string() + ": cannot be read");
    return text;
}

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw Error(ErrorKind::io, "standard output cannot be written");
}

/// Finds errors that writing would meet later, before the conversion spends minutes.
void check_output(const std::filesystem::path& output) {
    std::error_code error;
    if (std::filesystem::is_directory(output, error))
        throw Error(ErrorKind::io, output.string() +
                                       ": expected a file's name, found a folder; name a file in "
                                       "it, such as " +
                                       (output / "model.vit").string());
    const std::filesystem::path folder = output.has_parent_path() ? output.parent_path() : ".";
    if (!std::filesystem::is_directory(folder, error))
        throw Error(ErrorKind::io, folder.string() + ": there is no such folder");
}

/// Adds class names if the checkpoint has none and timm would derive them from the number of
/// classes.
void add_labels(Converted& model) {
    ModelHeader& header = model.header;
    if (!header.labels.empty() || model.library != "timm") return;
    std::optional<ImageNetLabels> labels = imagenet_labels(header.config.num_classes);
    if (!labels) return;
    header.labels = std::move(labels->names);
    header.provenance.notes.push_back(fmt::format("labels of {}, as timm infers from {} classes",
                                                  labels->subset, header.labels.size()));
}

/// The engine can only pack a model that it has loaded. A plain model file therefore exists beside
/// the output for a short time.
ModelInfo write_packed(const std::filesystem::path& output, const Converted& model) {
    struct Temporary {
        std::filesystem::path path;
        ~Temporary() {
            std::error_code ignored;
            std::filesystem::remove(path, ignored);
        }
    };
    const Temporary plain{output.string() + ".plain-" + std::to_string(::getpid())};
    write_model_file(plain.path, model.header, model.tensors);
    return pack_model_file(plain.path, output);
}

int run(const ConvertArguments& arguments) {
    if (arguments.list) {
        print(list_of_names(*arguments.list));
        return exit_ok;
    }
    ConvertOptions options;
    options.arch = arguments.arch;
    options.prefix = arguments.prefix;
    options.image_size = arguments.image_size;
    options.converter = "vit-convert, " + version();
    if (!arguments.labels.empty()) {
        options.labels = read_text(arguments.labels);
        options.labels_name = arguments.labels.string();
    }
    if (!arguments.inspect) {
        check_output(arguments.output);
        check_not_output(arguments.labels, {arguments.output});
        check_not_output(arguments.expect, {arguments.output});
    }
    const Obtained obtained = obtain(arguments.origin, arguments.quiet);
    Steps steps(!arguments.quiet);
    steps.begin("reading " +
                (obtained.path.has_filename() ? obtained.path.filename() : obtained.path).string());
    // In torch.hub's cache, the files beside a checkpoint belong to other models.
    Checkpoint checkpoint =
        read_checkpoint(obtained.path, arguments.ema,
                        arguments.origin.web_file ? Neighbours::ignored : Neighbours::read);
    if (arguments.origin.architecture)
        build_as_named(*arguments.origin.architecture, checkpoint, options);
    std::error_code ignored;
    for (const std::filesystem::path& file : checkpoint.files)
        if (!arguments.inspect && std::filesystem::equivalent(arguments.output, file, ignored))
            throw Error(ErrorKind::usage,
                        arguments.output.string() + ": the output is the checkpoint itself");
    steps.begin("converting");
    Converted model = convert(checkpoint, options);
    add_labels(model);
    set_preprocessing(arguments.images, model.header);
    if (arguments.inspect) {
        steps.clear();
        print(inspection(model, checkpoint));
        return exit_ok;
    }

    // Runs in parallel with the self-test, which does not keep every core busy all the time.
    std::future<std::string> checksum;
    if (obtained.sha256.empty())
        checksum = std::async(std::launch::async, sha256_of_file, checkpoint.path);
    if (arguments.dtype == DType::bf16) round_weights(model);
    if (arguments.dtype == DType::i8) quantize_model(model, arguments.quantize, steps);
    if (!arguments.expect.empty()) {
        expect_self_test(model, arguments.expect);
    } else if (arguments.self_test) {
        steps.begin("self-test");
        make_self_test(model, [&](double share) { steps.show(share); });
    }
    Provenance& provenance = model.header.provenance;
    provenance.source = escape_control(obtained.name.empty() ? provenance.source : obtained.name);
    provenance.sha256 = obtained.sha256;
    if (checksum.valid()) {
        steps.begin("checksum of " + checkpoint.path.filename().string());
        provenance.sha256 = checksum.get();
    }
    steps.begin("writing " + arguments.output.filename().string());
    bool packed_for_f32 = false;
    {
        const InterruptsHeld whole_or_not_at_all;
        if (arguments.pack)
            packed_for_f32 = write_packed(arguments.output, model).bf16_unavailable;
        else
            write_model_file(arguments.output, model.header, model.tensors);
    }
    steps.clear();
    if (packed_for_f32 && !arguments.quiet)
        std::fputs(
            "vit-convert: note: this CPU has no bf16 instructions (AVX512_BF16); the weights are "
            "packed for f32\n",
            stderr);
    if (!arguments.quiet) print(summary(model, arguments.output.string()));
    return exit_ok;
}

}  // namespace

}  // namespace vit::tools

int main(int argc, char** argv) {
    using namespace vit::tools;
    ConvertArguments arguments;
    return run_tool(
        "vit-convert",
        [&] {
            if (const auto status = parse_arguments(argc, argv, arguments)) return *status;
            exit_on_interrupt("vit-convert");
            return run(arguments);
        },
        [&] { return arguments.source; });
}
