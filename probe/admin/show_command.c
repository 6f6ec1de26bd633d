#include "probe/admin/show_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/program.h"
#include "common/wire/batch.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/receipt.h"
#include "common/writer.h"

enum {
    FILE_MAX = 1024 * 1024 * 1024,
    OUTPUT_MAX = 1024 * 1024,
    FILES_MAX = 100000,
};

struct show {
    const char *name;
    const struct show_key *key;
    struct buffer *out;
    void (*flush)(struct buffer *out); /* NULL: the buffer takes it all */
    struct ipfix_session *session;
    struct batch_reader *reader;
    uint64_t messages, records, unknown_sets;
    bool is_receipt; /* a record of the message at hand is one */
    bool has_fault;
};

static void end_line(struct show *s, struct json_writer *json)
{
    json_object_end(json);
    buffer_add_text(s->out, "\n");
    if (s->flush != NULL)
        s->flush(s->out);
}

/* --- records --- */

static uint64_t uint_of(const struct ipfix_value *v)
{
    uint64_t value = 0;
    for (uint16_t i = 0; i < v->length; i++)
        value = value << 8 | v->data[i];
    return value;
}

static void add_address(struct json_writer *json, const char *name,
                        const struct ipfix_value *v, uint8_t version)
{
    char text[ADDRESS_TEXT_LEN];
    struct address a = {.version = version};
    memcpy(a.bytes, v->data, version == 4 ? 4 : 16);
    address_to_text(&a, text);
    json_text(json, name, text);
}

/* Lengths fit their types: the decoder refuses others with the template. */
static void add_value(struct json_writer *json, const char *name,
                      enum ipfix_type type, const struct ipfix_value *v)
{
    char text[WALL_TEXT_LEN];
    switch (type) {
    case IPFIX_UNSIGNED:
        json_u64(json, name, uint_of(v));
        return;
    case IPFIX_SIGNED:
        if (uint_of(v) == (uint64_t)INT64_MIN)
            json_no_value(json, name);
        else
            json_i64(json, name, (int64_t)uint_of(v));
        return;
    case IPFIX_MILLISECONDS:
        if (uint_of(v) > INT64_MAX / 1000000) {
            json_u64(json, name, uint_of(v));
            return;
        }
        wall_to_text(wall_from_ms((int64_t)uint_of(v)), text);
        json_text(json, name, text);
        return;
    case IPFIX_IPV4:
        add_address(json, name, v, 4);
        return;
    case IPFIX_IPV6:
        add_address(json, name, v, 6);
        return;
    case IPFIX_STRING:
        json_slice(json, name, slice_of_bytes(v->data, v->length));
        return;
    case IPFIX_OCTETS:
        json_hex(json, name, v->data, v->length);
        return;
    }
}

static bool print_record(void *context, const struct ipfix_record *record)
{
    struct show *s = context;
    struct json_writer json;
    char unknown[32];
    s->records++;
    s->is_receipt = s->is_receipt || (record->is_options &&
                                      record->template_id == TEMPLATE_RECEIPT);
    json_start(&json, s->out);
    json_object_begin(&json, NULL);
    json_u64(&json, "template", record->template_id);
    for (uint16_t i = 0; i < record->field_count; i++) {
        const struct ipfix_value *v = &record->fields[i];
        if (v->element >= 0) {
            const struct ipfix_element *e = &ipfix_elements[v->element];
            add_value(&json, e->name, e->type, v);
        } else {
            snprintf(unknown, sizeof(unknown), "unknown%u", i);
            json_hex(&json, unknown, v->data, v->length);
        }
    }
    end_line(s, &json);
    return true;
}

/* --- batches --- */

static const char *signature_state(struct show *s)
{
    if (!s->key->is_given)
        return "not checked: no key given";
    enum batch_status status =
        batch_reader_verify(s->reader, s->key->algorithm,
                            slice_of_bytes(s->key->bytes, s->key->length));
    if (status == BATCH_OK)
        return "valid";
    s->has_fault = true;
    return batch_status_text(status);
}

static void print_batch(struct show *s, enum batch_status content)
{
    struct json_writer json;
    char hex[DIGEST_HEX_LEN];
    digest_to_hex(batch_reader_hash(s->reader), hex);
    if (content != BATCH_OK)
        s->has_fault = true;
    json_start(&json, s->out);
    json_object_begin(&json, NULL);
    json_text(&json, "batchHash", hex);
    json_text(&json, "content",
              content == BATCH_OK ? "as signed" : batch_status_text(content));
    json_text(&json, "signature", signature_state(s));
    json_text(&json, "algorithm",
              sign_algorithm_name(batch_reader_info(s->reader)->algorithm));
    json_u64(&json, "octets", batch_reader_bytes(s->reader).length);
    end_line(s, &json);
}

static void print_fault(struct show *s, size_t offset, const char *reason)
{
    struct json_writer json;
    s->has_fault = true;
    json_start(&json, s->out);
    json_object_begin(&json, NULL);
    json_text(&json, "file", s->name);
    json_u64(&json, "offset", offset);
    json_text(&json, "fault", reason);
    end_line(s, &json);
}

