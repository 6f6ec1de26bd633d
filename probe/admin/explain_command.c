/*
 * The sentences stand in text/explain.po, with {names} for what the
 * configuration says and `back quotes` around what can be typed; both output
 * forms use the same. What a field means is in text/ipfix.po.
 */
#include "probe/admin/explain_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/columns.h"
#include "common/program.h"
#include "common/wire/batch.h"
#include "common/wire/endpoint.h"
#include "common/wire/ipfix_decode.h"
#include "common/writer.h"
#include "probe/state/probe_config.h"

enum {
    PAGE_MAX = 1024 * 1024,
    TEXT_WIDTH = 112,
    NUMBER_WIDTH = 10,
    NAME_WIDTH = 25,
    BYTES_WIDTH = 6,
    MEANING_WIDTH = 47,
    EXAMPLE_BYTES = 8, /* shown of hashes */
};

/* --- what the page is made of --- */

enum { EXPLAIN_FIELDS_MAX = 128, EXPLAIN_EXAMPLE_LEN = 48 };

enum explain_part { EXPLAIN_FLOW, EXPLAIN_BATCH, EXPLAIN_PART_COUNT };

struct explain_field {
    enum explain_part part;
    const struct ipfix_element *element;
    char example[EXPLAIN_EXAMPLE_LEN];
};

struct explain_fields {
    struct explain_field list[EXPLAIN_FIELDS_MAX];
    size_t count;
    bool has_fault; /* too many, or an element that is not in the table */
};

struct explain_page {
    const struct probe_config *config;
    const char *config_path; /* NULL: none was given, names stand for values */
    uint64_t endpoint_count; /* registered prefixes */
    const struct explain_fields *fields;
};

/* --- the fields --- */

static uint64_t uint_of(const struct ipfix_value *v)
{
    uint64_t value = 0;
    for (uint16_t i = 0; i < v->length && i < 8; i++)
        value = value << 8 | v->data[i];
    return value;
}

static void put_address(char text[static EXPLAIN_EXAMPLE_LEN],
                        const struct ipfix_value *v, uint8_t version)
{
    struct address a = {.version = version};
    char buffer[ADDRESS_TEXT_LEN];
    memcpy(a.bytes, v->data, version == 4 ? 4 : 16);
    address_to_text(&a, buffer);
    snprintf(text, EXPLAIN_EXAMPLE_LEN, "%s", buffer);
}

static void put_octets(char text[static EXPLAIN_EXAMPLE_LEN],
                       const struct ipfix_value *v)
{
    char hex[2 * EXAMPLE_BYTES + 1];
    size_t shown = v->length < EXAMPLE_BYTES ? v->length : EXAMPLE_BYTES;
    hex_of(v->data, shown, hex);
    snprintf(text, EXPLAIN_EXAMPLE_LEN, "%s%s", hex,
             shown < v->length ? "…" : "");
}

static void put_number(char text[static EXPLAIN_EXAMPLE_LEN],
                       const struct ipfix_value *v)
{
    uint64_t value = uint_of(v);
    if (v->element == IE_NAME_EVIDENCE)
        snprintf(text, EXPLAIN_EXAMPLE_LEN, "%" PRIu64 " (%s)", value,
                 name_evidence_text((enum name_evidence)value));
    else if (v->element == IE_HOST_PSEUDONYM)
        snprintf(text, EXPLAIN_EXAMPLE_LEN, "0x%016" PRIx64, value);
    else
        snprintf(text, EXPLAIN_EXAMPLE_LEN, "%" PRIu64, value);
}

