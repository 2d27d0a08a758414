#include "weights/readers/pickle.h"

#include "archives.h"
#include "support.h"

namespace vit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

PickleTree read(const std::string& bytes) {
    return read_pickle(as_bytes(bytes), "'file': data.pkl");
}

std::string refused(const std::string& bytes, ErrorKind kind = ErrorKind::format) {
    return message_of([&] { read(proto + bytes); }, kind);
}

std::string times(std::string_view part, std::size_t count) {
    std::string out;
    out.reserve(part.size() * count);
    while (count-- > 0) out += part;
    return out;
}

TEST(Pickle, PlainValues) {
    const auto integer_of = [](const std::string& bytes) {
        const std::string pickle = proto + bytes + ".";
        return std::get<std::int64_t>(read(pickle).root());
    };
    EXPECT_EQ(integer_of("K\xff"), 255);
    EXPECT_EQ(integer_of("M\xff\xff"), 65535);
    EXPECT_EQ(integer_of("J\xff\xff\xff\xff"), -1);
    EXPECT_EQ(integer_of("\x8a" + std::string(1, '\0')), 0);
    EXPECT_EQ(integer_of("\x8a\x01\x80"), -128);
    EXPECT_EQ(integer_of(std::string("\x8a\x02\x80\x00", 4)), 128);
    EXPECT_EQ(integer_of(integer(INT64_MIN)), INT64_MIN);
    EXPECT_EQ(integer_of(integer(INT64_MAX)), INT64_MAX);
    const std::string real = proto + std::string("G\x3f\xf8\0\0\0\0\0\0", 9) + ".";
    EXPECT_EQ(std::get<double>(read(real).root()), 1.5);
    const std::string big = proto + "\x8a\x09" + std::string(9, '\x01') + ".";
    EXPECT_TRUE(std::holds_alternative<PickleBigInt>(read(big).root()));
}

TEST(Pickle, OnlyKnownNamesAreAllowed) {
    const std::string call = "(" + text("touch /tmp/owned") + "tR.";
    const std::pair<std::string, const char*> cases[] = {
        {global("os", "system") + call, "'os.system'"},
        {global("posix", "system") + call, "'posix.system'"},
        {global("builtins", "eval") + call, "'builtins.eval'"},
        {global("__builtin__", "eval") + call, "'__builtin__.eval'"},
        {global("torch", "load") + call, "'torch.load'"},
        {global("torch.storage", "_load_from_bytes") + call, "'torch.storage._load_from_bytes'"},
        {text("os") + text("system") + "\x93" + call, "'os.system'"},
        {global("collections", "OrderedDict.__class__") + call, "__class__"},
        {global("o\x1bs", "system") + call, "'o\\x1bs.system'"},
    };
    for (const auto& [bytes, words] : cases)
        EXPECT_THAT(refused(bytes, ErrorKind::model),
                    AllOf(HasSubstr(words), HasSubstr("nothing was executed"),
                          HasSubstr("safetensors"), HasSubstr("byte ")));
}

TEST(Pickle, KnownNamesAreUsedAsTheyAreMeant) {
    for (const std::string& bytes : {
             global("torch", "FloatStorage") + "(K\x01tR.",
             global("torch", "float32") + ")R.",
             global("collections", "OrderedDict") + "(K\x01tR.",
             global("argparse", "Namespace") + "(K\x01tR.",
             global("torch", "Size") + ")R.",
             global("torch", "Size") + "(K\x01tR.",
             global("torch._utils", "_rebuild_tensor_v2") + ")R.",
             global("torch._utils", "_rebuild_tensor_v2") + "(NNNNNNtR.",
             global("torch._utils", "_rebuild_tensor_v3") + "(NNNNNNtR.",
             global("torch._utils", "_rebuild_parameter") + "(N\x89NtR.",
             std::string("K\x01)R."),
             std::string("}NR."),
             std::string("K\x01}b."),
             std::string("}K\x01"
                         "b."),
             global("argparse", "Namespace") + ")\x81K\x01"
                                               "b.",
             std::string("NQ."),
             std::string(")Q."),
             "(" + text("storage") + "NNNNtQ.",
             "(" + text("module") + global("torch", "FloatStorage") + text("0") + "NK\x01tQ.",
             "(" + text("storage") + global("torch", "Size") + text("0") + "NK\x01tQ.",
             "(" + text("storage") + global("torch", "FloatStorage") + text("0") + "NK\x01K\x01tQ.",
         })
        refused(bytes);
}

