#include "engine/api/guard.h"

#include <gmock/gmock.h>

#include "tests/support/files.h"

namespace vit {
namespace {

template <class Exception>
std::string passed(const Exception& exception, ErrorKind kind) {
    return test::message_of([&] { guarded("load", [&]() -> int { throw exception; }); }, kind);
}

TEST(Guard, LetsOnlyErrorsOut) {
    EXPECT_EQ(passed(std::bad_alloc(), ErrorKind::memory), "load: not enough memory");
    EXPECT_EQ(passed(std::length_error("x"), ErrorKind::memory),
              "load: more memory is needed than can be addressed");
    EXPECT_EQ(passed(std::out_of_range("x"), ErrorKind::internal), "load: x");
    EXPECT_EQ(passed(Error(ErrorKind::io, "y"), ErrorKind::io), "y");
    EXPECT_EQ(guarded("load", [] { return 7; }), 7);
}

TEST(Guard, LeavesTheCallersExceptionsAlone) {
    const auto call = [](auto function) { guarded("run", [&] { call_callers(function); }); };
    EXPECT_THROW(call([] { throw 5; }), int);
    EXPECT_THROW(call([] { throw std::bad_alloc(); }), std::bad_alloc);
    EXPECT_THROW(call([] { throw Error(ErrorKind::usage, "mine"); }), Error);
}

}  // namespace
}  // namespace vit
