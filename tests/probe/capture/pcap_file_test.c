/* Plain capture files: both byte orders, micro- and nanoseconds, records that
 * lie across blocks, files cut at every byte; what is left to libpcap. */
#include "tests/test.h"

#include <unistd.h>

#include "common/buffer.h"
#include "probe/capture/pcap_file.h"

static char path[] = "/tmp/pcap-file-test-XXXXXX";
static int file = -1;

static void put_u32(struct buffer *b, uint32_t value, bool is_little)
{
    buffer_add_u32(b, is_little ? __builtin_bswap32(value) : value);
}

static void put_header(struct buffer *b, uint32_t magic, uint32_t link,
                       bool is_little)
{
    put_u32(b, magic, is_little);
    put_u32(b, is_little ? 0x00040002 : 0x00020004, is_little);
    put_u32(b, 0, is_little);
    put_u32(b, 0, is_little);
    put_u32(b, 65535, is_little);
    put_u32(b, link, is_little);
}

static void put_record(struct buffer *b, uint32_t seconds, uint32_t fraction,
                       uint32_t captured, uint32_t length, bool is_little)
{
    put_u32(b, seconds, is_little);
    put_u32(b, fraction, is_little);
    put_u32(b, captured, is_little);
    put_u32(b, length, is_little);
    for (uint32_t i = 0; i < captured; i++)
        buffer_add_u8(b, (uint8_t)(i * 7 + seconds));
}

static void save(const struct buffer *b, size_t length)
{
    CHECK(ftruncate(file, 0) == 0 &&
          pwrite(file, b->data, length, 0) == (ssize_t)length);
}

static bool is_right(const struct pcap_record *r)
{
    for (uint32_t i = 0; i < r->captured; i++)
        if (r->data[i] != (uint8_t)(i * 7 + r->seconds))
            return false;
    return true;
}

static void test_forms(void)
{
    static const struct {
        const char *name;
        uint32_t magic, fraction;
        bool is_little;
    } forms[] = {
        {"big-endian, microseconds", 0xa1b2c3d4, 123456, false},
        {"little-endian, microseconds", 0xa1b2c3d4, 123456, true},
        {"big-endian, nanoseconds", 0xa1b23c4d, 123456789, false},
        {"little-endian, nanoseconds", 0xa1b23c4d, 123456789, true},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct buffer b;
        struct pcap_record r;
        buffer_init(&b, 1 << 20);
        test_case(forms[i].name);
        put_header(&b, forms[i].magic, 113, forms[i].is_little);
        put_record(&b, 1700000000, forms[i].fraction, 60, 1500,
                   forms[i].is_little);
        put_record(&b, 0xffffffff, 0, 0, 40, forms[i].is_little);
        save(&b, b.length);
        struct pcap_file *f = pcap_file_open(path);
        if (CHECK(f != NULL)) {
            CHECK_I64(pcap_file_link_type(f), 113);
            CHECK_I64(pcap_file_next(f, &r), PCAP_FILE_RECORD);
            CHECK_I64(r.seconds, 1700000000);
            CHECK_I64(r.fraction_us, 123456);
            CHECK(r.captured == 60 && r.length == 1500 && is_right(&r));
            CHECK_I64(pcap_file_next(f, &r), PCAP_FILE_RECORD);
            CHECK(r.captured == 0 && r.length == 40);
            CHECK_I64(pcap_file_next(f, &r), PCAP_FILE_END);
            CHECK_I64(pcap_file_next(f, &r), PCAP_FILE_END);
        }
        pcap_file_close(f);
        buffer_clear(&b);
    }
}

/* Files of many blocks, in records of all sizes up to the largest; closed in the
 * middle as well. */
