// Targets for the checkpoint readers.
#include <array>

#include "engine/model/safetensors.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"
#include "weights/readers/checkpoint.h"
#include "weights/readers/npy.h"
#include "weights/readers/npz.h"
#include "weights/readers/state_dict.h"
#include "weights/readers/torch_zip.h"

namespace vit::fuzz {

namespace {

constexpr const char* file = "file";

void checkpoint(std::span<const std::byte> bytes) {
    for (const EmaChoice ema : {EmaChoice::automatic, EmaChoice::no_ema})
        expect_answer_or_error([&] { check_tensors(parse_checkpoint(bytes, file, ema).tensors); });
}

}  // namespace

void safetensors(std::span<const std::byte> bytes) {
    expect_answer_or_error([&] { check_tensors(parse_safetensors(bytes, file).tensors); });
}

void torch_zip(std::span<const std::byte> bytes) {
    checkpoint(bytes);
}

void torch_legacy(std::span<const std::byte> bytes) {
    checkpoint(bytes);
}

/// Tests only the pickle, with given storages. Changed inputs then need no valid zip directory.
void pickle(std::span<const std::byte> bytes) {
    static constexpr std::array<std::byte, 96> storage{};
    const ZipMember members[] = {
        {"a/data.pkl", bytes, bytes.size(), ZipMethod::stored},
        {"a/data/0", std::span(storage).first(24), 24, ZipMethod::stored},
        {"a/data/1", std::span(storage).first(8), 8, ZipMethod::stored},
        {"a/data/2", storage, 96, ZipMethod::stored},
        {"a/data/3", {}, 0, ZipMethod::stored},
    };
    expect_answer_or_error([&] {
        Checkpoint found;
        take_state_dict(read_torch_zip(members, file), EmaChoice::automatic, found);
        clean_names(found, file);
        check_tensors(found.tensors);
    });
}

void npz(std::span<const std::byte> bytes) {
    checkpoint(bytes);
}

void npy(std::span<const std::byte> bytes) {
    expect_answer_or_error([&] {
        const NpyArray array = parse_npy(bytes, file);
        const TensorView view = array.view();
        check_tensors({&view, 1});
    });
}

}  // namespace vit::fuzz
