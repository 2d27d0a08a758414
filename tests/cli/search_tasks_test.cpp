// Tests vit-search's other tasks: groups of duplicates, and accuracies.
#include <gmock/gmock.h>

#include "tests/cli/search_fixture.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

class SearchTasks : public SearchTest {
  protected:
    std::vector<std::string> evaluation() const {
        return {data("train.npy"),    data("test.npy"), "--evaluate",       "--labels",
                data("train.labels"), "--test-labels",  data("test.labels")};
    }
    static std::vector<std::string> labels(const std::string& file) {
        std::istringstream stream(read(data(file)));
        std::vector<std::string> lines;
        for (std::string line; std::getline(stream, line);) lines.push_back(line);
        return lines;
    }
};

TEST_F(SearchTasks, DuplicatesAreTheConnectedComponents) {
    const nlohmann::json wanted = expected();
    for (const char* threads : {"1", "3"}) {
        const auto found =
            records({data("train.npy"), "--duplicates", wanted["least"].dump(), "-t", threads});
        ASSERT_EQ(found.size(), wanted["groups"].size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_EQ(found[i]["group"], i);
            EXPECT_EQ(found[i]["rows"], wanted["groups"][i]);
        }
    }
}

TEST_F(SearchTasks, DuplicatesAreWrittenInEveryFormat) {
    const float nan = std::nanf("");
    write_vectors("i.npy", {6, 2}, {1, 1, 0, 0, nan, 0, 2, 2, 1, -1, 0, 0});
    EXPECT_EQ(search({path("i.npy"), "--duplicates", "1"}).out, "0\t3\n");
    write("i.names", "a\nb\nc\nd\\te\nf\ng\n");
    EXPECT_EQ(search({path("i.npy"), "--duplicates", "1"}).out, "a\td\\te\n");
    EXPECT_EQ(search({path("i.npy"), "--duplicates", "1", "--format", "csv"}).out,
              "group,row,name\n0,0,a\n0,3,d\\te\n");
    EXPECT_EQ(search({path("i.npy"), "--duplicates", "1", "--format", "json"}).out,
              "[\n{\"group\": 0, \"rows\": [0, 3], \"names\": [\"a\", \"d\\\\te\"]}\n]\n");
}

TEST_F(SearchTasks, EvaluationGivesScikitLearnsPredictions) {
    auto arguments = evaluation();
    arguments.insert(arguments.end(), {"--format", "json"});
    const Finished done = search(arguments);
    ASSERT_EQ(done.status, 0) << done.err;
    const auto found = nlohmann::json::parse(done.out);
    const nlohmann::json wanted = expected();
    const std::vector<std::string> truth = labels("test.labels");
    EXPECT_EQ(found["train"], 500);
    EXPECT_EQ(found["classes"], 10);
    EXPECT_EQ(found["k"], 20);
    ASSERT_EQ(found["predictions"].size(), truth.size());
    for (const char* name : {"knn", "weighted_knn", "linear_probe"}) {
        int right = 0;
        for (std::size_t i = 0; i < truth.size(); ++i) {
            const std::string label = std::to_string(wanted[name][i].get<int>());
            EXPECT_EQ(found["predictions"][i][name], label) << name << " " << i;
            right += label == truth[i];
        }
        EXPECT_DOUBLE_EQ(found[name], right / static_cast<double>(truth.size())) << name;
    }
}

// Two classes have one row of weights in scikit-learn, which the penalty makes another optimum.
TEST_F(SearchTasks, EvaluationOfTwoClassesToo) {
    const auto select = [&](const std::string& name) {
        const std::vector<std::string> all = labels(name + ".labels");
        const std::vector<float> from = to_f32(read_npy(data(name + ".npy")).view());
        std::vector<float> values;
        std::string kept;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i] != "3" && all[i] != "8") continue;
            values.insert(values.end(), from.begin() + static_cast<std::ptrdiff_t>(i * 64),
                          from.begin() + static_cast<std::ptrdiff_t>(i * 64 + 64));
            kept += all[i] + "\n";
        }
        write_vectors(name + ".npy", {static_cast<std::int64_t>(values.size() / 64), 64}, values);
        write(name + ".labels", kept);
    };
    select("train");
    select("test");
    const auto found = records({path("train.npy"), path("test.npy"), "--evaluate", "--labels",
                                path("train.labels"), "--test-labels", path("test.labels")});
    const nlohmann::json wanted = expected()["binary"];
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_EQ(found[i]["linear_probe"], std::to_string(wanted[i].get<int>())) << i;
}

TEST_F(SearchTasks, EvaluationIsTheSameForEveryNumberOfThreads) {
    auto one = evaluation(), three = evaluation();
    one.insert(one.end(), {"--format", "csv", "-t", "1"});
    three.insert(three.end(), {"--format", "csv", "-t", "3"});
    EXPECT_EQ(search(one).out, search(three).out);
}

TEST_F(SearchTasks, EvaluationLeavesOutRowsWithoutADirection) {
    const float nan = std::nanf("");
    write_vectors("a.npy", {5, 2}, {1, 0, 0, 1, nan, 0, 0, 2, 3, 1});
    write("a.labels", "x\ny\nz\ny\nx\n");
    write_vectors("b.npy", {4, 2}, {9, 1, 0, 0, 1, 9, 4, 1});
    write("b.labels", "x\ny\ny\nunseen\n");
    const Finished done = search({path("a.npy"), path("b.npy"), "--evaluate", "--labels",
                                  path("a.labels"), "--test-labels", path("b.labels"), "-k", "2"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.out,
              "4 training vectors, 3 test vectors, 2 classes\n"
              "left out, as zero or not finite: 1 training vectors, 1 test vectors\n"
              "  k-NN, k = 2                   66.67 %\n"
              "  weighted k-NN, k = 2          66.67 %\n"
              "  linear probe                  66.67 %\n");
}

TEST_F(SearchTasks, EvaluationRefusesLabelsThatDoNotFit) {
    auto arguments = evaluation();
    arguments[4] = data("test.labels");
    Finished done = search(arguments);
    EXPECT_EQ(done.status, 3);
    EXPECT_THAT(done.err, HasSubstr("expected a line for each of the 500 rows"));
    std::string same;
    for (int i = 0; i < 500; ++i) same += "a\n";
    arguments[4] = write("same.labels", same);
    done = search(arguments);
    EXPECT_EQ(done.status, 3);
    EXPECT_THAT(done.err, HasSubstr("expected two or more classes, found only 'a'"));
}

}  // namespace
}  // namespace vit::test
