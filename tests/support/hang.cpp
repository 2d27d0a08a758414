// When this library is preloaded into a tool, the tool hangs when it opens a file with "hang" in
// its name. A file server that does not answer has the same effect.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

extern "C" FILE* fopen(const char* path, const char* mode) {
    while (std::strstr(path, "hang") != nullptr) ::pause();
    using Function = FILE*(const char*, const char*);
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, "fopen"))(path, mode);
}
