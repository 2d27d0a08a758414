#include "engine/executor/batch_run.h"

#include <array>
#include <cstring>

namespace vit::inline internal {

namespace {

/// `index`: position of the image in the context's stack.
void copy_result(const Context& context, std::int64_t index, ValueId id, float* to,
                 std::int64_t image) {
    if (to == nullptr) return;
    const Rows rows = context.result(id, index);
    to += image * rows.count * rows.cols;
    for (std::int64_t r = 0; r < rows.count; ++r)
        std::memcpy(to + r * rows.cols, rows.row(r),
                    static_cast<std::size_t>(rows.cols) * sizeof(float));
}

}  // namespace

void BatchRun::run_thread(int thread) {
    ThreadTime& time = team_.times[static_cast<std::size_t>(thread)];
    time.begun = seconds();
    std::exception_ptr error;  // rethrown when no other thread waits for this one
    try {
        if (call_.split.stacked > 0) run_stacks(thread);
        run_alone_and_prepare_gangs(thread);
    } catch (...) {
        error = std::current_exception();
        failed_ = true;
        next_ = call_.split.whole() + call_.split.rest;
    }
    if (call_.split.rest > 0) {
        const double before = seconds();
        gangs_have_images_.wait();
        time.waited = seconds() - before;
        run_gang(thread);
    }
    time.ended = seconds();
    if (error) std::rethrow_exception(error);
}

void BatchRun::run_stacks(int thread) {
    Context& context = *team_.stacks[static_cast<std::size_t>(thread)].context;
    std::array<std::int64_t, most_stacked> images;
    for (std::exception_ptr error; !error;) {
        const std::int64_t filled = fill_stack(context, thread, images, error);
        // Images that were fetched before the failing one still run.
        if (filled > 0) {
            // Empty places of the stack run the first image again.
            for (std::int64_t i = filled; i < call_.stack; ++i)
                context.set_image(context.image(), i);
            run_part(context, 0);
            context.rethrow_error();
            for (std::int64_t i = 0; i < filled; ++i)
                finish(context, i, images[static_cast<std::size_t>(i)]);
        }
        if (error) std::rethrow_exception(error);
        if (filled < call_.stack) return;
    }
}

std::int64_t BatchRun::fill_stack(Context& context, int thread, std::span<std::int64_t> images,
                                  std::exception_ptr& error) {
    std::int64_t filled = 0;
    for (std::int64_t image;
         filled < call_.stack && (image = take_before(call_.split.stacked)) >= 0;) {
        // Rooms below `2 * threads` belong to images that run one by one.
        const std::int64_t room =
            filled == 0 ? thread : 2 * call_.threads + thread * (call_.stack - 1) + filled - 1;
        const float* data = nullptr;
        try {
            data = get(image, room);
        } catch (...) {
            error = std::current_exception();
            break;
        }
        if (data == nullptr) continue;  // the next image takes its place
        context.set_image(data, filled);
        images[static_cast<std::size_t>(filled++)] = image;
    }
    return filled;
}

void BatchRun::run_alone_and_prepare_gangs(int thread) {
    const std::int64_t whole = call_.split.whole(), count = whole + call_.split.rest;
    for (std::int64_t image; (image = next_.fetch_add(1, std::memory_order_relaxed)) < count;) {
        if (image >= whole) {
            const std::int64_t gang = image - whole;
            team_.gangs[static_cast<std::size_t>(gang)].context->set_image(
                get(image, call_.threads + gang));
            continue;
        }
        Context& context = *team_.alone[static_cast<std::size_t>(thread)].context;
        context.set_image(get(image, thread));
        if (context.image() == nullptr) continue;
        run_part(context, 0);
        context.rethrow_error();
        finish(context, 0, image);
    }
}

void BatchRun::run_gang(int thread) {
    const std::int64_t rest = call_.split.rest;
    std::int64_t gang = 0;
    while (gang_start(gang + 1, rest, call_.threads) <= thread) ++gang;
    Context& context = *team_.gangs[static_cast<std::size_t>(gang)].context;
    if (failed_ || context.image() == nullptr) return;
    const int member = thread - gang_start(gang, rest, call_.threads);
    run_part(context, member);
    if (member > 0) return;
    context.rethrow_error();
    finish(context, 0, call_.split.whole() + gang);
}

void BatchRun::run_part(Context& context, int member) {
    if (call_.profiled)
        context.run_profiled(member);
    else
        context.run(member);
}

void BatchRun::finish(const Context& context, std::int64_t index, std::int64_t image) {
    const Graph& graph = call_.graph;
    copy_result(context, index, graph.logits, call_.results.logits, image);
    copy_result(context, index, graph.features, call_.results.features, image);
    copy_result(context, index, graph.tokens, call_.results.tokens, image);
    if (call_.images.done) call_.images.done(image);
}

const float* BatchRun::get(std::int64_t image, std::int64_t room) const {
    const ImageBatch& images = call_.images;
    if (images.data != nullptr)
        return images.data + static_cast<std::size_t>(image) * call_.image_floats;
    const std::span to(call_.rooms + static_cast<std::size_t>(room) * call_.image_floats,
                       call_.image_floats);
    return images.fill(image, to) ? to.data() : nullptr;
}

std::int64_t BatchRun::take_before(std::int64_t end) {
    std::int64_t image = next_.load(std::memory_order_relaxed);
    while (image < end &&
           !next_.compare_exchange_weak(image, image + 1, std::memory_order_relaxed)) {
    }
    return image < end ? image : -1;
}

}  // namespace vit::inline internal
