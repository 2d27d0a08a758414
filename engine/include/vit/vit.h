/* The library for programs in C (C99) and for other languages that can call C.
 *
 * A function that can fail returns VIT_OK or another vit_status. Where `error` is not NULL, it
 * describes the failure in *error. No function throws a C++ exception. Any number of threads may
 * use a vit_model at the same time. vit/model.h describes how threads, memory and the model's file
 * behave. */
#ifndef VIT_VIT_H
#define VIT_VIT_H

#include <stddef.h>
#include <stdint.h>

#include "vit/version.h"

#if defined(__GNUC__)
#define VIT_C_API __attribute__((visibility("default")))
#else
#define VIT_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vit_status {
    VIT_OK = 0,
    VIT_USAGE = 1,       /* the caller's arguments are wrong */
    VIT_IO = 2,          /* a file could not be read or written */
    VIT_FORMAT = 3,      /* a file's bytes are not what its format allows */
    VIT_MODEL = 4,       /* a model was read, but this library cannot run it */
    VIT_INPUT = 5,       /* an image or input tensor cannot be used */
    VIT_UNSUPPORTED = 6, /* valid, but not possible in this build or on this CPU */
    VIT_MEMORY = 7,      /* an allocation failed */
    VIT_INTERNAL = 8     /* a bug in this library; please report it */
} vit_status;

/* What went wrong. The message is one line; a longer line is cut. */
typedef struct vit_error {
    vit_status status;
    char message[1000];
} vit_error;

typedef enum vit_precision {
    VIT_PRECISION_FILE = 0,
    VIT_F32 = 1,
    VIT_BF16 = 2,
    VIT_INT8 = 3
} vit_precision;

/* If all fields are zero: the model file's settings, on all threads. */
typedef struct vit_load_options {
    int threads;           /* 0: as many as the process may use */
    int64_t height, width; /* of images; 0: the model file's */
    int precision;         /* a vit_precision; VIT_PRECISION_FILE: the model file's */
    int copy_file;         /* not 0: read the whole file into memory */
} vit_load_options;

/* A loaded model. It never changes. */
typedef struct vit_model vit_model;

/* The strings are valid as long as the model. */
typedef struct vit_model_info {
    const char* architecture;
    const char* isa; /* the kernels in use: "baseline", "avx2", "avx512", "amx" */
    int64_t height, width, channels;
    int64_t patch_height, patch_width;
    int64_t grid_rows, grid_columns; /* of patches */
    int64_t prefix_tokens;
    int64_t tokens; /* prefix tokens and patches */
    int64_t embed_dim, features, classes, parameters;
    int threads;
    int precision; /* VIT_F32, VIT_BF16 or VIT_INT8 */
} vit_model_info;

typedef enum vit_pixel_format {
    VIT_RGB = 0,
    VIT_BGR = 1,
    VIT_RGBA = 2,
    VIT_GRAY = 3
} vit_pixel_format;

/* Pixels that the caller owns, 8 bits per sample. */
typedef struct vit_image_view {
    const uint8_t* data; /* the top left pixel */
    int64_t height, width;
    int64_t stride; /* bytes from one row to the next; 0: no gap between rows */
    int format;     /* a vit_pixel_format */
} vit_image_view;

/* Decoded pixels, RGB without gaps. Free them with vit_image_free(). */
typedef struct vit_image {
    uint8_t* rgb;
    int64_t height, width;
} vit_image;

/* `label` is valid as long as the model. It is NULL where the model has no labels. */
typedef struct vit_prediction {
    int64_t index;
    const char* label;
    float probability, logit;
} vit_prediction;

/* "0.1.0" */
VIT_C_API const char* vit_version(void);
/* "usage", "io", ... */
VIT_C_API const char* vit_status_name(int status);
/* The number of cores that this process may use. */
VIT_C_API int vit_usable_threads(void);

/* `options` may be NULL. *model is set on success, and is NULL otherwise. */
VIT_C_API vit_status vit_model_load(const char* path, const vit_load_options* options,
                                    vit_model** model, vit_error* error);
/* Does nothing for NULL. No call may use the model at that time. */
VIT_C_API void vit_model_free(vit_model* model);
VIT_C_API vit_status vit_model_get_info(const vit_model* model, vit_model_info* info,
                                        vit_error* error);
/* Returns NULL where the model has no labels or no such class. */
VIT_C_API const char* vit_model_label(const vit_model* model, int64_t index);
/* Frees memory that is kept for later calls. */
VIT_C_API void vit_model_trim(const vit_model* model);

/* JPEG, PNG or WebP. *image is set on success. */
VIT_C_API vit_status vit_decode_file(const char* path, vit_image* image, vit_error* error);
VIT_C_API vit_status vit_decode_memory(const void* bytes, size_t size, vit_image* image,
                                       vit_error* error);
VIT_C_API void vit_image_free(vit_image* image);
VIT_C_API vit_image_view vit_view_of(const vit_image* image);

/* Resizes, crops and normalises with the model's transform. `out` must have room for
 * channels * height * width floats. */
VIT_C_API vit_status vit_preprocess(const vit_model* model, const vit_image_view* image, float* out,
                                    vit_error* error);

/* Runs preprocessed images [count, channels, height, width]. The results are row-major, one row per
 * image: logits [count, classes], features [count, features], tokens [count, tokens, embed_dim]. A
 * result whose pointer is NULL is not computed. */
VIT_C_API vit_status vit_run(const vit_model* model, const float* images, int64_t count,
                             float* logits, float* features, float* tokens, vit_error* error);

/* Writes the k most probable classes of each image, the most probable first. `predictions` must
 * have room for count * k. Where the model has fewer than k classes, the rest have index -1. */
VIT_C_API vit_status vit_classify(const vit_model* model, const vit_image_view* images,
                                  int64_t count, int k, vit_prediction* predictions,
                                  vit_error* error);

/* `features` must have room for count * features floats. `normalize` not 0: every vector is scaled
 * to length 1. */
VIT_C_API vit_status vit_embed(const vit_model* model, const vit_image_view* images, int64_t count,
                               int normalize, float* features, vit_error* error);

#ifdef __cplusplus
}
#endif

#endif /* VIT_VIT_H */