static void put_example(char text[static EXPLAIN_EXAMPLE_LEN],
                        const struct ipfix_value *v)
{
    char time[WALL_TEXT_LEN];
    switch (ipfix_elements[v->element].type) {
    case IPFIX_UNSIGNED:
        put_number(text, v);
        return;
    case IPFIX_SIGNED:
        snprintf(text, EXPLAIN_EXAMPLE_LEN, "%" PRId64, (int64_t)uint_of(v));
        return;
    case IPFIX_MILLISECONDS:
        wall_to_text(wall_from_ms((int64_t)(uint_of(v) & INT64_MAX)), time);
        snprintf(text, EXPLAIN_EXAMPLE_LEN, "%s", time);
        return;
    case IPFIX_IPV4:
    case IPFIX_IPV6:
        put_address(text, v, v->length == 4 ? 4 : 6);
        return;
    case IPFIX_STRING:
        snprintf(text, EXPLAIN_EXAMPLE_LEN, "%.*s", (int)v->length,
                 (const char *)v->data);
        return;
    case IPFIX_OCTETS:
        put_octets(text, v);
        return;
    }
}

static bool is_listed(const struct explain_fields *f, enum explain_part part,
                      const struct ipfix_element *element)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].part == part && f->list[i].element == element)
            return true;
    }
    return false;
}

/* Behind the field that was last met in this part, so that the address of the
 * second flow template comes to stand beside that of the first. */
static void insert(struct explain_fields *f, size_t at,
                   const struct explain_field *field)
{
    if (f->count >= EXPLAIN_FIELDS_MAX) {
        f->has_fault = true;
        return;
    }
    memmove(&f->list[at + 1], &f->list[at],
            (f->count - at) * sizeof(f->list[0]));
    f->list[at] = *field;
    f->count++;
}

static bool is_in(const struct ipfix_record *record,
                  const struct ipfix_element *element)
{
    for (uint16_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].element >= 0 &&
            &ipfix_elements[record->fields[i].element] == element)
            return true;
    }
    return false;
}

/* Behind `before`, the field in front of it in its record, and behind those
 * that only other records have at this place. */
static size_t place_behind(const struct explain_fields *f,
                           enum explain_part part,
                           const struct ipfix_element *before,
                           const struct ipfix_record *record)
{
    size_t i = 0;
    while (i < f->count &&
           (f->list[i].part != part || f->list[i].element != before))
        i++;
    if (i < f->count)
        i++;
    while (i < f->count && f->list[i].part == part &&
           !is_in(record, f->list[i].element))
        i++;
    return i;
}

static bool take_record(void *context, const struct ipfix_record *record)
{
    struct explain_fields *f = context;
    enum explain_part part = record->is_options ? EXPLAIN_BATCH : EXPLAIN_FLOW;
    const struct ipfix_element *before = NULL;
    for (uint16_t i = 0; i < record->field_count; i++) {
        const struct ipfix_value *v = &record->fields[i];
        if (v->element < 0) {
            f->has_fault = true;
            continue;
        }
        struct explain_field field = {.part = part,
                                      .element = &ipfix_elements[v->element]};
        put_example(field.example, v);
        if (v->element == IE_SIGNATURE) /* of a key made up on the spot */
            snprintf(field.example, sizeof(field.example), "…");
        if (!is_listed(f, part, field.element))
            insert(f, place_behind(f, part, before, record), &field);
        before = field.element;
    }
    return true;
}

static struct flow_record sample_flow(bool is_ipv6)
{
    struct flow_record r = {
        .start_ms = 1795420800000,
        .end_ms = 1795420812345,
        .endpoint_id = "erp-1",
        .address = {203, 0, 113, 10},
        .port = 443,
        .protocol = 6,
        .octets = 5230,
        .packets = 18,
        .payload = 4270,
        .roctets = 48211,
        .rpackets = 41,
        .rpayload = 46030,
        .tcp_flags = 0x1b,
        .rtcp_flags = 0x1b,
        .end_reason = FLOW_END_DETECTED,
        .name_evidence = NAME_SNI,
        .direction = 1,
        .application = "TLS",
        .rtt_us = 8123,
        .burst_count = 3,
        .is_ipv6 = is_ipv6,
    };
    static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x10};
    struct digest d = digest_of("sample", 6);
    if (is_ipv6)
        memcpy(r.address, ipv6, sizeof(ipv6));
    memcpy(&r.host_pseudonym, d.bytes, sizeof(r.host_pseudonym));
    memcpy(r.token, d.bytes + 8, sizeof(r.token));
    memcpy(r.fingerprint, d.bytes + 24, sizeof(r.fingerprint));
    return r;
}

