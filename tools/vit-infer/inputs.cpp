#include "tools/vit-infer/inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "engine/base/text.h"
#include "tools/common/image_files.h"
#include "vit/error.h"

namespace vit::infer {

namespace fs = std::filesystem;

namespace {

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

}  // namespace

InputSource::InputSource(std::vector<std::string> arguments, bool nul_separated)
    : arguments_(arguments.begin(), arguments.end()), nul_separated_(nul_separated) {}

void InputSource::expand(const std::string& name) {
    const fs::path path(name);
    std::error_code error;
    if (fs::is_directory(path, error)) {
        // A folder that cannot be read becomes a failed input at its position.
        for (const tools::ImageFile& file : tools::image_files(path))
            found_.push_back(file.error.empty() ? image(file.path) : bad(file.path, file.error));
        if (found_.empty())
            found_.push_back(
                bad(path, fmt::format("{}: {}", in_quotes(name), tools::no_image_files)));
    } else if (tools::lower_extension(path) == ".npy") {
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
        if (!files_.empty()) {
            Input input = image(files_.front());
            files_ = files_.subspan(1);
            return input;
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
