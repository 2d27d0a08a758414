#include "engine/model/safetensors.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/model/safetensors_header.h"
#include "support.h"

namespace vit {
namespace {

using test::as_bytes;
using test::container;
using test::message_of;
using testing::HasSubstr;

constexpr const char* two_tensors =
    R"( {"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},)"
    R"("__metadata__":{"format":"pt"},"a":{"data_offsets":[0,4],"shape":[],"dtype":"F32"}}  )";

Safetensors parse(const std::string& bytes) {
    return parse_safetensors(as_bytes(bytes), "f");
}

TEST(Safetensors, ReadsTensorsInAnyOrderOfTheHeader) {
    const std::string bytes = container(std::string_view(two_tensors).substr(1), 28);
    const Safetensors file = parse(bytes);
    ASSERT_EQ(file.tensors.size(), 2u);
    EXPECT_EQ(file.tensors[0].name, "a");
    EXPECT_EQ(file.tensors[0].shape, Shape{});
    EXPECT_EQ(file.tensors[1].name, "b");
    EXPECT_EQ(file.tensors[1].shape, (Shape{2, 3}));
    EXPECT_EQ(file.tensors[1].data.size(), 24u);
    EXPECT_EQ(file.tensors[1].data.data(), as_bytes(bytes).data() + bytes.size() - 24);
    EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
}

TEST(Safetensors, MetadataMayBeNull) {
    const std::string bytes = container(R"({"__metadata__": null})");
    EXPECT_TRUE(parse(bytes).metadata.empty());
    message_of([] { parse(container(R"({"__metadata__":nul})")); }, ErrorKind::format);
    message_of([] { parse(container(R"({"__metadata__":null,"__metadata__":null})")); },
               ErrorKind::format);
}

TEST(Safetensors, ReadsWhatThePythonPackageWrote) {
    const test::Golden golden("position_tables.safetensors");
    EXPECT_THAT(golden.content.metadata.at("made_by"), HasSubstr("torch 2.13.0"));
    EXPECT_EQ(golden.content.tensors.size(), 65u);
}

TEST(Safetensors, ReadsNothingButEmptyTensors) {
    EXPECT_TRUE(parse(container("{}")).tensors.empty());
    const auto file = parse(container(R"({"z":{"dtype":"I64","shape":[0,7],"data_offsets":[1,1]},)"
                                      R"("y":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})",
                                      1));
    EXPECT_EQ(file.tensors[1].name, "z");
    EXPECT_EQ(file.tensors[1].numel(), 0);
}

TEST(Safetensors, DecodesEscapes) {
    const auto file =
        parse(container(R"({"__metadata__":{"\u0041\n\/\"":"\ud83d\ude00\u20ac\u00e9\\"}})"));
    EXPECT_EQ(file.metadata.at("A\n/\""), "\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa9\\");
}

std::string one(std::string_view body, std::size_t data = 4) {
    return container(fmt::format(R"({{"t":{{{}}}}})", body), data);
}

