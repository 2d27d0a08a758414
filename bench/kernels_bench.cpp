// Measures each row kernel on each instruction set of this CPU, at the shapes of ViT-B/16 at 224 ×
// 224: 197 tokens, width 768, MLP width 3072, 12 heads. Takes Google Benchmark's flags, for example
// --benchmark_filter=gelu/avx2.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "bench/context.h"
#include "engine/kernels/dispatch.h"
#include "engine/kernels/kernels.h"

namespace {

using vit::kernels::Table;

constexpr std::size_t tokens = 197;
constexpr std::size_t in_cache_rows = 32;  // fit into a core's L2 cache
constexpr std::size_t embed_dim = 768;
constexpr std::size_t mlp_dim = 3072;
constexpr std::size_t heads = 12;
constexpr float eps = 1e-6F;

// Normally distributed: no denormals, almost no zeros, both signs.
std::vector<float> normal_numbers(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> numbers(count);
    std::generate(numbers.begin(), numbers.end(), [&] { return normal(random); });
    return numbers;
}

struct Shape {
    std::size_t rows;
    std::size_t cols;
    std::size_t count() const { return rows * cols; }
};

/// Measures `kernel(x)` on x [shape]. x is filled with the same fresh numbers before every call.
/// `moved` is the number of floats per element that the kernel must at least read and write.
void time_kernel(benchmark::State& state, Shape shape, int moved,
                 const std::function<void(float*)>& kernel) {
    const std::vector<float> fresh = normal_numbers(shape.count(), 1);
    std::vector<float> x = fresh;
    for (auto _ : state) {
        state.PauseTiming();
        std::copy(fresh.begin(), fresh.end(), x.begin());
        state.ResumeTiming();
        kernel(x.data());
        benchmark::ClobberMemory();
    }
    using benchmark::Counter;
    const auto elements = static_cast<double>(shape.count());
    const auto rate = Counter::kIsIterationInvariantRate;
    state.counters["GB/s"] = Counter(elements * moved * sizeof(float) * 1e-9, rate);
    // Google Benchmark prints 98.1 picoseconds as 98.1p.
    state.counters["s/element"] =
        Counter(elements, Counter::Flags(rate | Counter::kInvert), Counter::kIs1000);
}

template <class T>
vit::kernels::Matrix<T> matrix(T* data, Shape shape) {
    return vit::kernels::row_major(data, shape.rows, shape.cols, shape.cols);
}

void add(const std::string& kernel, const Table& table, Shape shape, int moved,
         const std::function<void(float*)>& call) {
    const std::string name = kernel + "/" + vit::kernels::isa_name(table.isa) + "/" +
                             std::to_string(shape.rows) + "x" + std::to_string(shape.cols);
    benchmark::RegisterBenchmark(
        name.c_str(), [=](benchmark::State& state) { time_kernel(state, shape, moved, call); });
}

void add_activations(const Table& t) {
    constexpr Shape whole{tokens, mlp_dim};
    constexpr Shape in_cache{in_cache_rows, mlp_dim};
    const auto elementwise = [&](const char* name, void (*kernel)(float*, std::size_t)) {
        for (const Shape shape : {whole, in_cache})
            add(name, t, shape, 2, [=](float* x) { kernel(x, shape.count()); });
    };
    elementwise("gelu", t.activations.gelu);
    elementwise("gelu_tanh", t.activations.gelu_tanh);
    elementwise("quick_gelu", t.activations.quick_gelu);
    elementwise("silu", t.activations.silu);
    elementwise("relu", t.activations.relu);
    elementwise("tanh", t.activations.tanh);
}

void add_row_kernels(const Table& t) {
    const std::vector<float> other = normal_numbers(tokens * embed_dim, 2);
    for (const std::size_t rows : {tokens, in_cache_rows}) {
        const Shape shape{rows, embed_dim};
        std::vector<float> out(shape.count());
        add("layer_norm", t, shape, 2, [=](float* x) mutable {
            t.layer_norm(matrix<const float>(x, shape), matrix(out.data(), shape),
                         {other.data(), other.data() + embed_dim, eps});
        });
        add("add", t, shape, 3, [=](float* x) {
            t.add_scaled(matrix<const float>(other.data(), shape), 1.0f, matrix(x, shape));
        });
        add("mean_rows", t, shape, 1,
            [=](float* x) mutable { t.mean_rows(matrix<const float>(x, shape), out.data()); });
    }
    for (const std::size_t rows : {heads * tokens, in_cache_rows}) {
        const Shape scores{rows, tokens};
        add("softmax", t, scores, 2, [=](float* x) { t.softmax(matrix(x, scores), 0.125F); });
    }
}

}  // namespace

int main(int argc, char** argv) {
    for (const vit::kernels::Isa isa : vit::kernels::all_isas)
        if (const Table* table = vit::kernels::table_for(isa)) {
            add_activations(*table);
            add_row_kernels(*table);
        }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    vit::bench::run_benchmarks({{"cpu", vit::bench::cpu_name()}});
    benchmark::Shutdown();
    return 0;
}