static struct batch_info sample_info(const char *probe_id)
{
    struct batch_info info = {
        .sequence = 12,
        .previous_hash = digest_of("batch 11", 8),
        .period_start_ms = 1795420800000,
        .period_end_ms = 1795421100000,
        .clock_quality = CLOCK_SYNCHRONISED,
        .packets_seen = 118,
        .clock_offset_ms = -12,
        .software_hash = digest_of("program", 7),
        .registry_version = digest_of("list", 4),
    };
    memcpy(info.boot_id, digest_of("boot", 4).bytes, BOOT_ID_LEN);
    snprintf(info.probe_id, sizeof(info.probe_id), "%s", probe_id);
    return info;
}

static struct batch_loss sample_loss(const struct batch_info *info)
{
    struct batch_loss loss = {
        .first_sequence = 3,
        .last_sequence = 4,
        .batches = 2,
        .period_start_ms = info->period_start_ms - 3000000,
        .period_end_ms = info->period_start_ms - 2400000,
        .record_count = 9,
        .octets = 41234,
        .reason = LOSS_NO_ROOM,
    };
    memcpy(loss.boot_id, info->boot_id, BOOT_ID_LEN);
    return loss;
}

/* A whole batch, by the code that makes the real ones. */
static bool make_batch(const char *probe_id, struct buffer *batch)
{
    struct flow_record v4 = sample_flow(false), v6 = sample_flow(true);
    struct batch_info info = sample_info(probe_id);
    struct batch_loss loss = sample_loss(&info);
    struct digest hash;
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    struct batch_writer *writer = batch_writer_new(1, 0);
    bool good =
        key != NULL && writer != NULL &&
        batch_writer_add(writer, &v4, 1795420800) &&
        batch_writer_add(writer, &v6, 1795420800) &&
        batch_writer_add_loss(writer, &loss, 1795420800) &&
        batch_writer_finish(writer, &info, key, 1795421100, batch, &hash);
    batch_writer_free(writer);
    sign_key_free(key);
    return good;
}

static void decode_batch(struct slice batch, struct explain_fields *fields)
{
    struct ipfix_session *session = ipfix_session_new();
    const uint8_t *data = (const uint8_t *)batch.data;
    size_t offset = 0;
    while (session != NULL && offset < batch.length) {
        int length = ipfix_message_length(data + offset, batch.length - offset);
        if (length <= 0 ||
            ipfix_decode_message(session, data + offset, (size_t)length,
                                 take_record, fields) != IPFIX_OK)
            break;
        offset += (size_t)length;
    }
    if (offset != batch.length)
        fields->has_fault = true;
    ipfix_session_free(session);
}

static bool has_meaning(const struct ipfix_element *element)
{
    return strcmp(text_word(LANGUAGE_EN, "ipfix.", element->name),
                  element->name) != 0;
}

/* The fields of a sample batch, in the order of the wire. False when one has
 * no meaning; the sentence names it. */
static bool collect(const char *probe_id, struct explain_fields *fields,
                    struct error_text *error)
{
    struct buffer batch = {0};
    *fields = (struct explain_fields){0};
    if (make_batch(probe_id, &batch))
        decode_batch(buffer_slice(&batch), fields);
    buffer_clear(&batch);
    if (fields->count == 0 || fields->has_fault)
        return error_set(error, "a sample batch could not be made and read");
    for (size_t i = 0; i < fields->count; i++) {
        const struct ipfix_element *e = fields->list[i].element;
        if (!has_meaning(e))
            return error_set(error, "field %s has no meaning", e->name);
    }
    return true;
}

/* --- what is true beside the fields --- */

static const char *const part_names[EXPLAIN_PART_COUNT] = {
    [EXPLAIN_FLOW] = TEXT_KEY("probe.explain.part.flow"),
    [EXPLAIN_BATCH] = TEXT_KEY("probe.explain.part.batch"),
};