/* Its fields stand in the line before. */
static void print_receipt(struct show *s, const uint8_t *message, size_t length)
{
    struct json_writer json;
    struct receipt receipt = {0};
    const struct show_key *key = s->key;
    bool is_valid =
        key->is_given &&
        receipt_decode(message, length, key->algorithm,
                       slice_of_bytes(key->bytes, key->length), &receipt);
    s->has_fault = s->has_fault || (key->is_given && !is_valid);
    json_start(&json, s->out);
    json_object_begin(&json, NULL);
    if (is_valid)
        json_text(&json, "receipt", receipt_status_text(receipt.status));
    json_text(&json, "receiptSignature",
              is_valid        ? "valid"
              : key->is_given ? "wrong, or no receipt"
                              : "not checked: no key given");
    end_line(s, &json);
}

static void note_session(struct show *s)
{
    s->unknown_sets += ipfix_session_counters(s->session)->unknown_sets;
}

/* A batch brings its own templates, and so does a receipt. */
static bool begin_session(struct show *s)
{
    note_session(s);
    ipfix_session_free(s->session);
    s->session = ipfix_session_new();
    return s->session != NULL;
}

/* A message is read twice: for its records, and as part of its batch. */
static bool show_message(struct show *s, const uint8_t *message, size_t length,
                         size_t offset)
{
    bool is_complete = false;
    s->is_receipt = false;
    enum ipfix_status status =
        ipfix_decode_message(s->session, message, length, print_record, s);
    s->messages++;
    if (status != IPFIX_OK) {
        print_fault(s, offset, ipfix_status_text(status));
        return false;
    }
    if (s->is_receipt && batch_reader_bytes(s->reader).length == 0) {
        print_receipt(s, message, length);
        return begin_session(s);
    }
    enum batch_status content =
        batch_reader_add(s->reader, message, length, &is_complete);
    if (!is_complete && content == BATCH_OK)
        return true;
    if (is_complete)
        print_batch(s, content);
    else
        print_fault(s, offset, batch_status_text(content));
    batch_reader_next(s->reader);
    return begin_session(s);
}

static size_t show_messages(struct show *s, struct slice content)
{
    const uint8_t *data = (const uint8_t *)content.data;
    size_t offset = 0;
    while (offset < content.length) {
        size_t left = content.length - offset;
        int length = ipfix_message_length(data + offset, left);
        if (length <= 0 || (size_t)length > left) {
            print_fault(s, offset,
                        length < 0 ? "not an IPFIX message" : "cut off");
            break;
        }
        if (!show_message(s, data + offset, (size_t)length, offset))
            break;
        offset += (size_t)length;
    }
    return offset;
}

static void print_sums(struct show *s, size_t length, size_t shown)
{
    struct json_writer json;
    if (s->session != NULL)
        note_session(s);
    if (batch_reader_bytes(s->reader).length > 0)
        print_fault(s, shown, "the last batch has no signature");
    json_start(&json, s->out);
    json_object_begin(&json, NULL);
    json_text(&json, "file", s->name);
    json_u64(&json, "octets", length);
    json_u64(&json, "octetsShown", shown);
    json_u64(&json, "messages", s->messages);
    json_u64(&json, "records", s->records);
    json_u64(&json, "setsWithoutTemplate", s->unknown_sets);
    end_line(s, &json);
    if (s->unknown_sets > 0)
        s->has_fault = true;
}

bool show_content(struct slice content, const char *name,
                  const struct show_key *key, struct buffer *out,
                  void (*flush)(struct buffer *out))
{
    struct show s = {.name = name,
                     .key = key,
                     .out = out,
                     .flush = flush,
                     .session = ipfix_session_new(),
                     .reader = batch_reader_new()};
    bool good = s.session != NULL && s.reader != NULL;
    if (good) {
        size_t shown = show_messages(&s, content);
        print_sums(&s, content.length, shown);
        good = !s.has_fault && !out->failed;
    }
    batch_reader_free(s.reader);
    ipfix_session_free(s.session);
    return good;
}

/* --- the command --- */

static void write_out(struct buffer *out)
{
    fwrite(out->data, 1, out->length, stdout);
    buffer_reset(out);
}

static int show_file(const char *path, const struct show_key *key)
{
    struct buffer content, lines;
    int status = 0;
    buffer_init(&lines, OUTPUT_MAX);
    if (!buffer_read_file(&content, path, FILE_MAX)) {
        log_error("%s: %s", path, strerror(errno));
        status = 2;
    } else if (!show_content(buffer_slice(&content), path, key, &lines,
                             write_out)) {
        log_error("%s: not all of it is as it should be; see the lines with "
                  "\"fault\", \"content\" and \"signature\"",
                  path);
        status = 1;
    }
    buffer_clear(&lines);
    buffer_clear(&content);
    return status;
}

int show_command_main(int argc, char **argv)
{
    const char *key_path = NULL, *config = NULL;
    struct show_key key = {0};
    struct error_text error;
    int worst = 0;
    const struct program_option options[] = {
        {.name = "--key", .value = &key_path},
        {.name = "-c", .value = &config}};
    int count =
        program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 1, FILES_MAX);
    if (count < 0)
        return 2;
    if (key_path != NULL) {
        key.length =
            sign_public_load(key_path, &key.algorithm, key.bytes, &error);
        key.is_given = key.length > 0;
        if (!key.is_given) {
            log_error("%s", error.text);
            return 2;
        }
    }
    for (int i = 1; i <= count; i++) {
        int status = show_file(argv[i], &key);
        if (status > worst)
            worst = status;
    }
    return worst;
}
