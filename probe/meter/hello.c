/*
 * The hello parser.
 *
 * Record:     0 type (22)   1 version (2)   3 length (2)   5 fragment
 * Handshake:  0 type        1 length (3)    4 body
 *
 * ClientHello body: version (2), random (32), session id <1>, cipher suites
 * <2>, compression <1>, extensions <2>, where <n> is a length of n bytes and
 * that many bytes. A ServerHello begins alike, and its random is all we want,
 * so it is not waited for to the end.
 */
#include "probe/meter/hello.h"

#include <stdbool.h>
#include <string.h>

#include "common/cursor.h"

enum {
    RECORD_HEADER_LEN = 5,
    RECORD_MAX = 16384 + 256,
    RECORD_HANDSHAKE = 22,
    HANDSHAKE_HEADER_LEN = 4,
    HANDSHAKE_CLIENT_HELLO = 1,
    HANDSHAKE_SERVER_HELLO = 2,
    HELLO_MIN_LEN = 2 + HELLO_RANDOM_LEN,
    HELLO_MAX_LEN = 1 << 16,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_SIGNATURE_ALGORITHMS = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_SUPPORTED_VERSIONS = 43,
};

/* SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3). */
static const uint8_t retry_random[HELLO_RANDOM_LEN] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

bool hello_is_name(struct slice name)
{
    if (name.length == 0 || name.length > 255)
        return false;
    for (size_t i = 0; i < name.length; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~')
            return false;
    return true;
}

bool hello_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

uint16_t hello_highest_version(const struct hello *hello)
{
    struct cursor c = cursor_of(hello->versions.data, hello->versions.length);
    uint16_t highest = 0;
    while (cursor_left(&c) >= 2) {
        uint16_t version = cursor_u16(&c);
        if (version > highest && !hello_is_grease(version))
            highest = version;
    }
    return highest != 0 ? highest : hello->legacy_version;
}

struct slice hello_first_alpn(struct slice alpn)
{
    struct cursor c = cursor_of(alpn.data, alpn.length);
    size_t length = cursor_u8(&c);
    const uint8_t *value = cursor_bytes(&c, length);
    return value != NULL ? slice_of_bytes(value, length) : SLICE("");
}

static struct slice rest_of(struct cursor *c)
{
    size_t left = cursor_left(c);
    return slice_of_bytes(cursor_bytes(c, left), left);
}

/* --- extensions of a ClientHello --- */

static void read_server_name(struct cursor *c, struct hello *hello)
{
    hello->has_server_name = true;
    size_t list_length = cursor_u16(c);
    struct cursor list = cursor_sub(c, list_length);
    while (cursor_left(&list) > 0) {
        uint8_t type = cursor_u8(&list);
        size_t length = cursor_u16(&list);
        const uint8_t *name = cursor_bytes(&list, length);
        if (list.failed)
            return;
        struct slice text = slice_of_bytes(name, length);
        if (type == 0 && hello_is_name(text)) {
            hello->name = text;
            return;
        }
    }
}

static void read_signature_algorithms(struct cursor *c, struct hello *hello)
{
    size_t length = cursor_u16(c);
    struct cursor list = cursor_sub(c, length);
    if (!list.failed)
        hello->signature_algorithms = rest_of(&list);
}

static void read_alpn(struct cursor *c, struct hello *hello)
{
    size_t length = cursor_u16(c);
    struct cursor list = cursor_sub(c, length);
    if (!list.failed)
        hello->alpn = rest_of(&list);
}

static void read_versions(struct cursor *c, struct hello *hello)
{
    size_t length = cursor_u8(c);
    struct cursor list = cursor_sub(c, length);
    if (!list.failed)
        hello->versions = rest_of(&list);
}

static const struct {
    uint16_t type;
    void (*read)(struct cursor *c, struct hello *hello);
} extensions[] = {
    {EXTENSION_SERVER_NAME, read_server_name},
    {EXTENSION_SIGNATURE_ALGORITHMS, read_signature_algorithms},
    {EXTENSION_ALPN, read_alpn},
    {EXTENSION_SUPPORTED_VERSIONS, read_versions},
};

static void read_extension(uint16_t type, struct cursor data,
                           struct hello *hello)
{
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        if (extensions[i].type == type)
            extensions[i].read(&data, hello);
}

/* False when an extension passes the end of the list. */
static bool read_extensions(struct cursor list, struct hello *hello)
{
    hello->extensions =
        slice_of_bytes(list.data + list.offset, cursor_left(&list));
    while (cursor_left(&list) > 0) {
        uint16_t type = cursor_u16(&list);
        size_t length = cursor_u16(&list);
        struct cursor data = cursor_sub(&list, length);
        if (list.failed)
            return false;
        read_extension(type, data, hello);
    }
    return true;
}

/* --- messages --- */

static enum hello_status read_client(struct cursor *c, struct hello *hello)
{
    *hello = (struct hello){.name = SLICE("")};
    hello->legacy_version = cursor_u16(c);
    hello->random = cursor_bytes(c, HELLO_RANDOM_LEN);
    cursor_skip(c, cursor_u8(c)); /* session id */
    size_t length = cursor_u16(c);
    struct cursor ciphers = cursor_sub(c, length);
    cursor_skip(c, cursor_u8(c)); /* compression methods */
    if (c->failed || ciphers.failed || length % 2 != 0)
        return HELLO_NOT;
    hello->ciphers = rest_of(&ciphers);
    if (cursor_left(c) == 0) /* before TLS 1.2 extensions may be absent */
        return HELLO_CLIENT;
    length = cursor_u16(c);
    struct cursor list = cursor_sub(c, length);
    if (c->failed || list.failed || !read_extensions(list, hello))
        return HELLO_NOT;
    return HELLO_CLIENT;
}

/* What stands in supported_versions, else the legacy version; 0 while the
 * message is not there to its end. */
static uint16_t read_chosen_version(struct cursor body, uint16_t legacy_version)
{
    cursor_skip(&body, 2 + HELLO_RANDOM_LEN);
    cursor_skip(&body, cursor_u8(&body)); /* session id */
    cursor_skip(&body, 3);                /* cipher suite, compression */
    if (body.failed)
        return 0;
    size_t length = cursor_left(&body) > 0 ? cursor_u16(&body) : 0;
    struct cursor list = cursor_sub(&body, length);
    while (cursor_left(&list) > 0) {
        uint16_t type = cursor_u16(&list);
        size_t size = cursor_u16(&list);
        struct cursor data = cursor_sub(&list, size);
        if (type == EXTENSION_SUPPORTED_VERSIONS && size == 2 && !list.failed)
            return cursor_u16(&data);
    }
    return list.failed ? 0 : legacy_version;
}

static enum hello_status read_server(struct cursor *c, size_t size,
                                     struct hello *hello)
{
    struct cursor whole = *c, body = cursor_sub(&whole, size);
    *hello = (struct hello){.name = SLICE("")};
    hello->legacy_version = cursor_u16(c);
    hello->random = cursor_bytes(c, HELLO_RANDOM_LEN);
    if (c->failed)
        return HELLO_MORE;
    bool is_retry =
        memcmp(hello->random, retry_random, sizeof(retry_random)) == 0;
    hello->chosen_version = read_chosen_version(body, hello->legacy_version);
    return is_retry ? HELLO_RETRY : HELLO_SERVER;
}

enum hello_status hello_from_handshake(const uint8_t *data, size_t length,
                                       struct hello *hello)
{
    struct cursor c = cursor_of(data, length);
    uint8_t type = cursor_u8(&c);
    size_t size = cursor_u24(&c);
    if (length > 0 && type != HANDSHAKE_CLIENT_HELLO &&
        type != HANDSHAKE_SERVER_HELLO)
        return HELLO_NOT;
    if (c.failed)
        return HELLO_MORE;
    if (size < HELLO_MIN_LEN || size > HELLO_MAX_LEN)
        return HELLO_NOT;
    /* The legacy version of every TLS hello is 3.x. */
    if (cursor_left(&c) > 0 && data[HANDSHAKE_HEADER_LEN] != 3)
        return HELLO_NOT;
    if (type == HANDSHAKE_SERVER_HELLO)
        return read_server(&c, size, hello);
    if (cursor_left(&c) < size)
        return HELLO_MORE;
    struct cursor body = cursor_sub(&c, size);
    return read_client(&body, hello);
}

/* --- records --- */

enum record_status { RECORD_OK, RECORD_PART, RECORD_NOT };

/* The fragment of the record at the cursor, as much of it as is there. */
static enum record_status read_record(struct cursor *c, struct slice *fragment)
{
    size_t left = cursor_left(c);
    const uint8_t *head = c->data + c->offset;
    if ((left > 0 && head[0] != RECORD_HANDSHAKE) || (left > 1 && head[1] != 3))
        return RECORD_NOT;
    cursor_skip(c, 3);
    size_t length = cursor_u16(c);
    *fragment = SLICE("");
    if (c->failed)
        return RECORD_PART;
    if (length == 0 || length > RECORD_MAX)
        return RECORD_NOT;
    size_t have = length < cursor_left(c) ? length : cursor_left(c);
    *fragment = slice_of_bytes(cursor_bytes(c, have), have);
    return have == length ? RECORD_OK : RECORD_PART;
}

enum hello_status hello_from_records(const uint8_t *data, size_t length,
                                     uint8_t *scratch, size_t scratch_size,
                                     struct hello *hello)
{
    struct cursor c = cursor_of(data, length);
    struct slice part;
    enum record_status record = read_record(&c, &part);
    if (record == RECORD_NOT)
        return HELLO_NOT;
    enum hello_status status =
        hello_from_handshake((const uint8_t *)part.data, part.length, hello);
    size_t used = 0;
    /* The message goes on in the next record: put the pieces together. */
    while (status == HELLO_MORE && record == RECORD_OK &&
           part.length <= scratch_size - used) {
        memcpy(scratch + used, part.data, part.length);
        used += part.length;
        record = read_record(&c, &part);
        if (record == RECORD_NOT)
            return HELLO_NOT;
        if (part.length > scratch_size - used)
            return HELLO_NOT;
        memcpy(scratch + used, part.data, part.length);
        status = hello_from_handshake(scratch, used + part.length, hello);
    }
    return status;
}
