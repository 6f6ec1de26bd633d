/* Batches: written and read back, chained, and every way of changing one. */
#include "common/wire/batch.h"

#include "common/wire/ipfix_decode.h"
#include "tests/common/wire/sample_flow.h"
#include "tests/test.h"

static const int64_t start_ms = 1790000000000;

static struct flow_record sample(int i)
{
    struct flow_record r = sample_flow(start_ms + i * 1000, 0x8123456789abcdef);
    r.end_ms = r.start_ms + 250;
    snprintf(r.endpoint_id, sizeof(r.endpoint_id), "erp-a");
    r.is_ipv6 = i % 3 == 2;
    r.octets += (uint64_t)i;
    r.packets = 9;
    r.roctets = 20000, r.rpackets = 18, r.rpayload = 19000;
    r.rtcp_flags = 0x1a;
    r.rtt_us = 12345;
    r.burst_count = 3;
    memcpy(r.token, (uint8_t[FLOW_TOKEN_LEN]){1, 2, 3}, FLOW_TOKEN_LEN);
    memcpy(r.fingerprint, (uint8_t[FINGERPRINT_LEN]){9, 8}, FINGERPRINT_LEN);
    return r;
}

static struct batch_info sample_info(void)
{
    struct batch_info info = {.probe_id = "probe-0001",
                              .boot_id = {7, 7, 7},
                              .sequence = 1,
                              .period_start_ms = start_ms,
                              .period_end_ms = start_ms + 300000,
                              .clock_quality = CLOCK_SYNCHRONISED,
                              .packets_seen = 100,
                              .packets_dropped = 1,
                              .flows_evicted = 2,
                              .batches_lost = 3,
                              .software_hash = {{1}},
                              .registry_version = {{2}}};
    return info;
}

enum { LOSS_BYTES = 16 + 7 * 8 + 1 };

static struct sign_key *key;
static uint8_t public_bytes[SIGN_PUBLIC_MAX];
static struct slice public_key;

static void use_key(enum sign_algorithm algorithm)
{
    sign_key_free(key);
    key = sign_key_generate(algorithm);
    public_key =
        slice_of_bytes(public_bytes, sign_key_public(key, public_bytes));
}

/* The batch is the caller's to clear. */
static struct buffer make_batch(int count, struct batch_info *info,
                                struct digest *hash)
{
    struct buffer out;
    struct batch_writer *w = batch_writer_new(1, 0);
    for (int i = 0; i < count; i++) {
        struct flow_record r = sample(i);
        CHECK(batch_writer_add(w, &r, (uint32_t)(start_ms / 1000)));
    }
    CHECK(batch_writer_finish(w, info, key, (uint32_t)(start_ms / 1000), &out,
                              hash));
    batch_writer_free(w);
    return out;
}

/* Reads messages up to the first batch that is complete; `left` is what came
 * after it. BATCH_MALFORMED also when no batch was completed. */
static enum batch_status read_batch(struct batch_reader *r, const uint8_t *data,
                                    size_t length, size_t *left)
{
    bool complete = false;
    *left = length;
    while (!complete && *left > 0) {
        int size = ipfix_message_length(data, *left);
        if (size <= 0 || (size_t)size > *left)
            return BATCH_MALFORMED;
        enum batch_status status =
            batch_reader_add(r, data, (size_t)size, &complete);
        if (status != BATCH_OK)
            return status;
        data += size;
        *left -= (size_t)size;
    }
    return complete ? BATCH_OK : BATCH_MALFORMED;
}

static enum batch_status read_and_verify(const uint8_t *data, size_t length)
{
    size_t left;
    struct batch_reader *r = batch_reader_new();
    enum batch_status status = read_batch(r, data, length, &left);
    if (status == BATCH_OK && left != 0)
        status = BATCH_MALFORMED;
    if (status == BATCH_OK)
        status = batch_reader_verify(r, sign_key_algorithm(key), public_key);
    batch_reader_free(r);
    return status;
}

