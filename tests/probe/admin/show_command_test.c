/* show: every record of a batch as a line, the hash and the signature; and
 * what is said about files that are not as they should be. */
#include <string.h>

#include "common/wire/receipt.h"
#include "probe/admin/show_command.h"
#include "probe/process/exporter.h"
#include "tests/test.h"

static struct sign_key *signing;
static struct show_key key;

/* A batch with `count` flows of one endpoint. */
static struct digest make_batch(struct buffer *out, int count)
{
    struct error_text error;
    struct endpoint_list *list = endpoint_list_parse(
        SLICE("id,supplier,service,address,host,protocol,ports,valid_from,"
              "valid_to,shared\nerp,S,E,203.0.113.10,,tcp,443,,,\n"),
        "e.csv", &error);
    struct exporter_options options = {.probe_id = "probe-1",
                                       .key = signing,
                                       .endpoints = list,
                                       .start = wall_from_s(1000)};
    struct exporter *e = exporter_new(&options);
    struct exporter_period period = {.clock_quality = CLOCK_RELATIVE};
    struct digest hash;
    for (int i = 0; i < count; i++) {
        struct flow f = {.start = wall_from_s(1001),
                         .end = wall_from_s(1002),
                         .forward = {1 + (uint64_t)i, 100, 50, 2},
                         .application = "TLS",
                         .end_reason = FLOW_END_IDLE,
                         .is_counted = true};
        (void)address_from_text(SLICE("10.77.0.2"), &f.key.source);
        (void)address_from_text(SLICE("203.0.113.10"), &f.key.destination);
        f.key.destination_port = 443;
        f.key.protocol = 6;
        CHECK(exporter_add(e, &f, wall_from_s(1010)));
    }
    CHECK(exporter_finish(e, &period, wall_from_s(1300), out, &hash));
    exporter_free(e);
    endpoint_list_free(list);
    return hash;
}

static bool shown(const struct buffer *batch, const struct show_key *with,
                  struct buffer *out)
{
    buffer_init(out, 1 << 24);
    bool good = show_content(buffer_slice(batch), "x.ipfix", with, out, NULL);
    buffer_add_u8(out, 0);
    return good;
}

static int count_lines(const struct buffer *out, const char *needle)
{
    int count = 0;
    const char *at = (const char *)out->data;
    while ((at = strstr(at, needle)) != NULL) {
        count++;
        at += strlen(needle);
    }
    return count;
}

static bool says(const struct buffer *out, const char *needle)
{
    bool good = strstr((const char *)out->data, needle) != NULL;
    if (!good)
        printf("# no %s in %s\n", needle, (const char *)out->data);
    return good;
}

static void test_whole(void)
{
    struct buffer batch, out;
    char hex[DIGEST_HEX_LEN];
    test_case("every record, then the batch with its hash and signature");
    digest_to_hex(make_batch(&batch, 3), hex);
    CHECK(shown(&batch, &key, &out));
    CHECK_I64(count_lines(&out, "\"endpointId\":\"erp\""), 3);
    CHECK(says(&out, "\"destinationIPv4Address\":\"203.0.113.10\""));
    CHECK(says(&out, "\"flowStartMilliseconds\":\"1970-01-01T00:16:41.000Z\""));
    CHECK(says(&out, hex));
    CHECK(says(&out, "\"signature\":\"valid\""));
    CHECK(says(&out, "\"records\":5"));
    CHECK(strstr((const char *)out.data, "10.77.0.2") == NULL);
    buffer_clear(&out);

    test_case("without a key it says so");
    struct show_key none = {0};
    CHECK(shown(&batch, &none, &out));
    CHECK(says(&out, "\"signature\":\"not checked"));
    buffer_clear(&out);

    test_case("with another key the signature is wrong");
    struct show_key other = key;
    other.bytes[0] ^= 1;
    CHECK(!shown(&batch, &other, &out));
    CHECK(strstr((const char *)out.data, "\"valid\"") == NULL);
    buffer_clear(&out);

    test_case("two batches in one file");
    struct buffer two;
    make_batch(&two, 1);
    buffer_add_slice(&two, buffer_slice(&batch));
    CHECK(shown(&two, &key, &out));
    CHECK_I64(count_lines(&out, "\"signature\":\"valid\""), 2);
    buffer_clear(&out);
    buffer_clear(&two);
    buffer_clear(&batch);
}

