// The tensors that the libraries themselves read from a folder's files, stored in
// expected.safetensors.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"
#include "support.h"
#include "weights/readers/checkpoint.h"

namespace vit::test {

inline void expect_equal(const std::vector<TensorView>& tensors,
                         std::map<std::string, TensorView> wanted) {
    for (const TensorView& tensor : tensors) {
        SCOPED_TRACE(tensor.name);
        const auto found = wanted.find(tensor.name);
        ASSERT_NE(found, wanted.end()) << "unexpected tensor";
        EXPECT_EQ(dtype_name(tensor.dtype), dtype_name(found->second.dtype));
        EXPECT_EQ(tensor.shape, found->second.shape);
        EXPECT_TRUE(std::ranges::equal(tensor.data, found->second.data));
        wanted.erase(found);
    }
    for (const auto& [name, tensor] : wanted) ADD_FAILURE() << "missing tensor " << name;
}

/// The expected tensors of a folder's files.
class Expectations {
  public:
    explicit Expectations(const std::filesystem::path& folder)
        : folder_(folder), file_(folder / "expected.safetensors") {}

    /// The expected tensors of FILE, by name.
    std::map<std::string, TensorView> of(const std::string& file) const {
        std::map<std::string, TensorView> found;
        for (const TensorView& tensor : content_.tensors)
            if (tensor.name.starts_with(file + "|"))
                found.emplace(tensor.name.substr(file.size() + 1), tensor);
        EXPECT_FALSE(found.empty()) << "no expectations for " << file;
        return found;
    }
    void expect_file(const std::string& file, EmaChoice ema = EmaChoice::automatic,
                     const std::string& suffix = "") const {
        SCOPED_TRACE(file);
        expect_equal(read_checkpoint(folder_ / file, ema).tensors, of(file + suffix));
    }

  private:
    std::filesystem::path folder_;
    MappedFile file_;
    Safetensors content_ = parse_safetensors(file_.bytes(), "expected.safetensors");
};

}  // namespace vit::test
