#include "tools/vit-convert/options.h"

#include "tools/common/command_line.h"
#include "tools/common/image_size_arg.h"
#include "vit/error.h"
#include "vit/model.h"

namespace vit::tools {

std::optional<int> parse_arguments(int argc, const char* const* argv, ConvertArguments& arguments) {
    CLI::App app("Turns a Vision Transformer's checkpoint into a model file for vit-infer.",
                 "vit-convert");
    app.set_version_flag("--version", "vit-convert, " + version());

    std::string source, output, arch, prefix, labels, size, expect, dtype = "f32", quantize,
                                                                    calibrate;
    bool ema = false, no_ema = false, no_self_test = false, list = false;
    app.add_option("SOURCE", source,
                   "timm's NAME or NAME.TAG, or ORG/NAME[@REVISION], downloaded from the Hugging "
                   "Face hub (hf-hub:ORG/NAME in any case); https://..., downloaded; or a "
                   "checkpoint (.safetensors, .pth, .pt, .bin, .pth.tar, .npz) or a folder as timm "
                   "saves it");
    app.add_option("-o,--output", output, "the model file to write (.vit)");
    app.add_option("--arch", arch,
                   "timm's name of the architecture, NAME or NAME.TAG; other libraries: "
                   "LIBRARY.NAME:KEY=VALUE,... (docs/sources.md)");
    app.add_option(
           "--prefix", prefix,
           "NAME.: take the tensors whose names begin with it, where a checkpoint holds several "
           "models")
        ->type_name("NAME.");
    app.add_option("--labels", labels, "names of the classes: text, one a line, or JSON");
    auto* with_dtype =
        app.add_option("--dtype", dtype,
                       "how weights are stored, and the precision to run in where none is given")
            ->check(CLI::IsMember({"f32", "bf16"}))
            ->capture_default_str();
    auto* with_quantize =
        app.add_option(
               "--quantize", quantize,
               "int8: store the weights of blocks as int8, a quarter of the size, and run in "
               "int8 where no other precision is given")
            ->type_name("int8")
            ->check(CLI::IsMember({"int8"}))
            ->excludes(with_dtype);
    auto* with_calibrate =
        app.add_option(
               "--calibrate", calibrate,
               "with --quantize: images like those that the model will see. Up to 32 decide "
               "how weights are rounded, others measure what int8 costs; a folder per "
               "class gives accuracies")
            ->type_name("FOLDER")
            ->needs(with_quantize);
    app.add_option("--max-drop", arguments.quantize.max_drop,
                   "with --calibrate: keep linears in float until int8 costs at most this many "
                   "percentage points of accuracy, or of agreement with float")
        ->type_name("X")
        ->check(CLI::Range(0.0, 100.0))
        ->needs(with_calibrate);
    app.add_flag("--pack", arguments.pack,
                 "store the weights packed for this machine too: loading then takes no time");
    auto* with_ema = app.add_flag("--ema", ema, "take a training checkpoint's averaged weights");
    app.add_flag("--no-ema", no_ema, "take its plain weights")->excludes(with_ema);
    app.add_option("--img-size", size,
                   "N or HxW: resize the position table for images of this size");
    add_image_options(app, arguments.images);
    auto* with_expect =
        app.add_option("--expect", expect,
                       ".npz with input [N,3,H,W] and logits, instead of the self-test made here");
    app.add_flag("--no-self-test", no_self_test, "leave the self-test out")->excludes(with_expect);
    app.add_flag("--list", list,
                 "print timm's names with parameters, image size, GFLOP and default tag, all or "
                 "those that SOURCE fits (a part, or with * and ?), and do nothing else");
    app.add_flag("--inspect", arguments.inspect,
                 "print what was recognised, used and dropped, and write nothing");
    app.add_flag("--quiet", arguments.quiet, "print nothing on success");

    if (const auto status = parse_command_line(app, "vit-convert", argc, argv)) return status;

    if (list) {
        arguments.list = source;
        return {};
    }
    if (app.count("SOURCE") == 0) throw Error(ErrorKind::usage, "SOURCE is required");
    if (source.empty()) throw Error(ErrorKind::usage, "SOURCE is empty");
    if (output.empty() && !arguments.inspect)
        throw Error(ErrorKind::usage, "-o MODEL.vit is required (or --inspect)");
    arguments.source = source;
    if (dtype == "bf16") arguments.dtype = DType::bf16;
    if (quantize == "int8") arguments.dtype = DType::i8;
    if (app.count("--calibrate") > 0) {
        if (calibrate.empty()) throw Error(ErrorKind::usage, "--calibrate: expected a folder");
        arguments.quantize.calibrate = calibrate;
    }
    arguments.origin = find_origin(source);
    if (!arguments.inspect) arguments.output = output;
    if (app.count("--arch") > 0) arguments.arch = arch;
    if (app.count("--prefix") > 0) arguments.prefix = prefix;
    if (app.count("--labels") > 0) {
        if (labels.empty()) throw Error(ErrorKind::usage, "--labels: expected a file name");
        arguments.labels = labels;
    }
    if (app.count("--expect") > 0) {
        if (expect.empty()) throw Error(ErrorKind::usage, "--expect: expected a file name");
        arguments.expect = expect;
    }
    if (app.count("--img-size") > 0) {
        const HeightWidth parsed = parse_image_size("--img-size", size);
        arguments.image_size = ImageSize{parsed.height, parsed.width};
    }
    check_image_options(arguments.images);
    arguments.ema = ema ? EmaChoice::ema : no_ema ? EmaChoice::no_ema : EmaChoice::automatic;
    arguments.self_test = !no_self_test;
    return {};
}

}  // namespace vit::tools
