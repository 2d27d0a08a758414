#include "engine/model/model_file.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "engine/base/text.h"
#include "engine/model/model_header_json.h"
#include "engine/model/model_writer.h"
#include "engine/model/safetensors.h"
#include "engine/model/weights_digest.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr const char* format_key = "format";
constexpr const char* format_name = "vit";
constexpr const char* header_key = "vit";

std::int64_t outputs(const ModelConfig& config) {
    if (config.num_classes > 0) return config.num_classes;
    return config.features();
}

/// Checks that the tensors are exactly those that the header requires, in any order. `where`: for
/// messages.
template <typename Tensors>
void check_tensors(const ModelHeader& header, const Tensors& tensors, const std::string& where) {
    const auto refuse = [&where](const std::string& what) {
        throw Error(ErrorKind::model, fmt::format("{}: {}", where, what));
    };
    using Tensor = typename Tensors::value_type;
    std::unordered_map<std::string_view, const Tensor*> left;
    for (const Tensor& tensor : tensors) {
        if (!left.emplace(tensor.name, &tensor).second)
            refuse(fmt::format("tensor {} stands twice", in_quotes(tensor.name)));
        const DType expected = tensor.name == "packed"
                                   ? DType::u8
                                   : stored_dtype({tensor.name, tensor.shape}, header.dtype);
        if (tensor.dtype != expected)
            refuse(fmt::format("tensor {}: expected element type {}, found {}",
                               in_quotes(tensor.name), dtype_name(expected),
                               dtype_name(tensor.dtype)));
    }
    if (!header.packed_key.empty() && left.erase("packed") == 0)
        refuse("tensor 'packed' is missing; the header names what it was packed for");
    const auto take = [&](const std::string& name) {
        const auto found = left.find(name);
        if (found == left.end())
            refuse(fmt::format("tensor {} is missing; the model's config asks for it",
                               in_quotes(name)));
        const Tensor* tensor = found->second;
        left.erase(found);
        return tensor;
    };
    const auto expect = [&](const std::string& name, const Shape& shape) {
        const Tensor* tensor = take(name);
        if (tensor->shape != shape)
            refuse(fmt::format("tensor {}: expected shape {}, found {}", in_quotes(name),
                               to_string(shape), to_string(tensor->shape)));
    };
    for (const TensorSpec& spec : required_tensors(header.config)) expect(spec.name, spec.shape);
    if (header.self_test) {
        const Tensor* logits = take("self_test.logits");
        const std::int64_t width = outputs(header.config);
        if (logits->shape.size() != 2 || logits->shape[0] < 1 || logits->shape[1] != width)
            refuse(fmt::format(
                "tensor 'self_test.logits': expected shape [n, {}] with n of 1 or more, found {}",
                width, to_string(logits->shape)));
        const ModelConfig& config = header.config;
        if (header.self_test->stored_input)
            expect("self_test.input", {logits->shape[0], config.in_chans, config.image_size.height,
                                       config.image_size.width});
    }
    for (const Tensor& tensor :
         tensors)  // in file order, so that the message does not depend on hashing
        if (left.contains(tensor.name))
            refuse(fmt::format("unknown tensor {}; the model's config does not ask for it",
                               in_quotes(tensor.name)));
}

std::string metadata_value(const Safetensors& file, const std::string& key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
}

}  // namespace

struct ModelFile::Impl {
    std::filesystem::path path;
    MappedFile mapping;
    ModelHeader header;
    std::vector<TensorView> tensors;
    std::unordered_map<std::string_view, const TensorView*> by_name;
};

ModelFile::ModelFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ModelFile::ModelFile(ModelFile&&) noexcept = default;
ModelFile& ModelFile::operator=(ModelFile&&) noexcept = default;
ModelFile::~ModelFile() = default;

ModelFile ModelFile::open(const std::filesystem::path& path, Reading reading) {
    MappedFile mapping(path, reading);
    Safetensors file = parse_safetensors(mapping.bytes(), path.native());
    const std::string where = in_quotes(path.native());
    if (metadata_value(file, format_key) != format_name)
        throw Error(ErrorKind::model,
                    fmt::format("{}: expected a model file (metadata 'format' is 'vit'), found a "
                                "safetensors file with "
                                "format {}; convert the checkpoint with vit-convert",
                                where, in_quotes(metadata_value(file, format_key))));
    for (const auto& [key, value] : file.metadata)
        if (key != format_key && key != header_key)
            throw Error(ErrorKind::model,
                        fmt::format("{}: unknown metadata key {}", where, in_quotes(key)));
    ModelHeader header = model_header_from_json(metadata_value(file, header_key), path.native());
    check_tensors(header, file.tensors, where);
    auto impl = std::make_unique<Impl>(
        Impl{path, std::move(mapping), std::move(header), std::move(file.tensors), {}});
    for (const TensorView& tensor : impl->tensors) impl->by_name.emplace(tensor.name, &tensor);
    return ModelFile(std::move(impl));
}

const std::filesystem::path& ModelFile::path() const {
    return impl_->path;
}
const ModelHeader& ModelFile::header() const {
    return impl_->header;
}
const std::vector<TensorView>& ModelFile::tensors() const {
    return impl_->tensors;
}

const TensorView* ModelFile::find(std::string_view name) const {
    const auto found = impl_->by_name.find(name);
    return found == impl_->by_name.end() ? nullptr : found->second;
}

const TensorView& ModelFile::get(std::string_view name) const {
    const TensorView* tensor = find(name);
    if (tensor == nullptr)
        throw Error(ErrorKind::model,
                    fmt::format("{}: tensor {} is missing", in_quotes(impl_->path.native()),
                                in_quotes(name)));
    return *tensor;
}

const TensorView* ModelFile::packed(std::string_view key) const {
    const TensorView* tensor = find("packed");
    if (tensor == nullptr || header().packed_key != key ||
        reinterpret_cast<std::uintptr_t>(tensor->data.data()) % 64 != 0 ||
        header().packed_samples != weights_digest(tensors(), DigestOf::samples))
        return nullptr;
    return tensor;
}

bool ModelFile::packed_fits() const {
    return header().packed_digest == weights_digest(tensors(), DigestOf::everything);
}

void ModelFile::release(const TensorView& tensor) const {
    impl_->mapping.release(tensor.data);
}

void stream_model_file(const std::filesystem::path& path, const ModelHeader& header,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write) {
    const std::string json = to_json(header);
    check_tensors(header, tensors, in_quotes(path.native()));
    write_safetensors(path, {{format_key, format_name}, {header_key, json}}, tensors, write);
}

void write_model_file(const std::filesystem::path& path, const ModelHeader& header,
                      const std::vector<TensorView>& tensors) {
    std::vector<TensorHead> heads;
    for (const TensorView& tensor : tensors) {
        heads.push_back({tensor.name, tensor.dtype, tensor.shape});
        const std::uint64_t expected =
            static_cast<std::uint64_t>(tensor.numel()) * item_size(tensor.dtype);
        if (tensor.data.size() != expected)
            throw Error(
                ErrorKind::model,
                fmt::format("{}: tensor {}: expected {} bytes, found {}", in_quotes(path.native()),
                            in_quotes(tensor.name), expected, tensor.data.size()));
    }
    stream_model_file(path, header, heads,
                      [&](std::size_t index, const ByteSink& sink) { sink(tensors[index].data); });
}

}  // namespace vit::inline internal
