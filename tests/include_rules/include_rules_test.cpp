// Checks by reading the sources which room may include which other rooms (docs/architecture.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// Sources whose path begins with `room` may include paths that begin with one of `may_include`.
/// The first room that matches a source applies.
struct Room {
    std::string_view room;
    std::vector<std::string_view> may_include;
};

const std::vector<Room> rooms{
    {"engine/include/vit/", {"vit/"}},
    {"engine/base/", {"vit/", "engine/base/"}},
    {"engine/model/", {"vit/", "engine/base/", "engine/model/"}},
    {"engine/kernels/", {"vit/", "engine/base/", "engine/kernels/"}},
    {"engine/ops/", {"vit/", "engine/base/", "engine/model/", "engine/kernels/", "engine/ops/"}},
    {"engine/graph/", {"vit/", "engine/base/", "engine/model/", "engine/graph/"}},
    {"engine/image/", {"vit/", "engine/base/", "engine/image/"}},
    {"engine/executor/",
     {"vit/", "engine/base/", "engine/model/", "engine/kernels/", "engine/ops/", "engine/graph/",
      "engine/executor/"}},
    {"engine/api/", {"vit/", "engine/"}},
    {"weights/readers/",
     {"vit/error.h", "engine/base/checked.h", "engine/base/text.h", "engine/model/",
      "weights/readers/"}},
    {"weights/mappings/common/",
     {"vit/error.h", "engine/base/checked.h", "engine/base/text.h", "engine/model/",
      "weights/readers/", "weights/mappings/common/"}},
    {"weights/mappings/",
     {"vit/error.h", "engine/base/checked.h", "engine/base/text.h", "engine/model/", "weights/"}},
    {"weights/quantization/",
     {"vit/error.h", "engine/base/", "engine/model/", "engine/kernels/", "engine/ops/",
      "engine/graph/", "engine/executor/", "weights/quantization/"}},
    {"weights/random_model/",
     {"vit/error.h", "engine/base/", "engine/model/", "weights/random_model/"}},
    {"tools/common/", {"vit/", "engine/base/", "tools/common/"}},
    {"tools/manual/write_manual.cpp",
     {"vit/", "bench/text.h", "tools/manual/", "tools/vit-convert/text.h", "tools/vit-eval/text.h",
      "tools/vit-infer/text.h", "tools/vit-search/text.h"}},
    {"tools/manual/", {"vit/", "engine/base/", "tools/common/", "tools/manual/"}},
    {"tools/vit-infer/",
     {"vit/", "engine/base/", "engine/model/", "weights/", "tools/common/", "tools/evaluation/",
      "tools/looking/", "tools/manual/", "tools/page/", "tools/pictures/", "tools/vit-infer/"}},
    {"tools/page/", {"vit/", "engine/base/", "engine/model/", "tools/page/"}},
    {"tools/evaluation/",
     {"vit/", "engine/base/", "engine/model/", "tools/common/", "tools/labels/", "tools/manual/",
      "tools/pictures/", "tools/evaluation/"}},
    {"tools/vit-eval/",
     {"vit/", "engine/base/", "engine/model/", "tools/common/", "tools/evaluation/",
      "tools/manual/", "tools/vit-eval/"}},
    // vit-search needs the kernel that multiplies rows.
    {"tools/vit-search/",
     {"vit/", "engine/base/", "engine/model/", "engine/kernels/", "weights/readers/",
      "tools/common/", "tools/manual/", "tools/vit-search/"}},
    {"tools/hub/",
     {"vit/", "engine/base/env.h", "engine/base/text.h", "engine/model/", "tools/common/",
      "tools/hub/"}},
    {"tools/labels/", {"vit/", "tools/labels/"}},
    {"tools/pictures/",
     {"vit/", "engine/base/text.h", "engine/model/atomic_file.h", "tools/pictures/"}},
    {"tools/looking/", {"vit/", "engine/base/", "tools/pictures/", "tools/looking/"}},
    // vit-convert needs the graph, because the reference evaluator computes a model file's
    // self-test.
    {"tools/vit-convert/",
     {"vit/", "engine/base/", "engine/model/", "engine/graph/", "weights/", "tools/common/",
      "tools/hub/", "tools/labels/", "tools/manual/", "tools/vit-convert/"}},
    {"bench/kernels_bench", {"vit/", "engine/kernels/", "bench/"}},
    {"bench/times/", {"vit/", "engine/", "tests/support/", "bench/"}},
    {"bench/",
     {"vit/", "engine/base/", "engine/model/", "weights/", "tools/common/", "tools/manual/",
      "tools/pictures/", "bench/"}},
    {"examples/", {"vit/"}},
};

/// Lines that match `pattern` are allowed only in files whose path begins with one of `places`.
struct Belongs {
    const char* pattern;
    std::vector<std::string_view> places;
    const char* what;
};

