#include "weights/readers/npy.h"

#include "archives.h"
#include "support.h"

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
    EXPECT_EQ(std::distance(begin(files), end(files)), 1);  // nothing temporary is left
}

}  // namespace
}  // namespace vit::test