TEST(Safetensors, RefusesMalformedFiles) {
    std::string rank9 = R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])";
    struct Case {
        std::string bytes;
        std::string message;
        ErrorKind kind = ErrorKind::format;
    };
    const std::string ok = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
    const Case cases[] = {
        {"", "found 0 bytes"},
        {"1234567", "found 7 bytes"},
        {std::string("\x50\x4b\x03\x04\x00\x00\x08\x08", 8), "is this a safetensors file?"},
        {std::string(8, '\xff'), "found a length of 18446744073709551615"},
        {container("{}").substr(0, 9), "should have 2 bytes, but only 1 follow"},
        {std::string(8, '\0'),
         "byte 8: expected '{' at the start of the header, found the end of the header"},
        {container(" {}"), "byte 8: expected '{' at the start of the header, found ' '"},
        {container("[]"), "byte 8: expected '{'"},
        {container("{"), "byte 9: expected a key in quotes, found the end"},
        {container("{} x"), "byte 11: expected only spaces after the header's object, found 'x'"},
        {container("{}", 4),
         "expected the data to end with the last tensor, at byte 0 of the data, found 4 bytes"},
        {container(R"({"t":7})"), "byte 13: expected '{', found '7'"},
        {container(R"({"t":[[[[[[)"), "byte 13: expected '{', found '['"},
        {container(R"({"t" {}})"), "byte 13: expected ':', found '{'"},
        {container(R"({"t":)" + ok + R"(,})", 4), "expected a key in quotes, found '}'"},
        {container(R"({"t":)" + ok + R"(;"u":)" + ok + "}", 4), "expected ',' or '}', found ';'"},
        {container(R"({"t":)" + ok + R"(,"t":)" + ok + "}", 4), "tensor 't' appears twice"},
        {one(R"("dtype":"F32","shape":[1])"), "tensor 't': data_offsets is missing"},
        {one(R"("dtype":"F32","data_offsets":[0,4])"), "tensor 't': shape is missing"},
        {one(R"("shape":[1],"data_offsets":[0,4])"), "tensor 't': dtype is missing"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"F32")"),
         "tensor 't': dtype appears twice"},
        {one(R"("dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4])"),
         "tensor 't': shape appears twice"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1)"),
         "tensor 't': expected the keys dtype, shape and data_offsets, found 'x'"},
        {one(R"("dtype":"f32","shape":[1],"data_offsets":[0,4])"),
         "tensor 't': unknown dtype 'f32'"},
        {one(R"("dtype":32,"shape":[1],"data_offsets":[0,4])"),
         "expected a dtype in quotes, found '3'"},
        {one(R"("dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4])"),
         "element type F8_E4M3 is not supported; convert it to F32 first", ErrorKind::unsupported},
        {one(R"("dtype":"F32","shape":1,"data_offsets":[0,4])"), "expected '[', found '1'"},
        {one(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"),
         "expected a whole number of 0 or more, found '-'"},
        {one(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])"),
         "expected ',' or ']', found '.'"},
        {one(R"("dtype":"F32","shape":[1e0],"data_offsets":[0,4])"),
         "expected ',' or ']', found 'e'"},
        {one(R"("dtype":"F32","shape":[01],"data_offsets":[0,4])"),
         "the number has a leading zero"},
        {one(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4])"),
         "the number is too large"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551616])"),
         "the number is too large"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615])"),
         "reach beyond the file's 4 data bytes"},
        {one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4])"),
         "tensor 't': size does not fit in 64 bits"},
        {one(R"("dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4])"),
         "tensor 't': size does not fit in 64 bits"},
        {one(rank9), "tensor 't': expected at most 8 dimensions, found more"},
        {one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"),
         "F32 [2] needs 8 bytes, but its data_offsets span 4"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"),
         "data_offsets [4, 0] run backwards"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])", 8),
         "leave a hole or overlap; expected them to begin at 0"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])", 3),
         "reach beyond the file's 3 data bytes"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])", 5), "found 5 bytes"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0])"),
         "expected ',' between two offsets, found ']'"},
        {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,8])"),
         "expected ']' after two offsets, found ','"},
        {container(R"({"t":)" + ok + R"(,"u":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                   6),
         "tensor 'u': data_offsets [2, 6] leave a hole or overlap; expected them to begin at 4"},
        {container(R"({"__metadata__":{"a":1}})"),
         "expected a metadata value that is a string, found '1'"},
        {container(R"({"__metadata__":{"a":{}}})"),
         "expected a metadata value that is a string, found '{'"},
        {container(R"({"__metadata__":{"a":"","a":""}})"), "metadata key 'a' appears twice"},
        {container(R"({"__metadata__":{},"__metadata__":{}})"), "__metadata__ appears twice"},
        {container("{\"a\x01"), "expected control characters in a string to be escaped"},
        {container("{\"a\xff\""), "expected UTF-8 in a string"},
        {container(R"({"a)"), "byte 9: the string has no end"},
        {container(R"({"a\)"), "unknown escape in a string"},
        {container(R"({"\x41":)"), "unknown escape in a string"},
        {container(R"({"\u00g0":)"), "expected four hexadecimal digits after \\u"},
        {container(R"({"\u00)"), "expected four hexadecimal digits after \\u"},
        {container(R"({"\ud800":)"), "half of a surrogate pair"},
        {container(R"({"\ud800\u0041":)"), "half of a surrogate pair"},
        {container(R"({"\udc00":)"), "half of a surrogate pair"},
        {container("{\"a\\u001b[2J\":{\"x\":"), "tensor 'a\\x1b[2J': expected the keys"},
    };
    for (const Case& c : cases)
        EXPECT_THAT(message_of([&] { parse(c.bytes); }, c.kind), HasSubstr(c.message)) << c.bytes;
}

TEST(Safetensors, LimitsTheNumberOfTensors) {
    const auto file_of = [](std::size_t count) {
        std::string header = "{";
        for (std::size_t i = 0; i < count; ++i)
            header += fmt::format(R"({}"{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                                  i > 0 ? "," : "", i);
        return container(header + "}");
    };
    EXPECT_EQ(parse(file_of(65'536)).tensors.size(), 65'536u);
    EXPECT_THAT(message_of([&] { parse(file_of(65'537)); }, ErrorKind::format),
                HasSubstr("at most 65536 tensors"));
}

// Compares our reader with a general JSON parser on every truncation and four changes of every byte
// of a header. What ours accepts, the other must read in the same way.
TEST(Safetensors, AgreesWithAGeneralJsonParserOnChangedHeaders) {
    const std::string header =
        R"({"a\u00e9":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}, "__metadata__":)"
        R"({"k":"v\n","k2":""},"b":{"data_offsets":[0,4],"shape":[],"dtype":"I32"}}  )";
    int accepted = 0, refused = 0;
    const auto check = [&](const std::string& text) {
        SafetensorsHeader ours;
        try {
            ours = parse_safetensors_header(text, "f");
        } catch (const Error&) {
            ++refused;
            return;
        }
        ++accepted;
        const auto json = nlohmann::json::parse(text);  // throws if it refuses the text
        ASSERT_EQ(json.size(), ours.entries.size() + (json.contains("__metadata__") ? 1 : 0))
            << text;
        for (const SafetensorsEntry& entry : ours.entries) {
            EXPECT_EQ(json.at(entry.name).at("shape").get<Shape>(), entry.shape) << text;
            EXPECT_EQ(json.at(entry.name).at("dtype").get<std::string>(), dtype_name(entry.dtype))
                << text;
            EXPECT_EQ(json.at(entry.name).at("data_offsets"),
                      (nlohmann::json{entry.begin, entry.end}))
                << text;
        }
        if (json.contains("__metadata__")) {
            const auto metadata = json.at("__metadata__").get<std::map<std::string, std::string>>();
            EXPECT_EQ(metadata, ours.metadata) << text;
        }
    };
    for (std::size_t length = 0; length <= header.size(); ++length) check(header.substr(0, length));
    for (std::size_t i = 0; i < header.size(); ++i) {
        for (int value = 0; value < 256; ++value) {
            std::string changed = header;
            changed[i] = static_cast<char>(value);
            check(changed);
        }
    }
    EXPECT_GT(accepted, 1000);
    EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace vit