const std::vector<Belongs> belongings{
    {R"(#\s*include\s*[<"](oneapi/|dnnl))", {"engine/ops/"}, "oneDNN"},
    {R"(#\s*include\s*[<"]xsimd)", {"engine/kernels/"}, "xsimd"},
    {R"(#\s*include\s*[<"](curl/|sys/socket|netdb))", {"tools/hub/"}, "the network"},
    {R"(#\s*include\s*[<"]png\.h)", {"tools/pictures/"}, "libpng"},
    {R"(#\s*include\s*[<"]Eigen/)", {"tools/looking/"}, "Eigen"},
    {R"(#\s*include\s*[<"]omp\.h|#\s*pragma\s+omp)", {"engine/base/threads.cpp"}, "OpenMP"},
    {R"(\bgetenv\s*\()", {"engine/base/env.cpp"}, "the environment"},
    {R"(#\s*include\s*<(iostream|print)>|\b(printf|fprintf|puts|fputs|putchar|perror)\s*\(|)"
     R"(\bstd::(cout|cerr|clog)\b|\bfmt::print\b)",
     {"tools/", "bench/", "examples/"},
     "printing"},
    {R"(\b(abort|exit|_exit|quick_exit|terminate)\s*\()",
     {"tools/", "bench/"},
     "ending the process"},
    {R"(\b(signal|sigaction|pthread_sigmask)\s*\()", {"tools/"}, "signal handling"},
};

bool begins_with_any(std::string_view text, const std::vector<std::string_view>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return text.starts_with(prefix); });
}

/// The file's text without comments.
std::string code_of(const fs::path& path) {
    std::ifstream stream(path);
    std::stringstream whole;
    whole << stream.rdbuf();
    const std::string text = whole.str();
    std::string code;
    for (std::size_t i = 0; i < text.size();) {
        if (text.compare(i, 2, "//") == 0) {
            i = std::min(text.find('\n', i), text.size());
        } else if (text.compare(i, 2, "/*") == 0) {
            const std::size_t end = text.find("*/", i + 2);
            i = end == std::string::npos ? text.size() : end + 2;
        } else {
            code += text[i++];
        }
    }
    return code;
}

/// Finds all violations of the rules below `root`, and returns one line for each.
std::vector<std::string> violations(const fs::path& root, int& files) {
    static const std::regex include(R"(#\s*include\s*[<"]([^>"]+)[>"])");
    std::vector<std::regex> patterns;
    for (const Belongs& each : belongings) patterns.emplace_back(each.pattern);
    std::vector<std::string> found;
    files = 0;
    for (const char* top : {"engine", "weights", "tools", "bench", "examples"}) {
        if (!fs::exists(root / top)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
            const std::string extension = entry.path().extension();
            if (extension != ".h" && extension != ".cpp") continue;
            ++files;
            const std::string file = entry.path().lexically_relative(root).generic_string();
            const auto room = std::find_if(rooms.begin(), rooms.end(), [&](const Room& each) {
                return file.starts_with(each.room);
            });
            if (room == rooms.end()) {
                found.push_back(file + ": lies in no room of include_rules_test.cpp");
                continue;
            }
            std::istringstream code(code_of(entry.path()));
            for (std::string line; std::getline(code, line);) {
                std::smatch match;
                if (std::regex_search(line, match, include)) {
                    const std::string header = match[1];
                    const bool ours = begins_with_any(
                        header, {"engine/", "weights/", "tools/", "bench/", "tests/", "vit/"});
                    const bool beside = line.find('"') != std::string::npos &&
                                        fs::exists(entry.path().parent_path() / header);
                    if (ours && !begins_with_any(header, room->may_include))
                        found.push_back(file + ": may not include " + header);
                    if (beside && !ours)
                        found.push_back(file + ": includes are written from the root: " + header);
                }
                for (std::size_t i = 0; i < belongings.size(); ++i)
                    if (!begins_with_any(file, belongings[i].places) &&
                        std::regex_search(line, patterns[i]))
                        found.push_back(file + ": " + belongings[i].what +
                                        " has no place here: " + line);
            }
        }
    }
    return found;
}

TEST(IncludeRules, Hold) {
    int files = 0;
    const std::vector<std::string> found = violations(VIT_SOURCE_DIR, files);
    EXPECT_GT(files, 50);
    for (const std::string& each : found) ADD_FAILURE() << each;
}

