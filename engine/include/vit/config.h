// What every public C++ header needs first: the language's version, and what the library exports.
#pragma once

#if !defined(_MSVC_LANG) && __cplusplus < 202002L
#error "vit needs C++20: compile with -std=c++20"
#else
#define VIT_CXX20 1
#endif

/// Marks what the shared library exports; everything else is hidden.
#define VIT_API __attribute__((visibility("default")))
/// Marks a part of an exported class that is hidden.
#define VIT_HIDDEN __attribute__((visibility("hidden")))
