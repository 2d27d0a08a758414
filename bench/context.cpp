#include "bench/context.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <ostream>
#include <sstream>

#include "vit/model.h"

namespace vit::bench {

namespace {

/// The reporter that --benchmark_format selects, except for its context text on standard error.
class Reporter : public benchmark::BenchmarkReporter {
  public:
    explicit Reporter(const Facts& facts) : facts_(facts) {}

    bool ReportContext(const Context& context) override {
        std::ostringstream said;
        std::ostream& error = inner_->GetErrorStream();
        inner_->SetErrorStream(&said);
        const bool goes_on = inner_->ReportContext(context);
        inner_->SetErrorStream(&error);
        if (!said.str().empty()) print(context, error);  // JSON prints it on standard output
        return goes_on;
    }
    void ReportRuns(const std::vector<Run>& runs) override { inner_->ReportRuns(runs); }
    void Finalize() override { inner_->Finalize(); }

  private:
    void print(const Context& context, std::ostream& out) const {
        const benchmark::CPUInfo& cpu = context.cpu_info;
        for (const auto& [name, what] : facts_) out << fmt::format("{}: {}\n", name, what);
        out << fmt::format("cores: {} of {:.0f} MHz, {} usable here\n", cpu.num_cpus,
                           cpu.cycles_per_second * 1e-6, usable_threads());
        if (!cpu.load_avg.empty())
            out << fmt::format("load average of the last minute: {:.2f}\n", cpu.load_avg.front());
        if (cpu.scaling == benchmark::CPUInfo::ENABLED)
            out << "warning: this CPU changes its clock with the load, and the times with it\n";
        out.flush();
    }

    const Facts& facts_;
    const std::unique_ptr<benchmark::BenchmarkReporter> inner_{
        benchmark::CreateDefaultDisplayReporter()};
};

}  // namespace

std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name") && line.find(": ") != std::string::npos)
            return line.substr(line.find(": ") + 2);
    return "unknown";
}

void run_benchmarks(const Facts& facts) {
    for (const auto& [name, what] : facts) benchmark::AddCustomContext(name, what);
    Reporter reporter(facts);
    benchmark::RunSpecifiedBenchmarks(&reporter);
}

}  // namespace vit::bench
