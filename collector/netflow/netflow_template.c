/* See the header. Steps are made per slot, so there are at most SLOT_COUNT. */
#include "collector/netflow/netflow_template.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/ipfix.h"

enum {
    ENTERPRISE_BIT = 0x8000,
    SPECIFIER_LEN = 4,
    LONG_LENGTH = 255, /* first byte of a length in three bytes */
    RECORD_MAX = IPFIX_MESSAGE_MAX - IPFIX_HEADER_LEN - IPFIX_SET_HEADER_LEN,
};

size_t netflow_template_bytes(const struct netflow_template *t)
{
    return sizeof(*t) + t->field_count * sizeof(t->fields[0]);
}

bool netflow_template_equal(const struct netflow_template *a,
                            const struct netflow_template *b)
{
    return a->field_count == b->field_count &&
           a->scope_count == b->scope_count && a->is_options == b->is_options &&
           memcmp(a->fields, b->fields,
                  a->field_count * sizeof(a->fields[0])) == 0;
}

/* --- reading --- */

/* Numbers of fields: all of them, and those that are scope. */
static bool read_counts(struct cursor *set, enum netflow_dialect dialect,
                        bool is_options, size_t *count, size_t *scopes)
{
    *scopes = 0;
    size_t first = cursor_u16(set);
    if (!is_options) {
        *count = first;
        return !set->failed;
    }
    if (dialect == NETFLOW_IPFIX) {
        *count = first; /* a withdrawal has no scope count */
        *scopes = first > 0 ? cursor_u16(set) : 0;
        return !set->failed && *scopes <= *count;
    }
    size_t second = cursor_u16(set);
    *scopes = first / SPECIFIER_LEN;
    *count = *scopes + second / SPECIFIER_LEN;
    return !set->failed && first % SPECIFIER_LEN == 0 &&
           second % SPECIFIER_LEN == 0;
}

static struct netflow_specifier read_specifier(struct cursor *set,
                                               enum netflow_dialect dialect)
{
    struct netflow_specifier s = {0};
    s.id = cursor_u16(set);
    s.length = cursor_u16(set);
    if (dialect == NETFLOW_IPFIX && s.id & ENTERPRISE_BIT) {
        s.id &= ENTERPRISE_BIT - 1;
        s.enterprise = cursor_u32(set);
    }
    return s;
}

static bool length_is_allowed(const struct netflow_element *e, uint16_t length,
                              enum netflow_dialect dialect)
{
    bool is_address = e->sense == SENSE_IPV4 || e->sense == SENSE_IPV6;
    bool is_time = e->sense == SENSE_NTP || e->sense == SENSE_SECONDS ||
                   e->sense == SENSE_MILLISECONDS;
    if (e->sense == SENSE_TEXT)
        return true;
    if (length == IPFIX_VARIABLE)
        return dialect == NETFLOW_IPFIX && !is_address && !is_time;
    if (is_address || is_time)
        return length == e->length;
    return length >= 1 && length <= e->length;
}

/* --- compiling --- */

struct chosen {
    const struct netflow_element *element; /* NULL: the slot has none */
    uint16_t field, source;
};

static void choose(struct chosen *chosen, const struct netflow_element *e,
                   size_t field, size_t source)
{
    struct chosen *c = &chosen[e->slot];
    struct chosen made = {e, (uint16_t)field, (uint16_t)source};
    if (c->element == NULL || e->rank < c->element->rank) {
        struct chosen before = *c;
        *c = made;
        made = before;
    }
    /* What gave way, or came to nothing: an address of the other version. */
    if (made.element == NULL || made.element->sense != SENSE_IPV6)
        return;
    if (e->slot == SLOT_SOURCE)
        chosen[SLOT_SOURCE6] = made;
    else if (e->slot == SLOT_DESTINATION)
        chosen[SLOT_DESTINATION6] = made;
}

static void add_step(struct netflow_template *t, size_t slot,
                     const struct chosen *c)
{
    uint16_t length = t->fields[c->field].length;
    const struct netflow_place *place = &netflow_places[slot];
    t->steps[t->step_count++] = (struct netflow_step){
        .source = c->source,
        .field = c->field,
        .target = place->offset,
        .length = length == IPFIX_VARIABLE ? 0 : length,
        .size = place->size,
    };
}