static void test_faults(void)
{
    struct buffer batch, out;
    test_case("every changed byte of a batch is found");
    make_batch(&batch, 2);
    for (size_t i = 0; i < batch.length; i++) {
        batch.data[i] ^= 0x20;
        if (shown(&batch, &key, &out)) {
            CHECK(false);
            printf("# byte %zu of %zu\n", i, batch.length);
        }
        buffer_clear(&out);
        batch.data[i] ^= 0x20;
    }

    test_case("every cut of a file is said");
    size_t length = batch.length;
    for (batch.length = 1; batch.length < length; batch.length++) {
        CHECK(!shown(&batch, &key, &out));
        buffer_clear(&out);
    }
    batch.length = length;

    test_case("elements outside the table are shown in hex");
    /* The first template's first field becomes IANA element 999. */
    size_t field = IPFIX_HEADER_LEN + IPFIX_SET_HEADER_LEN + 4;
    unsigned id = (unsigned)batch.data[field] << 8 | batch.data[field + 1];
    CHECK(id < 0x8000);
    batch.data[field] = 999 >> 8;
    batch.data[field + 1] = 999 & 0xff;
    CHECK(!shown(&batch, &key, &out));
    CHECK(says(&out, "\"unknown0\":\""));
    buffer_clear(&out);
    buffer_clear(&batch);
}

static void add_receipt(struct buffer *file, uint64_t sequence)
{
    struct receipt r = {.probe_id = "probe-1",
                        .sequence = sequence,
                        .ledger_index = 40 + sequence,
                        .received_ms = 1700000000000,
                        .status = RECEIPT_LATE};
    struct buffer out;
    buffer_init(&out, 4096);
    CHECK(receipt_encode(&r, signing, &out));
    buffer_add_slice(file, buffer_slice(&out));
    buffer_clear(&out);
}

static void test_receipts(void)
{
    struct buffer file, out;
    struct show_key none = {0}, other = key;
    other.bytes[0] ^= 1;
    buffer_init(&file, 1 << 20);
    add_receipt(&file, 1);
    add_receipt(&file, 2);
    test_case("receipts: fields, meaning, signature");
    CHECK(shown(&file, &key, &out));
    CHECK(says(&out, "{\"receipt\":\"late\",\"receiptSignature\":\"valid\"}"));
    CHECK_I64(count_lines(&out, "\"receiptSignature\":\"valid\""), 2);
    CHECK(says(&out, "42"));
    buffer_clear(&out);
    CHECK(shown(&file, &none, &out));
    CHECK(says(&out, "\"receiptSignature\":\"not checked"));
    buffer_clear(&out);
    CHECK(!shown(&file, &other, &out));
    CHECK_I64(count_lines(&out, "valid"), 0);
    buffer_clear(&out);
    test_case("every changed byte of a receipt is found");
    for (size_t i = 0; i < file.length; i++) {
        file.data[i] ^= 0x20;
        /* The message header's export time and numbers are not signed. */
        size_t in_message = i % (file.length / 2);
        CHECK(!shown(&file, &key, &out) ||
              (in_message >= 4 && in_message < IPFIX_HEADER_LEN));
        buffer_clear(&out);
        file.data[i] ^= 0x20;
    }
    buffer_clear(&file);
}

int main(void)
{
    signing = sign_key_generate(SIGN_ED25519);
    key = (struct show_key){.is_given = true, .algorithm = SIGN_ED25519};
    key.length = sign_key_public(signing, key.bytes);
    test_whole();
    test_faults();
    test_receipts();
    sign_key_free(signing);
    return test_end();
}
