#include "tools/vit-search/vector_file.h"

#include <fmt/format.h>

#include <cstdint>

#include "engine/base/cosine.h"
#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::search {

VectorFile::VectorFile(const std::filesystem::path& path) : path_(path), file_(path) {
    const std::string where = in_quotes(path.native());
    const NpyHeader header = parse_npy_header(file_.bytes(), where);
    const bool is_float =
        header.dtype == DType::f32 || header.dtype == DType::f16 || header.dtype == DType::f64;
    const std::size_t rank = header.shape.size();
    if (!is_float || !is_plain(header) || rank < 1 || rank > 2 || header.data_bytes == 0)
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected float32, float16 or float64 [N, D] in C order, found "
                                "{} {}{}{}; numpy.ascontiguousarray(x, numpy.float32) makes it so",
                                where, dtype_name(header.dtype), to_string(header.shape),
                                header.fortran_order ? " in Fortran order" : "",
                                header.big_endian ? " in big-endian order" : ""));
    data_ = file_.bytes().subspan(static_cast<std::size_t>(header.header_bytes));
    if (data_.size() != header.data_bytes)
        throw Error(ErrorKind::format, fmt::format("{}: expected {} bytes after the header, found "
                                                   "{}; the file is cut or has more than an array",
                                                   where, header.data_bytes, data_.size()));
    dtype_ = header.dtype;
    count_ = rank == 2 ? header.shape[0] : 1;
    dim_ = header.shape[rank - 1];
}

std::span<const float> VectorFile::rows(std::int64_t first, std::int64_t count,
                                        std::vector<float>& scratch) const {
    const std::size_t row_bytes = static_cast<std::size_t>(dim_) * item_size(dtype_);
    const auto part = data_.subspan(static_cast<std::size_t>(first) * row_bytes,
                                    static_cast<std::size_t>(count) * row_bytes);
    const std::size_t values = static_cast<std::size_t>(count * dim_);
    const bool aligned = reinterpret_cast<std::uintptr_t>(part.data()) % alignof(float) == 0;
    if (dtype_ == DType::f32 && aligned)
        return {reinterpret_cast<const float*>(part.data()), values};
    scratch.resize(values);
    to_f32({{}, dtype_, {count, dim_}, part}, scratch);
    return scratch;
}

std::vector<float> VectorFile::all() const {
    std::vector<float> scratch;
    const std::span<const float> values = rows(0, count_, scratch);
    if (values.data() == scratch.data()) return scratch;
    return {values.begin(), values.end()};
}

bool make_unit(std::span<float> vector) {
    const double factor = inverse_length(vector);
    if (factor == 0) return false;
    for (float& x : vector) x = static_cast<float>(x * factor);
    return true;
}

}  // namespace vit::search
