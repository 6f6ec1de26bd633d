/* ClientHello, ServerHello, HTTP Host: whole, cut at every byte, over records,
 * with lengths that lie. */
#include "tests/test.h"

#include "probe/meter/hello.h"
#include "probe/meter/http_host.h"
#include "tests/probe/meter/packets.h"

static uint8_t scratch[8192];

static enum hello_status records(const struct frame *f, size_t length,
                                 struct hello *hello)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, f->bytes, length);
    enum hello_status s =
        hello_from_records(copy, length, scratch, sizeof(scratch), hello);
    if (s != HELLO_CLIENT)
        *hello = (struct hello){.name = SLICE("")};
    free(copy); /* slices of `hello` are only looked at in other calls */
    return s;
}

static void test_client(void)
{
    struct frame message = {.length = 0}, f = {.length = 0};
    struct hello hello;
    frame_client_hello(&message, "erp.supplier.example", 0x5a, 0);
    frame_record(&f, &message);
    test_case("ClientHello: name, random, lists");
    CHECK_I64(
        hello_from_records(f.bytes, f.length, scratch, sizeof(scratch), &hello),
        HELLO_CLIENT);
    CHECK(slice_equal_text(hello.name, "erp.supplier.example"));
    CHECK(hello.random[0] == 0x5a && hello.random[31] == 0x5a);
    CHECK_I64(hello.ciphers.length, 6);
    CHECK_I64(hello.versions.length, 4);
    CHECK_I64(hello.alpn.length, 3);
    CHECK_I64(hello.signature_algorithms.length, 4);
    test_case("a longer stream does not matter");
    frame_add(&f, "\x17\x03\x03\x00\x01x", 6);
    CHECK_I64(
        hello_from_records(f.bytes, f.length, scratch, sizeof(scratch), &hello),
        HELLO_CLIENT);
    f.length -= 6;
    test_case("cut at every byte: more is wanted");
    for (size_t n = 0; n < f.length; n++)
        CHECK_I64(records(&f, n, &hello), HELLO_MORE);
    test_case("without a server name");
    message.length = f.length = 0;
    frame_client_hello(&message, NULL, 1, 0);
    frame_record(&f, &message);
    CHECK_I64(
        hello_from_records(f.bytes, f.length, scratch, sizeof(scratch), &hello),
        HELLO_CLIENT);
    CHECK(hello.name.length == 0 && !hello.has_server_name);
    test_case("a name with a blank or control character is none");
    message.length = f.length = 0;
    frame_client_hello(&message, "a b.example", 1, 0);
    frame_record(&f, &message);
    CHECK_I64(
        hello_from_records(f.bytes, f.length, scratch, sizeof(scratch), &hello),
        HELLO_CLIENT);
    CHECK(hello.name.length == 0 && hello.has_server_name);
}

static void test_several_records(void)
{
    struct frame message = {.length = 0}, f = {.length = 0};
    struct hello hello;
    frame_client_hello(&message, "erp.supplier.example", 3, 1500);
    test_case("over several records, one byte in the first");
    size_t cuts[] = {1, 3, 40, 700, message.length};
    for (size_t i = 0, at = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        frame_u8(&f, 22);
        frame_u16(&f, 0x0303);
        frame_u16(&f, (unsigned)(cuts[i] - at));
        frame_add(&f, message.bytes + at, cuts[i] - at);
        at = cuts[i];
    }
    CHECK_I64(
        hello_from_records(f.bytes, f.length, scratch, sizeof(scratch), &hello),
        HELLO_CLIENT);
    CHECK(slice_equal_text(hello.name, "erp.supplier.example"));
    test_case("cut at every byte");
    for (size_t n = 0; n < f.length; n++)
        CHECK_I64(records(&f, n, &hello), HELLO_MORE);
    test_case("an alert in between ends it");
    f.bytes[6] = 21;
    CHECK_I64(records(&f, f.length, &hello), HELLO_NOT);
}

/* Each byte set to each of a few values: no crash, no name longer than 255. */
static void test_damage(void)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    struct frame message = {.length = 0}, f = {.length = 0};
    struct hello hello;
    frame_client_hello(&message, "erp.supplier.example", 3, 0);
    frame_record(&f, &message);
    test_case("every byte damaged");
    for (size_t i = 0; i < f.length; i++) {
        uint8_t kept = f.bytes[i];
        for (size_t v = 0; v < sizeof(values); v++) {
            f.bytes[i] = values[v];
            enum hello_status s = hello_from_records(f.bytes, f.length, scratch,
                                                     sizeof(scratch), &hello);
            CHECK(s != HELLO_CLIENT || hello.name.length <= 255);
        }
        f.bytes[i] = kept;
    }
}