static void check_info(const struct batch_info *a, const struct batch_info *b)
{
    CHECK_TEXT(a->probe_id, b->probe_id);
    CHECK(memcmp(a->boot_id, b->boot_id, BOOT_ID_LEN) == 0);
    CHECK_I64(a->sequence, b->sequence);
    CHECK(digest_equal(a->previous_hash, b->previous_hash));
    CHECK_I64(a->period_start_ms, b->period_start_ms);
    CHECK_I64(a->period_end_ms, b->period_end_ms);
    CHECK_I64(a->clock_quality, b->clock_quality);
    CHECK_I64(a->packets_seen, b->packets_seen);
    CHECK_I64(a->packets_dropped, b->packets_dropped);
    CHECK_I64(a->flows_evicted, b->flows_evicted);
    CHECK_I64(a->batches_lost, b->batches_lost);
    CHECK(digest_equal(a->software_hash, b->software_hash));
    CHECK(digest_equal(a->registry_version, b->registry_version));
    CHECK_I64(a->record_count, b->record_count);
    CHECK_I64(a->octets, b->octets);
    CHECK_I64(a->packets, b->packets);
    CHECK(digest_equal(a->content_hash, b->content_hash));
    CHECK_I64(a->algorithm, b->algorithm);
}

static void check_round_trip(int count)
{
    struct digest hash;
    size_t left;
    struct batch_info info = sample_info();
    struct buffer batch = make_batch(count, &info, &hash);
    struct batch_reader *r = batch_reader_new();
    CHECK_I64(read_batch(r, batch.data, batch.length, &left), BATCH_OK);
    CHECK_I64(left, 0);
    CHECK_I64(batch_reader_verify(r, sign_key_algorithm(key), public_key),
              BATCH_OK);
    CHECK_I64(batch_reader_count(r), count);
    CHECK_I64(batch_reader_dropped(r), 0);
    CHECK(digest_equal(batch_reader_hash(r), hash));
    CHECK(slice_equal(batch_reader_bytes(r), buffer_slice(&batch)));
    check_info(batch_reader_info(r), &info);
    for (int i = 0; i < count; i++) {
        struct flow_record want = sample(i);
        const struct flow_record *got = batch_reader_record(r, (size_t)i);
        CHECK_TEXT(got->endpoint_id, want.endpoint_id);
        CHECK_TEXT(got->application, want.application);
        CHECK(got->octets == want.octets && got->is_ipv6 == want.is_ipv6 &&
              got->start_ms == want.start_ms && got->end_ms == want.end_ms &&
              got->host_pseudonym == want.host_pseudonym &&
              memcmp(got->token, want.token, FLOW_TOKEN_LEN) == 0);
    }
    CHECK(batch_reader_record(r, (size_t)count) == NULL);
    batch_reader_free(r);
    buffer_clear(&batch);
}

static void test_round_trip(void)
{
    test_case("a small batch comes back as it was written (Ed25519)");
    use_key(SIGN_ED25519);
    check_round_trip(7);
    test_case("the same with SM2 and SM3");
    use_key(SIGN_SM2_SM3);
    check_round_trip(7);
    use_key(SIGN_ED25519);
    test_case("an empty batch is a batch");
    check_round_trip(0);
    test_case("a batch of several messages");
    check_round_trip(3000);
}

static void test_chain(void)
{
    test_case("batches in one stream; record numbers go on; memory is reused");
    struct batch_writer *w = batch_writer_new(5, UINT32_MAX - 3);
    struct batch_reader *r = batch_reader_new();
    struct digest hash = {{0}}, previous = {{0}};
    uint32_t number = UINT32_MAX - 3;
    for (uint64_t sequence = 1; sequence <= 5; sequence++) {
        struct batch_info info = sample_info();
        struct buffer out;
        size_t left;
        info.sequence = sequence;
        info.previous_hash = previous;
        for (uint64_t i = 0; i < sequence; i++) {
            struct flow_record record = sample((int)i);
            CHECK(batch_writer_add(w, &record, 1));
        }
        CHECK(batch_writer_finish(w, &info, key, 1, &out, &hash));
        number += (uint32_t)sequence + 2;
        CHECK_I64(batch_writer_sequence(w), number);
        CHECK_I64(read_batch(r, out.data, out.length, &left), BATCH_OK);
        CHECK(digest_equal(batch_reader_info(r)->previous_hash, previous));
        CHECK(digest_equal(batch_reader_hash(r), hash));
        CHECK_I64(batch_reader_count(r), (int64_t)sequence);
        batch_reader_next(r);
        previous = hash;
        buffer_clear(&out);
    }
    batch_reader_free(r);
    batch_writer_free(w);
}

