#include "tools/vit-search/nearest.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include "engine/base/cosine.h"
#include "engine/base/threads.h"
#include "engine/kernels/dispatch.h"

namespace vit::search {

namespace {

// A block of vectors and its products with a group of queries stay in the second-level cache.
constexpr std::int64_t block_rows = 128;
constexpr std::size_t query_group = 64;

bool better(const Match& a, const Match& b) {
    return a.cosine > b.cosine || (a.cosine == b.cosine && a.row < b.row);
}

/// The best `k` matches so far: a heap whose front is the worst of them.
class Best {
  public:
    void add(const Match& match, std::size_t k) {
        if (heap_.size() == k) {
            if (!better(match, heap_.front())) return;
            std::ranges::pop_heap(heap_, better);
            heap_.pop_back();
        }
        heap_.push_back(match);
        std::ranges::push_heap(heap_, better);
    }
    const std::vector<Match>& heap() const { return heap_; }
    std::vector<Match> sorted() && {
        std::ranges::sort_heap(heap_, better);
        return std::move(heap_);
    }

  private:
    std::vector<Match> heap_;
};

/// The square of a length that float32 can neither hold nor divide by with full precision.
bool is_extreme(float square) {
    return !(square > 1e-30f && square < 1e30f);
}

bool has_direction(std::span<const float> row) {
    const bool finite = std::ranges::all_of(row, [](float x) { return std::isfinite(x); });
    return finite && std::ranges::any_of(row, [](float x) { return x != 0; });
}

}  // namespace

std::vector<std::vector<Match>> nearest(const VectorFile& index, std::span<const float> queries,
                                        std::size_t k, int threads) {
    const kernels::Table& kernels = kernels::select_table();
    const auto dim = static_cast<std::size_t>(index.dim());
    const std::size_t count = queries.size() / dim;
    const std::int64_t blocks = (index.count() + block_rows - 1) / block_rows;
    std::vector<Best> best(count);
    std::atomic<std::int64_t> next = 0;
    std::mutex mutex;
    threads = static_cast<int>(std::min<std::int64_t>(threads, blocks));
    parallel(threads, [&](int, int) {
        std::vector<Best> found(count);
        std::vector<float> scratch, products(block_rows * query_group), squares(block_rows);
        for (std::int64_t block; (block = next.fetch_add(1)) < blocks;) {
            const std::int64_t first = block * block_rows;
            const auto rows = static_cast<std::size_t>(std::min(block_rows, index.count() - first));
            const std::span<const float> vectors =
                index.rows(first, static_cast<std::int64_t>(rows), scratch);
            for (std::size_t q = 0; q < count; q += query_group) {
                const std::size_t group = std::min(query_group, count - q);
                const float* const these = queries.data() + q * dim;
                kernels.dot_products(kernels::row_major(vectors.data(), rows, dim, dim),
                                     kernels::row_major(these, group, dim, dim),
                                     kernels::row_major(products.data(), rows, group, group),
                                     q == 0 ? squares.data() : nullptr);
                for (std::size_t r = 0; r < rows; ++r) {
                    const auto row = first + static_cast<std::int64_t>(r);
                    if (is_extreme(squares[r])) {
                        const auto vector = vectors.subspan(r * dim, dim);
                        if (!has_direction(vector)) continue;
                        for (std::size_t i = 0; i < group; ++i) {
                            const double exact = cosine(vector, {these + i * dim, dim});
                            found[q + i].add({row, static_cast<float>(exact)}, k);
                        }
                        continue;
                    }
                    const float length = std::sqrt(squares[r]);
                    for (std::size_t i = 0; i < group; ++i) {
                        const float cosine = products[r * group + i] / length;
                        found[q + i].add({row, std::clamp(cosine, -1.0f, 1.0f)}, k);
                    }
                }
            }
        }
        const std::lock_guard lock(mutex);
        for (std::size_t q = 0; q < count; ++q)
            for (const Match& match : found[q].heap()) best[q].add(match, k);
    });
    std::vector<std::vector<Match>> result;
    for (Best& each : best) result.push_back(std::move(each).sorted());
    return result;
}

}  // namespace vit::search
