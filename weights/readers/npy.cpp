#include "weights/readers/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/model/mapped_file.h"
#include "vit/error.h"
#include "weights/readers/little_endian.h"
#include "weights/readers/strided.h"

namespace vit::inline internal {

namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they lie");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t most_dims = 8;
constexpr std::size_t alignment = 64;

struct Descr {
    std::string_view code;
    std::string_view name;
    DType dtype;
};
constexpr Descr descrs[] = {
    {"f4", "float32", DType::f32}, {"f2", "float16", DType::f16}, {"f8", "float64", DType::f64},
    {"i8", "int64", DType::i64},   {"i4", "int32", DType::i32},   {"i2", "int16", DType::i16},
    {"i1", "int8", DType::i8},     {"u1", "uint8", DType::u8},    {"b1", "bool", DType::boolean},
};
constexpr std::string_view byte_orders = "<>=|";

/// Parses the header's text: a Python dict literal with three known keys.
class HeaderText {
  public:
    HeaderText(std::string_view text, std::string_view where) : rest_(text), where_(where) {}

    NpyHeader parse() {
        std::optional<std::string_view> descr;
        std::optional<bool> fortran_order;
        std::optional<Shape> shape;
        expect("{");
        while (!accept("}")) {
            const std::string_view key = quoted();
            expect(":");
            if (key == "descr" && !descr) {
                if (peek() != '\'' && peek() != '"')
                    refuse("structured element types are not supported", ErrorKind::unsupported);
                descr = quoted();
            } else if (key == "fortran_order" && !fortran_order) {
                fortran_order = accept("True");
                if (!*fortran_order) expect("False");
            } else if (key == "shape" && !shape) {
                shape = tuple();
            } else {
                refuse(
                    fmt::format("expected each of descr, fortran_order and shape once, found "
                                "key {}",
                                in_quotes(key)));
            }
            if (!accept(",")) {
                expect("}");
                break;
            }
        }
        skip_space();
        if (!rest_.empty()) refuse("text follows the header's dictionary");
        if (!descr || !fortran_order || !shape)
            refuse("expected descr, fortran_order and shape, found only some of them");
        NpyHeader header;
        header.dtype = dtype(*descr);
        header.big_endian = descr->starts_with('>') && item_size(header.dtype) > 1;
        header.fortran_order = *fortran_order;
        header.shape = std::move(*shape);
        return header;
    }

  private:
    [[noreturn]] void refuse(const std::string& what, ErrorKind kind = ErrorKind::format) const {
        throw Error(kind, fmt::format("{}: .npy header: {}", where_, what));
    }
    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size()));
    }
    char peek() {
        skip_space();
        return rest_.empty() ? '\0' : rest_.front();
    }
    bool accept(std::string_view token) {
        skip_space();
        if (!rest_.starts_with(token)) return false;
        rest_.remove_prefix(token.size());
        return true;
    }
    void expect(std::string_view token) {
        if (!accept(token))
            refuse(fmt::format("expected {}, found {}", in_quotes(token),
                               in_quotes(rest_.substr(0, 20))));
    }
    std::string_view quoted() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') expect("'");
        const std::size_t end = rest_.find(quote, 1);
        if (end == std::string_view::npos) refuse("a quoted word does not end");
        const std::string_view word = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return word;
    }
    Shape tuple() {
        Shape shape;
        expect("(");
        while (!accept(")")) {
            skip_space();
            std::int64_t extent = 0;
            const auto [end, error] =
                std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
            if (error != std::errc() || extent < 0)
                refuse(fmt::format("expected an extent of 0 or more that fits in 64 bits, found {}",
                                   in_quotes(rest_.substr(0, 20))));
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            accept("L");  // NumPy under Python 2 wrote long integers as 3L
            if (shape.size() == most_dims)
                refuse(fmt::format("expected at most {} dimensions, found more", most_dims));
            shape.push_back(extent);
            const bool more = accept(",");
            if (!more && shape.size() == 1) expect(",");  // (3) is a number, (3,) a tuple
            if (!more) {
                expect(")");
                break;
            }
        }
        return shape;
    }
    DType dtype(std::string_view descr) const {
        const bool has_order =
            !descr.empty() && byte_orders.find(descr.front()) != std::string_view::npos;
        const std::string_view code = descr.substr(has_order ? 1 : 0);
        for (const Descr& known : descrs)
            if (known.code == code || known.name == descr) return known.dtype;
        if (descr.starts_with("|O"))
            refuse("expected numbers, found Python objects, which are never loaded",
                   ErrorKind::unsupported);
        refuse(fmt::format("element type {} is not supported; expected one of f2, f4, f8, i1, i2, "
                           "i4, i8, u1, b1",
                           in_quotes(descr)),
               ErrorKind::unsupported);
    }

    std::string_view rest_;
    std::string_view where_;
};

}  // namespace

bool looks_like_npy(std::span<const std::byte> bytes) noexcept {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.starts_with(magic);
}

NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view where) {
    const auto refuse = [&](const std::string& what, ErrorKind kind = ErrorKind::format) {
        throw Error(kind, fmt::format("{}: {}", where, what));
    };
    if (!looks_like_npy(bytes)) refuse("expected an .npy array, found other bytes");
    const std::size_t prefix = magic.size() + 2;
    const auto need = [&](std::size_t count) {
        if (bytes.size() < count)
            refuse(
                fmt::format("expected an .npy header of {} bytes or more, found {}; the array "
                            "is truncated",
                            count, bytes.size()));
    };
    need(prefix);
    const auto major = static_cast<unsigned>(bytes[magic.size()]);
    const auto minor = static_cast<unsigned>(bytes[magic.size() + 1]);
    if (major < 1 || major > 3 || minor != 0)
        refuse(fmt::format("expected .npy version 1.0, 2.0 or 3.0, found {}.{}", major, minor),
               ErrorKind::unsupported);
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    need(prefix + length_bytes);
    const LittleEndian number(bytes);
    const std::size_t length = major == 1 ? number.u16(prefix) : number.u32(prefix);
    const std::size_t begin = prefix + length_bytes;
    if (length > most_npy_header_bytes - begin)
        refuse(fmt::format("expected an .npy header of at most {} bytes, found a length of {}",
                           most_npy_header_bytes - begin, length));
    need(begin + length);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data() + begin), length);
    NpyHeader header = HeaderText(text, where).parse();
    header.header_bytes = begin + length;
    header.data_bytes =
        checked::mul(checked::product(header.shape, where), item_size(header.dtype), where);
    return header;
}

void make_plain(const NpyHeader& header, std::vector<std::byte>& data) {
    if (header.big_endian) swap_bytes(data, item_size(header.dtype));
    if (!header.fortran_order) return;
    Shape stride(header.shape.size(), 1);
    for (std::size_t i = 1; i < stride.size(); ++i) {
        // An empty array has no elements to move, and its other extents may be too large to
        // multiply.
        if (data.empty()) return;
        stride[i] = stride[i - 1] * header.shape[i - 1];
    }
    if (is_row_major(header.shape, stride)) return;
    std::vector<std::byte> dense(data.size());
    copy_row_major(header.shape, stride, item_size(header.dtype), data, dense);
    data = std::move(dense);
}

NpyArray parse_npy(std::span<const std::byte> bytes, std::string_view where) {
    NpyHeader header = parse_npy_header(bytes, where);
    const auto data = bytes.subspan(static_cast<std::size_t>(header.header_bytes));
    if (data.size() != header.data_bytes)
        throw Error(ErrorKind::format,
                    fmt::format("{}: {} {} needs {} bytes, found {} after the header", where,
                                dtype_name(header.dtype), to_string(header.shape),
                                header.data_bytes, data.size()));
    NpyArray array{{}, header.dtype, header.shape, {data.begin(), data.end()}};
    make_plain(header, array.data);
    return array;
}

NpyArray read_npy(const std::filesystem::path& path) {
    const MappedFile file(path);
    NpyArray array = parse_npy(file.bytes(), in_quotes(path.native()));
    array.name = path.stem().native();
    return array;
}

std::string npy_header(const Shape& shape, std::size_t least_bytes) {
    std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
    const std::size_t before = magic.size() + 4;
    if (before + text.size() + 1 < least_bytes)
        text.append(least_bytes - before - text.size() - 1, ' ');
    text.append(alignment - 1 - (before + text.size()) % alignment, ' ');
    text += '\n';
    if (text.size() > UINT16_MAX)
        throw Error(ErrorKind::usage,
                    fmt::format("expected fewer than {} dimensions", shape.size()));
    std::string header(magic);
    header += {'\x01', '\x00', static_cast<char>(text.size() & 0xFF),
               static_cast<char>(text.size() >> 8)};
    return header + text;
}

NpyWriter::NpyWriter(const std::filesystem::path& path, const Shape& shape)
    : path_(path), file_(path) {
    std::string header;
    try {
        header = npy_header(shape);
        missing_ = checked::product(shape, "the array to write");
        checked::mul(missing_, sizeof(float), "the array to write");
    } catch (const Error& error) {
        throw Error(ErrorKind::usage,
                    fmt::format("{}: {}", in_quotes(path.native()), error.what()));
    }
    file_.write(std::as_bytes(std::span(header)));
}

void NpyWriter::write(std::span<const float> values) {
    if (values.size() > missing_)
        throw Error(ErrorKind::usage,
                    fmt::format("{}: expected at most {} more values, found {}",
                                in_quotes(path_.native()), missing_, values.size()));
    missing_ -= values.size();
    file_.write(std::as_bytes(values));
}

void NpyWriter::commit() {
    if (missing_ != 0)
        throw Error(ErrorKind::usage, fmt::format("{}: expected {} more values before the end",
                                                  in_quotes(path_.native()), missing_));
    file_.commit();
}

void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values) {
    NpyWriter writer(path, shape);
    writer.write(values);
    writer.commit();
}

}  // namespace vit::inline internal
