#include "engine/model/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::size_t prefix_bytes = 8;  // the header's length, which precedes it in the file

class Reader {
  public:
    Reader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

    SafetensorsHeader read() {
        SafetensorsHeader header;
        bool has_metadata = false;
        if (text_.empty() || text_[0] != '{') fail("'{' at the start of the header");
        members([&](std::string name, std::size_t at) {
            if (name == "__metadata__") {
                if (std::exchange(has_metadata, true)) refuse(at, "__metadata__ appears twice");
                metadata(header.metadata);
                return;
            }
            if (header.entries.size() == max_tensors)
                refuse(at, fmt::format("expected at most {} tensors, found more", max_tensors));
            header.entries.push_back(entry(std::move(name)));
        });
        skip_space();
        if (at_ != text_.size()) fail("only spaces after the header's object");
        refuse_duplicates(header);
        return header;
    }

  private:
    [[noreturn]] void refuse(std::size_t at, const std::string& what) const {
        throw Error(ErrorKind::format, fmt::format("{}: safetensors header, byte {}: {}", file_,
                                                   prefix_bytes + at, what));
    }

    [[noreturn]] void fail(std::string_view expected) const {
        const std::string found =
            at_ < text_.size() ? in_quotes(text_.substr(at_, 1)) : "the end of the header";
        refuse(at_, fmt::format("expected {}, found {}", expected, found));
    }

    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' ||
                                      text_[at_] == '\r' || text_[at_] == '\t'))
            ++at_;
    }

    /// Skips white space. Then takes `c` if it is the next character.
    bool take(char c) {
        skip_space();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    /// Reads one object. `member(key, offset of the key)` reads each value.
    template <typename Member>
    void members(Member&& member) {
        if (!take('{')) fail("'{'");
        if (take('}')) return;
        do {
            skip_space();
            const std::size_t at = at_;
            std::string key = string("a key in quotes");
            if (!take(':')) fail("':'");
            member(std::move(key), at);
        } while (take(','));
        if (!take('}')) fail("',' or '}'");
    }

    void metadata(std::map<std::string, std::string>& out) {
        skip_space();
        // The reference implementation accepts null as no metadata.
        if (text_.substr(at_).starts_with("null")) {
            at_ += 4;
            return;
        }
        members([&](std::string key, std::size_t at) {
            if (out.size() == max_tensors)
                refuse(at, fmt::format("expected at most {} metadata entries, found more",
                                       max_tensors));
            const auto [place, inserted] = out.try_emplace(std::move(key));
            if (!inserted)
                refuse(at, fmt::format("metadata key {} appears twice", in_quotes(place->first)));
            place->second = string("a metadata value that is a string");
        });
    }

    SafetensorsEntry entry(std::string name) {
        SafetensorsEntry out;
        bool has_dtype = false, has_shape = false, has_offsets = false;
        const std::size_t start = at_;
        const auto once = [&](bool& seen, std::size_t at, std::string_view key) {
            if (std::exchange(seen, true))
                refuse(at, fmt::format("tensor {}: {} appears twice", in_quotes(name), key));
        };
        members([&](const std::string& key, std::size_t at) {
            if (key == "dtype") {
                once(has_dtype, at, key);
                out.dtype = dtype(name);
            } else if (key == "shape") {
                once(has_shape, at, key);
                out.shape = shape(name);
            } else if (key == "data_offsets") {
                once(has_offsets, at, key);
                if (!take('[')) fail("'['");
                out.begin = number(std::numeric_limits<std::uint64_t>::max());
                if (!take(',')) fail("',' between two offsets");
                out.end = number(std::numeric_limits<std::uint64_t>::max());
                if (!take(']')) fail("']' after two offsets");
            } else {
                refuse(at,
                       fmt::format(
                           "tensor {}: expected the keys dtype, shape and data_offsets, found {}",
                           in_quotes(name), in_quotes(key)));
            }
        });
        const char* missing = !has_dtype     ? "dtype"
                              : !has_shape   ? "shape"
                              : !has_offsets ? "data_offsets"
                                             : nullptr;
        if (missing != nullptr)
            refuse(start, fmt::format("tensor {}: {} is missing", in_quotes(name), missing));
        out.name = std::move(name);
        return out;
    }

    DType dtype(const std::string& name) {
        static constexpr std::array readable = {DType::f64, DType::f32,    DType::f16, DType::bf16,
                                                DType::i64, DType::i32,    DType::i16, DType::i8,
                                                DType::u8,  DType::boolean};
        static constexpr std::array<std::string_view, 12> unreadable = {
            "U16",     "U32",         "U64",         "C64", "F8_E5M2", "F8_E4M3",
            "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F4",  "F6_E2M3", "F6_E3M2"};
        skip_space();
        const std::size_t at = at_;
        const std::string text = string("a dtype in quotes");
        for (DType candidate : readable)
            if (text == dtype_name(candidate)) return candidate;
        if (std::find(unreadable.begin(), unreadable.end(), text) != unreadable.end())
            throw Error(
                ErrorKind::unsupported,
                fmt::format(
                    "{}: tensor {}: element type {} is not supported; convert it to F32 first",
                    file_, in_quotes(name), text));
        refuse(at, fmt::format("tensor {}: unknown dtype {}", in_quotes(name), in_quotes(text)));
    }

    Shape shape(const std::string& name) {
        Shape out;
        if (!take('[')) fail("'['");
        if (take(']')) return out;
        do {
            if (out.size() == max_rank)
                refuse(at_, fmt::format("tensor {}: expected at most {} dimensions, found more",
                                        in_quotes(name), max_rank));
            out.push_back(
                static_cast<std::int64_t>(number(std::numeric_limits<std::int64_t>::max())));
        } while (take(','));
        if (!take(']')) fail("',' or ']'");
        return out;
    }

    /// Reads a whole number from 0 to `limit`, without sign, fraction, exponent or leading zero.
    std::uint64_t number(std::uint64_t limit) {
        skip_space();
        const std::size_t start = at_;
        const auto is_digit = [&] {
            return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
        };
        if (!is_digit()) fail("a whole number of 0 or more");
        std::uint64_t value = 0;
        for (; is_digit(); ++at_) {
            const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
            if (value > (limit - digit) / 10) refuse(start, "the number is too large");
            value = value * 10 + digit;
            if (at_ > start && text_[start] == '0') refuse(start, "the number has a leading zero");
        }
        return value;
    }

    std::string string(std::string_view expected) {
        skip_space();
        if (at_ >= text_.size() || text_[at_] != '"') fail(expected);
        const std::size_t start = at_++;
        std::string out;
        for (;;) {
            // Runs without escapes are copied as a whole. Then comes the end, an escape or an
            // error.
            const std::size_t from = at_;
            while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
                   static_cast<unsigned char>(text_[at_]) >= 0x20) {
                if (static_cast<unsigned char>(text_[at_]) < 0x80) {
                    ++at_;
                    continue;
                }
                const std::size_t length = utf8_sequence(text_.substr(at_));
                if (length == 0) refuse(at_, "expected UTF-8 in a string, found a stray byte");
                at_ += length;
            }
            out.append(text_.substr(from, at_ - from));
            if (at_ >= text_.size()) refuse(start, "the string has no end");
            if (text_[at_] == '"') break;
            if (text_[at_] != '\\')
                refuse(at_, "expected control characters in a string to be escaped");
            escape(out);
        }
        ++at_;
        return out;
    }

    void escape(std::string& out) {
        const std::size_t start = at_++;  // the backslash
        static constexpr std::string_view letters = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
        const char letter = at_ < text_.size() ? text_[at_++] : '\0';
        if (letter != 'u') {
            const std::size_t which = letters.find(letter);
            if (which == std::string_view::npos) refuse(start, "unknown escape in a string");
            out += values[which];
            return;
        }
        std::uint32_t code = hex4(start);
        if (code >= 0xDC00 && code <= 0xDFFF) refuse(start, "half of a surrogate pair in a string");
        if (code >= 0xD800 && code <= 0xDBFF) {
            const bool another = text_.substr(at_, 2) == "\\u";
            at_ += another ? 2 : 0;
            const std::uint32_t low = another ? hex4(start) : 0;
            if (low < 0xDC00 || low > 0xDFFF) refuse(start, "half of a surrogate pair in a string");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x800) {
            out += static_cast<char>(0xC0 | (code >> 6));
            out += static_cast<char>(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
            out += static_cast<char>(0xE0 | (code >> 12));
            out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
            out += static_cast<char>(0x80 | (code & 0x3F));
        } else {
            out += static_cast<char>(0xF0 | (code >> 18));
            out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
            out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
            out += static_cast<char>(0x80 | (code & 0x3F));
        }
    }

    std::uint32_t hex4(std::size_t start) {
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = at_ < text_.size() ? text_[at_++] : '\0';
            if (c >= '0' && c <= '9')
                code = code * 16 + static_cast<std::uint32_t>(c - '0');
            else if (c >= 'a' && c <= 'f')
                code = code * 16 + static_cast<std::uint32_t>(c - 'a' + 10);
            else if (c >= 'A' && c <= 'F')
                code = code * 16 + static_cast<std::uint32_t>(c - 'A' + 10);
            else
                refuse(start, "expected four hexadecimal digits after \\u");
        }
        return code;
    }

    void refuse_duplicates(const SafetensorsHeader& header) const {
        std::vector<std::string_view> names;
        names.reserve(header.entries.size());
        for (const SafetensorsEntry& one : header.entries) names.push_back(one.name);
        std::sort(names.begin(), names.end());
        const auto twice = std::adjacent_find(names.begin(), names.end());
        if (twice != names.end())
            throw Error(ErrorKind::format,
                        fmt::format("{}: safetensors header: tensor {} appears twice", file_,
                                    in_quotes(*twice)));
    }

    std::string_view text_;
    std::string_view file_;
    std::size_t at_ = 0;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view file) {
    return Reader(text, file).read();
}

}  // namespace vit::inline internal