static bool is_chosen(const struct chosen *chosen, enum netflow_slot slot)
{
    return chosen[slot].element != NULL;
}

static uint8_t sense_of(const struct chosen *chosen, enum netflow_slot slot)
{
    return is_chosen(chosen, slot) ? chosen[slot].element->sense : SENSE_PLAIN;
}

static uint8_t address_version(const struct chosen *chosen)
{
    uint8_t source = sense_of(chosen, SLOT_SOURCE);
    if (source == SENSE_PLAIN || source != sense_of(chosen, SLOT_DESTINATION))
        return 0;
    return source == SENSE_IPV4 ? 4 : 6;
}

static void compile(struct netflow_template *t, const struct chosen *chosen)
{
    for (size_t slot = 0; slot < SLOT_COUNT; slot++)
        if (chosen[slot].element != NULL)
            add_step(t, slot, &chosen[slot]);
    for (int i = 0; i < 4; i++) /* SLOT_OCTETS and following, as the bits */
        if (sense_of(chosen, SLOT_OCTETS + i) == SENSE_TOTAL)
            t->totals |= (uint8_t)(1 << i);
    t->version = address_version(chosen);
    t->has_both = t->version == 4 && is_chosen(chosen, SLOT_SOURCE6) &&
                  is_chosen(chosen, SLOT_DESTINATION6);
    t->start_sense = sense_of(chosen, SLOT_START);
    t->end_sense = sense_of(chosen, SLOT_END);
    uint8_t wanted = t->version == 4 ? SENSE_IPV4 : SENSE_IPV6;
    t->has_post_source = sense_of(chosen, SLOT_POST_SOURCE) == wanted;
    t->has_post_destination = sense_of(chosen, SLOT_POST_DESTINATION) == wanted;
}

/* All specifiers, also those behind one that is not allowed: what follows the
 * template can then still be read. */
static const char *read_fields(struct cursor *set, enum netflow_dialect dialect,
                               struct netflow_template *t)
{
    struct chosen chosen[SLOT_COUNT] = {0};
    size_t minimum = 0;
    const char *why = NULL;
    t->is_fixed = true;
    for (size_t i = 0; i < t->field_count && !set->failed; i++) {
        struct netflow_specifier *s = &t->fields[i];
        *s = read_specifier(set, dialect);
        bool is_variable = s->length == IPFIX_VARIABLE;
        if (is_variable && dialect != NETFLOW_IPFIX)
            why = "a field of 65535 bytes";
        bool is_kind = dialect == NETFLOW_V9 && i < t->scope_count;
        const struct netflow_element *e =
            is_kind ? NULL : netflow_element_find(s->enterprise, s->id);
        if (e != NULL && !length_is_allowed(e, s->length, dialect))
            why = "a length that the element cannot have";
        else if (e != NULL)
            choose(chosen, e, i, minimum);
        minimum += is_variable ? 1 : s->length;
        t->is_fixed = t->is_fixed && !is_variable;
    }
    if (why == NULL && minimum == 0)
        why = "records without a byte";
    if (why == NULL && minimum > RECORD_MAX)
        why = "records longer than a message";
    if (why != NULL || set->failed)
        return why;
    t->minimum = (uint16_t)minimum;
    compile(t, chosen);
    return NULL;
}