static const char *const column_names[] = {
    TEXT_KEY("probe.explain.column.number"),
    TEXT_KEY("probe.explain.column.field"),
    TEXT_KEY("probe.explain.column.bytes"),
    TEXT_KEY("probe.explain.column.meaning"),
    TEXT_KEY("probe.explain.column.example"),
};

static const struct {
    const char *name, *text; /* keys */
} facts[] = {
    {TEXT_KEY("probe.explain.name.never"),
     TEXT_KEY("probe.explain.fact.never")},
    {TEXT_KEY("probe.explain.name.how"), TEXT_KEY("probe.explain.fact.how")},
    {TEXT_KEY("probe.explain.name.check"),
     TEXT_KEY("probe.explain.fact.check")},
    {TEXT_KEY("probe.explain.name.where"),
     TEXT_KEY("probe.explain.fact.where")},
    {TEXT_KEY("probe.explain.name.stop"), TEXT_KEY("probe.explain.fact.stop")},
    {TEXT_KEY("probe.explain.name.remove"),
     TEXT_KEY("probe.explain.fact.remove")},
};

/* --- {names} --- */

/* What stands in parentheses behind a thing, and depends on the configuration:
 * a remark of its own. */
struct remarks {
    struct buffer count, kept, user;
};

static void add_remarks(struct remarks *r, const struct explain_page *page,
                        enum language language)
{
    const struct probe_config *c = page->config;
    if (page->config_path == NULL)
        text_add(&r->count, language, "probe.explain.count_unknown");
    else
        text_fill(&r->count, language, "probe.explain.count",
                  text_number("count", (int64_t)page->endpoint_count));
    if (c->sent_mb == 0)
        text_add(&r->kept, language, "probe.explain.kept_none");
    else
        text_fill(&r->kept, language, "probe.explain.kept",
                  text_number("size", (int64_t)c->sent_mb));
    if (c->user[0] != '\0')
        text_fill(&r->user, language, "probe.explain.user",
                  text_plain("name", c->user));
    else if (page->config_path == NULL)
        text_add(&r->user, language, "probe.explain.user_configured");
    else
        text_add(&r->user, language, "probe.explain.user_none");
}

/* What the configuration has, or a word that stands for it. */
static struct text_argument value_or(const char *name, const char *value,
                                     const char *word)
{
    return text_plain(name, value[0] != '\0' ? value : word);
}

static void fill_with(struct buffer *out, const char *key,
                      const struct explain_page *page, enum language language,
                      const struct remarks *r)
{
    const struct probe_config *c = page->config;
    struct slice host = SLICE("COLLECTOR"), port = SLICE("PORT");
    if (c->collector[0] != '\0')
        slice_split_port(slice_of_text(c->collector), &host, &port);
    const struct text_argument arguments[] = {
        value_or("probe", c->probe_id, "PROBE"),
        value_or("interface", c->interface, "INTERFACE"),
        value_or("endpoints", c->endpoints, "ENDPOINTS.csv"),
        value_or("collector", c->collector, "COLLECTOR:PORT"),
        value_or("name", c->collector_name, "COLLECTOR"),
        value_or("ca", c->ca, "CA.pem"),
        value_or("portal", c->portal, "https://PORTAL:PORT"),
        value_or("state", c->state, "STATE"),
        text_plain("config", page->config_path != NULL
                                 ? page->config_path
                                 : "/etc/yunzheng/probe.conf"),
        text_slice("host", host),
        text_slice("port", port),
        text_number("period", (int64_t)c->batch_period_s),
        text_slice("count", buffer_slice(&r->count)),
        text_slice("kept", buffer_slice(&r->kept)),
        text_slice("user", buffer_slice(&r->user)),
        {0}};
    text_fill_list(out, language, key, arguments);
}

