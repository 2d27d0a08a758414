// An image that fails must not stop the others: its exception becomes the text of its error.
#pragma once

#include <exception>
#include <new>
#include <string>

namespace vit::tools {

/// What `work` throws, as text; empty if it throws nothing.
template <class Work>
std::string image_error(Work work) {
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

}  // namespace vit::tools
