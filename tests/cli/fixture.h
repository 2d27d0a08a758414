// The fixtures for the tests of vit-infer: the bundled model, its samples, and a folder for output.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/process.h"

namespace vit::test {

class InferTest : public testing::Test {
  protected:
    InferTest() : folder_(testing::TempDir() + "/vit_infer_" + std::to_string(::getpid())) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    ~InferTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    static std::string tool() { return VIT_INFER; }
    static std::string model() { return VIT_DIGITS_MODEL; }
    static std::filesystem::path digits() {
        return std::filesystem::path(VIT_SOURCE_DIR) / "tools/digits-model";
    }
    static std::string sample(const std::string& name) { return digits() / "samples" / name; }

    std::string path(const std::string& name) const { return folder_ / name; }

    std::string write(const std::string& name, const std::string& bytes) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return folder_ / name;
    }
    std::string copy_sample(const std::string& from, const std::string& to) const {
        std::filesystem::create_directories((folder_ / to).parent_path());
        std::filesystem::copy_file(sample(from), folder_ / to);
        return folder_ / to;
    }
    static std::string read(const std::filesystem::path& file) {
        std::ifstream stream(file, std::ios::binary);
        std::stringstream text;
        text << stream.rdbuf();
        return text.str();
    }

    /// Runs vit-infer with the bundled model.
    static Finished infer(std::vector<std::string> arguments, const std::string& in = {}) {
        arguments.insert(arguments.begin(), {tool(), model()});
        Start start;
        start.arguments = std::move(arguments);
        start.in = in;
        return run(start);
    }

    static std::vector<nlohmann::json> lines_of(const std::string& jsonl) {
        std::vector<nlohmann::json> records;
        std::istringstream stream(jsonl);
        for (std::string line; std::getline(stream, line);)
            records.push_back(nlohmann::json::parse(line));
        return records;
    }

    std::filesystem::path folder_;
};

}  // namespace vit::test
