/* Growing bytes: the ceiling, the wire writers, whole files. */
#include "common/buffer.h"

#include <errno.h>
#include <unistd.h>

#include "tests/test.h"

static void test_limit(void)
{
    struct buffer buffer;
    test_case("the limit is reached exactly and never passed");
    buffer_init(&buffer, 1000);
    for (int i = 0; i < 100; i++)
        buffer_add(&buffer, "0123456789", 10);
    CHECK(!buffer.failed);
    CHECK_I64((int64_t)buffer.length, 1000);
    CHECK(buffer.capacity <= 1000);
    buffer_add_u8(&buffer, 1);
    CHECK(buffer.failed);
    CHECK_I64((int64_t)buffer.length, 1000);

    test_case("after a failure nothing is added, after a reset it is");
    buffer_consume(&buffer, 500);
    buffer_add_text(&buffer, "x");
    CHECK_I64((int64_t)buffer.length, 500);
    CHECK(buffer_extend(&buffer, 1) == NULL);
    buffer_reset(&buffer);
    buffer_add_text(&buffer, "x");
    CHECK(!buffer.failed && buffer.length == 1);

    test_case("a length that overflows is refused");
    CHECK(buffer_extend(&buffer, SIZE_MAX) == NULL);
    CHECK(buffer.failed);
    buffer_clear(&buffer);
    CHECK(buffer.data == NULL && buffer.limit == 1000 && !buffer.failed);

    test_case("a limit of 0 holds nothing");
    buffer_init(&buffer, 0);
    buffer_add(&buffer, NULL, 0);
    CHECK(!buffer.failed);
    buffer_add_u8(&buffer, 0);
    CHECK(buffer.failed);
    buffer_clear(&buffer);
}

static void test_writers(void)
{
    static const uint8_t WANT[] = {1,  2,  3,  4,  5,  6,  7,    8,    9,
                                   10, 11, 12, 13, 14, 15, 0xaa, 0xbb, 0xcc};
    struct buffer buffer;
    test_case("integers are big-endian");
    buffer_init(&buffer, 64);
    buffer_add_u8(&buffer, 1);
    buffer_add_u16(&buffer, 0xffff);
    buffer_add_u32(&buffer, 0x04050607);
    buffer_add_u64(&buffer, 0x08090a0b0c0d0e0full);
    buffer_add_uint(&buffer, 0x11aabbcc, 3);
    buffer_put_u16(&buffer, 1, 0x0203);
    CHECK_I64((int64_t)buffer.length, (int64_t)sizeof(WANT));
    CHECK(memcmp(buffer.data, WANT, sizeof(WANT)) == 0);
    buffer_clear(&buffer);

    test_case("formatted text of any length");
    buffer_init(&buffer, 4096);
    buffer_addf(&buffer, "%s-%d", "a", 5);
    CHECK(slice_equal_text(buffer_slice(&buffer), "a-5"));
    buffer_addf(&buffer, "%2000d", 7);
    CHECK_I64((int64_t)buffer.length, 2003);
    buffer_addf(&buffer, "%4000d", 7);
    CHECK(buffer.failed);
    buffer_clear(&buffer);
    CHECK(buffer_slice(&buffer).data != NULL);
}

static void test_files(void)
{
    char path[256];
    const char *folder = getenv("B");
    struct buffer buffer;
    snprintf(path, sizeof(path), "%s/buffer_test.XXXXXX",
             folder ? folder : "/tmp");
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "12345", 5) == 5);
    close(fd);
    test_case("a file of exactly the limit is read");
    CHECK(buffer_read_file(&buffer, path, 5));
    CHECK(slice_equal_text(buffer_slice(&buffer), "12345"));
    buffer_clear(&buffer);
    test_case("a larger file is refused with EFBIG");
    CHECK(!buffer_read_file(&buffer, path, 4));
    CHECK_I64(errno, EFBIG);
    buffer_clear(&buffer);
    test_case("an endless file is refused at the limit");
    CHECK(!buffer_read_file(&buffer, "/dev/zero", 100000));
    CHECK_I64(errno, EFBIG);
    buffer_clear(&buffer);
    unlink(path);
    test_case("a missing file and a folder say why");
    CHECK(!buffer_read_file(&buffer, path, 5));
    CHECK_I64(errno, ENOENT);
    CHECK(!buffer_read_file(&buffer, "/", 5));
    CHECK_I64(errno, EISDIR);
    buffer_clear(&buffer);
}

int main(void)
{
    test_limit();
    test_writers();
    test_files();
    return test_end();
}