static void test_every_bit(void)
{
    struct digest hash;
    struct batch_info info = sample_info();
    struct buffer batch = make_batch(3, &info, &hash);
    test_case("every single changed bit of a batch is found");
    CHECK_I64(read_and_verify(batch.data, batch.length), BATCH_OK);
    size_t missed = 0;
    for (size_t bit = 0; bit < batch.length * 8; bit++) {
        batch.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        missed += read_and_verify(batch.data, batch.length) == BATCH_OK;
        batch.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_I64(missed, 0);

    test_case("a batch cut off at any byte is no batch");
    for (size_t length = 0; length < batch.length; length++)
        missed += read_and_verify(batch.data, length) == BATCH_OK;
    CHECK_I64(missed, 0);

    test_case("a batch cut off inside its messages never completes");
    for (size_t length = 1; length < batch.length; length++) {
        /* An exact copy, so that the sanitizer sees a read past its end. */
        uint8_t *copy = malloc(length);
        bool complete;
        memcpy(copy, batch.data, length);
        struct batch_reader *r = batch_reader_new();
        batch_reader_add(r, copy, length, &complete);
        CHECK(!complete);
        batch_reader_free(r);
        free(copy);
    }
    buffer_clear(&batch);
}

static void test_keys(void)
{
    struct digest hash;
    size_t left;
    struct batch_info info = sample_info();
    struct buffer batch = make_batch(1, &info, &hash);
    uint8_t other_bytes[SIGN_PUBLIC_MAX];
    struct sign_key *other = sign_key_generate(SIGN_ED25519);
    struct slice other_key =
        slice_of_bytes(other_bytes, sign_key_public(other, other_bytes));
    test_case("another key, another algorithm, an unfinished batch");
    struct batch_reader *r = batch_reader_new();
    CHECK_I64(batch_reader_verify(r, SIGN_ED25519, public_key),
              BATCH_MALFORMED);
    CHECK_I64(read_batch(r, batch.data, batch.length, &left), BATCH_OK);
    CHECK_I64(batch_reader_verify(r, SIGN_ED25519, other_key),
              BATCH_BAD_SIGNATURE);
    CHECK_I64(batch_reader_verify(r, SIGN_SM2_SM3, public_key),
              BATCH_BAD_SIGNATURE);
    CHECK_I64(batch_reader_verify(r, SIGN_ED25519, public_key), BATCH_OK);
    batch_reader_free(r);
    sign_key_free(other);
    buffer_clear(&batch);
}

/* --- batches that a dishonest but well-keyed probe could make --- */

/* Splits a batch into its messages: offset of the last one. */
static size_t last_message(const struct buffer *batch)
{
    size_t offset = 0;
    for (;;) {
        int size =
            ipfix_message_length(batch->data + offset, batch->length - offset);
        if (offset + (size_t)size == batch->length)
            return offset;
        offset += (size_t)size;
    }
}

static void test_splices(void)
{
    struct digest hash;
    size_t left;
    struct batch_info info = sample_info();
    struct buffer a = make_batch(3, &info, &hash);
    struct buffer b = make_batch(4, &info, &hash);
    struct buffer spliced;
    size_t a_last = last_message(&a), b_last = last_message(&b);

    test_case("records of one batch under the seal of another");
    buffer_init(&spliced, BATCH_SIZE_MAX);
    buffer_add(&spliced, a.data, a_last);
    buffer_add(&spliced, b.data + b_last, b.length - b_last);
    CHECK_I64(read_and_verify(spliced.data, spliced.length), BATCH_BAD_CONTENT);

    test_case("a record message twice, or none");
    buffer_reset(&spliced);
    buffer_add(&spliced, a.data, a_last);
    buffer_add(&spliced, a.data, a.length);
    CHECK_I64(read_and_verify(spliced.data, spliced.length), BATCH_BAD_CONTENT);
    CHECK_I64(read_and_verify(a.data + a_last, a.length - a_last),
              BATCH_BAD_CONTENT);

    test_case("messages after the seal belong to the next batch");
    buffer_reset(&spliced);
    buffer_add_slice(&spliced, buffer_slice(&a));
    buffer_add_slice(&spliced, buffer_slice(&b));
    struct batch_reader *r = batch_reader_new();
    CHECK_I64(read_batch(r, spliced.data, spliced.length, &left), BATCH_OK);
    CHECK_I64(left, (int64_t)b.length);
    batch_reader_free(r);
    buffer_clear(&spliced);
    buffer_clear(&a);
    buffer_clear(&b);
}

/* A message with what the caller adds between begin and end. */
typedef void fill_fn(struct ipfix_message *m);

static enum batch_status read_made(fill_fn *fill)
{
    struct buffer out;
    struct ipfix_message m;
    size_t left;
    buffer_init(&out, 65536);
    ipfix_message_begin(&m, &out, 1, 0, 1);
    fill(&m);
    CHECK(ipfix_message_end(&m));
    struct batch_reader *r = batch_reader_new();
    enum batch_status status = read_batch(r, out.data, out.length, &left);
    batch_reader_free(r);
    buffer_clear(&out);
    return status;
}

static void fill_unknown_set(struct ipfix_message *m)
{
    ipfix_set_begin(m, 999);
    buffer_add_u32(m->out, 0);
    ipfix_set_end(m);
}

static const enum ipfix_element_id version_fields[] = {IE_BATCH_SEQUENCE,
                                                       IE_BATCH_VERSION};
static const struct ipfix_template version_template = {TEMPLATE_BATCH, 1, 2,
                                                       version_fields};

static void fill_version(struct ipfix_message *m, uint8_t version)
{
    ipfix_add_template(m, &version_template);
    ipfix_set_begin(m, TEMPLATE_BATCH);
    ipfix_add_uint(m, IE_BATCH_SEQUENCE, 1);
    ipfix_add_uint(m, IE_BATCH_VERSION, version);
    ipfix_set_end(m);
}

static void fill_version_2(struct ipfix_message *m)
{
    fill_version(m, 2);
}

static void fill_version_1(struct ipfix_message *m)
{
    fill_version(m, 1);
}

static const enum ipfix_element_id signature_fields[] = {IE_BATCH_SEQUENCE,
                                                         IE_SIGNATURE};
static const struct ipfix_template signature_template = {
    TEMPLATE_BATCH_SIGNATURE, 1, 2, signature_fields};

static void fill_signature_alone(struct ipfix_message *m)
{
    static const uint8_t zero[SIGN_LEN];
    ipfix_add_template(m, &signature_template);
    ipfix_set_begin(m, TEMPLATE_BATCH_SIGNATURE);
    ipfix_add_uint(m, IE_BATCH_SEQUENCE, 1);
    ipfix_add_octets(m, IE_SIGNATURE, zero);
    ipfix_set_end(m);
}

static void fill_signature_twice(struct ipfix_message *m)
{
    static const uint8_t zero[SIGN_LEN];
    fill_signature_alone(m);
    ipfix_set_begin(m, TEMPLATE_BATCH_SIGNATURE);
    ipfix_add_uint(m, IE_BATCH_SEQUENCE, 1);
    ipfix_add_octets(m, IE_SIGNATURE, zero);
    ipfix_set_end(m);
}

static void test_shapes(void)
{
    test_case("messages of other shapes are no batch");
    CHECK_I64(read_made(fill_unknown_set), BATCH_MALFORMED);
    CHECK_I64(read_made(fill_version_2), BATCH_BAD_VERSION);
    CHECK_I64(read_made(fill_version_1), BATCH_MALFORMED);
    CHECK_I64(read_made(fill_signature_alone), BATCH_MALFORMED);
    CHECK_I64(read_made(fill_signature_twice), BATCH_MALFORMED);
    CHECK_TEXT(batch_status_text(BATCH_OK), "ok");
    CHECK_TEXT(batch_status_text(99), "unknown");
}

/* Seals a batch again after its content was changed: new content hash, new
 * batch hash, new signature. */
static void seal_again(struct buffer *batch)
{
    enum { SIGNATURE_SET = 4 + 8 + SIGN_LEN };
    uint8_t bytes[sizeof(BATCH_SIGN_PREFIX) - 1 + DIGEST_LEN];
    size_t prefix = sizeof(BATCH_SIGN_PREFIX) - 1, last = last_message(batch);
    size_t end = batch->length - SIGNATURE_SET;
    struct digest content = digest_of(batch->data, last);
    memcpy(batch->data + end - 1 - DIGEST_LEN, content.bytes, DIGEST_LEN);
    struct digest hash = digest_of(batch->data + last, end - last);
    memcpy(bytes, BATCH_SIGN_PREFIX, prefix);
    memcpy(bytes + prefix, hash.bytes, DIGEST_LEN);
    CHECK(sign_make(key, bytes, sizeof(bytes),
                    batch->data + batch->length - SIGN_LEN));
}

/* The IPv4 template's last field becomes one that is not ours. */
static void test_foreign_record(void)
{
    static const uint8_t specifier[] = {0x80, 3, 0, 8, 0, 0, 0x7e, 0xd9};
    test_case("VER-06: records with other fields are dropped and counted");
    struct batch_info info = sample_info();
    struct digest hash;
    size_t left;
    struct buffer batch = make_batch(3, &info, &hash); /* the third is IPv6 */
    uint8_t *at =
        memmem(batch.data, batch.length, specifier, sizeof(specifier));
    if (CHECK(at != NULL))
        at[1] = 99;
    CHECK_I64(read_and_verify(batch.data, batch.length), BATCH_BAD_CONTENT);
    seal_again(&batch);
    struct batch_reader *r = batch_reader_new();
    CHECK_I64(read_batch(r, batch.data, batch.length, &left), BATCH_OK);
    CHECK_I64(batch_reader_verify(r, SIGN_ED25519, public_key), BATCH_OK);
    CHECK_I64(batch_reader_dropped(r), 2);
    CHECK_I64(batch_reader_count(r), 1);
    CHECK_I64(batch_reader_info(r)->record_count, 3);
    batch_reader_free(r);
    buffer_clear(&batch);
}

static struct batch_loss sample_loss(uint64_t i)
{
    struct batch_loss loss = {.boot_id = {3},
                              .first_sequence = 10 * i + 1,
                              .last_sequence = 10 * i + 4,
                              .batches = 4,
                              .period_start_ms = start_ms,
                              .period_end_ms = start_ms + 1200000,
                              .record_count = i,
                              .octets = 1000 * i,
                              .reason = LOSS_NO_ROOM};
    return loss;
}

static struct buffer make_with_losses(int flows, uint64_t losses)
{
    struct buffer out;
    struct digest hash;
    struct batch_info info = sample_info();
    struct batch_writer *w = batch_writer_new(1, 0);
    for (int i = 0; i < flows; i++) {
        struct flow_record record = sample(i);
        CHECK(batch_writer_add(w, &record, 1000));
    }
    for (uint64_t i = 0; i < losses; i++) {
        struct batch_loss loss = sample_loss(i);
        CHECK(batch_writer_add_loss(w, &loss, 1000) == (i < BATCH_LOSS_MAX));
    }
    CHECK(batch_writer_finish(w, &info, key, 1000, &out, &hash));
    batch_writer_free(w);
    return out;
}

static void test_losses(void)
{
    static const uint64_t counts[] = {0, 1, 3, BATCH_LOSS_MAX,
                                      BATCH_LOSS_MAX + 1};
    struct batch_summary *summary = malloc(sizeof(*summary));
    test_case("loss records are there and back, up to their bound");
    for (size_t c = 0; c < 5; c++) {
        uint64_t want = counts[c] > BATCH_LOSS_MAX ? BATCH_LOSS_MAX : counts[c];
        struct buffer batch = make_with_losses(2, counts[c]);
        struct batch_reader *r = batch_reader_new();
        size_t left;
        CHECK_I64(read_batch(r, batch.data, batch.length, &left), BATCH_OK);
        CHECK_I64(batch_reader_verify(r, SIGN_ED25519, public_key), BATCH_OK);
        CHECK_I64(batch_reader_count(r), 2);
        CHECK_I64(batch_reader_loss_count(r), want);
        for (uint64_t i = 0; i < want; i += 99)
            CHECK_I64(batch_reader_loss(r, i)->first_sequence, 10 * i + 1);
        CHECK(batch_summary_of(buffer_slice(&batch), summary));
        CHECK_I64(summary->loss_count, want);
        CHECK_I64(summary->info.sequence, 1);
        batch_reader_free(r);
        buffer_clear(&batch);
    }
    free(summary);

    test_case("a changed byte of a loss record is found");
    struct buffer batch = make_with_losses(0, 1);
    size_t last = last_message(&batch);
    for (size_t i = last - LOSS_BYTES; i < last; i++) {
        batch.data[i] ^= 1;
        CHECK(read_and_verify(batch.data, batch.length) != BATCH_OK);
        batch.data[i] ^= 1;
    }
    CHECK_I64(read_and_verify(batch.data, batch.length), BATCH_OK);
    buffer_clear(&batch);
}

/* Well signed, but its numbers are not those of its records. */
static void test_wrong_totals(void)
{
    test_case("a signed record count or total that is wrong is found");
    /* From the end: signature set, algorithm, content hash, packets, octets,
     * record count. */
    static const size_t from_end[] = {76 + 33 + 1, 76 + 33 + 9, 76 + 33 + 17};
    for (size_t i = 0; i < 3; i++) {
        struct batch_info info = sample_info();
        struct digest hash;
        struct buffer batch = make_batch(3, &info, &hash);
        seal_again(&batch);
        CHECK_I64(read_and_verify(batch.data, batch.length), BATCH_OK);
        batch.data[batch.length - from_end[i]]++;
        seal_again(&batch);
        CHECK_I64(read_and_verify(batch.data, batch.length), BATCH_BAD_CONTENT);
        buffer_clear(&batch);
    }
}

static void test_limits(void)
{
    test_case("totals that no store could hold are refused when written");
    struct batch_writer *w = batch_writer_new(1, 0);
    struct flow_record r = sample(0);
    r.octets = INT64_MAX;
    CHECK(!batch_writer_add(w, &r, 1));
    r.octets = INT64_MAX - r.roctets;
    CHECK(batch_writer_add(w, &r, 1));
    CHECK(!batch_writer_add(w, &r, 1));
    batch_writer_free(w);

    test_case("a batch ends at its record limit");
    w = batch_writer_new(1, 0);
    r = sample(0);
    int64_t n = 0;
    while (n <= BATCH_RECORD_MAX && batch_writer_add(w, &r, 1))
        n++;
    CHECK(n > 300000 && n <= BATCH_RECORD_MAX);
    struct batch_info info = sample_info();
    struct digest hash;
    struct buffer out;
    CHECK(batch_writer_finish(w, &info, key, 1, &out, &hash));
    CHECK(out.length <= BATCH_SIZE_MAX);
    CHECK_I64(read_and_verify(out.data, out.length), BATCH_OK);
    buffer_clear(&out);
    batch_writer_free(w);
}

int main(void)
{
    test_round_trip();
    test_chain();
    test_every_bit();
    test_keys();
    test_splices();
    test_shapes();
    test_foreign_record();
    test_losses();
    test_wrong_totals();
    test_limits();
    sign_key_free(key);
    return test_end();
}
