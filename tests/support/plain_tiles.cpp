#include "tests/support/plain_tiles.h"

#include "engine/kernels/dispatch.h"
#include "tests/support/plain_tiles_tables.h"

namespace vit::test {

std::vector<PlainTileKernels> plain_tile_kernels() {
    using kernels::Isa;
    std::vector<PlainTileKernels> all{
        {"plain_tiles", *kernels::table_for(Isa::baseline), plain_tiles_on_baseline}};
    if (kernels::bf16_table_for(Isa::avx512) != nullptr)
        all.push_back(
            {"plain_tiles_on_avx512", *kernels::table_for(Isa::avx512), plain_tiles_on_avx512});
    return all;
}

}  // namespace vit::test
