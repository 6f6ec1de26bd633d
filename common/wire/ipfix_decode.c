/*
 * Reading IPFIX messages (RFC 7011) from peers that may be hostile.
 *
 *   message = header, sets       set = id (2), length (2), records, padding
 *   set 2   template records     id (2), field count (2), specifiers
 *   set 3   options templates    id, field count, scope count (2), specifiers
 *   set 256.. data records of the template with that id
 *
 * A template is compiled once, when it arrives, into a list of values whose
 * element, scope flag and fixed length are filled in; reading a record only
 * sets the pointers (and the lengths of variable fields). What can be wrong
 * with a template is refused there, so that the loop over records needs two
 * rules only: a record is at least one byte, and it ends inside its set.
 *
 * Domains are kept for the sequence numbers, which count data records (options
 * records too). A gap is as many records as the numbers skip; a message from
 * before the expected number is late, and what it holds was not lost after all.
 * After a message whose records could not be counted (no template, a fault) the
 * next one is taken as it is.
 */
#include "common/wire/ipfix_decode.h"

#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"

enum {
    ENTERPRISE_BIT = 0x8000,
    MAX_DOMAINS = 64,
    SPECIFIER_LEN = 4,
    NO_ELEMENT = -1,
    LONG_STRING = 255, /* first byte of a length in three bytes */
};

/* As the peer wrote it; kept to tell a repetition from a redefinition. */
struct specifier {
    uint32_t enterprise;
    uint16_t id;
    uint16_t length;
};

struct template
{
    uint32_t domain;
    uint16_t id;
    uint16_t field_count;
    uint16_t scope_count; /* 0: not an options template */
    size_t minimum;       /* bytes of the shortest record */
    struct specifier *specifiers;
    struct ipfix_value *values;
};

struct domain {
    uint32_t id;
    uint32_t expected; /* sequence number of the next message */
    bool is_known;     /* `expected` means something */
};

struct ipfix_session {
    struct template *templates[IPFIX_MAX_TEMPLATES];
    size_t template_count;
    struct domain domains[MAX_DOMAINS];
    size_t domain_count;
    struct ipfix_counters counters;
};

/* One message on its way through. */
struct decoding {
    struct ipfix_session *session;
    const uint8_t *message;
    uint32_t domain;
    uint32_t export_time_s;
    uint32_t records;
    bool has_unknown_set;
    ipfix_record_fn *fn;
    void *context;
};

/* --- session and templates --- */

struct ipfix_session *ipfix_session_new(void)
{
    return calloc(1, sizeof(struct ipfix_session));
}

static void template_free(struct template *t)
{
    if (t == NULL)
        return;
    free(t->specifiers);
    free(t->values);
    free(t);
}

void ipfix_session_free(struct ipfix_session *session)
{
    if (session == NULL)
        return;
    for (size_t i = 0; i < session->template_count; i++)
        template_free(session->templates[i]);
    free(session);
}

const struct ipfix_counters *
ipfix_session_counters(const struct ipfix_session *session)
{
    return &session->counters;
}

static struct template *template_new(uint16_t field_count)
{
    struct template *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->field_count = field_count;
    t->specifiers = calloc(field_count, sizeof(*t->specifiers));
    t->values = calloc(field_count, sizeof(*t->values));
    if (t->specifiers == NULL || t->values == NULL) {
        template_free(t);
        return NULL;
    }
    return t;
}

/* Index, or template_count when there is none. */
static size_t template_index(const struct ipfix_session *s, uint32_t domain,
                             uint16_t id)
{
    size_t i = 0;
    while (i < s->template_count &&
           (s->templates[i]->id != id || s->templates[i]->domain != domain))
        i++;
    return i;
}

static void template_remove(struct ipfix_session *s, size_t index)
{
    template_free(s->templates[index]);
    s->templates[index] = s->templates[--s->template_count];
}