static void test_server(void)
{
    struct frame f = {.length = 0};
    struct hello hello;
    frame_add(&f, "\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03", 11);
    memset(f.bytes + f.length, 0x77, 32);
    f.length += 32;
    test_case("ServerHello: its random is enough");
    CHECK_I64(
        hello_from_records(f.bytes, f.length, scratch, sizeof(scratch), &hello),
        HELLO_SERVER);
    CHECK(hello.random[0] == 0x77 && hello.random[31] == 0x77);
    for (size_t n = 0; n < f.length; n++)
        CHECK_I64(records(&f, n, &hello), HELLO_MORE);
    test_case("HelloRetryRequest is told apart");
    static const uint8_t retry[32] = {
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
        0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
        0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    memcpy(f.bytes + 11, retry, sizeof(retry));
    CHECK_I64(
        hello_from_records(f.bytes, f.length, scratch, sizeof(scratch), &hello),
        HELLO_RETRY);
}

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
} others[] = {
    {"HTTP is no hello", "GET / HTTP/1.1\r\n", 16},
    {"SSH is no hello", "SSH-2.0-OpenSSH_9.2\r\n", 21},
    {"an alert is no hello", "\x15\x03\x03\x00\x02\x02\x28", 7},
    {"SSL 2 is no hello", "\x80\x2e\x01\x03\x01", 5},
    {"a record of length 0", "\x16\x03\x01\x00\x00", 5},
    {"a record longer than allowed", "\x16\x03\x01\xff\xff", 5},
    {"another handshake message", "\x16\x03\x01\x00\x20\x0b\x00\x00\x1c", 9},
    {"a hello that is too short", "\x16\x03\x01\x00\x20\x01\x00\x00\x08", 9},
    {"a hello that is too long", "\x16\x03\x01\x00\x20\x01\xff\xff\xff", 9},
};

static void test_others(void)
{
    struct hello hello;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        test_case(others[i].name);
        CHECK_I64(hello_from_records((const uint8_t *)others[i].bytes,
                                     others[i].length, scratch, sizeof(scratch),
                                     &hello),
                  HELLO_NOT);
    }
}

static const struct {
    const char *request;
    enum http_status status;
    const char *host;
} requests[] = {
    {"GET / HTTP/1.1\r\nHost: erp.example\r\n\r\n", HTTP_HOST, "erp.example"},
    {"POST /a HTTP/1.0\nhost:\terp.example:8080 \n", HTTP_HOST, "erp.example"},
    {"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n", HTTP_HOST, "2001:db8::1"},
    {"MKCOL /a HTTP/1.1\r\nHost: a.example\r\n", HTTP_HOST, "a.example"},
    {"GET / HTTP/1.1\r\nAccept: */*\r\n", HTTP_MORE, ""},
    {"GET / HTTP/1.1\r\nHost: erp.exa", HTTP_MORE, ""},
    {"GET / HTTP/1.1\r\n\r\nHost: body.example\r\n", HTTP_NO_HOST, ""},
    {"GET / HTTP/1.1\r\nHost: a b\r\n", HTTP_NO_HOST, ""},
    {"GET / HTTP/1.1\r\nHost: \r\n", HTTP_NO_HOST, ""},
    {"CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n", HTTP_CONNECT, ""},
    {"GE", HTTP_MORE, ""},
    {"GET something else\r\n", HTTP_NOT, ""},
    {"HELO mail.example\r\n", HTTP_NOT, ""},
    {"", HTTP_NOT, ""},
};

static struct slice slice_of_frame(const struct frame *f)
{
    return slice_of_bytes(f->bytes, f->length);
}

static void test_http_fields(void)
{
    struct frame request = {.length = 0};
    struct slice host;
    test_case("HTTP: too many fields are not looked through");
    frame_add(&request, "GET / HTTP/1.1\r\n", 16);
    for (int i = 0; i < 127; i++)
        frame_add(&request, "a\n", 2);
    CHECK_I64(http_host_find(slice_of_frame(&request), &host), HTTP_MORE);
    frame_add(&request, "Host: a\n", 8);
    CHECK_I64(http_host_find(slice_of_frame(&request), &host), HTTP_HOST);
    request.bytes[request.length - 8] = 'x'; /* another field */
    CHECK_I64(http_host_find(slice_of_frame(&request), &host), HTTP_MORE);
    frame_add(&request, "Host: a\n", 8);
    CHECK_I64(http_host_find(slice_of_frame(&request), &host), HTTP_NO_HOST);
}

static void test_http(void)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        char name[60];
        struct slice host;
        snprintf(name, sizeof(name), "HTTP %.20s", requests[i].request);
        for (char *c = name; *c != '\0'; c++)
            if (*c < ' ')
                *c = '.';
        test_case(name);
        CHECK_I64(http_host_find(slice_of_text(requests[i].request), &host),
                  requests[i].status);
        CHECK(slice_equal_text(host, requests[i].host));
    }
}

int main(void)
{
    test_client();
    test_several_records();
    test_damage();
    test_server();
    test_others();
    test_http();
    test_http_fields();
    return test_end();
}