/* The sentences of the key with their {names} filled in. */
static struct slice filled(struct buffer *work, const char *key,
                           const struct explain_page *page,
                           enum language language)
{
    enum { REMARK_MAX = 512 };
    struct remarks remarks;
    buffer_init(&remarks.count, REMARK_MAX);
    buffer_init(&remarks.kept, REMARK_MAX);
    buffer_init(&remarks.user, REMARK_MAX);
    add_remarks(&remarks, page, language);
    buffer_reset(work);
    fill_with(work, key, page, language, &remarks);
    buffer_clear(&remarks.count);
    buffer_clear(&remarks.kept);
    buffer_clear(&remarks.user);
    return buffer_slice(work);
}

static struct slice words_of(enum language language, const char *key)
{
    return slice_of_text(text_word(language, "", key));
}

/* --- as text --- */

static void add_number(struct buffer *out, const struct ipfix_element *e)
{
    if (e->enterprise == 0)
        buffer_addf(out, "%u", e->id);
    else
        buffer_addf(out, "%" PRIu32 "/%u", e->enterprise, e->id);
}

static void add_bytes(struct buffer *out, const struct ipfix_element *e)
{
    if (e->length == IPFIX_VARIABLE)
        buffer_add_text(out, "1+n");
    else
        buffer_addf(out, "%u", e->length);
}

/* The five cells of a field's row, as text. */
static void fill_cells(struct buffer cells[static 5],
                       const struct explain_field *f, enum language language)
{
    for (int i = 0; i < 5; i++)
        buffer_reset(&cells[i]);
    add_number(&cells[0], f->element);
    buffer_add_text(&cells[1], f->element->name);
    add_bytes(&cells[2], f->element);
    buffer_add_text(&cells[3], text_word(language, "ipfix.", f->element->name));
    buffer_add_text(&cells[4], f->example);
}

static const size_t widths[5] = {NUMBER_WIDTH, NAME_WIDTH, BYTES_WIDTH,
                                 MEANING_WIDTH, 0};

/* The last cell is not filled with blanks. */
static void add_cell(struct buffer *out, struct slice text, int column)
{
    if (column == 4)
        buffer_add_slice(out, text);
    else
        columns_add(out, text, widths[column] - 1);
    buffer_add_u8(out, column == 4 ? '\n' : ' ');
}

static void add_rows(struct buffer *out, struct buffer cells[static 5],
                     const struct explain_page *page, enum explain_part part,
                     enum language language)
{
    for (size_t i = 0; i < page->fields->count; i++) {
        if (page->fields->list[i].part != part)
            continue;
        fill_cells(cells, &page->fields->list[i], language);
        for (int c = 0; c < 5; c++)
            add_cell(out, buffer_slice(&cells[c]), c);
    }
}

static void init_cells(struct buffer cells[static 5])
{
    for (int i = 0; i < 5; i++)
        buffer_init(&cells[i], 4096);
}

static void clear_cells(struct buffer cells[static 5])
{
    for (int i = 0; i < 5; i++)
        buffer_clear(&cells[i]);
}

static void exchange(uint8_t *text, size_t length, uint8_t from, uint8_t to)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == from)
            text[i] = to;
    }
}

/* Without the quotes around commands, whose blanks do not end a line, so that
 * they can be copied. */
static void add_paragraph(struct buffer *out, struct slice text, size_t indent)
{
    enum { FIRM_BLANK = 1 };
    struct slice part;
    struct buffer plain;
    bool is_command = false;
    size_t start = out->length;
    buffer_init(&plain, 16 * 1024);
    for (; slice_next(&text, '`', &part); is_command = !is_command) {
        size_t before = plain.length;
        buffer_add_slice(&plain, part);
        if (is_command && !plain.failed)
            exchange(plain.data + before, part.length, ' ', FIRM_BLANK);
    }
    columns_add_wrapped(out, buffer_slice(&plain), TEXT_WIDTH, indent);
    if (!out->failed)
        exchange(out->data + start, out->length - start, FIRM_BLANK, ' ');
    buffer_add_text(out, "\n");
    buffer_clear(&plain);
}

static void add_facts(struct buffer *out, struct buffer *work,
                      const struct explain_page *page, enum language language)
{
    size_t indent = language == LANGUAGE_ZH ? 10 : 14;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        columns_add(out, words_of(language, facts[i].name), indent);
        add_paragraph(out, filled(work, facts[i].text, page, language), indent);
    }
}

