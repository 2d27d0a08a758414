#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

class DotProducts : public EveryTable {};

struct Products {
    std::vector<float> products, squares;
};

/// The products of the rows with the queries, and the squares of the rows.
Products multiply(const Table& table, const std::vector<float>& rows,
                  const std::vector<float>& queries, std::size_t cols) {
    const std::size_t r = rows.size() / cols, q = queries.size() / cols, gap = 3;
    GuardedFloats products(r * (q + gap) - gap, cols % 13), squares(r, cols % 7);
    table.dot_products(rows_of(rows.data(), r, cols, cols), rows_of(queries.data(), q, cols, cols),
                       row_major(products.data(), r, q, q + gap), squares.data());
    EXPECT_TRUE(products.intact());
    EXPECT_TRUE(squares.intact());
    Products found{{}, squares.values()};
    for (std::size_t i = 0; i < products.size(); ++i)
        if (i % (q + gap) < q)
            found.products.push_back(products[i]);
        else
            EXPECT_TRUE(GuardedFloats::is_guard(products[i]));
    return found;
}

double dot(const float* a, const float* b, std::size_t cols) {
    double sum = 0;
    for (std::size_t i = 0; i < cols; ++i) sum += double{a[i]} * b[i];
    return sum;
}

TEST_P(DotProducts, AreAccurate) {
    LargestError largest;
    for (const std::size_t cols : lengths())
        for (const std::size_t r : {1, 2, 7})
            for (const std::size_t q : {1, 3, 4, 9}) {
                const std::vector<float> rows = normal_numbers(r * cols, 0.0F, 1.0F, 1);
                const std::vector<float> queries = normal_numbers(q * cols, 0.0F, 1.0F, 2);
                const Products found = multiply(*GetParam(), rows, queries, cols);
                for (std::size_t i = 0; i < r; ++i) {
                    const float* const row = rows.data() + i * cols;
                    const double square = dot(row, row, cols);
                    largest.note(std::abs(found.squares[i] - square) / square,
                                 static_cast<double>(cols));
                    for (std::size_t j = 0; j < q; ++j) {
                        const float* const query = queries.data() + j * cols;
                        const double lengths_product = std::sqrt(square * dot(query, query, cols));
                        largest.note(std::abs(found.products[i * q + j] - dot(row, query, cols)) /
                                         lengths_product,
                                     static_cast<double>(cols));
                    }
                }
            }
    largest.expect_at_most(1e-6, "error ÷ product of lengths");
}

TEST_P(DotProducts, OfAPairDependOnThePairAlone) {
    for (const std::size_t cols : {1, 15, 16, 70, 197}) {
        constexpr std::size_t r = 11, q = 9;
        const std::vector<float> rows = normal_numbers(r * cols, 0.0F, 1.0F, 1);
        const std::vector<float> queries = normal_numbers(q * cols, 0.0F, 1.0F, 2);
        const Products all = multiply(*GetParam(), rows, queries, cols);
        const auto part = [&](const std::vector<float>& from, std::size_t i) {
            const auto begin = from.begin() + static_cast<std::ptrdiff_t>(i * cols);
            return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(cols));
        };
        for (std::size_t i = 0; i < r; ++i)
            for (std::size_t j = 0; j < q; ++j) {
                const Products one = multiply(*GetParam(), part(rows, i), part(queries, j), cols);
                ASSERT_TRUE(same_bits(one.products[0], all.products[i * q + j])) << i << " " << j;
                ASSERT_TRUE(same_bits(one.squares[0], all.squares[i])) << i;
            }
    }
}

TEST_P(DotProducts, WithoutSquares) {
    const std::vector<float> x{1, 2, 3, 4, 5, 6}, y{1, 10, 100};
    std::vector<float> products(2);
    GetParam()->dot_products(rows_of(x.data(), 2, 3, 3), rows_of(y.data(), 1, 3, 3),
                             row_major(products.data(), 2, 1, 1), nullptr);
    EXPECT_EQ(products, (std::vector<float>{321, 654}));
}

INSTANTIATE_TEST_SUITE_P(Isa, DotProducts, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
