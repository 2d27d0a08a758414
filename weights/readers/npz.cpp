#include "weights/readers/npz.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/model/mapped_file.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::string_view suffix = ".npy";
constexpr std::size_t most_arrays = 65'536;
constexpr std::uint64_t inflation = 3;  // float32 from bfloat16 deflates to less than half
constexpr std::uint64_t inflation_base = std::uint64_t{64} << 20;

struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// Inflates members and verifies their checksums with libzip. Members have the same index as in
/// zip_members(): both keep the order of the central directory.
class Inflater {
  public:
    Inflater(std::span<const std::byte> bytes, std::string_view where) : where_(where) {
        zip_error_t error;
        zip_error_init(&error);
        zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
        if (source != nullptr) {
            archive_.reset(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
            if (archive_ == nullptr) zip_source_free(source);
        }
        const std::string message = archive_ == nullptr ? zip_error_strerror(&error) : "";
        zip_error_fini(&error);
        if (archive_ == nullptr)
            throw Error(ErrorKind::format,
                        fmt::format("{}: this zip archive is damaged: {}", where_, message));
    }

    class Stream {
      public:
        /// Reads until `out` is full or the member ends, and returns the number of bytes. Where it
        /// returns fewer than `out.size()`, libzip has verified the checksum.
        std::size_t read(std::span<std::byte> out) {
            std::size_t done = 0;
            while (done < out.size()) {
                const zip_int64_t count =
                    zip_fread(file_.get(), out.data() + done, out.size() - done);
                if (count < 0)
                    throw Error(ErrorKind::format,
                                fmt::format("{}: cannot be inflated: {}", where_,
                                            zip_error_strerror(zip_file_get_error(file_.get()))));
                if (count == 0) break;
                done += static_cast<std::size_t>(count);
            }
            return done;
        }

      private:
        friend class Inflater;
        std::unique_ptr<zip_file_t, Discard> file_;
        std::string where_;
    };

    Stream open(std::size_t index, const std::string& where) {
        Stream stream;
        stream.where_ = where;
        stream.file_.reset(zip_fopen_index(archive_.get(), index, 0));
        if (stream.file_ == nullptr)
            throw Error(ErrorKind::format, fmt::format("{}: cannot be opened: {}", where,
                                                       zip_strerror(archive_.get())));
        return stream;
    }

  private:
    std::string_view where_;
    std::unique_ptr<zip_t, Discard> archive_;
};

void check_inflation(std::span<const std::byte> bytes, std::span<const ZipMember> members,
                     std::string_view where) {
    std::uint64_t total = 0;
    for (const ZipMember& member : members) total = checked::add(total, member.size, where);
    const std::uint64_t most = inflation * bytes.size() + inflation_base;
    if (total > most)
        throw Error(ErrorKind::format,
                    fmt::format("{}: {} bytes inflate to {}, more than the {} allowed; save the "
                                "arrays uncompressed (numpy.savez)",
                                where, bytes.size(), total, most));
}

/// Reads a whole member, and checks its header, its size and its checksum. Keeps none of its
/// elements.
NpyHeader verify(Inflater::Stream stream, const ZipMember& member, std::vector<std::byte>& buffer,
                 const std::string& where) {
    std::size_t count = stream.read(buffer);
    const NpyHeader header = parse_npy_header(std::span(buffer).first(count), where);
    if (checked::add(header.header_bytes, header.data_bytes, where) != member.size)
        throw Error(ErrorKind::format,
                    fmt::format("{}: {} {} needs {} bytes after the header, found {}", where,
                                dtype_name(header.dtype), to_string(header.shape),
                                header.data_bytes, member.size - header.header_bytes));
    std::uint64_t total = count;
    while (count != 0 && total <= member.size) total += count = stream.read(buffer);
    if (total != member.size)
        throw Error(ErrorKind::format, fmt::format("{}: inflates to {} bytes, expected {}", where,
                                                   total, member.size));
    return header;
}

std::vector<std::byte> inflate(Inflater::Stream stream, const NpyHeader& header,
                               const std::string& where) {
    std::vector<std::byte> skipped(static_cast<std::size_t>(header.header_bytes));
    std::vector<std::byte> data = checked::bytes(header.data_bytes, where);
    if (stream.read(skipped) != skipped.size() || stream.read(data) != data.size())
        throw Error(ErrorKind::format, fmt::format("{}: changed while it was read", where));
    return data;
}

}  // namespace

bool is_npz(std::span<const ZipMember> members) {
    return std::any_of(members.begin(), members.end(),
                       [](const ZipMember& member) { return member.name.ends_with(suffix); });
}

NpzArrays parse_npz(std::span<const std::byte> bytes, std::span<const ZipMember> members,
                    std::string_view where) {
    if (members.size() > most_arrays)
        throw Error(ErrorKind::format, fmt::format("{}: expected at most {} arrays, found {}",
                                                   where, most_arrays, members.size()));
    check_inflation(bytes, members, where);
    const auto name_of = [&](const ZipMember& member) {
        return fmt::format("{}: member {}", where, in_quotes(member.name));
    };
    Inflater inflater(bytes, where);
    std::vector<std::byte> buffer(most_npy_header_bytes);
    std::vector<NpyHeader> headers;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const std::string name = name_of(members[i]);
        if (!members[i].name.ends_with(suffix))
            throw Error(ErrorKind::format,
                        fmt::format("{}: expected .npy arrays only in this archive", name));
        headers.push_back(verify(inflater.open(i, name), members[i], buffer, name));
    }

    NpzArrays result;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const ZipMember& member = members[i];
        const NpyHeader& header = headers[i];
        std::span<const std::byte> data;
        if (member.method == ZipMethod::stored && is_plain(header)) {
            data = member.data.subspan(static_cast<std::size_t>(header.header_bytes));
        } else {
            const std::string name = name_of(member);
            auto& owned = result.owned.emplace_back(inflate(inflater.open(i, name), header, name));
            make_plain(header, owned);
            data = owned;
        }
        result.tensors.push_back(
            {std::string(member.name.substr(0, member.name.size() - suffix.size())), header.dtype,
             header.shape, data});
    }
    return result;
}

std::vector<NpyArray> read_npz(const std::filesystem::path& path) {
    const MappedFile file(path);
    const std::string where = in_quotes(path.native());
    if (!looks_like_zip(file.bytes()))
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected an .npz archive, found other bytes", where));
    const std::vector<ZipMember> members = zip_members(file.bytes(), where);
    std::vector<NpyArray> arrays;
    for (const TensorView& tensor : parse_npz(file.bytes(), members, where).tensors)
        arrays.push_back(
            {tensor.name, tensor.dtype, tensor.shape, {tensor.data.begin(), tensor.data.end()}});
    return arrays;
}

}  // namespace vit::inline internal