static void add_page_text(struct buffer *out, const struct explain_page *page,
                          enum language language)
{
    struct buffer work, cells[5];
    buffer_init(&work, 16 * 1024);
    init_cells(cells);
    text_add(out, language, "probe.explain.title");
    buffer_add_text(out, "\n");
    add_paragraph(
        out, filled(&work, TEXT_KEY("probe.explain.lead"), page, language), 0);
    for (int c = 0; c < 5; c++)
        add_cell(out, words_of(language, column_names[c]), c);
    for (int part = 0; part < EXPLAIN_PART_COUNT; part++) {
        buffer_addf(out, "-- %s --\n",
                    text_word(language, "", part_names[part]));
        add_rows(out, cells, page, (enum explain_part)part, language);
    }
    buffer_add_text(out, "--\n");
    add_facts(out, &work, page, language);
    clear_cells(cells);
    buffer_clear(&work);
}

/* --- as a page to print --- */

static const char style[] =
    "@page{size:A4;margin:9mm 11mm}"
    "body{margin:0;font:7.6pt/1.24 \"Noto Sans CJK SC\",\"Noto Sans SC\","
    "\"Microsoft YaHei\",\"WenQuanYi Micro Hei\",sans-serif;color:#111}"
    "section{max-width:188mm;margin:0 auto;break-after:page}"
    "section:last-child{break-after:auto}"
    "h1{font-size:13pt;margin:0 0 1mm}p{margin:0 0 1mm}"
    "table{width:100%;border-collapse:collapse}"
    "td,th{text-align:left;padding:.12mm 1.5mm .12mm 0;vertical-align:top;"
    "border-bottom:.1mm solid #ccc}"
    "th{font-weight:600}.part th{background:#eef2f6;padding:.3mm 1mm}"
    "td:nth-child(3){text-align:right}"
    "code,td:nth-child(2),td:last-child{font-family:\"DejaVu Sans Mono\","
    "Consolas,monospace;font-size:.92em}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.5mm 3mm;"
    "margin:1.5mm 0 0}dt{font-weight:600}dd{margin:0}"
    "@media screen{section{padding:8mm;margin:6mm auto;"
    "box-shadow:0 0 2mm #999}}";

/* Every second part between back quotes is a command. */
static void html_paragraph(struct buffer *out, struct slice text)
{
    struct slice part;
    bool is_code = false;
    while (slice_next(&text, '`', &part)) {
        buffer_add_text(out, is_code ? "<code>" : "");
        html_add(out, part);
        buffer_add_text(out, is_code ? "</code>" : "");
        is_code = !is_code;
    }
}

static void html_part(struct buffer *out, struct buffer cells[static 5],
                      const struct explain_page *page, enum explain_part part,
                      enum language language)
{
    buffer_add_text(out, "<tr class=\"part\"><th colspan=\"5\">");
    html_add(out, words_of(language, part_names[part]));
    buffer_add_text(out, "</th></tr>\n");
    for (size_t i = 0; i < page->fields->count; i++) {
        if (page->fields->list[i].part != part)
            continue;
        fill_cells(cells, &page->fields->list[i], language);
        buffer_add_text(out, "<tr>");
        for (int c = 0; c < 5; c++) {
            buffer_add_text(out, "<td>");
            html_add(out, buffer_slice(&cells[c]));
            buffer_add_text(out, "</td>");
        }
        buffer_add_text(out, "</tr>\n");
    }
}

static void html_table(struct buffer *out, const struct explain_page *page,
                       enum language language)
{
    struct buffer cells[5];
    init_cells(cells);
    buffer_add_text(out, "<table>\n<tr>");
    for (int c = 0; c < 5; c++) {
        buffer_add_text(out, "<th>");
        html_add(out, words_of(language, column_names[c]));
        buffer_add_text(out, "</th>");
    }
    buffer_add_text(out, "</tr>\n");
    for (int part = 0; part < EXPLAIN_PART_COUNT; part++)
        html_part(out, cells, page, (enum explain_part)part, language);
    buffer_add_text(out, "</table>\n");
    clear_cells(cells);
}

