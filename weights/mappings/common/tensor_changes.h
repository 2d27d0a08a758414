// Changes source tensors into the model's tensors: other layouts, parts, position tables.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/model_tensors.h"
#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/patterns.h"

namespace vit::inline internal {

/// Applies the rules' transforms to the tensors of one checkpoint. Members throw Error(model) with
/// the tensor's name where it has another shape than the rule expects, or a value that is not
/// finite.
class TensorChanges {
  public:
    TensorChanges(const Mapping& mapping, const ModelConfig& config)
        : mapping_(mapping), config_(config) {}

    /// The shape of the source tensor from which the rule builds `specs`.
    Shape source_shape(TensorTransform transform, const std::vector<TensorSpec>& specs) const;

    /// The tensors of `targets`, without names. `specs` has their shapes, and `numbers` the number
    /// at each `#`. Empty where the values depend on further tensors that were not passed yet.
    /// Appends text about further changes to `what`.
    std::vector<TensorView> apply(const TensorView& tensor, const WrittenRule& rule,
                                  const std::vector<Target>& targets,
                                  const std::vector<TensorSpec>& specs,
                                  const std::vector<std::string>& numbers, std::string& what);

    /// The tensor as float32. Returns the tensor itself where it already has this type.
    TensorView as_f32(const TensorView& tensor);

    /// Keeps `values` and returns a view of them.
    TensorView own(std::string name, Shape shape, std::vector<float> values);

    /// Moves out the values that the returned views point to.
    std::vector<std::shared_ptr<const std::vector<float>>> take_owned() {
        return std::move(owned_);
    }
    /// Moves out the notes for the user, for example about a resized table.
    std::vector<std::string> take_notes() { return std::move(notes_); }

  private:
    /// The shape of a source tensor, and the order in which its axes are read.
    struct Layout {
        Shape shape;
        std::vector<std::size_t> axes;  ///< empty: in their own order
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
