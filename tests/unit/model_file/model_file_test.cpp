#include "engine/model/model_file.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "engine/model/atomic_file.h"
#include "engine/model/model_header_json.h"
#include "engine/model/model_tensors.h"
#include "engine/model/model_writer.h"
#include "support.h"
#include "weights/random_model/random_model.h"

namespace vit {
namespace {

using test::message_of;
using test::read_all;
using test::write_all;
using testing::HasSubstr;

/// Tensors together with their numbers.
struct Tensors {
    std::vector<std::vector<float>> values;
    std::vector<TensorView> views;

    void add(std::string name, Shape shape) {
        std::size_t count = 1;
        for (std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
        std::vector<float> numbers(count);
        for (std::size_t i = 0; i < count; ++i)
            numbers[i] = static_cast<float>(values.size() * 1000 + i);
        values.push_back(std::move(numbers));
        views.push_back({std::move(name), DType::f32, std::move(shape),
                         std::as_bytes(std::span(values.back()))});
    }
    explicit Tensors(const ModelConfig& config) {
        for (TensorSpec& spec : required_tensors(config))
            add(std::move(spec.name), std::move(spec.shape));
    }
};

TEST(ModelFile, RoundTrips) {
    const test::Folder folder;
    ModelHeader header = test::tiny_header();
    header.self_test = SelfTest{1, true, "test", 1e-5};
    Tensors tensors(header.config);
    tensors.add("self_test.input", {2, 3, 4, 6});
    tensors.add("self_test.logits", {2, 2});
    write_model_file(folder / "m.vit", header, tensors.views);

    ModelFile file = ModelFile::open(folder / "m.vit");
    EXPECT_EQ(file.path(), folder / "m.vit");
    EXPECT_EQ(to_json(file.header()), to_json(header));
    ASSERT_EQ(file.tensors().size(), tensors.views.size());
    for (std::size_t i = 0; i < tensors.views.size(); ++i) {
        const TensorView& found = file.tensors()[i];
        EXPECT_EQ(found.name, tensors.views[i].name);
        EXPECT_EQ(found.shape, tensors.views[i].shape);
        EXPECT_EQ(to_f32(found), tensors.values[i]);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found.data.data()) % 4, 0u);
        EXPECT_EQ(file.find(found.name), &found);
        EXPECT_EQ(&file.get(found.name), &found);
    }
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.tensors()[0].data.data()) % 64, 0u);
    EXPECT_EQ(file.find("nothing"), nullptr);
    EXPECT_THAT(message_of([&] { file.get("nothing"); }, ErrorKind::model),
                HasSubstr("m.vit': tensor 'nothing' is missing"));
    const ModelFile moved = std::move(file);
    moved.release(moved.tensors()[3]);
    EXPECT_EQ(to_f32(moved.tensors()[3]), tensors.values[3]);
    EXPECT_THAT(folder.names(), testing::ElementsAre("m.vit"));
    // Any safetensors reader can open the file.
    const MappedFile mapping(folder / "m.vit");
    EXPECT_EQ(parse_safetensors(mapping.bytes(), "m").metadata.at("format"), "vit");
}

TEST(ModelFile, WritesTheSameBytesStreamed) {
    const test::Folder folder;
    const ModelHeader header = test::tiny_header();
    const Tensors tensors(header.config);
    write_model_file(folder / "a", header, tensors.views);
    std::vector<TensorHead> heads;
    for (const TensorView& view : tensors.views)
        heads.push_back({view.name, view.dtype, view.shape});
    stream_model_file(folder / "b", header, heads, [&](std::size_t index, const ByteSink& sink) {
        for (std::byte one : tensors.views[index].data) sink({&one, 1});
    });
    EXPECT_EQ(read_all(folder / "a"), read_all(folder / "b"));
}

