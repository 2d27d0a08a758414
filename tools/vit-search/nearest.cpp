#include "tools/vit-search/nearest.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <utility>

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

/// What one thread works with.
struct Search {
    std::span<const float> queries;  ///< [found, dim]
    std::size_t dim, k;
    std::vector<Best> found;  ///< for each query
    std::vector<float> scratch, products, squares;

    std::span<const float> query(std::size_t q) const { return queries.subspan(q * dim, dim); }

    /// Compares the vectors from row `first` on with all queries.
    void add_block(const kernels::Table& kernels, std::int64_t first,
                   std::span<const float> vectors) {
        const std::size_t rows = vectors.size() / dim;
        for (std::size_t q = 0; q < found.size(); q += query_group) {
            const std::size_t group = std::min(query_group, found.size() - q);
            kernels.dot_products(kernels::row_major(vectors.data(), rows, dim, dim),
                                 kernels::row_major(query(q).data(), group, dim, dim),
                                 kernels::row_major(products.data(), rows, group, group),
                                 q == 0 ? squares.data() : nullptr);
            for (std::size_t r = 0; r < rows; ++r) {
                const auto row = first + static_cast<std::int64_t>(r);
                if (is_extreme(squares[r]))
                    add_extreme(row, vectors.subspan(r * dim, dim), q, group);
                else
                    add_row(row, std::sqrt(squares[r]), products.data() + r * group, q, group);
            }
        }
    }

    void add_row(std::int64_t row, float length, const float* row_products, std::size_t q,
                 std::size_t group) {
        for (std::size_t i = 0; i < group; ++i)
            found[q + i].add({row, std::clamp(row_products[i] / length, -1.0f, 1.0f)}, k);
    }

    void add_extreme(std::int64_t row, std::span<const float> vector, std::size_t q,
                     std::size_t group) {
        if (inverse_length(vector) == 0) return;
        for (std::size_t i = 0; i < group; ++i)
            found[q + i].add({row, static_cast<float>(cosine(vector, query(q + i)))}, k);
    }
};

}  // namespace

std::vector<std::vector<Match>> nearest(const VectorFile& index, std::span<const float> queries,
                                        std::size_t k, int threads) {
    const kernels::Table& kernels = kernels::select_table();
    const auto dim = static_cast<std::size_t>(index.dim());
    std::vector<Best> best(queries.size() / dim);
    const std::int64_t blocks = (index.count() + block_rows - 1) / block_rows;
    std::atomic<std::int64_t> next = 0;
    std::mutex mutex;
    parallel(static_cast<int>(std::min<std::int64_t>(threads, blocks)), [&](int, int) {
        Search search{queries, dim, k, std::vector<Best>(best.size()), {}, {}, {}};
        search.products.resize(block_rows * query_group);
        search.squares.resize(block_rows);
        for (std::int64_t block; (block = next.fetch_add(1)) < blocks;) {
            const std::int64_t first = block * block_rows;
            search.add_block(
                kernels, first,
                index.rows(first, std::min(block_rows, index.count() - first), search.scratch));
        }
        const std::lock_guard lock(mutex);
        for (std::size_t q = 0; q < best.size(); ++q)
            for (const Match& match : search.found[q].heap()) best[q].add(match, k);
    });
    std::vector<std::vector<Match>> result;
    for (Best& each : best) result.push_back(std::move(each).sorted());
    return result;
}

}  // namespace vit::search