static void html_page(struct buffer *out, const struct explain_page *page,
                      enum language language)
{
    struct buffer work;
    buffer_init(&work, 16 * 1024);
    buffer_addf(out, "<section lang=\"%s\">\n<h1>", language_tag(language));
    html_add(out, words_of(language, "probe.explain.title"));
    buffer_add_text(out, "</h1>\n<p>");
    html_paragraph(
        out, filled(&work, TEXT_KEY("probe.explain.lead"), page, language));
    buffer_add_text(out, "</p>\n");
    html_table(out, page, language);
    buffer_add_text(out, "<dl>\n");
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        buffer_add_text(out, "<dt>");
        html_add(out, words_of(language, facts[i].name));
        buffer_add_text(out, "</dt><dd>");
        html_paragraph(out, filled(&work, facts[i].text, page, language));
        buffer_add_text(out, "</dd>\n");
    }
    buffer_add_text(out, "</dl>\n</section>\n");
    buffer_clear(&work);
}

/* A page for each language whose bit (1 << language) is set. */
static void add_page_html(struct buffer *out, const struct explain_page *page,
                          unsigned languages)
{
    enum language first =
        languages >> LANGUAGE_ZH & 1 ? LANGUAGE_ZH : LANGUAGE_EN;
    buffer_addf(out,
                "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
                "<meta charset=\"utf-8\">\n<title>",
                language_tag(first));
    html_add(out, words_of(first, "probe.explain.title"));
    buffer_addf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        if (languages >> language & 1)
            html_page(out, page, (enum language)language);
    }
    buffer_add_text(out, "</body>\n</html>\n");
}

/* --- the command --- */

/* Pages are parted by a form feed, so that a printer takes a new sheet. */
static void add_pages(struct buffer *out, const struct explain_page *page,
                      unsigned languages)
{
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        if (!(languages >> language & 1))
            continue;
        if (out->length > 0)
            buffer_add_text(out, "\f\n");
        add_page_text(out, page, (enum language)language);
    }
}

static bool read_config(struct explain_page *page, struct probe_config *config,
                        struct error_text *error)
{
    page->config = config;
    if (page->config_path == NULL) {
        config_set_defaults(probe_config_keys, probe_config_key_count, config);
        return true;
    }
    if (!probe_config_read(page->config_path, config, error))
        return false;
    struct endpoint_list *list = endpoint_list_load(config->endpoints, error);
    if (list == NULL)
        return false;
    page->endpoint_count = endpoint_rule_count(list);
    endpoint_list_free(list);
    return true;
}

static int explain(struct explain_page *page, unsigned languages, bool is_html)
{
    struct probe_config config = {0};
    struct explain_fields *fields = calloc(1, sizeof(*fields));
    struct error_text error;
    struct buffer out;
    int status = 0;
    if (fields == NULL)
        fatal(1, "no memory");
    page->fields = fields;
    buffer_init(&out, PAGE_MAX);
    if (!read_config(page, &config, &error))
        status = 2;
    else if (!collect(config.probe_id[0] ? config.probe_id : "PROBE", fields,
                      &error))
        status = 1;
    else if (is_html)
        add_page_html(&out, page, languages);
    else
        add_pages(&out, page, languages);
    if (status != 0)
        log_error("%s", error.text);
    else
        fwrite(out.data, 1, out.length, stdout);
    buffer_clear(&out);
    free(fields);
    return status;
}

int explain_command_main(int argc, char **argv)
{
    struct explain_page page = {0};
    bool is_html = false;
    unsigned languages = (1u << LANGUAGE_COUNT) - 1;
    const struct program_option options[] = {
        {.name = "-c", .value = &page.config_path},
        {.name = "--html", .flag = &is_html}};
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) < 0)
        return 2;
    if (program_language_is_chosen())
        languages = 1u << program_language();
    return explain(&page, languages, is_html);
}