TEST(ModelFile, NeedsTheScalesOfInt8Weights) {
    const test::Folder folder;
    ModelHeader header = test::tiny_header();
    header.dtype = DType::i8;
    header.float_linears = {"blocks.0.attn.proj"};
    std::vector<std::int8_t> numbers(10'000, 3);
    std::vector<TensorView> views;
    const std::vector<float> scales(1000, 0.5f);
    for (const TensorSpec& spec : file_tensors(header)) {
        const DType type = stored_dtype(spec, header);
        TensorView view{spec.name, type, spec.shape, {}};
        const auto bytes = static_cast<std::size_t>(view.numel()) * item_size(type);
        view.data = std::as_bytes(type == DType::i8
                                      ? std::span<const std::int8_t>(numbers)
                                      : std::span<const std::int8_t>(
                                            reinterpret_cast<const std::int8_t*>(scales.data()),
                                            scales.size() * sizeof(float)))
                        .first(bytes);
        views.push_back(view);
    }
    write_model_file(folder / "m.vit", header, views);
    const ModelFile file = ModelFile::open(folder / "m.vit");
    EXPECT_EQ(file.get("blocks.0.attn.q.weight").dtype, DType::i8);
    EXPECT_EQ(file.get("blocks.0.attn.q.weight_scale").dtype, DType::f32);
    EXPECT_EQ(file.get("blocks.0.attn.proj.weight").dtype, DType::f32);
    EXPECT_EQ(file.find("blocks.0.attn.proj.weight_scale"), nullptr);
    std::erase_if(views,
                  [](const TensorView& v) { return v.name == "blocks.0.attn.q.weight_scale"; });
    EXPECT_THAT(
        message_of([&] { write_model_file(folder / "n.vit", header, views); }, ErrorKind::model),
        HasSubstr("tensor 'blocks.0.attn.q.weight_scale' is missing"));
}

TEST(ModelFile, RefusesTensorsThatDisagreeWithTheConfig) {
    const test::Folder folder;
    const auto path = folder / "m.vit";
    const auto refused = [&](const ModelHeader& header, const std::vector<TensorView>& views,
                             const std::string& message) {
        // The writer refuses it …
        EXPECT_THAT(message_of([&] { write_model_file(path, header, views); }, ErrorKind::model),
                    HasSubstr(message));
        EXPECT_TRUE(folder.names().empty());
        // … and so does the reader, for a file from another program.
        std::vector<TensorHead> heads;
        for (const TensorView& view : views) heads.push_back({view.name, view.dtype, view.shape});
        write_safetensors(
            path, {{"format", "vit"}, {"vit", to_json(header)}}, heads,
            [&](std::size_t index, const ByteSink& sink) { sink(views[index].data); });
        EXPECT_THAT(message_of([&] { ModelFile::open(path); }, ErrorKind::model),
                    HasSubstr(message));
        std::filesystem::remove(path);
    };
    const ModelHeader header = test::tiny_header();
    const Tensors good(header.config);
    for (std::size_t i = 0; i < good.views.size(); ++i) {
        auto views = good.views;
        views.erase(views.begin() + static_cast<std::ptrdiff_t>(i));
        refused(header, views, fmt::format("tensor '{}' is missing", good.views[i].name));
        views = good.views;
        views[i].shape.push_back(1);
        refused(header, views, fmt::format("tensor '{}': expected shape", good.views[i].name));
    }
    auto views = good.views;
    views[2].dtype = DType::i32;
    refused(header, views, "tensor 'cls_token': expected element type F32, found I32");
    Tensors extra(header.config);
    extra.add("surprise\n", {1});
    refused(header, extra.views,
            "unknown tensor 'surprise\\x0a'; the model's config does not ask for it");
    Tensors tested(header.config);
    tested.add("self_test.logits", {2, 2});
    refused(header, tested.views, "unknown tensor 'self_test.logits'");
    ModelHeader with_test = header;
    with_test.self_test.emplace();
    refused(with_test, good.views, "tensor 'self_test.logits' is missing");
    Tensors wrong(header.config);
    wrong.add("self_test.logits", {2, 3});
    refused(with_test, wrong.views,
            "tensor 'self_test.logits': expected shape [n, 2] with n of 1 or more, found [2, 3]");
    with_test.self_test->stored_input = true;
    refused(with_test, tested.views, "tensor 'self_test.input' is missing");
    tested.add("self_test.input", {1, 3, 4, 6});
    refused(with_test, tested.views,
            "tensor 'self_test.input': expected shape [2, 3, 4, 6], found [1, 3, 4, 6]");

    views = good.views;
    views.push_back(views[0]);
    EXPECT_THAT(message_of([&] { write_model_file(path, header, views); }, ErrorKind::model),
                HasSubstr("appears twice"));
    views = good.views;
    views[0].data = views[0].data.subspan(1);
    EXPECT_THAT(message_of([&] { write_model_file(path, header, views); }, ErrorKind::model),
                HasSubstr("bytes, found"));
    ModelHeader absurd = header;
    absurd.config.depth = 1'000'000'000;
    message_of([&] { write_model_file(path, absurd, good.views); }, ErrorKind::model);
    EXPECT_TRUE(folder.names().empty());
}

TEST(ModelFile, RefusesOtherFiles) {
    const test::Folder folder;
    const auto message = [&](const std::filesystem::path& path, ErrorKind kind) {
        return message_of([&] { ModelFile::open(path); }, kind);
    };
    EXPECT_THAT(message(folder / "none", ErrorKind::io),
                HasSubstr("cannot open for reading: No such file"));
    EXPECT_THAT(message(folder / "", ErrorKind::io), HasSubstr("expected a file, found a folder"));
    write_all(folder / "empty", "");
    EXPECT_THAT(message(folder / "empty", ErrorKind::format), HasSubstr("the file is empty"));
    ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
    EXPECT_THAT(message(folder / "fifo", ErrorKind::io), HasSubstr("expected a regular file"));
    EXPECT_THAT(message("/dev/zero", ErrorKind::io), HasSubstr("expected a regular file"));
    write_all(folder / "a\x1b\n", "PK\x03\x04 not a safetensors file");
    EXPECT_THAT(message(folder / "a\x1b\n", ErrorKind::format),
                HasSubstr("a\\x1b\\x0a': expected a safetensors header"));
    write_all(folder / "plain", test::container(R"({"__metadata__":{"format":"pt"}})"));
    EXPECT_THAT(message(folder / "plain", ErrorKind::model),
                HasSubstr("format 'pt'; convert the checkpoint with vit-convert"));
    write_all(folder / "bare", test::container("{}"));
    EXPECT_THAT(message(folder / "bare", ErrorKind::model),
                HasSubstr("convert the checkpoint with vit-convert"));
    write_all(folder / "extra",
              test::container(R"({"__metadata__":{"format":"vit","vit":"{}","more":""}})"));
    EXPECT_THAT(message(folder / "extra", ErrorKind::model),
                HasSubstr("unknown metadata key 'more'"));
    write_all(folder / "headless", test::container(R"({"__metadata__":{"format":"vit"}})"));
    EXPECT_THAT(message(folder / "headless", ErrorKind::format),
                HasSubstr("metadata 'vit': malformed JSON"));
}

TEST(ModelFile, RefusesEveryTruncation) {
    const test::Folder folder;
    write_random_model(folder / "m.vit", test::tiny_header(), 1);
    const auto size = std::filesystem::file_size(folder / "m.vit");
    for (auto length = size; length-- > 1;) {
        ASSERT_EQ(::truncate((folder / "m.vit").c_str(), static_cast<off_t>(length)), 0);
        message_of([&] { ModelFile::open(folder / "m.vit"); }, ErrorKind::format);
    }
    write_random_model(folder / "m.vit", test::tiny_header(), 1);
    std::ofstream(folder / "m.vit", std::ios::app | std::ios::binary) << '\0';
    message_of([&] { ModelFile::open(folder / "m.vit"); }, ErrorKind::format);
}

TEST(ModelFile, SurvivesEveryChangedHeaderByte) {
    const test::Folder folder;
    ModelHeader header = test::tiny_header();
    header.labels = {"a", "b"};
    write_random_model(folder / "m.vit", header, 1);
    const std::string whole = read_all(folder / "m.vit");
    const std::size_t header_end =
        whole.size() - ModelFile::open(folder / "m.vit").tensors().size() * 4;
    std::fstream file(folder / "m.vit", std::ios::in | std::ios::out | std::ios::binary);
    const auto put = [&](std::size_t at, char value) {
        file.seekp(static_cast<std::streamoff>(at));
        file.put(value);
        file.flush();
    };
    int loaded = 0, refused = 0;
    for (std::size_t i = 0; i < header_end; ++i) {
        for (const char value :
             {static_cast<char>(whole[i] ^ 1), static_cast<char>(whole[i] ^ 0x80), '\0', '"'}) {
            put(i, value);
            try {
                const ModelFile opened = ModelFile::open(folder / "m.vit");
                for (const TensorView& tensor : opened.tensors()) to_f32(tensor);
                ++loaded;
            } catch (const Error& error) {
                ++refused;
                EXPECT_TRUE(error.kind() == ErrorKind::format || error.kind() == ErrorKind::model ||
                            error.kind() == ErrorKind::unsupported)
                    << error.what();
            }
        }
        put(i, whole[i]);
    }
    EXPECT_GT(refused, 1000);
    EXPECT_GT(loaded, 10);  // labels, free text, tensor data
}

/// While this object exists, writing beyond this many bytes of a file fails with EFBIG.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) {
        old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &old_limit_);
        const rlimit limit{bytes, old_limit_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &old_limit_);
        std::signal(SIGXFSZ, old_handler_);
    }

  private:
    rlimit old_limit_{};
    void (*old_handler_)(int) = nullptr;
};

