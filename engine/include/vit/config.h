// Included first by every public C++ header: checks the C++ version and defines the export macros.
#pragma once

#if !defined(_MSVC_LANG) && __cplusplus < 202002L
#error "vit needs C++20: compile with -std=c++20"
#else
#define VIT_CXX20 1
#endif

/// Marks what the shared library exports. Everything else is hidden.
#define VIT_API __attribute__((visibility("default")))
/// Marks a part of an exported class that is not exported.
#define VIT_HIDDEN __attribute__((visibility("hidden")))