/* Set id 2 or 3 in place of a template id withdraws all of that kind. */
static enum ipfix_status withdraw(struct decoding *d, uint16_t id,
                                  uint16_t set_id)
{
    struct ipfix_session *s = d->session;
    bool is_options = set_id == IPFIX_SET_OPTIONS_TEMPLATE;
    if (id != set_id) {
        if (id < IPFIX_SET_DATA_MIN)
            return IPFIX_BAD_TEMPLATE;
        size_t i = template_index(s, d->domain, id);
        if (i == s->template_count)
            return IPFIX_OK; /* nothing to take back */
        if ((s->templates[i]->scope_count > 0) != is_options)
            return IPFIX_BAD_TEMPLATE;
        template_remove(s, i);
        return IPFIX_OK;
    }
    for (size_t i = s->template_count; i-- > 0;) {
        if (s->templates[i]->domain == d->domain &&
            (s->templates[i]->scope_count > 0) == is_options)
            template_remove(s, i);
    }
    return IPFIX_OK;
}

/* Lengths that the element can have on the wire. Integers may be shortened
 * (RFC 7011 section 6.2), never lengthened; elements that are not in our table
 * may have any length. */
static bool length_is_allowed(int element, uint16_t length)
{
    if (element == NO_ELEMENT)
        return true;
    const struct ipfix_element *e = &ipfix_elements[element];
    switch (e->type) {
    case IPFIX_UNSIGNED:
        return length >= 1 && length <= e->length;
    case IPFIX_SIGNED:
    case IPFIX_IPV4:
    case IPFIX_IPV6:
    case IPFIX_MILLISECONDS:
        return length == e->length;
    case IPFIX_STRING:
        return true;
    case IPFIX_OCTETS:
        return length == e->length || length == IPFIX_VARIABLE ||
               e->length == IPFIX_VARIABLE;
    }
    return false;
}

/* One field specifier into place i of the template. */
static bool read_specifier(struct cursor *c, struct template *t, size_t i)
{
    struct specifier *s = &t->specifiers[i];
    uint16_t id = cursor_u16(c);
    s->length = cursor_u16(c);
    s->id = id & (ENTERPRISE_BIT - 1);
    s->enterprise = id & ENTERPRISE_BIT ? cursor_u32(c) : 0;
    int element = ipfix_element_find(s->enterprise, s->id);
    if (c->failed || !length_is_allowed(element, s->length))
        return false;
    t->values[i] = (struct ipfix_value){.element = (int16_t)element,
                                        .length = s->length,
                                        .is_scope = i < t->scope_count};
    /* A variable field takes one byte at least, for its length. */
    t->minimum += s->length == IPFIX_VARIABLE ? 1 : s->length;
    return true;
}

static bool template_equal(const struct template *a, const struct template *b)
{
    if (a->field_count != b->field_count || a->scope_count != b->scope_count)
        return false;
    for (size_t i = 0; i < a->field_count; i++) {
        const struct specifier *x = &a->specifiers[i], *y = &b->specifiers[i];
        if (x->enterprise != y->enterprise || x->id != y->id ||
            x->length != y->length)
            return false;
    }
    return true;
}

/* Takes the template. Saying the same again is allowed; saying something else
 * needs a withdrawal first (RFC 7011 section 8.1). */
static enum ipfix_status template_store(struct ipfix_session *s,
                                        struct template *t)
{
    size_t i = template_index(s, t->domain, t->id);
    enum ipfix_status status = IPFIX_OK;
    if (i < s->template_count)
        status =
            template_equal(s->templates[i], t) ? IPFIX_OK : IPFIX_BAD_TEMPLATE;
    else if (s->template_count == IPFIX_MAX_TEMPLATES)
        status = IPFIX_TOO_MANY;
    if (status != IPFIX_OK || i < s->template_count) {
        template_free(t);
        return status;
    }
    s->templates[s->template_count++] = t;
    return IPFIX_OK;
}

static enum ipfix_status read_definition(struct decoding *d, struct cursor *c,
                                         uint16_t id, uint16_t field_count,
                                         uint16_t scope_count)
{
    struct template *t = template_new(field_count);
    if (t == NULL)
        return IPFIX_TOO_MANY;
    t->domain = d->domain;
    t->id = id;
    t->scope_count = scope_count;
    for (size_t i = 0; i < field_count; i++) {
        if (!read_specifier(c, t, i)) {
            template_free(t);
            return c->failed ? IPFIX_TRUNCATED : IPFIX_BAD_TEMPLATE;
        }
    }
    if (t->minimum == 0) { /* records without bytes would never end a set */
        template_free(t);
        return IPFIX_BAD_TEMPLATE;
    }
    return template_store(d->session, t);
}

