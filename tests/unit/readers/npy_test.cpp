#include "weights/readers/npy.h"

#include "archives.h"
#include "support.h"
#include "weights/readers/npz.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

std::string npy(const std::string& header, std::string_view data, char major = 1, char minor = 0) {
    return std::string("\x93NUMPY") + major + minor + little(header.size(), major == 1 ? 2 : 4) +
           header + std::string(data);
}

std::string refused(const std::string& bytes, ErrorKind kind = ErrorKind::format) {
    return message_of([&] { parse_npy(as_bytes(bytes), "'file.npy'"); }, kind);
}

TEST(Npy, HeadersInEveryOrderAndSpacing) {
    for (const char* header :
         {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n",
          "{'shape':(2,),'fortran_order':True,'descr':'<f4'}",
          "{ \"descr\" : \"<f4\" , 'fortran_order' : False , 'shape' : ( 2L , ) , }"}) {
        const NpyArray array = parse_npy(as_bytes(npy(header, "01234567")), "file");
        EXPECT_EQ(array.shape, Shape{2});
        EXPECT_EQ(array.data.size(), 8u);
    }
}

TEST(Npy, ElementTypesAsNumPyTakesThem) {
    const auto values = [](const std::string& descr, std::string_view data) {
        const std::string bytes =
            npy("{'descr': '" + descr + "', 'fortran_order': True, 'shape': (1, 2)}", data);
        return to_f32(parse_npy(as_bytes(bytes), "file").view());
    };
    const std::string little_one("\0\0\x80\x3f\0\0\0\x40", 8), big_one("\x3f\x80\0\0\x40\0\0\0", 8);
    for (const char* descr : {"<f4", "=f4", "|f4", "f4", "float32"})
        EXPECT_THAT(values(descr, little_one), testing::ElementsAre(1, 2)) << descr;
    EXPECT_THAT(values(">f4", big_one), testing::ElementsAre(1, 2));
    EXPECT_THAT(values(">f2", std::string("\x3c\0\x40\0", 4)), testing::ElementsAre(1, 2));
    EXPECT_THAT(values("float16", std::string("\0\x3c\0\x40", 4)), testing::ElementsAre(1, 2));
    for (const char* descr : {"<i1", ">u1", "bool", ">b1"})
        EXPECT_EQ(
            parse_npy(
                as_bytes(npy(
                    cat({"{'descr': '", descr, "', 'fortran_order': False, 'shape': (1,)}"}), "x")),
                "file")
                .data.size(),
            1u);
    for (const char* descr : {"<float32", ">", "", "!f4", "<<f4", "<f16", "<U4"})
        refused(
            npy(cat({"{'descr': '", descr, "', 'fortran_order': False, 'shape': (1,)}"}), "0123"),
            ErrorKind::unsupported);
    EXPECT_THAT(to_f32(read_npy(data_file("big_endian.npy")).view()),
                testing::ElementsAre(0, 1, 2));
}

TEST(Npy, BigEndianArraysInAnArchive) {
    const std::string array = npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}",
                                  std::string("\x3f\x80\0\0", 4));
    const std::string archive = make_zip({{.name = "a.npy", .data = array}});
    const auto members = zip_members(as_bytes(archive), "file");
    const NpzArrays arrays = parse_npz(as_bytes(archive), members, "file");
    EXPECT_THAT(to_f32(arrays.tensors.at(0)), testing::ElementsAre(1));
}

TEST(Npy, WrongHeadersAreRefused) {
    const auto with_shape = [](const std::string& shape) {
        return npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", "");
    };
    EXPECT_THAT(refused(with_shape("(9223372036854775807, 3)")), HasSubstr("does not fit"));
    EXPECT_THAT(refused(with_shape("(9223372036854775807,)")), HasSubstr("does not fit"));
    EXPECT_THAT(refused(with_shape("(99999999999999999999,)")), HasSubstr("64 bits"));
    EXPECT_THAT(refused(with_shape("(-1,)")), HasSubstr("extent"));
    EXPECT_THAT(refused(with_shape("(1,1,1,1,1,1,1,1,1)")), HasSubstr("8 dimensions"));
    EXPECT_THAT(refused(with_shape("(3)")), HasSubstr("','"));
    for (const char* shape : {"3", "[3]", "(3,,)", "(,)", "(3", "(3 4)", "(x,)", "", "(True,)"})
        refused(with_shape(shape));
    for (const char* header :
         {"", "{", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}",
          "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
          "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
          "{'descr': '<f4, 'fortran_order': False, 'shape': ()}", "{'descr: <f4"})
        refused(npy(header, "0123"));
    refused(npy("{'descr': '<c8', 'fortran_order': False, 'shape': ()}", "01234567"),
            ErrorKind::unsupported);
    refused(npy("{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': ()}", "01234567"),
            ErrorKind::unsupported);
}

TEST(Npy, LengthsAreCheckedFirst) {
    const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    EXPECT_THAT(refused(npy(good, "0123456")), HasSubstr("needs 8 bytes, found 7"));
    EXPECT_THAT(refused(npy(good, "012345678")), HasSubstr("needs 8 bytes, found 9"));
    EXPECT_THAT(refused(npy(good + std::string(70000, ' '), "01234567", 2)), HasSubstr("at most"));
    EXPECT_THAT(refused(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12)), HasSubstr("at most"));
    EXPECT_THAT(refused(std::string("\x93NUMPY\x01\0\xff\xf0", 10)), HasSubstr("truncated"));
    refused(npy(good, "01234567", 4), ErrorKind::unsupported);
    refused(npy(good, "01234567", 1, 1), ErrorKind::unsupported);
    // An empty array may have large extents, in either order.
    for (const char* order : {"False", "True"})
        EXPECT_TRUE(parse_npy(as_bytes(npy(std::string("{'descr': '<f4', 'fortran_order': ") +
                                               order + ", 'shape': (9223372036854775807, 0)}",
                                           "")),
                              "file")
                        .data.empty());
}

TEST(Npy, WriterWritesPiecewiseAndWhole) {
    const Folder folder;
    {
        NpyWriter writer(folder / "a.npy", {3, 2});
        const float values[] = {1, 2, 3, 4, 5, 6};
        writer.write(std::span(values).first(2));
        writer.write(std::span(values).subspan(2));
        EXPECT_FALSE(std::filesystem::exists(folder / "a.npy"));
        message_of([&] { writer.write(std::span(values).first(1)); }, ErrorKind::usage);
        writer.commit();
    }
    const NpyArray array = read_npy(folder / "a.npy");
    EXPECT_EQ(array.shape, (Shape{3, 2}));
    EXPECT_THAT(to_f32(array.view()), testing::ElementsAre(1, 2, 3, 4, 5, 6));

    {
        NpyWriter writer(folder / "b.npy", {3, 2});
        message_of([&] { writer.commit(); }, ErrorKind::usage);
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "b.npy"));
    message_of([&] { NpyWriter(folder / "c.npy", {-1}); }, ErrorKind::usage);
    message_of([&] { NpyWriter(folder / "c.npy", {INT64_MAX, 2}); }, ErrorKind::usage);
    message_of([&] { NpyWriter(folder / "c.npy", Shape(40000, 1)); }, ErrorKind::usage);
    message_of([&] { NpyWriter(folder / "no" / "c.npy", {1}); }, ErrorKind::io);
    const auto files = std::filesystem::directory_iterator(folder.path());
    EXPECT_EQ(std::distance(begin(files), end(files)), 1);  // no temporary file is left
}

}  // namespace
}  // namespace vit::test
