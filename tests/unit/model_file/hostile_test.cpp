// Refusing a hostile header must be cheap: at most 1 s, and 32 MiB more than four times the header.
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <new>

#include <fmt/format.h>

#include "engine/model/model_header_json.h"
#include "support.h"
#include "tests/support/times.h"

namespace {

std::atomic<std::size_t> in_use{0}, peak{0};

void* counted(std::size_t size) {
    void* pointer = std::malloc(size > 0 ? size : 1);
    if (pointer == nullptr) throw std::bad_alloc();
    const std::size_t now = in_use += ::malloc_usable_size(pointer);
    std::size_t seen = peak.load();
    while (seen < now && !peak.compare_exchange_weak(seen, now)) {
    }
    return pointer;
}

void uncounted(void* pointer) noexcept {
    if (pointer != nullptr) in_use -= ::malloc_usable_size(pointer);
    std::free(pointer);
}

}  // namespace

// The whole test program allocates through these functions.
void* operator new(std::size_t size) {
    return counted(size);
}
void* operator new[](std::size_t size) {
    return counted(size);
}
void operator delete(void* pointer) noexcept {
    uncounted(pointer);
}
void operator delete[](void* pointer) noexcept {
    uncounted(pointer);
}
void operator delete(void* pointer, std::size_t) noexcept {
    uncounted(pointer);
}
void operator delete[](void* pointer, std::size_t) noexcept {
    uncounted(pointer);
}

namespace vit {
namespace {

constexpr std::size_t longest = 100'000'000;

double processor_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <typename Call>
void expect_cheap_refusal(const char* what, std::size_t header_bytes, Call&& call) {
    const std::size_t before = in_use;
    peak = before;
    const double start = processor_seconds();
    bool refused = false;
    try {
        call();
    } catch (const Error&) {
        refused = true;
    }
    const double seconds = processor_seconds() - start;
    const std::size_t bytes = peak - before;
    EXPECT_TRUE(refused) << what;
    EXPECT_LE(bytes, 4 * header_bytes + (32u << 20)) << what;
    if (test::times_count()) {
        EXPECT_LE(seconds, 1.0) << what;
    }
    testing::Test::RecordProperty(
        what, fmt::format("{:.3f} s, {} MiB for {} MiB", seconds, bytes >> 20, header_bytes >> 20));
}

void expect_cheap_refusal(const char* what, std::string header) {
    header.resize(std::min(header.size(), longest));
    const std::string bytes = test::container(header);
    header = {};
    expect_cheap_refusal(what, bytes.size() - 8,
                         [&] { parse_safetensors(test::as_bytes(bytes), "f"); });
}

template <typename Item>
std::string repeated(std::string start, Item&& item) {
    for (std::size_t i = 0; start.size() < longest; ++i) start += item(i);
    return start;
}

TEST(Hostile, HeadersOf100MB) {
    expect_cheap_refusal("one key without end", "{\"" + std::string(longest, 'x'));
    expect_cheap_refusal("one key with a stray byte",
                         "{\"" + std::string(longest - 10, 'x') + "\xff\":1}");
    expect_cheap_refusal("one key of escapes", repeated("{\"", [](auto) { return "\\u0000"; }));
    expect_cheap_refusal("white space", "{" + std::string(longest, '\n'));
    expect_cheap_refusal("zero bytes", std::string(longest, '\0'));
    expect_cheap_refusal("braces", std::string(longest, '{'));
    expect_cheap_refusal("a deep array", "{\"t\":" + std::string(longest, '['));
    expect_cheap_refusal("a long number", R"({"t":{"data_offsets":[)" + std::string(longest, '9'));
    expect_cheap_refusal("many zeros", R"({"t":{"data_offsets":[)" + std::string(longest, '0'));
    expect_cheap_refusal("a long shape",
                         repeated(R"({"t":{"shape":[1)", [](auto) { return ",1"; }));
    expect_cheap_refusal("many tensors", repeated("{", [](std::size_t i) {
                             return fmt::format(
                                 R"("{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},)", i);
                         }));
    const std::string long_name(1'430, 'n');
    expect_cheap_refusal(
        "tensors of long names", repeated("{", [&](std::size_t i) {
            return fmt::format(
                R"("{}{}":{{"dtype":"U8","shape":[1,1,1,1,1,1,1,0],"data_offsets":[0,0]}},)",
                long_name, i);
        }));
    expect_cheap_refusal("much metadata", repeated(R"({"__metadata__":{)", [](std::size_t i) {
                             return fmt::format("\"{}\":\"\",", i);
                         }));
    expect_cheap_refusal("one long metadata value",
                         R"({"__metadata__":{"vit":")" + std::string(longest, 'v'));
    expect_cheap_refusal("a tensor's own key",
                         R"({"t":{")" + std::string(longest - 30, 'k') + "\":1}}");
    expect_cheap_refusal("a long dtype",
                         R"({"t":{"dtype":")" + std::string(longest - 30, 'k') + "\"}}");
}

TEST(Hostile, ModelHeaderJson) {
    const auto refused = [](const char* what, std::string text) {
        text.resize(std::min<std::size_t>(text.size(), 4 << 20));
        expect_cheap_refusal(what, text.size(), [&] { model_header_from_json(text, "f"); });
    };
    const std::size_t most = 4 << 20;
    const auto repeat = [&](std::string text, const std::string& item) {
        while (text.size() < most) text += item;
        return text;
    };
    refused("json: deep", std::string(most, '['));
    refused("json: deep objects", repeat("", "{\"a\":"));
    refused("json: many numbers", repeat("[", "0,"));
    refused("json: many arrays", repeat("[", "[],"));
    refused("json: many objects", repeat("[", "{},"));
    refused("json: a long string", "\"" + std::string(most, 'x'));
    refused("json: a long string with a stray byte", "\"" + std::string(most - 10, 'x') + "\xff\"");
    refused("json: a long number", std::string(most, '9'));
    refused("json: a long fraction", "0." + std::string(most - 3, '9') + "x");
    refused("json: spaces", std::string(most - 1, ' ') + "x");
    std::string keys = "{";
    for (int i = 0; keys.size() < most; ++i) keys += fmt::format("\"{}\":0,", i);
    refused("json: many keys", keys);
}

}  // namespace
}  // namespace vit
