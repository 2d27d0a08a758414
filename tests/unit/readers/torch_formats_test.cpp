// Compares files that torch.save writes in other forms than a plain state dict with what torch
// reads from them (tools/fixtures/torch_formats.py).
#include "archives.h"
#include "goldens.h"

namespace vit::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class TorchFormats : public testing::Test {
  protected:
    Expectations expectations_{format_file("")};
};

TEST_F(TorchFormats, BeforeRelease16) {
    for (const char* file : {"old_plain.pth", "old_protocol4.pth", "old_views.pth",
                             "old_dtypes.pth", "old_negative.pth", "old_training.pth.tar"})
        expectations_.expect_file(file);
    const Checkpoint training = read_checkpoint(format_file("old_training.pth.tar"));
    EXPECT_EQ(training.container, "torch before 1.6");
    EXPECT_THAT(training.notes, Contains("took the weights under 'state_dict'"));
    EXPECT_THAT(training.notes, Contains(HasSubstr("left out 'optimizer' (a mapping)")));
}

// Machines of both byte orders write the same storages. torch does not use little_endian either.
TEST_F(TorchFormats, BeforeRelease16OnABigEndianMachine) {
    expectations_.expect_file("old_big_endian.pth");
}

TEST_F(TorchFormats, BeforeRelease04) {
    expectations_.expect_file("old_storage_views.pth");
    expectations_.expect_file("old_python2.pth");
}

TEST_F(TorchFormats, DenseTensorsOfTheOldFormatAreNotCopied) {
    const std::string bytes = read_all(format_file("old_plain.pth"));
    for (const TensorView& tensor : parse_checkpoint(as_bytes(bytes), "f").tensors) {
        EXPECT_GE(reinterpret_cast<const char*>(tensor.data.data()), bytes.data());
        EXPECT_LE(reinterpret_cast<const char*>(tensor.data.data() + tensor.data.size()),
                  bytes.data() + bytes.size());
    }
}

TEST_F(TorchFormats, BigEndianArchives) {
    expectations_.expect_file("big_endian.pth");
    EXPECT_THAT(read_checkpoint(format_file("big_endian.pth")).notes,
                Contains("copied 7 tensors whose elements are big-endian"));
}

TEST_F(TorchFormats, DeflatedArchives) {
    expectations_.expect_file("deflated.pth");
}

TEST_F(TorchFormats, NegativeBit) {
    expectations_.expect_file("negative.pth");
    EXPECT_THAT(read_checkpoint(format_file("negative.pth")).notes,
                Contains(HasSubstr("6 tensors with PyTorch's negative bit")));
}

TEST_F(TorchFormats, WhatStandsBesideTheWeights) {
    for (const char* file : {"beside2.pth", "beside4.pth", "beside_more.pth"})
        expectations_.expect_file(file);
    for (const char* file : {"beside2.pth", "beside4.pth"}) {
        const auto notes = read_checkpoint(format_file(file)).notes;
        for (const char* entry :
             {"'device' (a device)", "'bytes' (bytes)", "'array' (bytes)", "'counter' (a mapping)",
              "'set' (a set)", "'complex' (a complex number)", "'sparse' (a sparse tensor)",
              "'csr' (a sparse tensor)", "'quantised' (a quantised tensor)",
              "'per_channel' (a quantised tensor)", "'meta' (a tensor without values)",
              "'parameter' (a tensor)", "'scheduler' (a mapping)"})
            EXPECT_THAT(notes, Contains(HasSubstr(entry))) << file;
    }
    const auto notes = read_checkpoint(format_file("beside_more.pth")).notes;
    for (const char* entry : {"'frozen' (a set)", "'default' (a mapping)", "'lists' (a mapping)"})
        EXPECT_THAT(notes, Contains(HasSubstr(entry)));
}

TEST_F(TorchFormats, WeightsOfOtherKindsAreRefusedByName) {
    const auto refused = [](const char* file, ErrorKind kind) {
        return message_of([&] { read_checkpoint(format_file(file)); }, kind);
    };
    EXPECT_THAT(refused("conj.pth", ErrorKind::unsupported), HasSubstr("'odd'"));
    EXPECT_THAT(refused("old_uint16.pth", ErrorKind::unsupported),
                testing::AllOf(HasSubstr("'odd'"), HasSubstr("uint16")));
    EXPECT_THAT(refused("sparse_weight.pth", ErrorKind::unsupported),
                testing::AllOf(HasSubstr("'w'"), HasSubstr("a sparse tensor")));
    EXPECT_THAT(refused("bare.pkl", ErrorKind::format),
                testing::AllOf(HasSubstr("a Python pickle"), Not(HasSubstr("1.6"))));
}

/// The mapping {name: value}.
std::string flag(std::string_view name, std::string_view value) {
    return cat({"}", text(name), value});
}

/// {"w": a tensor of storage 0 with this metadata}, as an archive.
std::string with_metadata(const std::string& metadata, const char* storage = "FloatStorage") {
    std::string value = tensor("0", 2, 0, {2}, {1}, storage);
    value.replace(value.size() - 2, 2, metadata + "tR");
    return make_torch(state_dict({{"w", value}}), {std::string(8, '\x01')});
}

TEST(Metadata, IsAppliedOrRefused) {
    const auto first_byte = [](const std::string& metadata) {
        const std::string bytes = with_metadata(metadata);
        const Checkpoint checkpoint = parse_checkpoint(as_bytes(bytes), "f");
        return static_cast<int>(checkpoint.tensors.at(0).data[3]);
    };
    EXPECT_EQ(first_byte(flag("neg", "\x88s")), 0x81);
    EXPECT_EQ(first_byte(flag("neg", "\x89s")), 0x01);
    EXPECT_EQ(first_byte(flag("conj", "\x89s")), 0x01);
    EXPECT_EQ(first_byte("}"), 0x01);
    EXPECT_EQ(first_byte("N"), 0x01);
    const auto refused = [](const std::string& bytes) {
        return message_of([&] { parse_checkpoint(as_bytes(bytes), "f"); }, ErrorKind::unsupported);
    };
    EXPECT_THAT(refused(with_metadata(flag("conj", "\x88s"))), HasSubstr("conjugate bit"));
    EXPECT_THAT(refused(with_metadata(flag("scale", "K\x02s"))), HasSubstr("metadata"));
    EXPECT_THAT(refused(with_metadata(flag("neg", "K\x02s"))), HasSubstr("metadata"));
    EXPECT_THAT(refused(with_metadata(flag("neg", "\x88s"), "IntStorage")),
                HasSubstr("negative bit"));
}

}  // namespace
}  // namespace vit::test
