// Changes tensors on their way into the model: layouts, parts, position tables.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/model_tensors.h"
#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/patterns.h"

namespace vit::inline internal {

/// Applies the rules' transforms to the tensors of one checkpoint. All members throw Error(model)
/// with the name of the tensor where its shape is not the one that the rule expects, or a value is
/// not finite.
class TensorChanges {
  public:
    TensorChanges(const Mapping& mapping, const ModelConfig& config)
        : mapping_(mapping), config_(config) {}

    /// Returns the shape in which a source stores the tensor for `specs`.
    Shape source_shape(TensorTransform transform, const std::vector<TensorSpec>& specs) const;

    /// Returns the values of `targets`, whose shapes are in `specs`, without names. Returns nothing
    /// where the values need more tensors, which come later. Appends a description of other changes
    /// to `what`.
    std::vector<TensorView> apply(const TensorView& tensor, const WrittenRule& rule,
                                  const std::vector<Target>& targets,
                                  const std::vector<TensorSpec>& specs,
                                  const std::vector<std::string>& numbers, std::string& what);

    /// Returns the values as float32; the tensor itself where it is float32.
    TensorView as_f32(const TensorView& tensor);

    /// Keeps `values` and returns a view of them.
    TensorView own(std::string name, Shape shape, std::vector<float> values);

    /// Returns the memory of the views.
    std::vector<std::shared_ptr<const std::vector<float>>> take_owned() {
        return std::move(owned_);
    }
    /// Returns notes for the user, for example about a table that was resized.
    std::vector<std::string> take_notes() { return std::move(notes_); }

  private:
    /// The layout of a source's tensor for `specs`, and the order in which its axes are read.
    struct Layout {
        Shape shape;
        std::vector<std::size_t> axes;  ///< empty: in their order
    };
    Layout layout(TensorTransform transform, const std::vector<TensorSpec>& specs) const;
    bool is_row_of_rows(const TensorView& tensor) const;
    std::vector<TensorView> split_rows(const TensorView& plain, const std::vector<Target>& targets,
                                       const std::vector<TensorSpec>& specs);
    std::vector<TensorView> split_columns(const TensorView& plain,
                                          const std::vector<TensorSpec>& specs);
    std::vector<TensorView> lambda(const TensorView& plain, const std::string& name,
                                   const std::string& block);
    TensorView position_table(const TensorView& plain, const TensorView& tensor,
                              const TensorSpec& spec, std::string& what);
    ImageSize grid_of(std::int64_t patches, const TensorView& tensor, const Shape& expected) const;

    const Mapping& mapping_;
    const ModelConfig& config_;
    std::map<std::string, std::map<std::string, std::vector<float>>> lambdas_;  ///< by block
    std::vector<std::shared_ptr<const std::vector<float>>> owned_;
    std::vector<std::string> notes_;
};

}  // namespace vit::inline internal
