// The border of the library: it throws only Error, and what the caller's own functions throw.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "vit/error.h"

namespace vit::inline internal {

/// Carries an exception of a caller's function through the library.
struct CallersException {
    std::exception_ptr error;
};

/// Calls a function that the caller passed in.
template <class Function, class... Args>
decltype(auto) call_callers(const Function& function, Args&&... args) {
    try {
        return function(std::forward<Args>(args)...);
    } catch (...) {
        throw CallersException{std::current_exception()};
    }
}

/// Calls `body`. Other exceptions become an Error whose text begins with `what`. An Error, and an
/// exception of the caller's function, pass unchanged.
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
