// Implements the C API with the C++ API.
#include "vit/vit.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>

#include "vit/model.h"

struct vit_model {
    vit::Model model;
};

namespace {

using vit::Error;
using vit::ErrorKind;

vit_status status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return VIT_USAGE;
        case ErrorKind::io:
            return VIT_IO;
        case ErrorKind::format:
            return VIT_FORMAT;
        case ErrorKind::model:
            return VIT_MODEL;
        case ErrorKind::input:
            return VIT_INPUT;
        case ErrorKind::unsupported:
            return VIT_UNSUPPORTED;
        case ErrorKind::memory:
            return VIT_MEMORY;
        case ErrorKind::internal:
            break;
    }
    return VIT_INTERNAL;
}

vit_status report(vit_error* error, vit_status status, const char* message) {
    if (error == nullptr) return status;
    error->status = status;
    const std::size_t length = std::min(std::strlen(message), sizeof error->message - 1);
    std::memcpy(error->message, message, length);
    error->message[length] = '\0';
    return status;
}

/// Calls `body`. Turns what it throws into a status and a message.
template <class Body>
vit_status translated(vit_error* error, Body&& body) noexcept {
    try {
        body();
        return report(error, VIT_OK, "");
    } catch (const Error& caught) {
        return report(error, status_of(caught.kind()), caught.what());
    } catch (const std::bad_alloc&) {
        return report(error, VIT_MEMORY, "not enough memory");
    } catch (const std::exception& caught) {
        return report(error, VIT_INTERNAL, caught.what());
    } catch (...) {
        return report(error, VIT_INTERNAL, "an exception of an unknown type");
    }
}

void expect(bool right, const char* what) {
    if (!right) throw Error(ErrorKind::usage, what);
}

vit::LoadOptions options_of(const vit_load_options* from) {
    vit::LoadOptions options;
    if (from == nullptr) return options;
    options.threads = from->threads;
    options.height = from->height;
    options.width = from->width;
    options.copy_file = from->copy_file != 0;
    if (from->precision == VIT_F32) options.precision = vit::Precision::f32;
    if (from->precision == VIT_BF16) options.precision = vit::Precision::bf16;
    if (from->precision == VIT_INT8) options.precision = vit::Precision::int8;
    expect(from->precision >= VIT_PRECISION_FILE && from->precision <= VIT_INT8,
           "precision: expected VIT_PRECISION_FILE, VIT_F32, VIT_BF16 or VIT_INT8");
    return options;
}

vit::ImageView view_of(const vit_image_view& from) {
    static constexpr std::array formats{vit::PixelFormat::rgb, vit::PixelFormat::bgr,
                                        vit::PixelFormat::rgba, vit::PixelFormat::gray};
    expect(from.format >= VIT_RGB && from.format <= VIT_GRAY,
           "image: expected the format VIT_RGB, VIT_BGR, VIT_RGBA or VIT_GRAY");
    return {from.data, from.height, from.width, from.stride,
            formats[static_cast<std::size_t>(from.format)]};
}

std::vector<vit::ImageView> views_of(const vit_image_view* images, std::int64_t count) {
    expect(count >= 0 && (images != nullptr || count == 0),
           "images: expected a count of 0 or more, and images");
    std::vector<vit::ImageView> views;
    for (std::int64_t i = 0; i < count; ++i) views.push_back(view_of(images[i]));
    return views;
}

void give(vit::Image decoded, vit_image& image) {
    auto* rgb = new std::uint8_t[std::max<std::size_t>(decoded.rgb.size(), 1)];
    std::ranges::copy(decoded.rgb, rgb);
    image = {rgb, decoded.height, decoded.width};
}

/// A span of count * each floats; empty where `data` is null.
std::span<float> results(float* data, std::int64_t count, std::int64_t each) {
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(count) * static_cast<std::size_t>(each)};
}

const char* label_of(const vit::ModelInfo& info, std::int64_t index) {
    if (index < 0 || index >= std::ssize(info.labels)) return nullptr;
    return info.labels[static_cast<std::size_t>(index)].c_str();
}

}  // namespace

const char* vit_version(void) {
    return VIT_VERSION_STRING;
}

const char* vit_status_name(int status) {
    static constexpr std::array names{"ok",    "usage",       "io",     "format",  "model",
                                      "input", "unsupported", "memory", "internal"};
    const auto index = static_cast<std::size_t>(status);
    return index < names.size() ? names[index] : "unknown";
}

int vit_usable_threads(void) {
    try {
        return vit::usable_threads();
    } catch (...) {
        return 1;
    }
}