static enum ipfix_status read_template(struct decoding *d, struct cursor *c,
                                       uint16_t set_id)
{
    bool is_options = set_id == IPFIX_SET_OPTIONS_TEMPLATE;
    uint16_t id = cursor_u16(c);
    uint16_t field_count = cursor_u16(c);
    uint16_t scope_count = 0;
    if (field_count == 0)
        return withdraw(d, id, set_id);
    if (is_options) {
        scope_count = cursor_u16(c);
        if (c->failed)
            return IPFIX_TRUNCATED;
        if (scope_count == 0 || scope_count > field_count)
            return IPFIX_BAD_TEMPLATE;
    }
    if (id < IPFIX_SET_DATA_MIN)
        return IPFIX_BAD_TEMPLATE;
    if (field_count > IPFIX_MAX_FIELDS)
        return IPFIX_TOO_MANY;
    return read_definition(d, c, id, field_count, scope_count);
}

static enum ipfix_status read_template_set(struct decoding *d,
                                           struct cursor *set, uint16_t set_id)
{
    enum ipfix_status status = IPFIX_OK;
    while (status == IPFIX_OK && cursor_left(set) >= SPECIFIER_LEN)
        status = read_template(d, set, set_id);
    return status;
}

/* --- data --- */

/* Points the template's values at the next record; false past the set. */
static bool read_fields(struct template *t, struct cursor *set)
{
    for (size_t i = 0; i < t->field_count; i++) {
        struct ipfix_value *v = &t->values[i];
        if (t->specifiers[i].length == IPFIX_VARIABLE) {
            v->length = cursor_u8(set);
            if (v->length == LONG_STRING)
                v->length = cursor_u16(set);
        }
        v->data = cursor_bytes(set, v->length);
    }
    return !set->failed;
}

static enum ipfix_status read_data_set(struct decoding *d, struct cursor *set,
                                       uint16_t set_id)
{
    struct ipfix_session *s = d->session;
    size_t index = template_index(s, d->domain, set_id);
    if (index == s->template_count) {
        s->counters.unknown_sets++;
        d->has_unknown_set = true;
        return IPFIX_OK;
    }
    struct template *t = s->templates[index];
    while (cursor_left(set) >= t->minimum) {
        const uint8_t *start = set->data + set->offset;
        if (!read_fields(t, set))
            return IPFIX_BAD_RECORD;
        struct ipfix_record record = {
            .domain = d->domain,
            .export_time_s = d->export_time_s,
            .template_id = t->id,
            .is_options = t->scope_count > 0,
            .field_count = t->field_count,
            .fields = t->values,
            .offset = (size_t)(start - d->message),
            .length = (size_t)(set->data + set->offset - start),
        };
        d->records++;
        s->counters.records++;
        if (!d->fn(d->context, &record))
            return IPFIX_REFUSED;
    }
    return IPFIX_OK;
}

static enum ipfix_status read_set(struct decoding *d, struct cursor *c)
{
    uint16_t set_id = cursor_u16(c);
    uint16_t length = cursor_u16(c);
    if (c->failed)
        return IPFIX_TRUNCATED;
    if (length < IPFIX_SET_HEADER_LEN)
        return IPFIX_BAD_LENGTH;
    struct cursor set = cursor_sub(c, length - IPFIX_SET_HEADER_LEN);
    if (set.failed)
        return IPFIX_TRUNCATED;
    if (set_id == IPFIX_SET_TEMPLATE || set_id == IPFIX_SET_OPTIONS_TEMPLATE)
        return read_template_set(d, &set, set_id);
    if (set_id < IPFIX_SET_DATA_MIN)
        return IPFIX_BAD_SET;
    return read_data_set(d, &set, set_id);
}

/* --- messages --- */

static struct domain *domain_of(struct ipfix_session *s, uint32_t id)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        if (s->domains[i].id == id)
            return &s->domains[i];
    }
    if (s->domain_count == MAX_DOMAINS)
        return NULL;
    struct domain *domain = &s->domains[s->domain_count++];
    *domain = (struct domain){.id = id};
    return domain;
}