TEST(WriteModelFile, LeavesTheOldFileWhenTheDiskIsFull) {
    const test::Folder folder;
    write_random_model(folder / "m.vit", test::tiny_header(), 1);
    const std::string before = read_all(folder / "m.vit");
    for (const rlim_t bytes : {rlim_t{0}, rlim_t{100}, rlim_t{before.size() - 1}}) {
        const FileSizeLimit limit(bytes);
        EXPECT_THAT(
            message_of([&] { write_random_model(folder / "m.vit", test::tiny_header(), 2); },
                       ErrorKind::io),
            HasSubstr("m.vit': cannot write"));
        EXPECT_THAT(
            message_of([&] { write_random_model(folder / "new.vit", test::tiny_header(), 2); },
                       ErrorKind::io),
            HasSubstr("new.vit': cannot write"));
    }
    EXPECT_EQ(read_all(folder / "m.vit"), before);
    EXPECT_THAT(folder.names(), testing::ElementsAre("m.vit"));
    write_random_model(folder / "m.vit", test::tiny_header(), 2);
    EXPECT_NE(read_all(folder / "m.vit"), before);
}

TEST(WriteModelFile, LeavesTheOldFileWhenInterrupted) {
    const test::Folder folder;
    const ModelHeader header = test::tiny_header();
    write_random_model(folder / "m.vit", header, 1);
    const std::string before = read_all(folder / "m.vit");
    std::vector<TensorHead> heads;
    for (TensorSpec& spec : required_tensors(header.config))
        heads.push_back({spec.name, DType::f32, spec.shape});
    EXPECT_THROW(stream_model_file(folder / "m.vit", header, heads,
                                   [](std::size_t, const ByteSink&) { throw std::bad_alloc(); }),
                 std::bad_alloc);
    message_of(
        [&] {
            stream_model_file(folder / "m.vit", header, heads, [](std::size_t, const ByteSink&) {});
        },
        ErrorKind::internal);
    EXPECT_EQ(read_all(folder / "m.vit"), before);
    EXPECT_THAT(folder.names(), testing::ElementsAre("m.vit"));
}

