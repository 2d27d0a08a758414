#include "tools/vit-infer/inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::infer {

namespace fs = std::filesystem;

namespace {

Input input_of(tools::ImageFile file) {
    Input input;
    input.name = file.path.native();
    if (file.error.empty()) input.path = std::move(file.path);
    input.error = std::move(file.error);
    return input;
}

std::int64_t images_of(tools::ImageWalk walk) {
    std::int64_t count = 0;
    while (walk.next()) ++count;
    return count;
}

/// The number of inputs in a file. One that cannot be read becomes one failed input.
std::int64_t rows_of(const fs::path& file) {
    if (tools::lower_extension(file) != ".npy") return 1;
    try {
        return TensorRows(file).shape()[0];
    } catch (const Error&) {
        return 1;
    }
}

}  // namespace

InputSource::InputSource(std::vector<std::string> arguments, bool nul_separated, Shard shard)
    : arguments_(arguments.begin(), arguments.end()),
      nul_separated_(nul_separated),
      shard_(shard) {}

void InputSource::expand(const std::string& name) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
        file_ = {name, ""};
        return;
    }
    walk_.emplace(name);
    walk_name_ = name;
    walk_is_empty_ = true;
}

/// A folder that cannot be read, or that has no images, becomes a failed input.
std::optional<tools::ImageFile> InputSource::next_of_walk() {
    if (!walk_) return {};
    if (std::optional<tools::ImageFile> image = walk_->next()) {
        walk_is_empty_ = false;
        return image;
    }
    const tools::ImageWalk walk = *std::exchange(walk_, {});
    if (walk_is_empty_)
        return tools::ImageFile{walk_name_,
                                fmt::format("{}: {}", in_quotes(walk_name_),
                                            tools::no_image_files(walk.others(), walk.other()))};
    if (left_out_ == 0) first_left_out_ = walk.other();
    left_out_ += walk.others();
    return {};
}

/// Whether there is a file_ now.
bool InputSource::find_file() {
    if (!file_) file_ = next_of_walk();
    return file_.has_value();
}

Input InputSource::next_row() {
    Input input;
    input.name = rows_->is_single() ? rows_name_ : fmt::format("{}[{}]", rows_name_, next_row_);
    input.path = rows_name_;
    input.rows = rows_;
    input.row = next_row_;
    if (++next_row_ == rows_->shape()[0]) rows_.reset();
    return input;
}

std::optional<Input> InputSource::next_of_tar() {
    try {
        if (std::optional<TarImages::Member> member = tar_->next()) {
            Input input;
            input.name = (tar_path_ / member->name).native();
            input.path = tar_path_;
            input.member = std::move(member->name);
            input.bytes = std::move(member->bytes);
            if (input.bytes.empty()) input.error = in_quotes(input.name) + ": the file is empty";
            return input;
        }
        tar_.reset();
        return {};
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::format) tar_.reset();
        return input_of({tar_path_, error.what()});
    }
}

std::optional<Input> InputSource::next_of_all() {
    while (true) {
        if (rows_) return next_row();
        if (tar_) {
            if (std::optional<Input> input = next_of_tar()) return input;
            continue;
        }
        if (find_file()) {
            tools::ImageFile file = *std::exchange(file_, {});
            std::error_code error;
            const bool is_array = tools::lower_extension(file.path) == ".npy";
            if (!file.error.empty() || !(is_array || is_tar(file.path)) ||
                fs::is_directory(file.path, error))
                return input_of(std::move(file));
            try {
                if (is_array) {
                    rows_ = std::make_shared<TensorRows>(file.path);
                    rows_name_ = file.path.native();
                    next_row_ = 0;
                } else {
                    tar_path_ = file.path;
                    tar_ = std::make_unique<TarImages>(file.path);
                }
            } catch (const Error& refusal) {
                return input_of({file.path, refusal.what()});
            }
            continue;
        }
        if (list_) {
            if (const auto line = list_->next())
                expand(*line);
            else
                list_.reset();
            continue;
        }
        if (!files_.empty()) {
            Input input = input_of({files_.front(), {}});
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

std::optional<Input> InputSource::next() {
    while (std::optional<Input> input = next_of_all())
        if (taken_++ % shard_.count == shard_.index) return input;
    return {};
}

bool InputSource::ready() {
    if (rows_ || tar_ || find_file()) return true;
    if (list_) return list_->ready();
    return arguments_.empty() || arguments_.front() != "-";
}

std::optional<std::int64_t> InputSource::total() const {
    if (list_ || tar_ || std::ranges::find(arguments_, "-") != arguments_.end()) return {};
    std::int64_t all = static_cast<std::int64_t>(files_.size());
    if (rows_) all += rows_->shape()[0] - next_row_;
    if (walk_) all += std::max<std::int64_t>(images_of(*walk_), walk_is_empty_ ? 1 : 0);
    std::deque<std::string> names = arguments_;
    if (file_) names.push_front(file_->path.native());
    for (const std::string& name : names) {
        std::error_code error;
        if (fs::is_directory(name, error))
            all += std::max<std::int64_t>(images_of(tools::ImageWalk(name)), 1);
        else if (is_tar(name))
            return {};
        else
            all += rows_of(name);
    }
    const auto before = [&](std::int64_t inputs) {  // of this shard
        return (inputs + shard_.count - 1 - shard_.index) / shard_.count;
    };
    return before(taken_ + all) - before(taken_);
}

}  // namespace vit::infer
