#include "tools/vit-infer/inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/base/text.h"
#include "tools/vit-infer/natural_order.h"
#include "vit/error.h"

namespace vit::infer {

namespace fs = std::filesystem;

namespace {

std::string lower_extension(const fs::path& path) {
    std::string extension = path.extension().native();
    for (char& c : extension)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return extension;
}

bool is_image_name(const fs::path& path) {
    constexpr std::array<std::string_view, 4> extensions{".jpg", ".jpeg", ".png", ".webp"};
    return std::find(extensions.begin(), extensions.end(), lower_extension(path)) !=
           extensions.end();
}

Input bad(const fs::path& path, std::string error) {
    Input input;
    input.name = path.native();
    input.error = std::move(error);
    return input;
}

Input image(const fs::path& path) {
    Input input;
    input.name = path.native();
    input.path = path;
    return input;
}

/// Lists the images below `folder`. The entries of each folder are in natural order. A folder that
/// cannot be read becomes a failed input at its position.
void list_folder(const fs::path& folder, std::deque<Input>& found) {
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        entries.push_back(*it);
    if (error) {
        found.push_back(bad(folder, fmt::format("{}: cannot read the folder: {}",
                                                in_quotes(folder.native()), error.message())));
        return;
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return natural_less(a.path().filename().native(), b.path().filename().native());
    });
    for (const fs::directory_entry& entry : entries) {
        const bool real_folder = entry.is_directory(error) && !entry.is_symlink(error);
        if (real_folder)
            list_folder(entry.path(), found);
        else if (is_image_name(entry.path()) && !entry.is_directory(error))
            found.push_back(image(entry.path()));
    }
}

}  // namespace

InputSource::InputSource(std::vector<std::string> arguments, bool nul_separated)
    : arguments_(arguments.begin(), arguments.end()), nul_separated_(nul_separated) {}

void InputSource::expand(const std::string& name) {
    const fs::path path(name);
    std::error_code error;
    if (fs::is_directory(path, error)) {
        list_folder(path, found_);
        if (found_.empty())
            found_.push_back(bad(path, fmt::format("{}: no images here: expected .jpg, .jpeg, .png "
                                                   "or .webp files",
                                                   in_quotes(name))));
    } else if (lower_extension(path) == ".npy") {
        try {
            rows_ = std::make_shared<TensorRows>(path);
            rows_name_ = name;
            next_row_ = 0;
        } catch (const Error& refusal) {
            found_.push_back(bad(path, refusal.what()));
        }
    } else {
        found_.push_back(image(path));
    }
}

std::optional<Input> InputSource::next() {
    while (true) {
        if (!found_.empty()) {
            Input input = std::move(found_.front());
            found_.pop_front();
            return input;
        }
        if (rows_) {
            Input input;
            input.name = fmt::format("{}[{}]", rows_name_, next_row_);
            input.path = rows_name_;
            input.rows = rows_;
            input.row = next_row_;
            if (++next_row_ == rows_->shape()[0]) rows_.reset();
            return input;
        }
        if (list_) {
            if (const auto line = list_->next())
                expand(*line);
            else
                list_.reset();
            continue;
        }
        if (arguments_.empty()) return {};
        const std::string argument = std::move(arguments_.front());
        arguments_.pop_front();
        if (argument == "-")
            list_.emplace(STDIN_FILENO, nul_separated_ ? '\0' : '\n');
        else
            expand(argument);
    }
}

bool InputSource::ready() {
    if (!found_.empty() || rows_) return true;
    if (list_) return list_->ready();
    return arguments_.empty() || arguments_.front() != "-";
}

}  // namespace vit::infer