enum netflow_template_status
netflow_template_read(struct cursor *set, enum netflow_dialect dialect,
                      bool is_options, uint16_t *id,
                      struct netflow_template **made, const char **why)
{
    size_t count, scopes;
    *id = cursor_u16(set);
    if (!read_counts(set, dialect, is_options, &count, &scopes))
        return NETFLOW_TEMPLATE_BAD;
    if (count == 0 && dialect == NETFLOW_IPFIX)
        return NETFLOW_TEMPLATE_WITHDRAWAL;
    if (*id < IPFIX_SET_DATA_MIN || count == 0 || count > NETFLOW_FIELDS_MAX ||
        (is_options && scopes == 0))
        return NETFLOW_TEMPLATE_BAD;
    struct netflow_template *t =
        calloc(1, sizeof(*t) + count * sizeof(t->fields[0]));
    if (t == NULL)
        return NETFLOW_TEMPLATE_BAD;
    t->id = *id;
    t->is_options = is_options;
    t->field_count = (uint16_t)count;
    t->scope_count = (uint16_t)scopes;
    *why = read_fields(set, dialect, t);
    if (*why != NULL || set->failed) {
        free(t);
        return set->failed ? NETFLOW_TEMPLATE_BAD : NETFLOW_TEMPLATE_REFUSED;
    }
    *made = t;
    return NETFLOW_TEMPLATE_OK;
}

/* --- running --- */

static inline uint64_t load(const uint8_t *at, size_t length)
{
    uint64_t value = 0;
    switch (length) {
    case 1:
        return *at;
    case 2:
        return (uint64_t)at[0] << 8 | at[1];
    case 4: {
        uint32_t word;
        memcpy(&word, at, sizeof(word));
        return be32toh(word);
    }
    case 8:
        memcpy(&value, at, sizeof(value));
        return be64toh(value);
    default: /* shortened */
        for (size_t i = 0; i < length; i++)
            value = value << 8 | at[i];
        return value;
    }
}

static inline void store(void *target, size_t size, uint64_t value)
{
    uint32_t u32 = (uint32_t)value;
    uint16_t u16 = (uint16_t)value;
    uint8_t u8 = (uint8_t)value;
    switch (size) {
    case 8:
        memcpy(target, &value, sizeof(value));
        break;
    case 4:
        memcpy(target, &u32, sizeof(u32));
        break;
    case 2:
        memcpy(target, &u16, sizeof(u16));
        break;
    default:
        memcpy(target, &u8, sizeof(u8));
    }
}

static inline void take_step(const struct netflow_step *step, const uint8_t *at,
                             size_t length, struct netflow_record *record)
{
    uint8_t *target = (uint8_t *)record + step->target;
    if (step->size == 0) {
        struct slice text = slice_of_bytes(at, length);
        memcpy(target, &text, sizeof(text));
    } else if (step->size == 16) {
        memcpy(target, at, length == 4 ? 4 : 16);
    } else {
        store(target, step->size, load(at, length));
    }
}

/* Where a field lies. */
struct span {
    const uint8_t *at;
    uint16_t length;
};

static bool walk_fields(const struct netflow_template *t, struct cursor *set,
                        struct span *spans)
{
    for (size_t i = 0; i < t->field_count; i++) {
        uint16_t length = t->fields[i].length;
        if (length == IPFIX_VARIABLE) {
            length = cursor_u8(set);
            if (length == LONG_LENGTH)
                length = cursor_u16(set);
        }
        spans[i] = (struct span){cursor_bytes(set, length), length};
    }
    return !set->failed;
}

/* A variable field may be of a length that the member cannot hold: then it
 * tells nothing. */
static bool run_variable(const struct netflow_template *t, struct cursor *set,
                         struct netflow_record *record)
{
    struct span spans[NETFLOW_FIELDS_MAX];
    if (!walk_fields(t, set, spans))
        return false;
    for (size_t i = 0; i < t->step_count; i++) {
        const struct netflow_step *step = &t->steps[i];
        const struct span *span = &spans[step->field];
        if (step->length > 0 || step->size == 0 ||
            (span->length >= 1 && span->length <= step->size))
            take_step(step, span->at, span->length, record);
    }
    return true;
}

bool netflow_template_run(const struct netflow_template *t, struct cursor *set,
                          struct netflow_record *record)
{
    if (!t->is_fixed)
        return run_variable(t, set, record);
    const uint8_t *at = cursor_bytes(set, t->minimum);
    if (at == NULL)
        return false;
    for (size_t i = 0; i < t->step_count; i++) {
        const struct netflow_step *step = &t->steps[i];
        take_step(step, at + step->source, step->length, record);
    }
    return true;
}
