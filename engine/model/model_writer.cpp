#include "engine/model/model_writer.h"

#include <fmt/format.h>

#include "engine/base/text.h"
#include "engine/model/model_header_json.h"
#include "engine/model/model_tensors.h"
#include "vit/error.h"

namespace vit::inline internal {

void stream_model_file(const std::filesystem::path& path, const ModelHeader& header,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write) {
    const std::string json = to_json(header);
    check_tensors(header, tensors, in_quotes(path.native()));
    write_safetensors(path, {{metadata_format_key, metadata_format}, {metadata_header_key, json}},
                      tensors, write);
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
