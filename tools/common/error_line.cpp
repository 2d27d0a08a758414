#include "tools/common/error_line.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "engine/base/text.h"

namespace vit::tools {

namespace {

// Limits, because an argument can be 128 KiB long.
constexpr std::size_t longest_message = 1500;
constexpr std::size_t longest_place = 1000;

/// Returns `text` with its middle left out if it is longer than `longest`.
std::string shortened(std::string_view text, std::size_t longest) {
    if (text.size() <= longest) return std::string(text);
    return fmt::format("{}... ({} bytes) ...{}", text.substr(0, 300), text.size(),
                       text.substr(text.size() - 100));
}

}  // namespace

std::string escape_control(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        constexpr std::string_view named = "\n\t\r";
        if (const std::size_t at = named.find(text[0]); at != std::string_view::npos) {
            out += '\\';
            out += "ntr"[at];
            text.remove_prefix(1);
        } else {
            text.remove_prefix(append_visible(out, text));
        }
    }
    return out;
}

int exit_status(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return exit_usage;
        case ErrorKind::io:
            return exit_io;
        case ErrorKind::format:
        case ErrorKind::model:
        case ErrorKind::unsupported:
        case ErrorKind::memory:  // of the model: image code handles its own
            return exit_model_refused;
        case ErrorKind::input:
        case ErrorKind::internal:
            return exit_some_inputs_failed;
    }
    return exit_some_inputs_failed;
}

std::string error_line(std::string_view tool, std::string_view what, std::string_view where) {
    std::string line = fmt::format("{}: error: {}", tool, shortened(what, longest_message));
    if (!where.empty() && what.find(where) == std::string_view::npos)
        line += fmt::format(" ({})", shortened(where, longest_place));
    return escape_control(line);
}

int run_tool(std::string_view tool, const std::function<int()>& body,
             const std::function<std::string()>& where) {
    const auto report = [&](std::string_view what, int status) {
        const std::string place = where ? where() : std::string();
        std::fprintf(stderr, "%s\n", error_line(tool, what, place).c_str());
        return status;
    };
    try {
        return body();
    } catch (const Error& error) {
        return report(error.what(), exit_status(error.kind()));
    } catch (const std::bad_alloc&) {
        return report("not enough memory", exit_status(ErrorKind::memory));
    } catch (const std::system_error& error) {  // std::filesystem::filesystem_error is one of these
        return report(error.what(), exit_io);
    } catch (const std::exception& error) {
        return report(std::string("unexpected: ") + error.what(), exit_status(ErrorKind::internal));
    }
}

}  // namespace vit::tools
