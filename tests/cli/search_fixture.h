// The fixture for the tests of vit-search: scikit-learn's digits and what it finds among them
// (tools/fixtures/search_digits.py).
#pragma once

#include "tests/cli/fixture.h"
#include "weights/readers/npy.h"

namespace vit::test {

class SearchTest : public InferTest {
  protected:
    static std::string data(const std::string& name) {
        return std::string(VIT_TEST_DATA) + "/search/" + name;
    }
    static nlohmann::json expected() { return nlohmann::json::parse(read(data("expected.json"))); }

    std::string write_vectors(const std::string& name, const Shape& shape,
                              const std::vector<float>& values) const {
        write_npy(path(name), shape, values);
        return path(name);
    }
    static Finished search(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), VIT_SEARCH);
        return run(arguments);
    }
    /// The records of a search that must succeed.
    static std::vector<nlohmann::json> records(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--format", "jsonl"});
        const Finished done = search(arguments);
        EXPECT_EQ(done.status, 0) << done.err;
        return lines_of(done.out);
    }
    static std::vector<std::int64_t> rows_of(const nlohmann::json& record) {
        std::vector<std::int64_t> rows;
        for (const auto& match : record["matches"]) rows.push_back(match["row"]);
        return rows;
    }
};

}  // namespace vit::test
