#include "engine/model/model_header_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "engine/base/text.h"
#include "engine/model/model_tensors.h"
#include "engine/model/preprocessing_names.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 2;
constexpr std::size_t max_json_bytes = 4 << 20;
constexpr std::size_t max_json_values = 200'000;
constexpr std::size_t max_texts = 199'000;  // labels and notes; the other values need the rest
// The JSON library's time grows with the square of these numbers.
constexpr std::size_t max_json_keys = 1'000;
constexpr std::size_t max_json_objects = 100;
constexpr int max_json_depth = 8;

template <typename Enum>
struct EnumNames;
template <>
struct EnumNames<Activation> {
    static constexpr std::array names = {
        std::pair(Activation::gelu, "gelu"), std::pair(Activation::gelu_tanh, "gelu_tanh"),
        std::pair(Activation::silu, "silu"), std::pair(Activation::quick_gelu, "quick_gelu"),
        std::pair(Activation::relu, "relu"), std::pair(Activation::tanh, "tanh")};
};
template <>
struct EnumNames<Pooling> {
    static constexpr std::array names = {
        std::pair(Pooling::token, "token"), std::pair(Pooling::avg, "avg"),
        std::pair(Pooling::max, "max"), std::pair(Pooling::avgmax, "avgmax"),
        std::pair(Pooling::map, "map")};
};
template <>
struct EnumNames<Norm> {
    static constexpr std::array names = {std::pair(Norm::layer_norm, "layer_norm"),
                                         std::pair(Norm::rms_norm, "rms_norm")};
};
template <>
struct EnumNames<BlockKind> {
    static constexpr std::array names = {std::pair(BlockKind::sequential, "sequential"),
                                         std::pair(BlockKind::parallel_scaling, "parallel_scaling"),
                                         std::pair(BlockKind::parallel_things, "parallel_things"),
                                         std::pair(BlockKind::res_post_norm, "res_post_norm")};
};
template <>
struct EnumNames<TableInterpolation> {
    static constexpr std::array names = {
        std::pair(TableInterpolation::bicubic, "bicubic"),
        std::pair(TableInterpolation::bicubic_plain, "bicubic_plain"),
        std::pair(TableInterpolation::bilinear, "bilinear"),
        std::pair(TableInterpolation::bilinear_corners, "bilinear_corners")};
};
template <>
struct EnumNames<Crop> {
    static constexpr auto names = crop_mode_names;
};
template <>
struct EnumNames<CropRounding> {
    static constexpr std::array names = {std::pair(CropRounding::even, "even"),
                                         std::pair(CropRounding::down, "down")};
};
template <>
struct EnumNames<Filter> {
    static constexpr auto names = interpolation_names;
};

// The keys of each object are listed only here. Writer and Reader below both use these lists.

template <typename Visitor, typename Config>
void visit_config(Visitor&& visit, Config& config) {
    visit("architecture", config.architecture);
    visit("image_size", config.image_size);
    visit("in_chans", config.in_chans);
    visit("patch_height", config.patch_height);
    visit("patch_width", config.patch_width);
    visit("embed_dim", config.embed_dim);
    visit("depth", config.depth);
    visit("heads", config.heads);
    visit("head_dim", config.head_dim);
    visit("mlp_dim", config.mlp_dim);
    visit("class_token", config.class_token);
    visit("distillation_token", config.distillation_token);
    visit("register_tokens", config.register_tokens);
    visit("no_embed_class", config.no_embed_class);
    visit("norm_eps", config.norm_eps);
    visit("activation", config.activation);
    visit("qkv_bias", config.qkv_bias);
    visit("proj_bias", config.proj_bias);
    visit("layer_scale", config.layer_scale);
    visit("pooling", config.pooling);
    visit("final_norm", config.final_norm);
    visit("fc_norm", config.fc_norm);
    visit("representation_size", config.representation_size);
    visit("num_classes", config.num_classes);
    visit("block", config.block);
    visit("parallel", config.parallel);
    visit("patch_bias", config.patch_bias);
    visit("patch_norm", config.patch_norm);
    visit("embed_norm", config.embed_norm);
    visit("position_table", config.position_table);
    visit("table_interpolation", config.table_interpolation);
    visit("pre_norm", config.pre_norm);
    visit("norm", config.norm);
    visit("glu", config.glu);
    visit("fc1_bias", config.fc1_bias);
    visit("fc2_bias", config.fc2_bias);
    visit("qk_norm", config.qk_norm);
    visit("scale_attn_norm", config.scale_attn_norm);
    visit("scale_mlp_norm", config.scale_mlp_norm);
    visit("differential_attention", config.differential_attention);
    visit("sub_norm_eps", config.sub_norm_eps);
    visit("pool_include_prefix", config.pool_include_prefix);
    visit("pool_heads", config.pool_heads);
    visit("pool_mlp_dim", config.pool_mlp_dim);
    visit.optional("pool_width", config.pool_width);
    visit("mean_head", config.mean_head);
    // These do nothing at inference, so a file without them is complete.
    visit.optional("pos_drop_rate", config.pos_drop_rate);
    visit.optional("patch_drop_rate", config.patch_drop_rate);
    visit.optional("proj_drop_rate", config.proj_drop_rate);
    visit.optional("attn_drop_rate", config.attn_drop_rate);
    visit.optional("drop_rate", config.drop_rate);
    visit.optional("drop_path_rate", config.drop_path_rate);
}

