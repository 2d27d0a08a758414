#include "weights/readers/zip_members.h"

#include "archives.h"
#include "support.h"

namespace vit::test {
namespace {

using testing::HasSubstr;

std::vector<ZipMember> members_of(const std::string& bytes) {
    return zip_members(as_bytes(bytes), "'file'");
}

std::string refused(const std::vector<Entry>& entries) {
    const std::string bytes = make_zip(entries);
    return message_of([&] { members_of(bytes); }, ErrorKind::format);
}

std::string_view content(const ZipMember& member) {
    return {reinterpret_cast<const char*>(member.data.data()), member.data.size()};
}

TEST(ZipMembers, NamesAndBytes) {
    for (const bool zip64_end : {false, true}) {
        const std::string bytes = make_zip({{.name = "a/x", .data = "first"},
                                            {.name = "a/y", .data = ""},
                                            {.name = "a/z", .data = "third", .descriptor = true},
                                            {.name = "a/w", .data = "wide", .zip64 = true}},
                                           zip64_end);
        EXPECT_TRUE(looks_like_zip(as_bytes(bytes)));
        const auto members = members_of(bytes);
        ASSERT_EQ(members.size(), 4u);
        EXPECT_EQ(members[0].name, "a/x");
        EXPECT_EQ(content(members[0]), "first");
        EXPECT_EQ(content(members[1]), "");
        EXPECT_EQ(content(members[2]), "third");
        EXPECT_EQ(content(members[3]), "wide");
    }
    EXPECT_TRUE(members_of(make_zip({})).empty());
}

TEST(ZipMembers, CommentAfterTheEndIsAllowed) {
    std::string bytes = make_zip({{.name = "x", .data = "1"}});
    bytes[bytes.size() - 2] = 5;
    EXPECT_EQ(members_of(bytes + "hello").size(), 1u);
    message_of([&] { members_of(bytes + "hell"); }, ErrorKind::format);
}

TEST(ZipMembers, UnreadableMembersAreRefused) {
    EXPECT_THAT(refused({{.name = "x", .data = "1", .method = 12}}), HasSubstr("method 12"));
    for (const std::uint16_t flag :
         {std::uint16_t{0x0001}, std::uint16_t{0x0040}, std::uint16_t{0x2000}})
        EXPECT_THAT(refused({{.name = "x", .data = "1", .flags = flag}}), HasSubstr("encrypted"));
    EXPECT_THAT(refused({{.name = "x", .data = "1", .flags = 0x20}}), HasSubstr("flags"));
    EXPECT_THAT(refused({{.name = "x", .data = "12", .size = 3}}), HasSubstr("stored"));
    EXPECT_THAT(refused({{.name = ""}}), HasSubstr("name"));
    EXPECT_THAT(refused({{.name = std::string("x\0y", 3)}}), HasSubstr("zero bytes"));
}

TEST(ZipMembers, NamesMustDiffer) {
    EXPECT_THAT(refused({{.name = "a/x"}, {.name = "b"}, {.name = "a/x"}}),
                HasSubstr("two members of this name"));
    EXPECT_THAT(refused({{.name = "a/x"}, {.name = "b"}, {.name = "A/x"}}),
                HasSubstr("in case only"));
}

TEST(ZipMembers, HeadersMustAgree) {
    const std::pair<Entry, const char*> cases[] = {
        {{.name = "x", .data = "1", .local_name = "y"}, "another name"},
        {{.name = "x", .data = "1", .local_name = "xx"}, "another name"},
        {{.name = "x", .data = "1", .local_size = 2}, "compressed size"},
        {{.name = "x", .data = "1", .local_size = 0}, "compressed size"},
        {{.name = "x", .data = "1", .local_method = 8}, "method"},
        {{.name = "x", .data = "1", .local_flags = 1}, "flags"},
        {{.name = "x", .data = "1", .central_offset = 1}, "local header"},
    };
    for (const auto& [entry, words] : cases) EXPECT_THAT(refused({entry}), HasSubstr(words));
}

TEST(ZipMembers, MembersMustLieInsideWithoutOverlap) {
    EXPECT_THAT(refused({{.name = "x", .data = "1", .descriptor = true, .central_size = 100000}}),
                HasSubstr("truncated"));
    for (const std::uint64_t offset : {std::uint64_t{1} << 20, UINT64_MAX - 1, UINT64_MAX - 30})
        EXPECT_THAT(refused({{.name = "x", .data = "1", .zip64 = true, .central_offset = offset}}),
                    HasSubstr("truncated"));
    // The first member covers the second, because its size reaches beyond the second's header.
    EXPECT_THAT(refused({{.name = "x", .data = "1", .descriptor = true, .central_size = 40},
                         {.name = "y", .data = "0123456789"}}),
                HasSubstr("inside member 'x'"));
    // Two names point to one member.
    const std::string inner = make_zip({{.name = "y", .data = "2"}});
    EXPECT_THAT(
        refused({{.name = "x", .data = inner}, {.name = "y", .data = "2", .central_offset = 31}}),
        HasSubstr("inside member 'x'"));
}

TEST(ZipMembers, NamesMustNotLeadOut) {
    for (const char* name : {"../x", "a/../../x", "a/..", "..", "/etc/x", "..\\x", "\\x"})
        EXPECT_THAT(refused({{.name = name, .data = "1"}}), HasSubstr("leads out"));
    const std::string bytes = make_zip({{.name = "a/..b/c..", .data = "1"}});
    EXPECT_EQ(members_of(bytes).size(), 1u);
}

TEST(ZipMembers, OneArchiveAFile) {
    const auto refused_bytes = [](const std::string& bytes) {
        return message_of([&] { members_of(bytes); }, ErrorKind::format);
    };
    // Both archives have the same layout, as torch writes them, so the second's offsets also fit
    // the first.
    const std::string first = make_zip({{.name = "x", .data = "1"}}, true);
    const std::string second = make_zip({{.name = "x", .data = "2"}}, true);
    EXPECT_THAT(refused_bytes(first + second), HasSubstr("one archive behind another"));
    // The second archive is in the comment of the first.
    std::string commented = make_zip({{.name = "x", .data = "1"}});
    commented.replace(commented.size() - 2, 2, little(second.size() + 1, 2));
    EXPECT_THAT(refused_bytes(commented + second + "!"), HasSubstr("a second in its comment"));
    // The second archive has offsets of its own.
    std::string other = make_zip({{.name = "x", .data = "1"}});
    const std::uint64_t shift = 200, directory = 32, offset_in_entry = 42;
    other.replace(other.size() - 6, 4, little(directory + shift, 4));
    other.replace(directory + offset_in_entry, 4, little(shift, 4));
    EXPECT_THAT(refused_bytes("PK\x03\x04" + std::string(shift - 4, '.') + other),
                HasSubstr("belong to no member"));
}

TEST(ZipMembers, BytesBehindTheEndAreCalledSo) {
    const std::string good = make_zip({{.name = "x", .data = "1"}});
    for (const std::string& bytes : {good, make_zip({{.name = "x", .data = "1"}}, true)})
        for (const std::size_t count : {std::size_t{1}, std::size_t{100'000}})
            EXPECT_THAT(
                message_of([&] { members_of(bytes + std::string(count, 'z')); }, ErrorKind::format),
                testing::AllOf(HasSubstr(std::to_string(count) + " bytes follow the end"),
                               testing::Not(HasSubstr("truncated"))));
    EXPECT_THAT(message_of([&] { members_of(good.substr(0, good.size() - 1)); }, ErrorKind::format),
                HasSubstr("truncated"));
}

TEST(ZipMembers, OneDisk) {
    const std::string wide = make_zip({{.name = "x", .data = "1"}}, true);
    const std::size_t end = wide.size() - 22, locator = end - 20, record = locator - 56;
    for (const std::size_t at : {end + 4, end + 6, locator + 4, record + 16, record + 20}) {
        std::string split = wide;
        split[at] = 1;
        EXPECT_THAT(message_of([&] { members_of(split); }, ErrorKind::format), HasSubstr("split"))
            << at;
    }
}

TEST(ZipMembers, DirectoryMustFillItsPlace) {
    const std::string good = make_zip({{.name = "x", .data = "1"}});
    message_of([&] { members_of("junk" + good); }, ErrorKind::format);
    std::string more = good;
    more[more.size() - 12] = more[more.size() - 14] = 2;  // one entry more than there is
    message_of([&] { members_of(more); }, ErrorKind::format);
    std::string fewer = good;
    fewer[fewer.size() - 12] = fewer[fewer.size() - 14] = 0;
    EXPECT_THAT(message_of([&] { members_of(fewer); }, ErrorKind::format), HasSubstr("follow"));
    std::string split = good;
    split[split.size() - 18] = 1;
    EXPECT_THAT(message_of([&] { members_of(split); }, ErrorKind::format), HasSubstr("split"));
    // There are two directories: one for readers that know zip64, another for those that do not.
    std::string two = make_zip({{.name = "x", .data = "1"}}, true);
    two.replace(two.size() - 10, 4, little(1, 4));
    message_of([&] { members_of(two); }, ErrorKind::format);
}

}  // namespace
}  // namespace vit::test