static void test_blocks(const char *name, uint32_t records)
{
    static const uint32_t sizes[] = {262144, 1, 65535, 0, 131072, 100000, 17};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    struct buffer b;
    struct pcap_record r;
    buffer_init(&b, 64 << 20);
    test_case(name);
    put_header(&b, 0xa1b2c3d4, 1, true);
    for (uint32_t i = 0; i < records; i++)
        put_record(&b, i, i, sizes[i % SIZES], 262144, true);
    for (int round = 0; round < 3; round++) {
        size_t cut = round == 2 ? 5 : 0; /* within the last record */
        save(&b, b.length - cut);
        struct pcap_file *f = pcap_file_open(path);
        uint32_t wanted = round == 0 ? records / 2 : records - (round == 2);
        for (uint32_t i = 0; i < wanted && CHECK(f != NULL); i++) {
            CHECK_I64(pcap_file_next(f, &r), PCAP_FILE_RECORD);
            CHECK(r.seconds == i && r.captured == sizes[i % SIZES] &&
                  is_right(&r));
        }
        if (round > 0)
            CHECK_I64(pcap_file_next(f, &r),
                      round == 1 ? PCAP_FILE_END : PCAP_FILE_DAMAGED);
        pcap_file_close(f);
    }
    buffer_clear(&b);
}

static void test_damage(void)
{
    struct buffer b;
    struct pcap_record r;
    buffer_init(&b, 1 << 20);
    put_header(&b, 0xa1b2c3d4, 1, true);
    size_t first = b.length;
    put_record(&b, 7, 0, 30, 30, true);
    size_t second = b.length;
    put_record(&b, 8, 0, 20, 20, true);
    test_case("cut at every byte: what was whole, then why it ends");
    for (size_t n = 0; n < b.length; n++) {
        save(&b, n);
        struct pcap_file *f = pcap_file_open(path);
        CHECK((f != NULL) == (n >= first));
        if (f != NULL && n >= second)
            CHECK(pcap_file_next(f, &r) == PCAP_FILE_RECORD && is_right(&r));
        bool is_whole = n == first || n == second;
        if (f != NULL) {
            CHECK_I64(pcap_file_next(f, &r),
                      is_whole ? PCAP_FILE_END : PCAP_FILE_DAMAGED);
            CHECK((pcap_file_error(f)[0] == '\0') == is_whole);
        }
        pcap_file_close(f);
    }
    test_case("a length that cannot be");
    b.data[second + 8] = b.data[second + 9] = b.data[second + 10] = 0xff;
    save(&b, b.length);
    struct pcap_file *f = pcap_file_open(path);
    CHECK_I64(pcap_file_next(f, &r), PCAP_FILE_RECORD);
    CHECK_I64(pcap_file_next(f, &r), PCAP_FILE_DAMAGED);
    pcap_file_close(f);
    buffer_clear(&b);
}

static void test_others(void)
{
    static const struct {
        const char *name;
        uint32_t magic, link;
    } others[] = {
        {"pcapng is libpcap's", 0x0a0d0d0a, 1},
        {"Kuznetzov's variant is libpcap's", 0xa1b2cd34, 1},
        {"a link type that systems number differently is libpcap's", 0xa1b2c3d4,
         12},
        {"frame check sequences are libpcap's", 0xa1b2c3d4, 0x14000001},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct buffer b;
        buffer_init(&b, 1 << 20);
        test_case(others[i].name);
        put_header(&b, others[i].magic, others[i].link, true);
        save(&b, b.length);
        CHECK(pcap_file_open(path) == NULL);
        buffer_clear(&b);
    }
    test_case("no file, a folder, a device");
    CHECK(pcap_file_open("/nonexistent") == NULL);
    CHECK(pcap_file_open("/tmp") == NULL);
    CHECK(pcap_file_open("/dev/zero") == NULL);
}

int main(void)
{
    file = mkstemp(path);
    CHECK(file >= 0);
    test_forms();
    test_blocks("records across the blocks that are read", 40);
    test_blocks("the same of a large file", 250);
    test_damage();
    test_others();
    unlink(path);
    return test_end();
}