template <typename Visitor, typename Value>
void visit_preprocessing(Visitor&& visit, Value& preprocessing) {
    visit("input_size", preprocessing.input_size);
    visit("crop_pct", preprocessing.crop_pct);
    visit("crop_mode", preprocessing.crop_mode);
    visit("crop_rounding", preprocessing.crop_rounding);
    visit("interpolation", preprocessing.interpolation);
    visit("mean", preprocessing.mean);
    visit("std", preprocessing.std);
}

template <typename Visitor, typename Value>
void visit_self_test(Visitor&& visit, Value& test) {
    visit("seed", test.seed);
    visit("stored_input", test.stored_input);
    visit("made_by", test.made_by);
    visit("tolerance", test.tolerance);
    visit.optional("image_size", test.image_size);
}

template <typename Visitor, typename Value>
void visit_quantization(Visitor&& visit, Value& report) {
    visit("linears", report.linears);
    visit("errors", report.errors);
    visit("calibrated_images", report.calibrated_images);
    visit("measured_images", report.measured_images);
    visit.optional("compared", report.compared);
    visit.optional("mean_cosine", report.mean_cosine);
    visit.optional("worst_cosine", report.worst_cosine);
    visit.optional("top1_agreement", report.top1_agreement);
    visit.optional("float_accuracy", report.float_accuracy);
    visit.optional("int8_accuracy", report.int8_accuracy);
    visit.optional("sample_cosines", report.sample_cosines);
}

template <typename Visitor, typename Value>
void visit_provenance(Visitor&& visit, Value& provenance) {
    visit.optional("source", provenance.source);
    visit.optional("sha256", provenance.sha256);
    visit.optional("converter", provenance.converter);
    visit.optional("notes", provenance.notes);
}

class Writer {
  public:
    template <typename T>
    void operator()(const char* key, const T& value) {
        if constexpr (std::is_enum_v<T>) {
            for (const auto& [candidate, name] : EnumNames<T>::names)
                if (candidate == value) json_[key] = name;
        } else if constexpr (std::is_same_v<T, ImageSize>) {
            json_[key] = {value.height, value.width};
        } else {
            json_[key] = value;
        }
    }
    template <typename T>
    void optional(const char* key, const T& value) {
        if constexpr (std::is_same_v<T, ImageSize>)
            if (value == ImageSize{0, 0}) return;
        (*this)(key, value);
    }
    template <typename T>
    void optional(const char* key, const std::optional<T>& value) {
        if (value) (*this)(key, *value);
    }
    Json take() { return std::move(json_); }

  private:
    Json json_ = Json::object();
};

