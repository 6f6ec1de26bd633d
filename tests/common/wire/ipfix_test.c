/*
 * The IPFIX encoder and decoder.
 *
 * Malformed messages are a table of hex texts, each named after the rule it
 * breaks; many are shapes that crashed or looped collectors in the field. Each
 * is also read cut off at every byte. Good messages are golden files: what the
 * decoder makes of tests/data/ipfix/NAME.ipfix is NAME.txt.
 */
#include "common/text.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/ipfix_encode.h"

#include "tests/test.h"

/* --- reading --- */

static bool accept_all(void *context, const struct ipfix_record *record)
{
    int *count = context;
    /* Touch every byte that the record points to, for the sanitizer. */
    unsigned sum = 0;
    for (size_t i = 0; i < record->field_count; i++) {
        for (size_t k = 0; k < record->fields[i].length; k++)
            sum += record->fields[i].data[k];
    }
    *count += 1 + (int)(sum & 0);
    return true;
}

/* Decodes an exact copy, so that reading past the end is seen. */
static enum ipfix_status decode(struct ipfix_session *session,
                                const uint8_t *data, size_t length, int *count)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, data, length);
    enum ipfix_status status =
        ipfix_decode_message(session, copy, length, accept_all, count);
    free(copy);
    return status;
}

/* Hex with blanks. "HH" in front stands for a right message header: version
 * and length are filled in. */
static size_t from_hex(const char *text, uint8_t *bytes)
{
    static const uint8_t header[16] = {0, 10, 0, 0, 0x6a, 0x83, 0x10, 0,
                                       0, 0,  0, 0, 0,    0,    0,    1};
    size_t n = 0;
    if (strncmp(text, "HH", 2) == 0) {
        memcpy(bytes, header, sizeof(header));
        n = sizeof(header);
        text += 2;
    }
    for (unsigned digit; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        CHECK(sscanf(text, "%2x", &digit) == 1);
        bytes[n++] = (uint8_t)digit;
        text++;
    }
    if (n >= 16 && bytes[2] == 0 && bytes[3] == 0) {
        bytes[2] = (uint8_t)(n >> 8);
        bytes[3] = (uint8_t)n;
    }
    return n;
}

#define T_SMALL "0002 000c 0100 0001 0004 0001 " /* protocolIdentifier */

