/* What leaves: redaction of a flow, pseudonyms and their key, batches. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/process/exporter.h"
#include "tests/folder.h"
#include "tests/test.h"

static const char endpoints[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\nerp,S,E,203.0.113.10,erp.example,tcp,443,,,yes\n";

static const uint8_t key[PSEUDONYM_KEY_LEN] = {1, 2, 3};

static struct endpoint_list *list_of(void)
{
    struct error_text error;
    return endpoint_list_parse(SLICE(endpoints), "e.csv", &error);
}

static struct flow sample_flow(void)
{
    struct flow f = {
        .key = {.source_port = 50123, .destination_port = 443, .protocol = 6},
        .forward = {10, 1000, 600, 0x1b},
        .reverse = {20, 20000, 19000, 0x12},
        .start = wall_from_ms(1000),
        .end = wall_from_ms(2000),
        .name = "erp.example",
        .name_source = NAME_SNI,
        .name_evidence = NAME_SNI,
        .application = "TLS",
        .fingerprint_text = "t13d1516h2",
        .fingerprint = {9},
        .token = {8},
        .rtt_us = 1234,
        .burst_count = 3,
        .end_reason = FLOW_END_DETECTED,
        .is_counted = true,
    };
    (void)address_from_text(SLICE("10.77.0.2"), &f.key.source);
    (void)address_from_text(SLICE("203.0.113.10"), &f.key.destination);
    return f;
}

static void test_redact(void)
{
    struct endpoint_list *list = list_of();
    struct flow f = sample_flow();
    struct flow_record r, swapped;
    test_case("PRIV-02: the inside address becomes a pseudonym");
    CHECK(exporter_redact(&f, list, key, &r));
    CHECK_TEXT(r.endpoint_id, "erp");
    CHECK_I64(r.port, 443);
    CHECK(memcmp(r.address, f.key.destination.bytes, 16) == 0);
    CHECK_I64(r.octets, 1000);
    CHECK_I64(r.rpackets, 20);
    CHECK_I64(r.rpayload, 19000);
    CHECK_I64(r.direction, 1);
    CHECK_I64(r.rtt_us, 1234);
    CHECK_I64(r.start_ms, 1000);
    uint8_t text[17] = {4, 10, 77, 0, 2};
    struct digest d = hmac_sha256(key, sizeof(key), text, sizeof(text));
    uint64_t wanted = 0;
    for (int i = 0; i < 8; i++)
        wanted = wanted << 8 | d.bytes[i];
    CHECK(r.host_pseudonym == wanted);
    CHECK(memmem(&r, sizeof(r), f.key.source.bytes, 4) == NULL);

    test_case("a flow that the endpoint opened is turned around");
    struct address inside = f.key.source;
    struct flow_side side = f.forward;
    f.key.source = f.key.destination;
    f.key.destination = inside;
    f.key.source_port = 443;
    f.key.destination_port = 50123;
    f.forward = f.reverse;
    f.reverse = side;
    f.endpoint_is_source = true;
    CHECK(exporter_redact(&f, list, key, &swapped));
    CHECK_I64(swapped.direction, 2);
    swapped.direction = 1;
    CHECK(memcmp(&r, &swapped, sizeof(r)) == 0);

    test_case("what does not count does not leave");
    f.is_counted = false;
    CHECK(!exporter_redact(&f, list, key, &r));
    f.is_counted = true;
    f.endpoint = ENDPOINT_NONE;
    CHECK(!exporter_redact(&f, list, key, &r));

    test_case("only protocol-like text leaves as application");
    f = sample_flow();
    f.application = "x\n{\"secret\": \"quite a long text\"}";
    CHECK(exporter_redact(&f, list, key, &r));
    CHECK_TEXT(r.application, "x___secret____quite_a_l");
    f.application = NULL;
    CHECK(exporter_redact(&f, list, key, &r));
    CHECK_TEXT(r.application, "");
    endpoint_list_free(list);
}

static void test_key(void)
{
    char folder[FOLDER_LEN], path[FOLDER_LEN + 20];
    uint8_t a[PSEUDONYM_KEY_LEN], b[PSEUDONYM_KEY_LEN];
    struct error_text error;
    struct stat info;
    test_case("the pseudonym key lives as long as its voucher period");
    folder_make(folder);
    snprintf(path, sizeof(path), "%s/pseudonym.key", folder);
    CHECK(exporter_load_key(path, "2026-1", a, &error));
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    CHECK(exporter_load_key(path, "2026-1", b, &error));
    CHECK(memcmp(a, b, sizeof(a)) == 0);
    CHECK(exporter_load_key(path, "2026-2", b, &error));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    CHECK(exporter_load_key(path, "2026-1", b, &error));
    CHECK(memcmp(a, b, sizeof(a)) != 0); /* the old one is gone for good */
    unlink(path);
    CHECK(!exporter_load_key("/nonexistent/x/key", "p", b, &error));
    CHECK(strstr(error.text, "/nonexistent/x/key") != NULL);
    folder_remove(folder);
}