vit_status vit_model_load(const char* path, const vit_load_options* options, vit_model** model,
                          vit_error* error) {
    if (model != nullptr) *model = nullptr;
    return translated(error, [&] {
        expect(path != nullptr && model != nullptr, "vit_model_load: path or model is NULL");
        *model = new vit_model{vit::Model::load(path, options_of(options))};
    });
}

void vit_model_free(vit_model* model) {
    delete model;
}

vit_status vit_model_get_info(const vit_model* model, vit_model_info* info, vit_error* error) {
    return translated(error, [&] {
        expect(model != nullptr && info != nullptr, "vit_model_get_info: model or info is NULL");
        const vit::ModelInfo& from = model->model.info();
        *info = {from.architecture.c_str(),
                 from.isa.c_str(),
                 from.height,
                 from.width,
                 from.channels,
                 from.patch_height,
                 from.patch_width,
                 from.grid_rows,
                 from.grid_columns,
                 from.prefix_tokens,
                 from.tokens,
                 from.embed_dim,
                 from.features,
                 from.classes,
                 from.parameters,
                 from.threads,
                 from.precision == vit::Precision::int8   ? VIT_INT8
                 : from.precision == vit::Precision::bf16 ? VIT_BF16
                                                          : VIT_F32};
    });
}

const char* vit_model_label(const vit_model* model, int64_t index) {
    return model == nullptr ? nullptr : label_of(model->model.info(), index);
}

void vit_model_trim(const vit_model* model) {
    if (model != nullptr) model->model.trim();
}

vit_status vit_decode_file(const char* path, vit_image* image, vit_error* error) {
    return translated(error, [&] {
        expect(path != nullptr && image != nullptr, "vit_decode_file: path or image is NULL");
        *image = {};
        give(vit::decode_image(path), *image);
    });
}

vit_status vit_decode_memory(const void* bytes, size_t size, vit_image* image, vit_error* error) {
    return translated(error, [&] {
        expect((bytes != nullptr || size == 0) && image != nullptr,
               "vit_decode_memory: bytes or image is NULL");
        *image = {};
        give(vit::decode_image({static_cast<const std::byte*>(bytes), size}, "image"), *image);
    });
}

void vit_image_free(vit_image* image) {
    if (image == nullptr) return;
    delete[] image->rgb;
    *image = {};
}

vit_image_view vit_view_of(const vit_image* image) {
    if (image == nullptr) return {};
    return {image->rgb, image->height, image->width, 0, VIT_RGB};
}

vit_status vit_preprocess(const vit_model* model, const vit_image_view* image, float* out,
                          vit_error* error) {
    return translated(error, [&] {
        expect(model != nullptr && image != nullptr && out != nullptr,
               "vit_preprocess: model, image or out is NULL");
        const vit::ModelInfo& info = model->model.info();
        vit::preprocess(view_of(*image), info.transform,
                        results(out, info.channels, info.height * info.width));
    });
}

vit_status vit_run(const vit_model* model, const float* images, int64_t count, float* logits,
                   float* features, float* tokens, vit_error* error) {
    return translated(error, [&] {
        expect(model != nullptr && (images != nullptr || count == 0),
               "vit_run: model or images is NULL");
        const vit::ModelInfo& info = model->model.info();
        const std::int64_t floats = info.channels * info.height * info.width;
        expect(count >= 0 && count <= std::numeric_limits<std::int64_t>::max() / floats / 4,
               "vit_run: count is negative or too large");
        model->model.run(
            {images, static_cast<std::size_t>(count * floats)}, count,
            {results(logits, count, info.classes), results(features, count, info.features),
             results(tokens, count, info.tokens * info.embed_dim)});
    });
}

vit_status vit_classify(const vit_model* model, const vit_image_view* images, int64_t count, int k,
                        vit_prediction* predictions, vit_error* error) {
    return translated(error, [&] {
        expect(model != nullptr && predictions != nullptr && k >= 1,
               "vit_classify: model or predictions is NULL, or k is below 1");
        const auto all = model->model.classify(views_of(images, count), k);
        for (const std::vector<vit::Prediction>& one : all) {
            for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) {
                *predictions = {-1, nullptr, 0, 0};
                if (i < one.size())
                    *predictions = {one[i].index, label_of(model->model.info(), one[i].index),
                                    one[i].probability, one[i].logit};
                ++predictions;
            }
        }
    });
}

vit_status vit_embed(const vit_model* model, const vit_image_view* images, int64_t count,
                     int normalize, float* features, vit_error* error) {
    return translated(error, [&] {
        expect(model != nullptr && features != nullptr, "vit_embed: model or features is NULL");
        std::ranges::copy(
            model->model.embed(views_of(images, count), {.normalize = normalize != 0}), features);
    });
}