TEST(WriteModelFile, RefusesTargetsThatAreNoFiles) {
    const test::Folder folder;
    const auto write = [&](const std::filesystem::path& path) {
        return message_of([&] { write_random_model(path, test::tiny_header(), 1); }, ErrorKind::io);
    };
    std::filesystem::create_directory(folder / "sub");
    EXPECT_THAT(write(folder / "sub"), HasSubstr("found a folder or device"));
    EXPECT_THAT(write("/dev/full"), HasSubstr("found a folder or device"));
    EXPECT_THAT(write(folder / "none" / "m.vit"),
                HasSubstr("cannot create a file in its folder: No such file"));
    EXPECT_THAT(write(folder / std::string(300, 'x')), HasSubstr("File name too long"));
    EXPECT_THAT(write(""), HasSubstr("cannot write"));
    EXPECT_THAT(folder.names(), testing::ElementsAre("sub"));
    write_random_model(folder / std::string(255, 'x'), test::tiny_header(), 1);
}

TEST(WriteModelFile, GivesTheUsualPermissions) {
    const test::Folder folder;
    const mode_t old = ::umask(022);
    write_random_model(folder / "m.vit", test::tiny_header(), 1);
    ::umask(old);
    struct stat status {};
    ASSERT_EQ(::stat((folder / "m.vit").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST(MappedFile, ReleaseGivesPagesBackAndKeepsTheBytes) {
    const test::Folder folder;
    std::string bytes(8 << 20, '\0');
    std::mt19937 generator(1);
    for (char& byte : bytes) byte = static_cast<char>(generator());
    write_all(folder / "f", bytes);
    const auto resident = [] {
        long whole = 0, pages = 0;
        std::ifstream("/proc/self/statm") >> whole >> pages;
        return pages * ::sysconf(_SC_PAGESIZE);
    };
    const MappedFile file(folder / "f");
    const auto equal = [&] {
        return std::memcmp(file.bytes().data(), bytes.data(), bytes.size()) == 0;
    };
    EXPECT_TRUE(equal());
    const long before = resident();
    file.release(file.bytes().subspan(1));
    EXPECT_LT(resident(), before - (6 << 20));
    EXPECT_TRUE(equal());
    file.release(file.bytes().subspan(5, 100));
    file.release({});
    EXPECT_TRUE(equal());
}

}  // namespace
}  // namespace vit
