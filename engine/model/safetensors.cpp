#include "engine/model/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/model/atomic_file.h"
#include "engine/model/safetensors_header.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::uint64_t max_header_bytes = 100'000'000;
constexpr std::size_t length_bytes = 8;
constexpr std::size_t data_alignment = 64;

std::uint64_t read_length(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = length_bytes; i-- > 0;)
        value = (value << 8) | static_cast<std::uint64_t>(bytes[i]);
    return value;
}

std::uint64_t extent(DType dtype, const Shape& shape, std::string_view what) {
    return checked::mul(checked::product(shape, what), item_size(dtype), what);
}

}  // namespace

Safetensors parse_safetensors(std::span<const std::byte> bytes, std::string_view file) {
    const std::string where = in_quotes(file);
    const auto refuse = [&](const std::string& what) {
        throw Error(ErrorKind::format, fmt::format("{}: {}", where, what));
    };
    if (bytes.size() < length_bytes)
        refuse(fmt::format("expected a safetensors file (8 bytes and more), found {} bytes",
                           bytes.size()));
    const std::uint64_t header_bytes = read_length(bytes);
    if (header_bytes > max_header_bytes)
        refuse(fmt::format(
            "expected a safetensors header of at most {} bytes, found a length of {}; is this a "
            "safetensors file?",
            max_header_bytes, header_bytes));
    if (header_bytes > bytes.size() - length_bytes)
        refuse(
            fmt::format("the safetensors header should have {} bytes, but only {} follow; the file "
                        "is truncated",
                        header_bytes, bytes.size() - length_bytes));
    const auto text = bytes.subspan(length_bytes, static_cast<std::size_t>(header_bytes));
    const auto data = bytes.subspan(length_bytes + static_cast<std::size_t>(header_bytes));
    SafetensorsHeader header =
        parse_safetensors_header({reinterpret_cast<const char*>(text.data()), text.size()}, where);

    // An empty tensor comes before the tensor that starts at the same byte.
    std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    Safetensors result;
    result.tensors.reserve(header.entries.size());
    std::uint64_t filled = 0;
    for (SafetensorsEntry& entry : header.entries) {
        const auto refuse_tensor = [&](const std::string& what) {
            refuse(fmt::format("tensor {}: {}", in_quotes(entry.name), what));
        };
        if (entry.end < entry.begin)
            refuse_tensor(
                fmt::format("data_offsets [{}, {}] run backwards", entry.begin, entry.end));
        if (entry.begin != filled)
            refuse_tensor(fmt::format(
                "data_offsets [{}, {}] leave a hole or overlap; expected them to begin at {}",
                entry.begin, entry.end, filled));
        if (entry.end > data.size())
            refuse_tensor(fmt::format(
                "data_offsets [{}, {}] reach beyond the file's {} data bytes; the file is "
                "truncated or its header is wrong",
                entry.begin, entry.end, data.size()));
        const std::uint64_t size = extent(
            entry.dtype, entry.shape, fmt::format("{}: tensor {}", where, in_quotes(entry.name)));
        if (size != entry.end - entry.begin)
            refuse_tensor(fmt::format("{} {} needs {} bytes, but its data_offsets span {}",
                                      dtype_name(entry.dtype), to_string(entry.shape), size,
                                      entry.end - entry.begin));
        filled = entry.end;
        result.tensors.push_back(
            {std::move(entry.name), entry.dtype, std::move(entry.shape),
             data.subspan(static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(size))});
    }
    if (filled != data.size())
        refuse(fmt::format(
            "expected the data to end with the last tensor, at byte {} of the data, found {} bytes",
            filled, data.size()));
    result.metadata = std::move(header.metadata);
    return result;
}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorHead>& tensors,
                       const std::function<void(std::size_t index, const ByteSink& sink)>& write) {
    std::string text = "{";
    if (!metadata.empty())
        text += fmt::format("\"__metadata__\":{}", nlohmann::json(metadata).dump());
    std::vector<std::uint64_t> sizes;
    std::uint64_t offset = 0;
    for (const TensorHead& tensor : tensors) {
        const std::string what = "tensor " + in_quotes(tensor.name);
        sizes.push_back(extent(tensor.dtype, tensor.shape, what));
        const std::uint64_t end = checked::add(offset, sizes.back(), what);
        text += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                            text.size() > 1 ? "," : "", nlohmann::json(tensor.name).dump(),
                            dtype_name(tensor.dtype), fmt::join(tensor.shape, ","), offset, end);
        offset = end;
    }
    text += '}';
    text.append((data_alignment - (length_bytes + text.size()) % data_alignment) % data_alignment,
                ' ');
    if (text.size() > max_header_bytes)
        throw Error(ErrorKind::model,
                    fmt::format("{}: the header would have {} bytes, more than the {} allowed",
                                in_quotes(path.native()), text.size(), max_header_bytes));

    AtomicFile file(path);
    std::array<std::byte, length_bytes> length;
    for (std::size_t i = 0; i < length.size(); ++i)
        length[i] = static_cast<std::byte>(text.size() >> (8 * i));
    file.write(length);
    file.write(std::as_bytes(std::span(text)));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        std::uint64_t written = 0;
        write(i, [&](std::span<const std::byte> part) {
            written += part.size();
            file.write(part);
        });
        if (written != sizes[i])
            throw Error(ErrorKind::internal,
                        fmt::format("{}: tensor {}: expected {} bytes to write, found {}",
                                    in_quotes(path.native()), in_quotes(tensors[i].name), sizes[i],
                                    written));
    }
    file.commit();
}

}  // namespace vit::inline internal
