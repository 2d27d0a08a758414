// embed_folder MODEL.vit FOLDER: prints for each image of a folder the most similar other image.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "vit/model.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: embed_folder MODEL.vit FOLDER\n");
        return 2;
    }
    try {
        const vit::Model model = vit::Model::load(argv[1]);
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(argv[2]))
            if (entry.is_regular_file()) names.push_back(entry.path().string());
        std::sort(names.begin(), names.end());
        std::vector<vit::Image> images;
        for (const std::string& name : names) images.push_back(vit::decode_image(name));

        // One row per image. Rows have length 1, so that a dot product is a cosine.
        const std::vector<float> rows = model.embed(images, {.normalize = true});
        const std::size_t length = static_cast<std::size_t>(model.info().features);
        for (std::size_t i = 0; i < names.size(); ++i) {
            std::size_t nearest = i;
            float best = -2;
            for (std::size_t j = 0; j < names.size(); ++j) {
                const float* const a = rows.data() + i * length;
                const float cosine =
                    std::inner_product(a, a + length, rows.data() + j * length, 0.0f);
                if (j == i || cosine <= best) continue;
                best = cosine;
                nearest = j;
            }
            std::printf("%s %.3f %s\n", names[i].c_str(), static_cast<double>(best),
                        names[nearest].c_str());
        }
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
