#include "tools/vit-convert/options.h"

#include <array>
#include <utility>

#include "engine/model/preprocessing_names.h"
#include "tools/common/channel_values.h"
#include "tools/common/image_size_arg.h"
#include "tools/common/named_values.h"
#include "tools/common/value_checks.h"
#include "tools/manual/parser.h"
#include "tools/vit-convert/text.h"
#include "vit/error.h"
#include "vit/model.h"

namespace vit::tools {

namespace {

constexpr std::array float_dtype_names{std::pair(DType::f32, "f32"),
                                       std::pair(DType::bf16, "bf16")};
constexpr std::array int8_dtype_names{std::pair(DType::i8, "int8")};

}  // namespace

std::optional<int> parse_arguments(int argc, const char* const* argv, ConvertArguments& arguments) {
    Parser parser(convert_text(), "vit-convert, " + version());

    std::string source, output, arch, prefix, labels, size, expect, dtype = "f32", quantize,
                                                                    calibrate;
    bool ema = false, no_ema = false, no_self_test = false, list = false;
    parser.argument("SOURCE", source);
    parser.option("--output", output);
    parser.option("--arch", arch);
    parser.option("--prefix", prefix);
    parser.option("--labels", labels);
    CLI::Option* const with_dtype =
        parser.option("--dtype", dtype)->check(one_of(float_dtype_names));
    CLI::Option* const with_quantize = parser.option("--quantize", quantize)
                                           ->check(one_of(int8_dtype_names))
                                           ->excludes(with_dtype);
    CLI::Option* const with_calibrate =
        parser.option("--calibrate", calibrate)->needs(with_quantize);
    parser.option("--max-drop", arguments.quantize.max_drop)
        ->check(number_within(0.0, 100.0))
        ->needs(with_calibrate);
    parser.flag("--pack", arguments.pack);
    CLI::Option* const with_ema = parser.flag("--ema", ema);
    parser.flag("--no-ema", no_ema)->excludes(with_ema);
    parser.option("--img-size", size);
    std::string mean, std, crop_mode, interpolation;
    parser.option("--mean", mean);
    parser.option("--std", std);
    parser.option("--crop-pct", arguments.images.crop_pct)->check(number_within(0.01, 1.0));
    parser.option("--crop-mode", crop_mode)->check(one_of(crop_mode_names));
    parser.option("--interpolation", interpolation)->check(one_of(interpolation_names));
    CLI::Option* const with_expect = parser.option("--expect", expect);
    parser.flag("--no-self-test", no_self_test)->excludes(with_expect);
    parser.flag("--list", list);
    parser.flag("--inspect", arguments.inspect);
    parser.flag("--quiet", arguments.quiet);

    if (const auto status = parser.parse(argc, argv)) return status;

    if (list) {
        arguments.list = source;
        return {};
    }
    if (!parser.has("SOURCE")) throw Error(ErrorKind::usage, "SOURCE is required");
    if (source.empty()) throw Error(ErrorKind::usage, "SOURCE is empty");
    if (output.empty() && !arguments.inspect)
        throw Error(ErrorKind::usage, "-o MODEL.vit is required (or --inspect)");
    arguments.source = source;
    arguments.dtype = quantize.empty() ? value_of(dtype, float_dtype_names)
                                       : value_of(quantize, int8_dtype_names);
    if (parser.has("--calibrate")) {
        if (calibrate.empty()) throw Error(ErrorKind::usage, "--calibrate: expected a folder");
        arguments.quantize.calibrate = calibrate;
    }
    arguments.origin = find_origin(source);
    if (!arguments.inspect) arguments.output = output;
    if (parser.has("--arch")) arguments.arch = arch;
    if (parser.has("--prefix")) arguments.prefix = prefix;
    if (parser.has("--labels")) {
        if (labels.empty()) throw Error(ErrorKind::usage, "--labels: expected a file name");
        arguments.labels = labels;
    }
    if (parser.has("--expect")) {
        if (expect.empty()) throw Error(ErrorKind::usage, "--expect: expected a file name");
        arguments.expect = expect;
    }
    if (parser.has("--img-size")) {
        const HeightWidth parsed = parse_image_size("--img-size", size);
        arguments.image_size = ImageSize{parsed.height, parsed.width};
    }
    if (parser.has("--mean")) arguments.images.mean = parse_mean(mean);
    if (parser.has("--std")) arguments.images.std = parse_std(std);
    if (!crop_mode.empty()) arguments.images.crop_mode = value_of(crop_mode, crop_mode_names);
    if (!interpolation.empty())
        arguments.images.interpolation = value_of(interpolation, interpolation_names);
    arguments.ema = ema ? EmaChoice::ema : no_ema ? EmaChoice::no_ema : EmaChoice::automatic;
    arguments.self_test = !no_self_test;
    return {};
}

}  // namespace vit::tools
