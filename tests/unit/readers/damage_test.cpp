// Every truncation and every changed byte of small valid files must give an error or an answer, and
// nothing else.
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archives.h"
#include "support.h"
#include "tests/support/times.h"
#include "weights/readers/checkpoint.h"
#include "weights/readers/npy.h"

namespace vit::test {
namespace {

constexpr const char* checkpoints[] = {"plain.pth",
                                       "protocol4.pth",
                                       "views.pth",
                                       "extras.pth",
                                       "training.pth.tar",
                                       "stored.npz",
                                       "deflated.npz",
                                       "prefixes.safetensors",
                                       "../torch_formats/old_plain.pth",
                                       "../torch_formats/old_views.pth",
                                       "../torch_formats/old_python2.pth",
                                       "../torch_formats/old_storage_views.pth",
                                       "../torch_formats/negative.pth",
                                       "../torch_formats/deflated.pth",
                                       "../torch_formats/beside4.pth"};
constexpr const char* arrays[] = {"fortran.npy", "version2.npy"};

/// Reads the bytes, and touches every byte of the result. Returns true if the bytes were accepted.
bool accepted(const std::string& bytes, bool array) {
    try {
        Checkpoint checkpoint;
        NpyArray single;
        if (array) {
            single = parse_npy(as_bytes(bytes), "'file'");
            checkpoint.tensors = {single.view()};
        } else {
            checkpoint = parse_checkpoint(as_bytes(bytes), "file");
        }
        for (const TensorView& tensor : checkpoint.tensors) {
            EXPECT_EQ(tensor.data.size(),
                      static_cast<std::size_t>(tensor.numel()) * item_size(tensor.dtype));
            unsigned sum = 0;
            for (const std::byte byte : tensor.data) sum += static_cast<unsigned>(byte);
            volatile unsigned sink = sum;
            (void)sink;
        }
        return true;
    } catch (const Error& error) {
        EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
        return false;
    }
}

TEST(Damage, EveryTruncationIsRefused) {
    const auto check = [](const char* file, bool array) {
        SCOPED_TRACE(file);
        const std::string bytes = read_all(data_file(file));
        ASSERT_TRUE(accepted(bytes, array));
        for (std::size_t size = 0; size < bytes.size(); ++size)
            // The string has exactly this size, so that a sanitizer notices reads past the end.
            ASSERT_FALSE(accepted(std::string(bytes.data(), size), array)) << size;
    };
    for (const char* file : checkpoints) check(file, false);
    for (const char* file : arrays) check(file, true);
}

TEST(Damage, EveryByteChangedFourWays) {
    const auto check = [](const char* file, bool array) {
        SCOPED_TRACE(file);
        const std::string bytes = read_all(data_file(file));
        std::size_t refusals = 0;
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            const char old = bytes[at];
            for (const int value : {old ^ 0x01, old ^ 0x80, 0x00, 0xFF}) {
                std::string changed = bytes;
                changed[at] = static_cast<char>(value);
                refusals += accepted(changed, array) ? 0 : 1;
            }
        }
        EXPECT_GT(refusals, bytes.size() / 10);
    };
    for (const char* file : checkpoints) check(file, false);
    for (const char* file : arrays) check(file, true);
}

// A refusal may take at most 1 s, and 32 MiB more than four times the header.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr bool measurable = false;
#else
constexpr bool measurable = true;
#endif

std::string times(std::string_view part, std::size_t count) {
    std::string out;
    out.reserve(part.size() * count);
    while (count-- > 0) out += part;
    return out;
}

/// What it costs to refuse `bytes` in a separate process.
struct Cost {
    double seconds = 0;
    long kilobytes = 0;
    bool refused = false;
};

Cost cost_of_refusing(const std::string& bytes) {
    ::malloc_trim(0);  // the child must not use memory that this process has kept
    int channel[2];
    if (::pipe(channel) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        rusage before{}, after{};
        long resident = 0;
        std::ifstream("/proc/self/statm") >> resident >> resident;
        ::getrusage(RUSAGE_SELF, &before);
        Cost cost;
        cost.refused = !accepted(bytes, false);
        ::getrusage(RUSAGE_SELF, &after);
        const auto seconds = [](const rusage& usage) {
            return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
        };
        cost.seconds = seconds(after) - seconds(before);
        cost.kilobytes = after.ru_maxrss - resident * (::sysconf(_SC_PAGESIZE) / 1024);
        const ssize_t written = ::write(channel[1], &cost, sizeof cost);
        ::_exit(written == sizeof cost ? 0 : 1);
    }
    Cost cost;
    ::close(channel[1]);
    const ssize_t count = ::read(channel[0], &cost, sizeof cost);
    ::close(channel[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(count, static_cast<ssize_t>(sizeof cost));
    return cost;
}

TEST(Damage, RefusingCostsLittle) {
    if (!measurable) GTEST_SKIP() << "costs are those of an optimised build without sanitizers";
    const auto check = [](const char* what, std::size_t header, const std::string& bytes) {
        SCOPED_TRACE(what);
        const Cost cost = cost_of_refusing(bytes);
        EXPECT_TRUE(cost.refused);
        if (test::times_count()) {
            EXPECT_LT(cost.seconds, 1.0);
        }
        EXPECT_LT(cost.kilobytes, static_cast<long>((4 * header >> 10) + (32 << 10)));
        std::cout << what << ": " << bytes.size() << " bytes, " << cost.seconds << " s, "
                  << cost.kilobytes << " KiB\n";
    };
    const auto pickled = [&](const char* what, const std::string& pickle) {
        check(what, pickle.size(), make_torch(proto + pickle));
    };
    const auto legacy = [&](const char* what, const std::string& pickle,
                            const std::string& rest = "") {
        check(what, pickle.size(), make_legacy(proto + pickle, {}) + rest);
    };
    // The bytes that follow are not part of the header.
    legacy("old format, lists before much else", "](" + times("]", 200'000) + "e?",
           std::string(80'000'000, 'x'));
    legacy("old format, mappings", "}" + times("NNs", 3'300'000) + "?");
    legacy("old format, storages", "]" + times(tensor("0", 1, 0, {1}, {1}) + "a", 20'000) + ".",
           std::string(50'000'000, 'x'));
    check("bytes behind an archive", 200,
          make_zip({{.name = "x"}}) + times("PK\x05\x06", 20'000'000));
    pickled("opcodes", times("N0", 5'000'001) + "N.");
    pickled("opcodes without an end", times("N0", 4'999'000));
    pickled("stack", times("N", 10'000'000) + ".");
    pickled("lists", "]" + times("]a", 4'900'000) + "?");
    pickled("large lists", "]" + times("](" + times("]", 200'000) + "e0", 48) + "?");
    pickled("numbers", "]" + times("J0000a", 4'900'000) + "?");
    pickled("tuples", "]" + times("NN\x86\x61", 2'490'000) + "?");
    pickled("mappings", "}" + times("NNs", 3'300'000) + "?");
    pickled("memo", "N" + times("\x94", 9'000'000) + "?");
    pickled("memo indices", "N" + times(std::string("r\xff\xff\x3f\0", 5), 1'000'000) + "?");
    pickled("text", "]" + times("X" + little(0, 4) + "a", 4'900'000) + "?");
    pickled("long text", "X" + little(60'000'000, 4) + std::string(60'000'000, 'x') + "?");
    const std::string name = std::string(20'000'000, 'n');
    const std::string value = tensor("0", 1, 0, {1}, {1});
    pickled("long names", "}(" + text(name) + "q" + little(0, 1) + value + "q" + little(1, 1) +
                              times(std::string("h\0h\x01", 4), 100'000) + "u.");
    {
        std::vector<std::pair<std::string, std::string>> tensors;
        for (int i = 0; i < 65'000; ++i) tensors.push_back({cat({"w", std::to_string(i)}), value});
        tensors.push_back({"last", tensor("9", 1, 0, {1}, {1})});
        const std::string pickle = state_dict(tensors);
        check("many tensors", pickle.size(), make_torch(pickle, {"0000"}));
    }
    {
        std::string many;
        for (int i = 0; i < 500'000; ++i)
            many += "PK\x01\x02" + times(std::string(1, '\0'), 42) + "x";
        check("members", many.size(), std::string("PK\x03\x04", 4) + std::string(26, '\0') + many);
        std::vector<Entry> entries;
        for (int i = 0; i < 60'000; ++i)
            entries.push_back({.name = cat({"member", std::to_string(i)})});
        entries.push_back({.name = "MEMBER1"});
        check("names", 61'000 * 57, make_zip(entries));
    }
    {
        const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (20000000,)}";
        const std::string array = std::string("\x93NUMPY\x01\0", 8) + little(header.size(), 2) +
                                  header + std::string(80'000'000, 'x');
        check("npz checksum", 200, make_zip({{.name = "a.npy", .data = array, .crc = 1}}));
    }
}

}  // namespace
}  // namespace vit::test