class Reader {
  public:
    /// `where`: the file and the path of the object, for messages.
    Reader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
        if (!json_.is_object())
            refuse(fmt::format("expected an object, found {}", json_.type_name()));
    }

    template <typename T>
    void operator()(const char* key, T& value) {
        if (!find(key)) refuse(fmt::format("key '{}' is missing", key));
        read(key, json_.at(key), value);
    }
    template <typename T>
    void optional(const char* key, T& value) {
        if (find(key)) read(key, json_.at(key), value);
    }
    template <typename T>
    void optional(const char* key, std::optional<T>& value) {
        if (find(key)) read(key, json_.at(key), value.emplace());
    }
    /// The value of a key that the caller reads itself; nullptr where the key is missing.
    const Json* object(const char* key) { return find(key) ? &json_.at(key) : nullptr; }

    /// Call after all keys were read. Throws where there is any other key.
    void finish() const {
        for (const auto& item : json_.items())
            if (!known_.contains(item.key()))
                refuse(fmt::format("unknown key {}", in_quotes(item.key())));
    }
    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorKind::model, fmt::format("{}: {}", where_, what));
    }

  private:
    bool find(const char* key) {
        known_.insert(key);
        return json_.contains(key);
    }
    void expect(bool ok, const std::string& key, const char* kind, const Json& found) const {
        if (!ok) refuse(fmt::format("{}: expected {}, found {}", key, kind, found.type_name()));
    }

    void read(const std::string& key, const Json& json, bool& value) const {
        expect(json.is_boolean(), key, "true or false", json);
        value = json.get<bool>();
    }
    void read(const std::string& key, const Json& json, std::int64_t& value) const {
        expect(json.is_number_integer(), key, "a whole number", json);
        if (json.is_number_unsigned() &&
            json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
            refuse(key + ": the number is too large");
        value = json.get<std::int64_t>();
    }
    void read(const std::string& key, const Json& json, std::uint64_t& value) const {
        expect(json.is_number_unsigned(), key, "a whole number of 0 or more", json);
        value = json.get<std::uint64_t>();
    }
    void read(const std::string& key, const Json& json, double& value) const {
        expect(json.is_number(), key, "a number", json);
        value = json.get<double>();
    }
    void read(const std::string& key, const Json& json, float& value) const {
        double wide = 0;
        read(key, json, wide);
        value = static_cast<float>(wide);
    }
    void read(const std::string& key, const Json& json, std::string& value) const {
        expect(json.is_string(), key, "a string", json);
        value = json.get<std::string>();
    }
    void read(const std::string& key, const Json& json, std::vector<std::string>& value) const {
        expect(json.is_array(), key, "an array of strings", json);
        value.clear();
        for (const Json& item : json) read(key, item, value.emplace_back());
    }
    void read(const std::string& key, const Json& json, std::vector<double>& value) const {
        expect(json.is_array(), key, "an array of numbers", json);
        value.clear();
        for (const Json& item : json) read(key, item, value.emplace_back());
    }
    void read(const std::string& key, const Json& json, std::array<float, 3>& value) const {
        expect(json.is_array() && json.size() == 3, key, "an array of 3 numbers", json);
        for (std::size_t i = 0; i < 3; ++i) read(key, json[i], value[i]);
    }
    void read(const std::string& key, const Json& json, ImageSize& value) const {
        expect(json.is_array() && json.size() == 2, key, "[height, width]", json);
        read(key, json[0], value.height);
        read(key, json[1], value.width);
    }
    template <typename Enum>
    requires std::is_enum_v<Enum>
    void read(const std::string& key, const Json& json, Enum& value) const {
        std::string text;
        read(key, json, text);
        std::string known;
        for (const auto& [candidate, name] : EnumNames<Enum>::names) {
            if (text == name) {
                value = candidate;
                return;
            }
            known += known.empty() ? name : std::string(", ") + name;
        }
        refuse(fmt::format("{}: expected one of {}, found {}", key, known, in_quotes(text)));
    }

    const Json& json_;
    std::string where_;
    std::set<std::string> known_;
};

/// Parses with limits on bytes, depth and number of values. Refuses an object that has a key twice.
Json parse_bounded(std::string_view text, const std::string& where) {
    const auto refuse = [&](const std::string& what) {
        throw Error(ErrorKind::format, fmt::format("{}: {}", where, what));
    };
    if (text.size() > max_json_bytes)
        refuse(fmt::format("expected at most {} bytes of JSON, found {}", max_json_bytes,
                           text.size()));
    for (char c : text)
        if (static_cast<unsigned char>(c) < 0x20)
            refuse("expected one line of JSON, found a control character");
    std::size_t values = 0, all_keys = 0, objects = 0;
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        using Event = Json::parse_event_t;
        if (depth > max_json_depth)
            refuse(fmt::format("JSON nests deeper than {} levels", max_json_depth));
        if (++values > max_json_values)
            refuse(fmt::format("JSON has more than {} values", max_json_values));
        if (event == Event::key && ++all_keys > max_json_keys)
            refuse(fmt::format("JSON has more than {} keys", max_json_keys));
        if (event == Event::object_start && ++objects > max_json_objects)
            refuse(fmt::format("JSON has more than {} objects", max_json_objects));
        if (event == Event::object_start) keys.emplace_back();
        if (event == Event::object_end) keys.pop_back();
        if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second)
            refuse(fmt::format("key {} appears twice", in_quotes(parsed.get<std::string>())));
        return true;
    };
    try {
        return Json::parse(text, watch);
    } catch (const Json::exception& error) {
        // The library's text quotes the input at its end. Its first part says what is wrong and
        // where.
        const std::string_view message = error.what();
        refuse("malformed JSON: " +
               in_quotes(message.substr(0, std::min<std::size_t>(message.size(), 150))));
    }
    return {};
}

