#include "engine/model/model_file.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "engine/base/text.h"
#include "engine/model/model_header_json.h"
#include "engine/model/model_tensors.h"
#include "engine/model/safetensors.h"
#include "engine/model/weights_digest.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

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
    if (metadata_value(file, metadata_format_key) != metadata_format)
        throw Error(ErrorKind::model,
                    fmt::format("{}: expected a model file (metadata 'format' is 'vit'), found a "
                                "safetensors file with "
                                "format {}; convert the checkpoint with vit-convert",
                                where, in_quotes(metadata_value(file, metadata_format_key))));
    for (const auto& [key, value] : file.metadata)
        if (key != metadata_format_key && key != metadata_header_key)
            throw Error(ErrorKind::model,
                        fmt::format("{}: unknown metadata key {}", where, in_quotes(key)));
    ModelHeader header =
        model_header_from_json(metadata_value(file, metadata_header_key), path.native());
    std::vector<TensorHead> heads;
    for (const TensorView& tensor : file.tensors)
        heads.push_back({tensor.name, tensor.dtype, tensor.shape});
    check_tensors(header, heads, where);
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

}  // namespace vit::inline internal