static void count_sequence(struct ipfix_counters *counters,
                           struct domain *domain, uint32_t sequence,
                           uint32_t records)
{
    uint32_t gap = sequence - domain->expected;
    if (!domain->is_known || gap == 0) {
        domain->expected = sequence + records;
    } else if (gap < UINT32_MAX / 2) {
        counters->lost_records += gap;
        domain->expected = sequence + records;
    } else {
        counters->reordered++;
        counters->lost_records -=
            records < counters->lost_records ? records : counters->lost_records;
    }
    domain->is_known = true;
}

int ipfix_message_length(const uint8_t *data, size_t length)
{
    struct cursor c = cursor_of(data, length);
    if (length < IPFIX_HEADER_LEN)
        return 0;
    uint16_t version = cursor_u16(&c);
    uint16_t size = cursor_u16(&c);
    if (version != IPFIX_VERSION || size < IPFIX_HEADER_LEN)
        return -1;
    return size;
}

static enum ipfix_status check_header(const uint8_t *message, size_t length)
{
    struct cursor c = cursor_of(message, length);
    if (length < IPFIX_HEADER_LEN)
        return IPFIX_TRUNCATED;
    if (cursor_u16(&c) != IPFIX_VERSION)
        return IPFIX_BAD_VERSION;
    uint16_t size = cursor_u16(&c);
    if (size < IPFIX_HEADER_LEN || size < length)
        return IPFIX_BAD_LENGTH;
    return size > length ? IPFIX_TRUNCATED : IPFIX_OK;
}

enum ipfix_status ipfix_decode_message(struct ipfix_session *session,
                                       const uint8_t *message, size_t length,
                                       ipfix_record_fn *fn, void *context)
{
    enum ipfix_status status = check_header(message, length);
    if (status != IPFIX_OK)
        return status;
    struct cursor c = cursor_of(message, length);
    struct decoding d = {
        .session = session, .message = message, .fn = fn, .context = context};
    cursor_skip(&c, 4);
    d.export_time_s = cursor_u32(&c);
    uint32_t sequence = cursor_u32(&c);
    d.domain = cursor_u32(&c);
    struct domain *domain = domain_of(session, d.domain);
    if (domain == NULL)
        return IPFIX_TOO_MANY;
    session->counters.messages++;
    while (status == IPFIX_OK && cursor_left(&c) > 0)
        status = read_set(&d, &c);
    count_sequence(&session->counters, domain, sequence, d.records);
    if (status != IPFIX_OK || d.has_unknown_set)
        domain->is_known = false;
    return status;
}

const char *ipfix_status_text(enum ipfix_status status)
{
    static const char *const texts[] = {
        [IPFIX_OK] = "ok",
        [IPFIX_TRUNCATED] = "runs past its end",
        [IPFIX_BAD_VERSION] = "not IPFIX version 10",
        [IPFIX_BAD_LENGTH] = "impossible message or set length",
        [IPFIX_BAD_SET] = "reserved set id",
        [IPFIX_BAD_TEMPLATE] = "template not allowed",
        [IPFIX_TOO_MANY] = "too many templates, fields or domains",
        [IPFIX_BAD_RECORD] = "record runs past its set",
        [IPFIX_REFUSED] = "record refused",
    };
    if ((size_t)status >= sizeof(texts) / sizeof(texts[0]))
        return "unknown";
    return texts[status];
}

/* --- values --- */

static const struct ipfix_value *find_value(const struct ipfix_record *record,
                                            enum ipfix_element_id element)
{
    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].element == (int)element)
            return &record->fields[i];
    }
    return NULL;
}

bool ipfix_get_u64(const struct ipfix_record *record,
                   enum ipfix_element_id element, uint64_t *value)
{
    const struct ipfix_value *v = find_value(record, element);
    if (v == NULL || v->length < 1 || v->length > 8)
        return false;
    struct cursor c = cursor_of(v->data, v->length);
    *value = cursor_uint(&c, v->length);
    return true;
}

bool ipfix_get_bytes(const struct ipfix_record *record,
                     enum ipfix_element_id element, struct slice *value)
{
    const struct ipfix_value *v = find_value(record, element);
    uint16_t length = ipfix_elements[element].length;
    if (v == NULL || (length != IPFIX_VARIABLE && v->length != length))
        return false;
    *value = slice_of_bytes(v->data, v->length);
    return true;
}