void check_text(std::string_view what, const std::string& text) {
    if (!is_utf8(text))
        throw Error(ErrorKind::model, fmt::format("model header: {}: expected UTF-8, found {}",
                                                  what, in_quotes(text)));
}

constexpr std::array precision_names = {
    std::pair(DType::f32, "f32"), std::pair(DType::bf16, "bf16"), std::pair(DType::i8, "int8")};

void check_float_linears(const ModelHeader& header) {
    const std::vector<std::string>& names = header.float_linears;
    if (names.empty()) return;
    if (!std::ranges::is_sorted(names) || std::ranges::adjacent_find(names) != names.end())
        throw Error(ErrorKind::model,
                    "model header: float_linears: expected names in order, each once");
    std::set<std::string> linears;
    for (const TensorSpec& spec : required_tensors(header.config))
        if (spec.name.starts_with("blocks.") && spec.shape.size() == 2)
            linears.insert(spec.name.substr(0, spec.name.rfind('.')));
    for (const std::string& name : names)
        if (!linears.contains(name))
            throw Error(ErrorKind::model,
                        fmt::format("model header: float_linears: the model has no linear {}",
                                    in_quotes(name)));
}

void check_quantization(const QuantizationReport& report) {
    if (report.linears.size() != report.errors.size())
        throw Error(ErrorKind::model,
                    fmt::format("model header: quantization: expected one error per linear, found "
                                "{} linears and {} errors",
                                report.linears.size(), report.errors.size()));
    for (const std::string& name : report.linears) check_text("quantization.linears", name);
    check_text("quantization.compared", report.compared);
}

}  // namespace