static const struct malformed {
    const char *name;
    const char *hex;
    enum ipfix_status status;
    int records; /* delivered before the fault */
} malformed[] = {
    {"no bytes at all", "", IPFIX_TRUNCATED, 0},
    {"a header cut off", "000a 0010 0000", IPFIX_TRUNCATED, 0},
    {"NetFlow version 9", "0009 0010 00000000 00000000 00000001",
     IPFIX_BAD_VERSION, 0},
    {"message length below its header", "000a 000f 00000000 00000000 00000001",
     IPFIX_BAD_LENGTH, 0},
    {"message longer than its bytes", "000a 0020 00000000 00000000 00000001",
     IPFIX_TRUNCATED, 0},
    {"message shorter than its bytes",
     "000a 0010 00000000 00000000 00000001 00", IPFIX_BAD_LENGTH, 0},
    {"one byte in place of a set", "HH 00", IPFIX_TRUNCATED, 0},
    {"a set header cut off", "HH 0002 00", IPFIX_TRUNCATED, 0},
    {"set length 0", "HH 0002 0000", IPFIX_BAD_LENGTH, 0},
    {"set length 3", "HH 0100 0003 00", IPFIX_BAD_LENGTH, 0},
    {"set past the message", "HH 0100 0008 0000", IPFIX_TRUNCATED, 0},
    {"reserved set id 0", "HH 0000 0004", IPFIX_BAD_SET, 0},
    {"reserved set id 1 (v9's options)", "HH 0001 0004", IPFIX_BAD_SET, 0},
    {"reserved set id 255", "HH 00ff 0004", IPFIX_BAD_SET, 0},
    {"template id below 256", "HH 0002 000c 00ff 0001 0004 0001",
     IPFIX_BAD_TEMPLATE, 0},
    {"template with fewer specifiers than it says",
     "HH 0002 000c 0100 0002 0004 0001", IPFIX_TRUNCATED, 0},
    {"enterprise number cut off", "HH 0002 000c 0100 0001 8004 0001",
     IPFIX_TRUNCATED, 0},
    {"only zero-length fields, then data",
     "HH 0002 0010 0100 0002 0060 0000 0060 0000 0100 0008 00000000",
     IPFIX_BAD_TEMPLATE, 0},
    {"zero length of an integer", "HH 0002 000c 0100 0001 0004 0000",
     IPFIX_BAD_TEMPLATE, 0},
    {"integer longer than it can be", "HH 0002 000c 0100 0001 0001 0009",
     IPFIX_BAD_TEMPLATE, 0},
    {"integer of 64 bytes (a stack overflow elsewhere)",
     "HH 0002 000c 0100 0001 0001 0040", IPFIX_BAD_TEMPLATE, 0},
    {"integer of variable length", "HH 0002 000c 0100 0001 0001 ffff",
     IPFIX_BAD_TEMPLATE, 0},
    {"IPv4 address of 5 bytes", "HH 0002 000c 0100 0001 000c 0005",
     IPFIX_BAD_TEMPLATE, 0},
    {"IPv6 address of 4 bytes", "HH 0002 000c 0100 0001 001c 0004",
     IPFIX_BAD_TEMPLATE, 0},
    {"milliseconds of 4 bytes", "HH 0002 000c 0100 0001 0098 0004",
     IPFIX_BAD_TEMPLATE, 0},
    {"hash of 31 bytes", "HH 0002 0010 0100 0001 8018 001f 00007ed9",
     IPFIX_BAD_TEMPLATE, 0},
    {"more fields than we keep", "HH 0002 0008 0100 0081", IPFIX_TOO_MANY, 0},
    {"65535 fields", "HH 0002 0008 0100 ffff", IPFIX_TOO_MANY, 0},
    {"options template with scope count 0",
     "HH 0003 000e 0100 0001 0000 0004 0001", IPFIX_BAD_TEMPLATE, 0},
    {"options template with more scope than fields",
     "HH 0003 000e 0100 0001 0002 0004 0001", IPFIX_BAD_TEMPLATE, 0},
    {"options template cut off after its counts", "HH 0003 0008 0100 0001",
     IPFIX_TRUNCATED, 0},
    {"template redefined without withdrawal",
     "HH 0002 0014 0100 0001 0004 0001 0100 0001 0001 0008", IPFIX_BAD_TEMPLATE,
     0},
    {"redefined as an options template",
     "HH " T_SMALL "0003 000e 0100 0001 0001 0004 0001", IPFIX_BAD_TEMPLATE, 0},
    {"withdrawal of a template in an options set",
     "HH " T_SMALL "0003 0008 0100 0000", IPFIX_BAD_TEMPLATE, 0},
    {"withdrawal of id 5", "HH 0002 0008 0005 0000", IPFIX_BAD_TEMPLATE, 0},
    {"withdraw all options templates in a template set",
     "HH 0002 0008 0003 0000", IPFIX_BAD_TEMPLATE, 0},
    {"string past its set, inside the message",
     "HH 0002 000c 0100 0001 0060 ffff 0100 0006 0541 0100 0008 00000000",
     IPFIX_BAD_RECORD, 0},
    {"long string length cut off",
     "HH 0002 000c 0100 0001 0060 ffff 0100 0006 ff00", IPFIX_BAD_RECORD, 0},
    {"long string past its set",
     "HH 0002 000c 0100 0001 0060 ffff 0100 0008 ffffff 41", IPFIX_BAD_RECORD,
     0},
    {"second record past its set",
     "HH 0002 000c 0100 0001 0060 ffff 0100 0008 0141 0941", IPFIX_BAD_RECORD,
     1},
    {"a fault after good records", "HH " T_SMALL "0100 0006 0611 0001 0004",
     IPFIX_BAD_SET, 2},
};
enum { MALFORMED_COUNT = sizeof(malformed) / sizeof(malformed[0]) };

static void test_malformed(void)
{
    uint8_t bytes[512];
    for (int i = 0; i < MALFORMED_COUNT; i++) {
        const struct malformed *m = &malformed[i];
        char name[200];
        snprintf(name, sizeof(name), "malformed: %s", m->name);
        test_case(name);
        struct ipfix_session *session = ipfix_session_new();
        int count = 0;
        size_t length = from_hex(m->hex, bytes);
        enum ipfix_status status = decode(session, bytes, length, &count);
        CHECK_TEXT(ipfix_status_text(status), ipfix_status_text(m->status));
        CHECK_I64(count, m->records);
        /* The session still works afterwards. */
        length =
            from_hex("HH 0002 000c 0200 0001 0004 0001 0200 0005 06", bytes);
        count = 0;
        CHECK_I64(decode(session, bytes, length, &count), IPFIX_OK);
        CHECK_I64(count, 1);
        ipfix_session_free(session);
    }
}