TEST(Pickle, MalformedOnesAreRefused) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "truncated"},
        {".", "stack is empty"},
        {"0.", "stack is empty"},
        {"NN.", "left on the stack"},
        {"(N.", "left on the stack"},
        {"N.N", "follow"},
        {"Nt.", "no mark"},
        {"N(.", "stack is empty"},
        {"(a.", "stack is empty"},
        {"N(\x85", "stack is empty"},
        {"N\x86", "stack is empty"},
        {"NNa.", "expected a list"},
        {"N(NNu.", "expected a mapping"},
        {"}(Nu.", "pairs"},
        {"h\x05.", "memo index 5"},
        {"j\xff\xff\xff\xff.", "memo index 4294967295"},
        {"Nr\xff\xff\xff\xff.", "memo entries"},
        {"Nq", "truncated"},
        {"X\xff\xff\xff\xffhello", "truncated"},
        {"B\xff\xff\xff\xffhello", "truncated"},
        {"\x8d\xff\xff\xff\xff\xff\xff\xff\xffhello", "truncated"},
        {"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fhello", "truncated"},
        {"\x8b\xff\xff\xff\xff"
         "1",
         "truncated"},
        {"\x95\xff\xff\xff\xff\xff\xff\xff\xff.", "frame"},
        {"\x80\x09.", "protocol 2 to 5, found 9"},
        {"X" + little(2, 4) + "\xff\xfe.", "UTF-8"},
        {"cno newline", "truncated"},
        {"i\n\n.", "0x69"},
        {"I1\n.", "0x49"},
        {"P1\n.", "0x50"},
        {"\x82\x01.", "0x82"},
        {"2.", "0x32"},
    };
    for (const auto& [bytes, words] : cases) EXPECT_THAT(refused(bytes), HasSubstr(words));
}

TEST(Pickle, DepthIsBounded) {
    EXPECT_NO_THROW(read(proto + times("]", 150) + times("a", 149) + "."));
    EXPECT_THAT(refused(times("]", 1000) + times("a", 999) + "."), HasSubstr("nested"));
    EXPECT_THAT(refused(times("(", 1000) + times("t", 1000) + "."), HasSubstr("nested"));
    EXPECT_THAT(refused("N" + times("\x85", 1000) + "."), HasSubstr("nested"));
    EXPECT_THAT(refused(times("}N", 1000) + "}" + times("s", 1000) + "."), HasSubstr("nested"));
    EXPECT_THAT(refused("N" + times("\x85", 1'000'000) + "."), HasSubstr("nested"));
}

TEST(Pickle, CyclesAndSharingAreHarmless) {
    read(proto + "]q" + little(0, 1) + "h" + little(0, 1) + "a.");
    // A "billion laughs" attack: ten lists, each of which holds the previous one ten times.
    std::string laughs = proto + "]q" + little(0, 1);
    for (char i = 1; i < 10; ++i)
        laughs += "](" + times(std::string("h") + static_cast<char>(i - 1), 10) + "eq" + i;
    laughs += times("0", 9) + ".";
    const PickleTree tree = read(laughs);
    EXPECT_TRUE(std::holds_alternative<PickleList>(tree.root()));
}

TEST(Pickle, CountsAreBounded) {
    EXPECT_THAT(refused(times("N0", 5'000'001) + "N."), HasSubstr("10000000 opcodes"));
    EXPECT_THAT(refused(times("N", 300'000) + "."), HasSubstr("stack"));
    EXPECT_THAT(refused("N" + times("\x94", 5'000'000) + "."), HasSubstr("memo entries"));
    EXPECT_THAT(
        refused("](" + times("]", 100'000) + "e" + times("(" + times("]", 100'000) + "e", 30)),
        HasSubstr("memory"));
    const std::string large(std::size_t{65} << 20, 'N');
    EXPECT_THAT(refused(large), HasSubstr("at most 67108864 bytes"));
}

TEST(Pickle, LaterValuesOfAKeyCount) {
    const std::string bytes = state_dict({{"a", "K\x01"}, {"b", "K\x02"}, {"a", "K\x03"}});
    const PickleTree tree = read(bytes);
    const auto& dict = std::get<PickleDict>(tree.root());
    EXPECT_EQ(std::get<std::int64_t>(*tree.find(dict, "a")), 3);
    EXPECT_EQ(tree.find(dict, "c"), nullptr);
}

}  // namespace
}  // namespace vit::test
