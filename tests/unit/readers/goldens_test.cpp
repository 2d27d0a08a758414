// Compares files written by torch, timm, numpy and safetensors with what these libraries read from
// them (tools/fixtures/checkpoints.py).
#include <map>

#include "goldens.h"
#include "support.h"
#include "weights/readers/checkpoint.h"
#include "weights/readers/npy.h"
#include "weights/readers/npz.h"

namespace vit::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class Goldens : public testing::Test {
  protected:
    std::map<std::string, TensorView> expected(const std::string& file) const {
        return expectations_.of(file);
    }
    void expect_file(const std::string& file, EmaChoice ema = EmaChoice::automatic,
                     const std::string& suffix = "") const {
        expectations_.expect_file(file, ema, suffix);
    }

  private:
    Expectations expectations_{data_file("")};
};

TEST_F(Goldens, TorchStateDicts) {
    for (const char* file : {"plain.pth", "protocol3.pth", "protocol4.pth", "protocol5.pth",
                             "no_checksums.pth", "parameters.pth", "dtypes.pth"})
        expect_file(file);
}

TEST_F(Goldens, ViewsAreMadeDense) {
    expect_file("views.pth");
    EXPECT_THAT(read_checkpoint(data_file("views.pth")).notes, Contains(HasSubstr("row-major")));
    EXPECT_THAT(read_checkpoint(data_file("plain.pth")).notes, IsEmpty());
}

TEST_F(Goldens, DenseTensorsAreNotCopied) {
    const std::string bytes = read_all(data_file("plain.pth"));
    for (const TensorView& tensor : parse_checkpoint(as_bytes(bytes), "plain.pth").tensors) {
        EXPECT_GE(reinterpret_cast<const char*>(tensor.data.data()), bytes.data());
        EXPECT_LE(reinterpret_cast<const char*>(tensor.data.data() + tensor.data.size()),
                  bytes.data() + bytes.size());
    }
}

TEST_F(Goldens, TensorsOutliveTheReading) {
    Checkpoint checkpoint = read_checkpoint(data_file("views.pth"));
    const std::vector<TensorView> tensors = checkpoint.tensors;
    const auto storage = std::move(checkpoint.storage);
    checkpoint = {};
    expect_equal(tensors, expected("views.pth"));
}

TEST_F(Goldens, EntriesThatAreNoTensorsAreNamed) {
    expect_file("extras.pth");
    const auto notes = read_checkpoint(data_file("extras.pth")).notes;
    for (const char* entry :
         {"'none' (None)", "'count' (an integer)", "'huge' (a large integer)", "'list' (a list)",
          "'size' (a tuple)", "'text' (text)", "did not use 5 (a tensor)", "'dtype' (a name)"})
        EXPECT_THAT(notes, Contains(HasSubstr(entry)));
}

TEST_F(Goldens, PrefixesAreStripped) {
    expect_file("prefixes.safetensors");
    std::map<std::string, TensorView> wanted = expected("prefixes.pth");
    wanted["e.f"] = wanted.at("e.module.f");  // timm does not remove a wrapper inside a name
    wanted.erase("e.module.f");
    const Checkpoint checkpoint = read_checkpoint(data_file("prefixes.pth"));
    expect_equal(checkpoint.tensors, wanted);
    EXPECT_THAT(checkpoint.notes, Contains("took _orig_mod. and module. out of 5 names"));
}

TEST_F(Goldens, TrainingCheckpoint) {
    expect_file("training.pth.tar");
    expect_file("training.pth.tar", EmaChoice::ema);
    expect_file("training.pth.tar", EmaChoice::no_ema, " no_ema");
    const Checkpoint averaged = read_checkpoint(data_file("training.pth.tar"));
    EXPECT_EQ(averaged.arch, "vit_tiny_patch16_224");
    EXPECT_EQ(averaged.container, "torch zip");
    EXPECT_EQ(averaged.path, data_file("training.pth.tar"));
    EXPECT_THAT(averaged.notes, Contains("took the EMA weights under 'state_dict_ema'"));
    EXPECT_THAT(averaged.notes, Contains("did not take the weights under 'state_dict'"));
    EXPECT_THAT(averaged.notes, Contains(HasSubstr("left out 'optimizer' (a mapping)")));
    const Checkpoint plain = read_checkpoint(data_file("training.pth.tar"), EmaChoice::no_ema);
    EXPECT_THAT(plain.notes, Contains("took the weights under 'state_dict'"));
    EXPECT_THAT(plain.notes, Contains("did not take the EMA weights under 'state_dict_ema'"));
}

TEST_F(Goldens, ModelAndModelEma) {
    expect_file("model_ema.pth");
    expect_file("model_ema.pth", EmaChoice::no_ema, " no_ema");
}

