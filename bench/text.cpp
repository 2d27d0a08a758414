#include "bench/text.h"

namespace vit::bench {

const tools::ToolText& tool_text() {
    using tools::Completes;
    static const tools::ToolText text{
        "vit-bench",
        "measure how many images a second a Vision Transformer classifies",
        "vit-bench (--model MODEL.vit | --random-weights ARCH) [options]\n"
        "vit-bench --peak [--threads 1,2,4] [--precision f32,bf16,int8]",
        R"(Measures images a second for every combination of thread count, precision, split of the work and batch.)",
        {{"What to measure",
          {{"--model", "MODEL.vit", "the model file", {}, Completes::files},
           {"--random-weights", "ARCH", "a timm architecture with made-up weights instead"},
           {"--peak", "",
            "no model: what the machine can do at best, with each instruction that it has"}}},
         {"Settings",
          {{"--plot", "OUT.svg", "draw images/s by number of threads", {}, Completes::files},
           {"--threads", "1,2,4", "thread counts (1, 2, 4, ... up to all usable cores)"},
           {"--split", "latency,throughput",
            "latency: a run has fewer images than threads, so that threads share them. "
            "throughput: every thread has images of its own (both)"},
           {"--batch", "1,8",
            "images in one run. Each split takes those that fit it: latency always 1, throughput "
            "as many as threads where none fits"},
           {"--precision", "f32",
            "f32, bf16, int8. What this build or this CPU cannot do is skipped with a message"}}},
         {"Help", {{"-h,--help", "", "this text"}}}},
        {{"Counters, of the median run (best_ms/image: of the fastest)",
          "  images/s, ms/image, best_ms/image\n"
          "  GFLOP/s, peak_share_%    of the work that was done: rows that logits do not need are "
          "left out\n"
          "  peak_GFLOP/s             this machine's multiply-add peak with that many threads, by "
          "the\n"
          "                           instruction that the precision runs on here; measured before "
          "and\n"
          "                           after the runs, the higher one\n"
          "  saved_%                  the part of the whole graph's work that was left out\n"
          "  nominal_GFLOP/s, nominal_peak_share_%\n"
          "                           of the whole graph's work, whatever was left out (ViT-B/16: "
          "35.13\n"
          "                           GFLOP)"},
         {"Exit status",
          "  0 everything succeeded   1 something was skipped   2 wrong usage\n"
          "  3 the model was refused   74 reading or writing failed"},
         {"Google Benchmark's options",
          "  Its own options work too, among them --benchmark_format=json, --benchmark_out=FILE "
          "and\n  --benchmark_min_time=SECONDS."}}};
    return text;
}

}  // namespace vit::bench