void validate(const ModelHeader& header) {
    const auto refuse = [](const std::string& what) {
        throw Error(ErrorKind::model, "model header: " + what);
    };
    validate(header.config);
    const Preprocessing& p = header.preprocessing;
    if (p.input_size.height < 1 || p.input_size.height > 65'535 || p.input_size.width < 1 ||
        p.input_size.width > 65'535)
        refuse(fmt::format("expected an input_size from 1 to 65535 a side, found {}x{}",
                           p.input_size.height, p.input_size.width));
    if (!(p.crop_pct >= 0.01 && p.crop_pct <= 10))
        refuse(fmt::format("expected crop_pct from 0.01 to 10, found {}", p.crop_pct));
    for (std::size_t i = 0; i < 3; ++i) {
        if (!std::isfinite(p.mean[i]))
            refuse(fmt::format("expected a finite mean, found {}", p.mean[i]));
        if (!(std::isfinite(p.std[i]) && p.std[i] > 0))
            refuse(fmt::format("expected a finite std above 0, found {}", p.std[i]));
    }
    if (!header.labels.empty() &&
        static_cast<std::int64_t>(header.labels.size()) != header.config.num_classes)
        refuse(fmt::format("expected {} labels, one per class, found {}", header.config.num_classes,
                           header.labels.size()));
    if (header.labels.size() + header.provenance.notes.size() > max_texts)
        refuse(fmt::format("expected at most {} labels and notes, found {}", max_texts,
                           header.labels.size() + header.provenance.notes.size()));
    if (header.self_test && !(header.self_test->tolerance > 0 && header.self_test->tolerance <= 1))
        refuse(fmt::format("expected a self-test tolerance above 0 and at most 1, found {}",
                           header.self_test->tolerance));
    check_text("architecture", header.config.architecture);
    for (const std::string& label : header.labels) check_text("labels", label);
    if (header.self_test && header.self_test->image_size != ImageSize{0, 0}) {
        const ImageSize size = header.self_test->image_size, own = header.config.image_size;
        if (header.self_test->stored_input || size.height < header.config.patch_height ||
            size.width < header.config.patch_width || size.height > own.height ||
            size.width > own.width)
            refuse(
                fmt::format("self_test.image_size: expected a seeded input from one patch to "
                            "{}x{}, found {}x{}",
                            own.height, own.width, size.height, size.width));
    }
    if (header.self_test) check_text("self_test.made_by", header.self_test->made_by);
    check_float_linears(header);
    if (header.quantization) check_quantization(*header.quantization);
    check_text("packed_key", header.packed_key);
    check_text("packed_digest", header.packed_digest);
    check_text("packed_samples", header.packed_samples);
    check_text("provenance.source", header.provenance.source);
    check_text("provenance.sha256", header.provenance.sha256);
    check_text("provenance.converter", header.provenance.converter);
    for (const std::string& note : header.provenance.notes) check_text("provenance.notes", note);
}

std::string to_json(const ModelHeader& header) {
    validate(header);
    Json json = Json::object();
    json["version"] = format_version;
    json["dtype"] = std::ranges::find(precision_names, header.dtype, [](auto& each) {
                        return each.first;
                    })->second;
    if (header.dtype == DType::i8) json["float_linears"] = header.float_linears;
    if (!header.packed_key.empty()) json["packed_key"] = header.packed_key;
    if (!header.packed_digest.empty()) json["packed_digest"] = header.packed_digest;
    if (!header.packed_samples.empty()) json["packed_samples"] = header.packed_samples;
    Writer config, preprocessing, self_test, provenance;
    visit_config(config, header.config);
    json["config"] = config.take();
    visit_preprocessing(preprocessing, header.preprocessing);
    json["preprocessing"] = preprocessing.take();
    json["labels"] = header.labels;
    if (header.self_test) {
        visit_self_test(self_test, *header.self_test);
        json["self_test"] = self_test.take();
    }
    if (header.quantization) {
        Writer quantization;
        visit_quantization(quantization, *header.quantization);
        json["quantization"] = quantization.take();
    }
    visit_provenance(provenance, header.provenance);
    json["provenance"] = provenance.take();
    std::string text = json.dump();
    if (text.size() > max_json_bytes)
        throw Error(ErrorKind::model,
                    fmt::format("model header: labels and notes make {} bytes of JSON, more than "
                                "the {} allowed; shorten them",
                                text.size(), max_json_bytes));
    return text;
}

ModelHeader model_header_from_json(std::string_view text, std::string_view file) {
    const std::string where = in_quotes(file) + ": metadata 'vit'";
    const Json json = parse_bounded(text, where);
    Reader top(json, where);
    std::int64_t version = 0;
    top("version", version);
    if (version != format_version)
        top.refuse(
            fmt::format("expected model file version {}, found {}; convert the checkpoint again",
                        format_version, version));
    ModelHeader header;
    std::string dtype = "f32";
    top.optional("dtype", dtype);
    const auto known = std::ranges::find_if(precision_names,
                                            [&](const auto& each) { return dtype == each.second; });
    if (known == precision_names.end())
        top.refuse(fmt::format("dtype: expected f32, bf16 or int8, found {}", in_quotes(dtype)));
    header.dtype = known->first;
    if (header.dtype == DType::i8) top.optional("float_linears", header.float_linears);
    top.optional("packed_key", header.packed_key);
    top.optional("packed_digest", header.packed_digest);
    top.optional("packed_samples", header.packed_samples);
    const auto part = [&](const char* key, auto&& visit, auto& value) {
        const Json* found = top.object(key);
        if (found == nullptr) top.refuse(fmt::format("key '{}' is missing", key));
        Reader reader(*found, fmt::format("{}: {}", where, key));
        visit(reader, value);
        reader.finish();
    };
    part(
        "config", [](auto& reader, auto& value) { visit_config(reader, value); }, header.config);
    part(
        "preprocessing", [](auto& reader, auto& value) { visit_preprocessing(reader, value); },
        header.preprocessing);
    if (top.object("self_test") != nullptr)
        part(
            "self_test", [](auto& reader, auto& value) { visit_self_test(reader, value); },
            header.self_test.emplace());
    if (header.dtype == DType::i8 && top.object("quantization") != nullptr)
        part(
            "quantization", [](auto& reader, auto& value) { visit_quantization(reader, value); },
            header.quantization.emplace());
    if (top.object("provenance") != nullptr)
        part(
            "provenance", [](auto& reader, auto& value) { visit_provenance(reader, value); },
            header.provenance);
    top.optional("labels", header.labels);
    top.finish();
    try {
        validate(header);
    } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("{}: {}", where, error.what()));
    }
    return header;
}

}  // namespace vit::inline internal