TEST_F(Goldens, Npz) {
    for (const std::string file : {"stored.npz", "deflated.npz"}) {
        expect_file(file);
        SCOPED_TRACE(file);
        EXPECT_EQ(read_checkpoint(data_file(file)).container, "npz");
        const std::vector<NpyArray> arrays = read_npz(data_file(file));
        std::vector<TensorView> views;
        for (const NpyArray& array : arrays) views.push_back(array.view());
        expect_equal(views, expected(file));
    }
}

TEST_F(Goldens, Npy) {
    for (const std::string file : {"c_order.npy", "fortran.npy", "scalar.npy", "row.npy",
                                   "empty.npy", "version2.npy", "version3.npy"}) {
        SCOPED_TRACE(file);
        NpyArray array = read_npy(data_file(file));
        EXPECT_EQ(array.name + ".npy", file);
        array.name.clear();
        expect_equal({array.view()}, expected(file));
    }
}

TEST_F(Goldens, WritesTheBytesThatNumpyWrites) {
    const Folder folder;
    for (const std::string file : {"c_order.npy", "scalar.npy", "row.npy", "empty.npy"}) {
        SCOPED_TRACE(file);
        const NpyArray array = read_npy(data_file(file));
        write_npy(folder / file, array.shape, to_f32(array.view()));
        EXPECT_EQ(read_all(folder / file), read_all(data_file(file)));
    }
}

// Files from these libraries that our readers refuse.

struct Refusal {
    const char* file;
    ErrorKind kind;
    std::vector<const char*> words;
};

TEST(Refusals, OfCheckpoints) {
    const Refusal refusals[] = {
        {"float8.pth", ErrorKind::unsupported, {"'odd'", "float8_e4m3fn"}},
        {"complex.pth", ErrorKind::unsupported, {"'odd'", "ComplexFloatStorage"}},
        {"uint16.pth", ErrorKind::unsupported, {"'odd'", "uint16"}},
        {"whole_model.pth",
         ErrorKind::model,
         {"torch.nn.modules.container.Sequential", "nothing was executed", "safetensors"}},
        {"numpy_scalar.pth", ErrorKind::model, {"numpy._core.multiarray.scalar"}},
        {"script.pt", ErrorKind::model, {"TorchScript", "state_dict"}},
        {"clash.pth", ErrorKind::model, {"two tensors are named 'a'"}},
        {"no_tensors.pth",
         ErrorKind::model,
         {"'network', 'epoch'", "torch.load(FILE, weights_only=True)['network'], NEW_FILE)"}},
        {"list.pth", ErrorKind::model, {"expected a mapping", "a list"}},
        {"objects.npz", ErrorKind::unsupported, {"'o.npy'", "Python objects"}},
        {"row.npy", ErrorKind::format, {"a single .npy array"}},
    };
    for (const Refusal& refusal : refusals) {
        SCOPED_TRACE(refusal.file);
        const std::string message =
            message_of([&] { read_checkpoint(data_file(refusal.file)); }, refusal.kind);
        EXPECT_THAT(message, HasSubstr(refusal.file));
        for (const char* word : refusal.words) EXPECT_THAT(message, HasSubstr(word));
    }
}

TEST(Refusals, OfEmaWeightsThatAreNotThere) {
    for (const char* file : {"plain.pth", "prefixes.safetensors", "stored.npz"})
        EXPECT_THAT(
            message_of([&] { read_checkpoint(data_file(file), EmaChoice::ema); }, ErrorKind::model),
            HasSubstr("EMA"));
}

TEST(Refusals, OfArrays) {
    const Refusal refusals[] = {
        {"objects.npy", ErrorKind::unsupported, {"Python objects"}},
        {"structured.npy", ErrorKind::unsupported, {"structured"}},
        {"text.npy", ErrorKind::unsupported, {"'<U2'"}},
        {"plain.pth", ErrorKind::format, {"expected an .npy array"}},
    };
    for (const Refusal& refusal : refusals) {
        SCOPED_TRACE(refusal.file);
        const std::string message =
            message_of([&] { read_npy(data_file(refusal.file)); }, refusal.kind);
        EXPECT_THAT(message, HasSubstr(refusal.file));
        for (const char* word : refusal.words) EXPECT_THAT(message, HasSubstr(word));
    }
    message_of([] { read_npz(data_file("row.npy")); }, ErrorKind::format);
    message_of([] { read_npz(data_file("none.npz")); }, ErrorKind::io);
    message_of([] { read_npy(data_file("none.npy")); }, ErrorKind::io);
}

}  // namespace
}  // namespace vit::test
