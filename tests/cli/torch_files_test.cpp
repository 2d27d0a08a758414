// Runs vit-convert with checkpoints of torch.save, and with files that are too large for the
// memory.
#include <gmock/gmock.h>

#include <filesystem>

#include "engine/model/model_file.h"
#include "tests/cli/fixture.h"
#include "tests/unit/readers/archives.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_can_be_limited = false;  // sanitizers reserve the whole address space
#else
constexpr bool memory_can_be_limited = true;
#endif

class TorchFiles : public InferTest {
  protected:
    static Finished convert(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), VIT_CONVERT);
        return run(arguments);
    }
    /// The bundled checkpoint in the form in which torch saved it before 1.6. `more` is added
    /// beside the weights, `inside` among them.
    std::string old_format(const std::string& more = "", const std::string& inside = "") const {
        const Checkpoint checkpoint = read_checkpoint(digits());
        std::vector<std::pair<std::string, std::string>> tensors, storages;
        for (const TensorView& each : checkpoint.tensors) {
            const std::string key = std::to_string(storages.size());
            std::vector<std::int64_t> stride(each.shape.size(), 1);
            for (std::size_t i = stride.size(); i-- > 1;) stride[i - 1] = stride[i] * each.shape[i];
            tensors.push_back({each.name, tensor(key, each.numel(), 0, each.shape, stride)});
            storages.push_back(
                {key, {reinterpret_cast<const char*>(each.data.data()), each.data.size()}});
        }
        std::string weights = state_dict(tensors).substr(proto.size());
        weights.replace(weights.size() - 2, 2, inside + "u");  // without the final opcode
        write("old/config.json", *checkpoint.config_json);
        const std::string top = cat({proto, "}(", text("state_dict"), weights, more, "u."});
        return write("old/model.pth.tar", make_legacy(top, storages));
    }
};

TEST_F(TorchFiles, BeforeRelease16GiveTheSameModel) {
    ASSERT_EQ(convert({digits(), "-o", path("new.vit"), "--quiet"}).status, 0);
    const Finished done = convert({old_format(), "-o", path("old.vit")});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("56 tensors used, 0 dropped"));
    const ModelFile old = ModelFile::open(path("old.vit")),
                    known = ModelFile::open(path("new.vit"));
    ASSERT_EQ(old.tensors().size(), known.tensors().size());
    for (std::size_t i = 0; i < known.tensors().size(); ++i) {
        EXPECT_EQ(old.tensors()[i].name, known.tensors()[i].name);
        EXPECT_TRUE(std::ranges::equal(old.tensors()[i].data, known.tensors()[i].data));
    }
}

TEST_F(TorchFiles, InspectionNamesTheFormatAndWhatStandsBeside) {
    const std::string beside = text("lr_scheduler") + "}" + text("milestones") +
                               global("collections", "Counter") + "}\x85Rs" + text("device") +
                               global("torch", "device") + text("cuda") + "\x85R";
    const Finished done = convert({old_format(beside), "--inspect"});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, AllOf(HasSubstr("torch before 1.6, 56 tensors"),
                                HasSubstr("left out 'lr_scheduler' (a mapping)"),
                                HasSubstr("left out 'device' (a device)")));
}

TEST_F(TorchFiles, TruncatedOnesAre3) {
    const std::string file = old_format();
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    const Finished done = convert({file, "-o", path("model.vit")});
    EXPECT_EQ(done.status, 3);
    EXPECT_THAT(done.err, AllOf(HasSubstr("storage '55'"), HasSubstr("truncated")));
    EXPECT_FALSE(std::filesystem::exists(path("model.vit")));
}

TEST_F(TorchFiles, EntriesThatAreNotUsedAreInTheSummary) {
    const std::string inside = cat({text("\u202ename"), text("vit"), integer(7), "N"});
    const Finished taken = convert({old_format("", inside), "-o", path("model.vit")});
    EXPECT_EQ(taken.status, 0) << taken.err;
    EXPECT_THAT(taken.out, AllOf(HasSubstr("did not use '\\xe2\\x80\\xaename' (text)"),
                                 HasSubstr("did not use 7 (None)"), Not(HasSubstr("\u202e"))));
}

TEST_F(TorchFiles, TooLittleMemoryIs3WithAPlace) {
    if (!memory_can_be_limited) GTEST_SKIP() << "sanitizers need all the address space";
    const auto large = [&](const std::string& name, const std::string& begin) {
        const std::string file = write(name, begin);
        std::filesystem::resize_file(file, std::uintmax_t{4} << 30);  // a sparse file
        return file;
    };
    const std::string file = large("large.pth", "PK\x03\x04");
    const auto limited = [](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(),
                         {"/bin/sh", "-c", "cd /; ulimit -v 2000000; exec \"$0\" \"$@\""});
        return run(arguments);
    };
    const Finished converted = limited({VIT_CONVERT, file, "-o", path("model.vit")});
    EXPECT_EQ(converted.status, 3);
    EXPECT_THAT(converted.err, AllOf(HasSubstr("vit-convert: error: "), HasSubstr("large.pth"),
                                     HasSubstr("not enough memory")));
    const Finished loaded =
        limited({VIT_INFER, large("large.vit", std::string("\x02\0\0\0\0\0\0\0{}", 10)), "--info"});
    EXPECT_EQ(loaded.status, 3);
    EXPECT_THAT(loaded.err, AllOf(HasSubstr("large.vit"), HasSubstr("not enough memory")));
}

}  // namespace
}  // namespace vit::test