/// A source tree with one file, to check that a rule finds a violation.
class PlantedTree {
  public:
    PlantedTree(const std::string& file, const std::string& text)
        : root_(fs::path(testing::TempDir()) /
                ("include_rules_" + std::to_string(std::hash<std::string>()(file + text)))) {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    ~PlantedTree() { fs::remove_all(root_); }
    PlantedTree(const PlantedTree&) = delete;
    PlantedTree& operator=(const PlantedTree&) = delete;

    std::size_t count() const {
        int files = 0;
        return violations(root_, files).size();
    }

  private:
    fs::path root_;
};

struct Planted {
    const char* file;
    const char* text;
};

TEST(IncludeRules, FindPlantedViolations) {
    const std::vector<Planted> bad{
        {"engine/base/a.cpp", "#include \"engine/graph/graph.h\"\n"},
        {"engine/kernels/a.cpp", "#include \"engine/ops/linear.h\"\n"},
        {"engine/ops/a.h", "#include \"engine/executor/run.h\"\n"},
        {"engine/graph/a.cpp", "  #  include <engine/executor/run.h>\n"},
        {"engine/graph/a.cpp", "#include \"weights/readers/npy.h\"\n"},
        {"engine/include/vit/a.h", "#include \"engine/base/threads.h\"\n"},
        {"weights/readers/a.cpp", "#include \"vit/model.h\"\n"},
        {"engine/model/a.cpp", "#include \"weights/readers/npy.h\"\n"},
        {"engine/model/b.cpp", "#include \"engine/graph/graph.h\"\n"},
        {"weights/mappings/common/a.cpp", "#include \"weights/mappings/timm/timm_vit.h\"\n"},
        {"weights/mappings/a.cpp", "#include \"engine/base/threads.h\"\n"},
        {"tools/vit-infer/a.cpp", "#include \"engine/graph/graph.h\"\n"},
        {"bench/a.cpp", "#include \"engine/executor/run.h\"\n"},
        {"examples/a.cpp", "#include \"engine/model/model_file.h\"\n"},
        {"engine/executor/a.cpp", "#include \"oneapi/dnnl/dnnl.hpp\"\n"},
        {"engine/graph/a.cpp", "#include <xsimd/xsimd.hpp>\n"},
        {"engine/executor/a.cpp", "#pragma omp parallel\n"},
        {"weights/readers/a.cpp", "#include <curl/curl.h>\n"},
        {"tools/looking/a.cpp", "#include <png.h>\n"},
        {"tools/vit-infer/a.cpp", "#include <Eigen/Dense>\n"},
        {"tools/pictures/a.cpp", "#include \"tools/looking/occlusion.h\"\n"},
        {"tools/hub/a.cpp", "#include \"engine/base/threads.h\"\n"},
        {"engine/executor/a.cpp", "#include <omp.h>\n"},
        {"engine/api/a.cpp", "const char* x = std::getenv(\"VIT_ISA\");\n"},
        {"engine/api/a.cpp", "#include <iostream>\n"},
        {"engine/api/a.cpp", "std::fprintf(stderr, \"no\");\n"},
        {"weights/readers/a.cpp", "fmt::print(\"no\");\n"},
        {"engine/base/a.cpp", "std::abort();\n"},
        {"weights/readers/a.cpp", "exit(1);\n"},
        {"engine/base/a.cpp", "std::signal(2, f);\n"},
        {"engine/base/threads.h", "#include \"cpu.h\"\n#include \"threads.h\"\n"},
        {"engine/newroom/a.cpp", "int x;\n"},
    };
    for (const Planted& each : bad)
        EXPECT_EQ(PlantedTree(each.file, each.text).count(), 1u) << each.file << "\n" << each.text;
}

TEST(IncludeRules, AllowWhatIsRight) {
    const std::vector<Planted> good{
        {"engine/ops/a.cpp",
         "#include <oneapi/dnnl/dnnl.hpp>\n#include \"engine/kernels/kernels.h\"\n"},
        {"engine/kernels/a.cpp", "#include <xsimd/xsimd.hpp>\n"},
        {"tools/hub/a.cpp", "#include <curl/curl.h>\n#include \"engine/base/env.h\"\n"},
        {"engine/base/threads.cpp", "#include <omp.h>\n#pragma omp parallel\n"},
        {"engine/base/env.cpp", "std::getenv(\"VIT_ISA\");\n"},
        {"engine/graph/a.cpp", "#include \"engine/model/model_config.h\"\n"},
        {"weights/readers/a.cpp", "#include \"vit/error.h\"\n"},
        {"tools/vit-infer/a.cpp", "std::printf(\"yes\"); std::signal(2, f);\n"},
        {"engine/api/a.cpp", "// std::printf(\"only a comment\"), getenv()\n"},
        {"engine/api/a.cpp", "/* abort() */ std::snprintf(buffer, 3, \"x\");\n"},
    };
    for (const Planted& each : good)
        EXPECT_EQ(PlantedTree(each.file, each.text).count(), 0u) << each.file << "\n" << each.text;
}

}  // namespace
