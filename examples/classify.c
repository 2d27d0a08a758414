/* classify MODEL.vit IMAGE, in C: prints the most probable classes of one image. */
#include <stdio.h>

#include "vit/vit.h"

int main(int argc, char** argv) {
    vit_error error;
    vit_model* model = NULL;
    vit_image image;
    vit_image_view view;
    vit_prediction best[3];
    int i, status = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: classify MODEL.vit IMAGE\n");
        return 2;
    }
    if (vit_model_load(argv[1], NULL, &model, &error) != VIT_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (vit_decode_file(argv[2], &image, &error) != VIT_OK) {
        fprintf(stderr, "%s\n", error.message);
    } else {
        view = vit_view_of(&image);
        if (vit_classify(model, &view, 1, 3, best, &error) == VIT_OK) {
            for (i = 0; i < 3 && best[i].index >= 0; ++i)
                printf("%5.1f %%  %s\n", 100.0 * best[i].probability,
                       best[i].label ? best[i].label : "(no label)");
            status = 0;
        } else {
            fprintf(stderr, "%s\n", error.message);
        }
        vit_image_free(&image);
    }
    vit_model_free(model);
    return status;
}