static void test_cut_off(void)
{
    test_case("every message cut off at every byte, lengths mended or not");
    uint8_t bytes[512];
    for (int i = 0; i < MALFORMED_COUNT; i++) {
        size_t length = from_hex(malformed[i].hex, bytes);
        for (size_t cut = 0; cut < length; cut++) {
            struct ipfix_session *session = ipfix_session_new();
            int count = 0;
            CHECK(decode(session, bytes, cut, &count) != IPFIX_OK || cut == 0 ||
                  cut >= 16);
            if (cut >= 16) {
                uint8_t mended[512];
                memcpy(mended, bytes, cut);
                mended[2] = (uint8_t)(cut >> 8);
                mended[3] = (uint8_t)cut;
                decode(session, mended, cut, &count);
            }
            ipfix_session_free(session);
        }
    }
}

/* --- templates --- */

static enum ipfix_status decode_hex(struct ipfix_session *session,
                                    const char *hex, int *count)
{
    uint8_t bytes[2048];
    return decode(session, bytes, from_hex(hex, bytes), count);
}

static void test_templates(void)
{
    struct ipfix_session *session = ipfix_session_new();
    int count = 0;
    test_case("withdrawals are honoured; definitions and withdrawals mix");
    CHECK_I64(decode_hex(session,
                         "HH 0002 001c 0100 0001 0004 0001 0100 0000 "
                         "0101 0001 0004 0001 0100 0000 0100 0005 06 "
                         "0101 0005 06",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 1); /* 256 was withdrawn, 257 was not */
    CHECK_I64(ipfix_session_counters(session)->unknown_sets, 1);
    CHECK_I64(
        decode_hex(session, "HH 0002 0008 0002 0000 0101 0005 06", &count),
        IPFIX_OK);
    CHECK_I64(count, 1);
    CHECK_I64(ipfix_session_counters(session)->unknown_sets, 2);

    test_case("withdrawing all options templates leaves the others");
    CHECK_I64(decode_hex(session,
                         "HH " T_SMALL "0003 000e 0102 0001 0001 0004 0001 "
                         "0003 0008 0003 0000 0100 0005 06 0102 0005 06",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 2);

    test_case("after a withdrawal a template may say something else");
    CHECK_I64(decode_hex(session,
                         "HH 0002 0010 0100 0000 0100 0001 0001 0008 "
                         "0100 000c 0000000000000001",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 3);

    test_case("a repeated definition is the same definition");
    CHECK_I64(decode_hex(session,
                         "HH 0002 000c 0100 0001 0001 0008 "
                         "0100 000c 0000000000000001",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 4);
    ipfix_session_free(session);

    test_case("templates belong to their observation domain");
    session = ipfix_session_new();
    count = 0;
    CHECK_I64(decode_hex(session, "HH " T_SMALL, &count), IPFIX_OK);
    CHECK_I64(decode_hex(session,
                         "000a 0000 00000000 00000000 00000002 0100 0005 06",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 0);
    ipfix_session_free(session);
}

static void test_caps(void)
{
    test_case("a session keeps a bounded number of templates");
    struct ipfix_session *session = ipfix_session_new();
    char hex[200];
    int count = 0;
    for (int i = 0; i < IPFIX_MAX_TEMPLATES; i++) {
        snprintf(hex, sizeof(hex), "HH 0002 000c %04x 0001 0004 0001", 256 + i);
        CHECK_I64(decode_hex(session, hex, &count), IPFIX_OK);
    }
    CHECK_I64(decode_hex(session, "HH 0002 000c 4000 0001 0004 0001", &count),
              IPFIX_TOO_MANY);
    CHECK_I64(decode_hex(session, "HH 0002 0010 0100 0000 4000 0001 0004 0001",
                         &count),
              IPFIX_OK);
    ipfix_session_free(session);

    test_case("and of observation domains");
    session = ipfix_session_new();
    enum ipfix_status status = IPFIX_OK;
    int domains = 0;
    for (; domains < 1000 && status == IPFIX_OK; domains++) {
        snprintf(hex, sizeof(hex), "000a 0000 00000000 00000000 %08x", domains);
        status = decode_hex(session, hex, &count);
    }
    CHECK_I64(status, IPFIX_TOO_MANY);
    CHECK(domains > 1 && domains < 100);
    ipfix_session_free(session);
}

/* --- padding --- */

static void test_padding(void)
{
    struct ipfix_session *session = ipfix_session_new();
    int count = 0;
    test_case("padding shorter than the smallest record ends a data set");
    CHECK_I64(decode_hex(session,
                         "HH 0002 000c 0100 0001 0001 0008 "
                         "0100 0013 0000000000000001 00000000000000",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 1);
    test_case("padding of 1 to 3 bytes ends a template set");
    CHECK_I64(decode_hex(session,
                         "HH 0002 000d 0101 0001 0004 0001 00 "
                         "0002 000e 0102 0001 0004 0001 0000 "
                         "0003 0011 0103 0001 0001 0004 0001 000000 "
                         "0101 0005 06 0102 0005 06 0103 0005 06",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 4);
    test_case("a variable field counts one byte of the smallest record");
    CHECK_I64(decode_hex(session,
                         "HH 0002 0010 0104 0002 0060 ffff 0004 0001 "
                         "0104 0008 0241 4206",
                         &count),
              IPFIX_OK);
    CHECK_I64(count, 5);
    CHECK_I64(decode_hex(session, "HH 0104 0005 00", &count), IPFIX_OK);
    CHECK_I64(count, 5);
    ipfix_session_free(session);
}

/* --- sequence numbers --- */

static void send_message(struct ipfix_session *session, uint32_t sequence,
                         int records)
{
    uint8_t bytes[512];
    int count = 0;
    char hex[600] = "HH " T_SMALL;
    size_t n = strlen(hex);
    n += (size_t)snprintf(hex + n, sizeof(hex) - n, "0100 %04x ", 4 + records);
    for (int i = 0; i < records; i++)
        n += (size_t)snprintf(hex + n, sizeof(hex) - n, "06");
    size_t length = from_hex(hex, bytes);
    for (int i = 0; i < 4; i++)
        bytes[8 + i] = (uint8_t)(sequence >> (24 - 8 * i));
    CHECK_I64(decode(session, bytes, length, &count), IPFIX_OK);
    CHECK_I64(count, records);
}

static void test_sequence(void)
{
    struct ipfix_session *session = ipfix_session_new();
    const struct ipfix_counters *c = ipfix_session_counters(session);
    test_case("losses are counted in records, not in gaps");
    send_message(session, 4294967290u, 3); /* where it starts is no loss */
    send_message(session, 4294967293u, 3);
    CHECK_I64(c->lost_records, 0);
    send_message(session, 5, 2); /* 5 missing, across the wrap */
    CHECK_I64(c->lost_records, 5);
    send_message(session, 1007, 1);
    CHECK_I64(c->lost_records, 1005);
    CHECK_I64(c->reordered, 0);

    test_case("what comes late was not lost");
    send_message(session, 500, 5);
    CHECK_I64(c->reordered, 1);
    CHECK_I64(c->lost_records, 1000);
    send_message(session, 1008, 1);
    CHECK_I64(c->lost_records, 1000);
    CHECK_I64(c->records, 15);
    CHECK_I64(c->messages, 6);
    ipfix_session_free(session);

    test_case("after records that could not be counted nothing is lost");
    session = ipfix_session_new();
    c = ipfix_session_counters(session);
    int count = 0;
    CHECK_I64(decode_hex(session, "HH 0999 0008 00000000", &count), IPFIX_OK);
    send_message(session, 700, 1);
    CHECK_I64(c->lost_records, 0);
    send_message(session, 702, 1);
    CHECK_I64(c->lost_records, 1);
    ipfix_session_free(session);
}

/* --- values --- */

static bool check_values(void *context, const struct ipfix_record *record)
{
    uint64_t value = 0;
    struct slice text;
    int *count = context;
    ++*count;
    CHECK(ipfix_get_u64(record, IE_OCTET_DELTA_COUNT, &value));
    CHECK_I64(value, 0x0102030405);
    CHECK(ipfix_get_u64(record, IE_PACKET_DELTA_COUNT, &value));
    CHECK_I64(value, 0x0a0b0c);
    CHECK(ipfix_get_u64(record, IE_REV_OCTET_DELTA_COUNT, &value));
    CHECK_I64(value, 7);
    CHECK(ipfix_get_bytes(record, IE_APPLICATION_NAME, &text));
    CHECK(slice_equal_text(text, "TLS"));
    CHECK(!ipfix_get_u64(record, IE_APPLICATION_NAME, &value) || value != 0);
    CHECK(!ipfix_get_u64(record, IE_BURST_COUNT, &value));
    CHECK(!ipfix_get_bytes(record, IE_FLOW_TOKEN, &text));
    CHECK_I64(record->fields[4].element, -1); /* unknown here */
    CHECK_I64(record->domain, 1);
    CHECK_I64(record->template_id, 256);
    CHECK(!record->is_options);
    CHECK_I64(record->offset, 16 + 32 + 4);
    CHECK_I64(record->length, 5 + 3 + 1 + 4 + 2);
    return true;
}

static void test_values(void)
{
    test_case("reduced-size integers, reverse and unknown elements");
    struct ipfix_session *session = ipfix_session_new();
    uint8_t bytes[512];
    int count = 0;
    size_t length = from_hex("HH 0002 0020 0100 0005 0001 0005 0002 0003 "
                             "8001 0001 00007279 0060 ffff 7fff 0002 "
                             "0100 0013 0102030405 0a0b0c 07 03544c53 ffee",
                             bytes);
    CHECK_I64(
        ipfix_decode_message(session, bytes, length, check_values, &count),
        IPFIX_OK);
    CHECK_I64(count, 1);
    ipfix_session_free(session);
}

static bool refuse_second(void *context, const struct ipfix_record *record)
{
    int *count = context;
    (void)record;
    return ++*count < 2;
}

static void test_refusal(void)
{
    test_case("a callback that says no stops the message");
    struct ipfix_session *session = ipfix_session_new();
    uint8_t bytes[512];
    int count = 0;
    size_t length = from_hex("HH " T_SMALL "0100 0008 06060606", bytes);
    CHECK_I64(
        ipfix_decode_message(session, bytes, length, refuse_second, &count),
        IPFIX_REFUSED);
    CHECK_I64(count, 2);
    ipfix_session_free(session);
}

static void test_message_length(void)
{
    test_case("the length of a message in a stream");
    uint8_t bytes[64];
    size_t length = from_hex("HH", bytes);
    CHECK_I64(ipfix_message_length(bytes, 0), 0);
    CHECK_I64(ipfix_message_length(bytes, 15), 0);
    CHECK_I64(ipfix_message_length(bytes, length), 16);
    from_hex("000a ffff 00000000 00000000 00000001", bytes);
    CHECK_I64(ipfix_message_length(bytes, 16), 65535);
    from_hex("000a 000f 00000000 00000000 00000001", bytes);
    CHECK_I64(ipfix_message_length(bytes, 16), -1);
    from_hex("0009 0010 00000000 00000000 00000001", bytes);
    CHECK_I64(ipfix_message_length(bytes, 16), -1);
}

/* --- the table and the encoder --- */

static void test_table(void)
{
    test_case("the element table is whole and finds each row");
    for (int i = 0; i < IE_COUNT; i++) {
        const struct ipfix_element *e = &ipfix_elements[i];
        if (!CHECK(e->name != NULL && e->length > 0))
            continue;
        /* What it means has words. */
        CHECK(strcmp(text_word(LANGUAGE_ZH, "ipfix.", e->name), e->name) != 0);
        CHECK_I64(ipfix_element_find(e->enterprise, e->id), i);
    }
    CHECK_I64(ipfix_element_find(0, 32000), -1);
    CHECK_I64(ipfix_element_find(YZ_ENTERPRISE + 1, 1), -1);
}

static void test_encoder(void)
{
    static const enum ipfix_element_id fields[] = {IE_APPLICATION_NAME,
                                                   IE_PROTOCOL_IDENTIFIER};
    static const struct ipfix_template template = {256, 0, 2, fields};
    struct ipfix_message m;
    struct buffer out;
    int count = 0;
    char text[300];
    memset(text, 'x', sizeof(text));
    test_case("strings with short and long lengths");
    buffer_init(&out, 1 << 20);
    ipfix_message_begin(&m, &out, 1, 0, 1);
    ipfix_add_template(&m, &template);
    ipfix_set_begin(&m, 256);
    static const size_t lengths[] = {0, 1, 254, 255, 256, 300};
    for (size_t i = 0; i < 6; i++) {
        ipfix_add_string(&m, slice_of_bytes(text, lengths[i]));
        ipfix_add_uint(&m, IE_PROTOCOL_IDENTIFIER, 6);
    }
    ipfix_set_end(&m);
    CHECK_I64(ipfix_message_size(&m), (int64_t)out.length);
    CHECK(ipfix_message_end(&m));
    struct ipfix_session *session = ipfix_session_new();
    CHECK_I64(decode(session, out.data, out.length, &count), IPFIX_OK);
    CHECK_I64(count, 6);
    ipfix_session_free(session);

    test_case("a message past its limit, or its buffer's, is refused");
    buffer_reset(&out);
    ipfix_message_begin(&m, &out, 1, 0, 1);
    ipfix_set_begin(&m, 256);
    for (int i = 0; i < 70000; i++)
        buffer_add_u8(&out, 0);
    ipfix_set_end(&m);
    CHECK(!ipfix_message_end(&m));
    buffer_clear(&out);
    buffer_init(&out, 20);
    ipfix_message_begin(&m, &out, 1, 0, 1);
    ipfix_add_template(&m, &template);
    CHECK(!ipfix_message_end(&m));
    buffer_clear(&out);
}

/* --- golden files --- */

static void print_value(struct buffer *out, const struct ipfix_value *v)
{
    const char *name =
        v->element < 0 ? "unknown" : ipfix_elements[v->element].name;
    buffer_addf(out, "  %s%s ", name, v->is_scope ? " (scope)" : "");
    for (size_t i = 0; i < v->length; i++)
        buffer_addf(out, "%02x", v->data[i]);
    buffer_add_text(out, "\n");
}

static bool print_record(void *context, const struct ipfix_record *record)
{
    struct buffer *out = context;
    buffer_addf(out, "%s domain %u template %u offset %zu length %zu\n",
                record->is_options ? "options record" : "record",
                record->domain, record->template_id, record->offset,
                record->length);
    for (size_t i = 0; i < record->field_count; i++)
        print_value(out, &record->fields[i]);
    return true;
}

static void check_golden(const char *name)
{
    char path[256];
    struct buffer in, out;
    size_t at = 0;
    buffer_init(&out, 1 << 20);
    snprintf(path, sizeof(path), "tests/data/ipfix/%s.ipfix", name);
    if (!CHECK(buffer_read_file(&in, path, 1 << 20)))
        return;
    struct ipfix_session *session = ipfix_session_new();
    while (at < in.length) {
        int length = ipfix_message_length(in.data + at, in.length - at);
        if (length <= 0 || (size_t)length > in.length - at) {
            buffer_addf(&out, "no message at %zu\n", at);
            break;
        }
        enum ipfix_status status = ipfix_decode_message(
            session, in.data + at, (size_t)length, print_record, &out);
        buffer_addf(&out, "message at %zu, %d bytes: %s\n", at, length,
                    ipfix_status_text(status));
        at += (size_t)length;
    }
    const struct ipfix_counters *c = ipfix_session_counters(session);
    buffer_addf(&out,
                "%" PRIu64 " messages, %" PRIu64 " records, %" PRIu64
                " unknown sets, %" PRIu64 " lost, %" PRIu64 " reordered\n",
                c->messages, c->records, c->unknown_sets, c->lost_records,
                c->reordered);
    snprintf(path, sizeof(path), "tests/data/ipfix/%s.txt", name);
    test_golden(path, out.data, out.length);
    ipfix_session_free(session);
    buffer_clear(&in);
    buffer_clear(&out);
}

int main(void)
{
    test_malformed();
    test_cut_off();
    test_templates();
    test_caps();
    test_padding();
    test_sequence();
    test_values();
    test_refusal();
    test_message_length();
    test_table();
    test_encoder();
    test_case("golden: a batch of a probe");
    check_golden("batch");
    test_case("golden: a router's export, with losses and unknown elements");
    check_golden("router");
    test_case("golden: a receipt");
    check_golden("receipt");
    return test_end();
}
