#include "tools/vit-search/duplicates.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <span>

#include "engine/base/cosine.h"
#include "engine/base/threads.h"
#include "engine/kernels/dispatch.h"

namespace vit::search {

namespace {

constexpr std::int64_t block_rows = 256;
/// A product in float32 may be wrong by less than this.
constexpr double margin = 1e-5;

/// Disjoint sets of rows, each named by its lowest row.
class Sets {
  public:
    explicit Sets(std::int64_t count) : parent_(static_cast<std::size_t>(count)) {
        std::iota(parent_.begin(), parent_.end(), 0);
    }
    std::int64_t find(std::int64_t row) {
        while (parent(row) != row) row = parent(row) = parent(parent(row));
        return row;
    }
    void join(std::int64_t a, std::int64_t b) {
        a = find(a);
        b = find(b);
        parent(std::max(a, b)) = std::min(a, b);
    }

  private:
    std::int64_t& parent(std::int64_t row) { return parent_[static_cast<std::size_t>(row)]; }
    std::vector<std::int64_t> parent_;
};

/// The factors that scale all vectors to length 1; 0 for those without a direction.
std::vector<float> unit_factors(const VectorFile& index, int threads) {
    std::vector<float> factors(static_cast<std::size_t>(index.count()));
    parallel(threads, [&](int thread, int granted) {
        std::vector<float> scratch;
        const std::int64_t last = index.count() * (thread + 1) / granted;
        for (std::int64_t row = index.count() * thread / granted; row < last; ++row)
            factors[static_cast<std::size_t>(row)] =
                static_cast<float>(inverse_length(index.rows(row, 1, scratch)));
    });
    return factors;
}

/// A block of the index with vectors of length 1; those without a direction are zeros.
struct UnitBlock {
    std::int64_t first = 0, rows = 0;
    std::size_t dim = 0;
    std::vector<float> scratch, values;

    void read(const VectorFile& index, std::span<const float> factors, std::int64_t block) {
        first = block * block_rows;
        rows = std::min(block_rows, index.count() - first);
        dim = static_cast<std::size_t>(index.dim());
        const std::span<const float> from = index.rows(first, rows, scratch);
        values.assign(from.begin(), from.end());
        for (std::int64_t r = 0; r < rows; ++r) {
            const float factor = factors[static_cast<std::size_t>(first + r)];
            for (float& x : row(r)) x = factor == 0 ? 0 : x * factor;
        }
    }
    std::span<float> row(std::int64_t r) {
        return std::span(values).subspan(static_cast<std::size_t>(r) * dim, dim);
    }
    kernels::Matrix<const float> matrix() const {
        return kernels::row_major(values.data(), static_cast<std::size_t>(rows), dim, dim);
    }
};

/// Joins the pairs of one block with another.
void join_pairs(UnitBlock& a, UnitBlock& b, std::span<const float> products, double least,
                Sets& sets) {
    for (std::int64_t i = 0; i < a.rows; ++i)
        for (std::int64_t j = a.first == b.first ? i + 1 : 0; j < b.rows; ++j) {
            const double product = products[static_cast<std::size_t>(i * b.rows + j)];
            if (product < least - margin) continue;
            const std::int64_t one = a.first + i, other = b.first + j;
            if (sets.find(one) == sets.find(other)) continue;
            if (product >= least + margin || cosine(a.row(i), b.row(j)) >= least)
                sets.join(one, other);
        }
}

}  // namespace

std::vector<std::vector<std::int64_t>> duplicates(const VectorFile& index, double least,
                                                  int threads,
                                                  const std::function<void(double)>& progress) {
    const kernels::Table& kernels = kernels::select_table();
    const std::int64_t blocks = (index.count() + block_rows - 1) / block_rows;
    const std::vector<float> factors = unit_factors(index, threads);
    Sets sets(index.count());
    std::atomic<std::int64_t> next = 0;
    const std::int64_t pairs = blocks * (blocks + 1) / 2;  // of blocks
    std::int64_t compared = 0;
    std::mutex mutex;  // for `compared`, `progress` and `sets`
    threads = static_cast<int>(std::min<std::int64_t>(threads, blocks));
    parallel(threads, [&](int, int) {
        Sets found(index.count());
        UnitBlock a, b;
        std::vector<float> products(static_cast<std::size_t>(block_rows * block_rows));
        // A thread takes all pairs of a block with itself and with the blocks after it. The first
        // blocks have most of them, so that no thread ends much later than the others.
        for (std::int64_t i; (i = next.fetch_add(1)) < blocks;) {
            a.read(index, factors, i);
            for (std::int64_t j = i; j < blocks; ++j) {
                b.read(index, factors, j);
                const auto columns = static_cast<std::size_t>(b.rows);
                kernels.dot_products(
                    a.matrix(), b.matrix(),
                    kernels::row_major(products.data(), static_cast<std::size_t>(a.rows), columns,
                                       columns),
                    nullptr);
                join_pairs(a, b, products, least, found);
            }
            const std::lock_guard lock(mutex);
            compared += blocks - i;
            progress(static_cast<double>(compared) / static_cast<double>(pairs));
        }
        const std::lock_guard lock(mutex);
        for (std::int64_t row = 0; row < index.count(); ++row) sets.join(row, found.find(row));
    });

    std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(index.count()));
    for (std::int64_t row = 0; row < index.count(); ++row)
        members[static_cast<std::size_t>(sets.find(row))].push_back(row);
    std::erase_if(members, [](const auto& group) { return group.size() < 2; });
    return members;
}

}  // namespace vit::search
