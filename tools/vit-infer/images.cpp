#include "tools/vit-infer/images.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <new>
#include <thread>
#include <utility>

#include "vit/error.h"

namespace vit::infer {

namespace {

/// What `work` threw, as text; empty when it went well. A failure stays with its image.
std::string error_of(const std::function<void()>& work) {
    try {
        work();
        return {};
    } catch (const std::bad_alloc&) {
        return "not enough memory for this image";
    } catch (const std::exception& error) {
        const std::string what = error.what();
        return what.empty() ? "failed" : what;
    }
}

/// work(0) … work(count - 1), each once, on up to `threads` threads.
void for_each_index(std::size_t count, std::size_t threads,
                    const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    const auto take = [&] {
        for (std::size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(count, threads); ++i) others.emplace_back(take);
    take();
}

}  // namespace

Decoded decode(Input input, const DecodeOptions& options) {
    Decoded decoded;
    decoded.input = std::move(input);
    if (decoded.input.error.empty() && !decoded.input.rows)
        decoded.error =
            error_of([&] { decoded.image = decode_image(decoded.input.path, options); });
    return decoded;
}

Batch prepare(std::optional<Decoded> first, std::span<const Input> inputs,
              const Transform& transform, std::int64_t channels, const DecodeOptions& options,
              int threads) {
    const std::size_t ahead = first ? 1 : 0;
    const std::size_t count = inputs.size() + ahead;
    const Shape image_shape{channels, transform.height, transform.width};
    const auto image_size = static_cast<std::size_t>(channels * transform.height * transform.width);

    Batch batch;
    batch.names.resize(count);
    batch.errors.resize(count);
    batch.pixels.resize(count * image_size);
    for_each_index(count, static_cast<std::size_t>(std::max(threads, 1)), [&](std::size_t i) {
        const Input& input = i < ahead ? first->input : inputs[i - ahead];
        const std::span<float> out(batch.pixels.data() + i * image_size, image_size);
        batch.names[i] = input.name;
        batch.errors[i] = input.error;
        if (!input.error.empty()) return;
        batch.errors[i] = error_of([&] {
            if (input.rows) {
                input.rows->read(input.row, image_shape, out);
            } else if (i < ahead && !first->error.empty()) {
                throw Error(ErrorKind::input, first->error);
            } else {
                if (channels != 3)
                    throw Error(ErrorKind::input,
                                "the model wants other than 3 channels: give it a .npy tensor");
                preprocess(i < ahead ? first->image : decode_image(input.path, options), transform,
                           out);
            }
        });
    });

    // Close the gaps that failed images left.
    for (std::size_t i = 0; i < count; ++i) {
        if (!batch.errors[i].empty()) continue;
        const auto from = batch.pixels.begin() + static_cast<std::ptrdiff_t>(i * image_size);
        const auto to =
            batch.pixels.begin() +
            static_cast<std::ptrdiff_t>(static_cast<std::size_t>(batch.good) * image_size);
        if (from != to) std::copy_n(from, image_size, to);
        ++batch.good;
    }
    batch.pixels.resize(static_cast<std::size_t>(batch.good) * image_size);
    return batch;
}

}  // namespace vit::infer
