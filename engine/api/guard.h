// The edge of the API: only Error leaves the library, and what the caller's functions throw.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "vit/error.h"

namespace vit::inline internal {

/// Carries what a function of the caller threw through the library.
struct CallersException {
    std::exception_ptr error;
};

/// Calls a function of the caller's.
template <class Function, class... Args>
decltype(auto) call_callers(const Function& function, Args&&... args) {
    try {
        return function(std::forward<Args>(args)...);
    } catch (...) {
        throw CallersException{std::current_exception()};
    }
}

/// Calls `body`. What it throws becomes an Error that begins with `what`, unless it is one already
/// or is the caller's own.
template <class Body>
decltype(auto) guarded(const std::string& what, Body&& body) {
    try {
        return body();
    } catch (const CallersException& callers) {
        std::rethrow_exception(callers.error);
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw Error(ErrorKind::memory, what + ": not enough memory");
    } catch (const std::length_error&) {
        throw Error(ErrorKind::memory, what + ": more memory is needed than can be addressed");
    } catch (const std::exception& error) {
        throw Error(ErrorKind::internal, what + ": " + error.what());
    }
}

}  // namespace vit::inline internal