struct read_batch {
    struct batch_reader *reader;
    enum batch_status status;
};

static struct read_batch read_back(const struct buffer *batch)
{
    struct read_batch r = {batch_reader_new(), BATCH_MALFORMED};
    bool complete = false;
    for (size_t at = 0; at < batch->length;) {
        int length = ipfix_message_length(batch->data + at, batch->length - at);
        if (!CHECK(length > 0))
            break;
        r.status = batch_reader_add(r.reader, batch->data + at, (size_t)length,
                                    &complete);
        at += (size_t)length;
    }
    CHECK(complete);
    return r;
}

static const struct batch_loss loss = {.first_sequence = 4,
                                       .last_sequence = 6,
                                       .batches = 3,
                                       .reason = LOSS_NO_ROOM};
static const struct exporter_period period = {
    .clock_quality = CLOCK_SYNCHRONISED,
    .packets_seen = 30,
    .packets_dropped = 1,
    .flows_evicted = 2,
    .losses = &loss,
    .loss_count = 1,
    .challenge = {9},
    .clock_offset_ms = -7,
};

static struct digest test_first_batch(struct exporter *e,
                                      const struct sign_key *signing,
                                      const struct endpoint_list *list)
{
    uint8_t key_bytes[SIGN_PUBLIC_MAX];
    size_t key_length = sign_key_public(signing, key_bytes);
    struct flow f = sample_flow();
    struct buffer batch;
    struct digest hash;
    test_case("a batch says what was seen, and is signed");
    CHECK(exporter_add(e, &f, wall_from_s(1010)));
    f.is_counted = false;
    CHECK(exporter_add(e, &f, wall_from_s(1010))); /* left out, not refused */
    CHECK(exporter_finish(e, &period, wall_from_s(1300), &batch, &hash));
    struct read_batch r = read_back(&batch);
    const struct batch_info *info = batch_reader_info(r.reader);
    CHECK_I64(r.status, BATCH_OK);
    CHECK_I64(batch_reader_verify(r.reader, SIGN_ED25519,
                                  slice_of_bytes(key_bytes, key_length)),
              BATCH_OK);
    CHECK_I64(info->sequence, 1);
    CHECK_I64(info->record_count, 1);
    CHECK_I64(info->packets_seen, 30);
    CHECK_I64(info->packets_dropped, 1);
    CHECK_I64(info->flows_evicted, 2);
    CHECK_I64(info->batches_lost, 3);
    CHECK_I64(info->challenge[0], 9);
    CHECK_I64(info->clock_offset_ms, -7);
    CHECK_I64(info->period_start_ms, 1000000);
    CHECK_I64(info->period_end_ms, 1300000);
    CHECK(digest_equal(info->registry_version, endpoint_list_version(list)));
    batch_reader_free(r.reader);
    buffer_clear(&batch);
    return hash;
}

static void test_next_batches(struct exporter *e, struct digest first)
{
    struct buffer batch;
    struct digest hash;
    test_case("empty batches too, chained without a gap in time or number");
    CHECK(exporter_finish(e, &period, wall_from_s(1600), &batch, &hash));
    struct read_batch r = read_back(&batch);
    const struct batch_info *info = batch_reader_info(r.reader);
    CHECK_I64(r.status, BATCH_OK);
    CHECK_I64(info->sequence, 2);
    CHECK_I64(info->record_count, 0);
    CHECK_I64(info->period_start_ms, 1300000);
    CHECK(digest_equal(info->previous_hash, first));
    batch_reader_free(r.reader);
    buffer_clear(&batch);

    test_case("a clock that was set back: an empty period, not a negative one");
    CHECK(exporter_finish(e, &period, wall_from_s(500), &batch, &hash));
    r = read_back(&batch);
    info = batch_reader_info(r.reader);
    CHECK(info->period_end_ms >= info->period_start_ms);
    batch_reader_free(r.reader);
    buffer_clear(&batch);
}

static void test_boot(const struct exporter_options *options)
{
    struct exporter *one = exporter_new(options), *two = exporter_new(options);
    struct buffer batch, other;
    struct digest first, second;
    test_case("a new start has a new boot id");
    CHECK(exporter_finish(one, &period, wall_from_s(1300), &batch, &first));
    CHECK(exporter_finish(two, &period, wall_from_s(1300), &other, &second));
    CHECK(!digest_equal(first, second));
    buffer_clear(&batch);
    buffer_clear(&other);
    exporter_free(one);
    exporter_free(two);
}

static void test_batches(void)
{
    struct endpoint_list *list = list_of();
    struct sign_key *signing = sign_key_generate(SIGN_ED25519);
    struct exporter_options options = {.probe_id = "probe-1",
                                       .key = signing,
                                       .endpoints = list,
                                       .start = wall_from_s(1000)};
    struct exporter *e = exporter_new(&options);
    test_next_batches(e, test_first_batch(e, signing, list));
    exporter_free(e);
    test_boot(&options);
    sign_key_free(signing);
    endpoint_list_free(list);
}

int main(void)
{
    test_redact();
    test_key();
    test_batches();
    return test_end();
}
