// After its first call for a batch size, Model::run allocates nothing. This test is a separate
// program, because it replaces the allocator to count allocations.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "engine/executor/balance.h"
#include "tests/support/models.h"
#include "vit/model.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VIT_OWN_ALLOCATOR 0
#else
#define VIT_OWN_ALLOCATOR 1
#endif

#if VIT_OWN_ALLOCATOR

namespace {

std::atomic<bool> counting = false;
std::atomic<int> ours = 0, onednns = 0;

/// oneDNN builds a map of its arguments whenever it executes a primitive. Callers cannot prevent
/// that, so oneDNN's allocations are counted separately.
void count(void* caller) {
    if (!counting.load(std::memory_order_relaxed)) return;
    Dl_info info;
    const bool from_onednn =
        dladdr(caller, &info) != 0 && info.dli_fname && std::strstr(info.dli_fname, "libdnnl");
    (from_onednn ? onednns : ours).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    count(__builtin_return_address(0));
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : 12;
}
}

// noinline stops the compiler from pairing these operators with malloc and free on its own.
[[gnu::noinline]] void* operator new(std::size_t size) {
    count(__builtin_return_address(0));
    if (void* p = __libc_malloc(size)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}

namespace vit {
namespace {

TEST(Allocation, CountsWhatThisProgramAllocates) {
    counting = true;
    ours = 0;
    std::vector<int>* v = new std::vector<int>(100);
    counting = false;
    delete v;
    EXPECT_EQ(ours, 2);
}

TEST(Allocation, RunAllocatesNothingAfterTheFirstCall) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel file(config);
    for (int threads : {1, 2, 3}) {
        LoadOptions options;
        options.threads = threads;
        const Model model = Model::load(file.path(), options);
        const std::vector<float> images = test::random_images(config, 5);
        std::vector<float> logits(5 * 10), features(5 * 40);
        for (std::int64_t batch : {1, 2, 5}) {
            const std::size_t n = static_cast<std::size_t>(batch);
            const auto run = [&] {
                model.run(std::span(images).first(n * images.size() / 5), batch,
                          {std::span(logits).first(n * 10), std::span(features).first(n * 40), {}});
            };
            run();
            ours = onednns = 0;
            counting = true;
            for (int i = 0; i < 10; ++i) run();
            counting = false;
            EXPECT_EQ(ours, 0) << "threads " << threads << ", batch " << batch;
            const int linears = 1 + 3 * 6 + 1;  // embedding, three blocks, head
            EXPECT_LE(onednns, 10 * linears * std::max<int>(threads, static_cast<int>(batch)) * 20)
                << "oneDNN's own";
        }
    }
}

TEST(Allocation, UnequalThreadsThatCannotBeHelpedAllocateNothing) {
    Balance balance(3, 2);
    const Shares even(2);
    const std::vector<double> seconds{0.9, 2};
    counting = true;
    ours = 0;
    bool changed = false;
    for (int i = 0; i < 100; ++i) {
        changed = changed || balance.better(even);
        balance.add(seconds, even);
    }
    counting = false;
    EXPECT_FALSE(changed);
    EXPECT_EQ(ours, 0);
}

}  // namespace
}  // namespace vit

#endif
