#include "engine/kernels/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "engine/base/cpu.h"
#include "engine/base/env.h"
#include "engine/kernels/isa_tables.h"
#include "vit/error.h"

namespace vit::kernels {
namespace {

using testing::HasSubstr;

// The compiler's probe was written independently from the same manual.
TEST(Cpu, AgreesWithTheCompiler) {
    const CpuFeatures features = probe_cpu();
    EXPECT_EQ(features.avx2_fma,
              __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0);
    EXPECT_EQ(features.avx512, __builtin_cpu_supports("avx512f") != 0 &&
                                   __builtin_cpu_supports("avx512cd") != 0 &&
                                   __builtin_cpu_supports("avx512dq") != 0 &&
                                   __builtin_cpu_supports("avx512bw") != 0 &&
                                   __builtin_cpu_supports("avx512vl") != 0);
    if (features.avx512) {
        EXPECT_TRUE(features.avx2_fma);
    }
}

// The Linux kernel reads the same CPUID leaf and shows it as text.
TEST(Cpu, HasTheKernelsVendor) {
    std::ifstream file("/proc/cpuinfo");
    std::string vendor;
    for (std::string line; vendor.empty() && std::getline(file, line);)
        if (line.starts_with("vendor_id")) vendor = line.substr(line.find(": ") + 2);
    if (vendor.empty()) GTEST_SKIP() << "no vendor_id in /proc/cpuinfo";
    const CpuVendor expected = vendor == "GenuineIntel"   ? CpuVendor::intel
                               : vendor == "AuthenticAMD" ? CpuVendor::amd
                                                          : CpuVendor::other;
    EXPECT_EQ(probe_cpu().vendor, expected) << vendor;
}

TEST(Env, TellsUnsetFromEmpty) {
    ASSERT_EQ(unsetenv("VIT_TEST_VARIABLE"), 0);
    EXPECT_EQ(env("VIT_TEST_VARIABLE"), std::nullopt);
    ASSERT_EQ(setenv("VIT_TEST_VARIABLE", "", 1), 0);
    EXPECT_EQ(env("VIT_TEST_VARIABLE"), "");
    ASSERT_EQ(setenv("VIT_TEST_VARIABLE", "a b", 1), 0);
    EXPECT_EQ(env("VIT_TEST_VARIABLE"), "a b");
    ASSERT_EQ(unsetenv("VIT_TEST_VARIABLE"), 0);
}

TEST(Dispatch, BaselineIsAlwaysThere) {
    ASSERT_NE(table_for(Isa::baseline), nullptr);
    EXPECT_EQ(choose_table("baseline").isa, Isa::baseline);
}

TEST(Dispatch, EachTableIsWhatItSays) {
    for (const Isa isa : all_isas)
        if (const Table* table = table_for(isa)) {
            EXPECT_EQ(table->isa, isa);
            EXPECT_EQ(&choose_table(isa_name(isa)), table);
        }
}

TEST(Dispatch, BestByDefault) {
    const CpuFeatures features = probe_cpu();
    const Isa best = features.amx && request_tiles() ? Isa::amx
                     : features.avx512               ? Isa::avx512
                     : features.avx2_fma             ? Isa::avx2
                                                     : Isa::baseline;
    EXPECT_EQ(choose_table(std::nullopt).isa, best);
}

TEST(Dispatch, RefusesWhatTheCpuLacks) {
    int lacking = 0;
    for (const Isa isa : all_isas) {
        if (table_for(isa) != nullptr) continue;
        ++lacking;
        try {
            choose_table(isa_name(isa));
            FAIL() << isa_name(isa);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::unsupported);
            EXPECT_THAT(error.what(), HasSubstr(isa_name(isa)));
            EXPECT_THAT(error.what(), HasSubstr("it has baseline"));
        }
    }
    if (lacking == 0) GTEST_SKIP() << "this CPU lacks nothing";
}

TEST(Dispatch, RefusesUnknownNamesInOneLine) {
    for (const std::string name : {"", "sse2", "AVX2", "avx2 ", "\x1b[31m\nx"}) {
        try {
            choose_table(name);
            FAIL() << name;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.what(), HasSubstr("VIT_ISA: expected one of baseline"));
            for (const char* c = error.what(); *c != '\0'; ++c)
                EXPECT_GE(static_cast<unsigned char>(*c), 0x20) << error.what();
        }
    }
}

TEST(Dispatch, AttendsInFloat32WhereProductsOfBfloat16AreSlow) {
    EXPECT_EQ(&avx512_bf16_table_of(CpuVendor::intel), &avx512_bf16_f32_attention_table);
    for (const CpuVendor vendor : {CpuVendor::amd, CpuVendor::other})
        EXPECT_EQ(&avx512_bf16_table_of(vendor), &avx512_bf16_table);
    if (const Bf16Table* table = bf16_table_for(Isa::avx512)) {
        EXPECT_EQ(table, &avx512_bf16_table_of(probe_cpu().vendor));
    }
}

TEST(Dispatch, HasLinearsOfItsOwnWhereOneDnnsAreSlow) {
    const auto table_of = [](CpuVendor vendor, bool avx_vnni) {
        return &avx512_table_of({.vendor = vendor, .avx_vnni = avx_vnni});
    };
    for (const bool avx_vnni : {false, true}) {
        EXPECT_EQ(table_of(CpuVendor::intel, avx_vnni), &avx512_linears_table);
        EXPECT_EQ(table_of(CpuVendor::other, avx_vnni), &avx512_table);
    }
    EXPECT_EQ(table_of(CpuVendor::amd, false), &avx512_table);         // Zen 4
    EXPECT_EQ(table_of(CpuVendor::amd, true), &avx512_linears_table);  // Zen 5
    EXPECT_NE(avx512_linears_table.linears, nullptr);
    EXPECT_EQ(avx512_table.linears, nullptr);
    if (const Table* table = table_for(Isa::avx512)) {
        EXPECT_EQ(table, &avx512_table_of(probe_cpu()));
    }
}

TEST(Dispatch, ObeysTheEnvironment) {
    const std::optional<std::string> before = env("VIT_ISA");
    ASSERT_EQ(setenv("VIT_ISA", "baseline", 1), 0);
    EXPECT_EQ(select_table().isa, Isa::baseline);
    ASSERT_EQ(setenv("VIT_ISA", "mmx", 1), 0);
    EXPECT_THROW(select_table(), Error);
    ASSERT_EQ(unsetenv("VIT_ISA"), 0);
    EXPECT_EQ(&select_table(), &choose_table(std::nullopt));
    if (before) {
        ASSERT_EQ(setenv("VIT_ISA", before->c_str(), 1), 0);
    }
}

}  // namespace
}  // namespace vit::kernels
