/*
 * Attribution asks three maps in memory; only the hash behind a number of the
 * interval map is read from usage.db. Batches go to the store in groups, as
 * imported files do.
 */
#include "collector/carrier/carrier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/carrier/identifier_map.h"
#include "collector/carrier/number_import.h"
#include "collector/ledger/intake.h"
#include "collector/ledger/source_batch.h"

enum { HASH_SLOTS = 1 << 14, GROUP_BATCHES = 256, DAY_S = 86400 };

static const char *const OUTCOMES[CARRIER_OUTCOME_COUNT] = {
    [CARRIER_ATTRIBUTED] = "attributed",
    [CARRIER_NOT_ENDPOINT] = "cloud side is no registered endpoint",
    [CARRIER_SHARED] = "cloud side is shared by several services",
    [CARRIER_UNKNOWN_NUMBER] = "number is declared by no enterprise",
    [CARRIER_NO_INTERVAL] = "nobody is known to have had the address then",
    [CARRIER_PORT_MISSING] = "the address is shared by ports, and the record "
                             "has none",
    [CARRIER_CHANGED_HANDS] = "the address changed owner meanwhile",
    [CARRIER_CONTRADICTION] = "number and address belong to different ones",
    [CARRIER_AMBIGUOUS] = "declared by two enterprises",
    [CARRIER_OUTSIDE] = "declared, but not for that time",
    [CARRIER_DEMO] = "demo data, which is not accepted here",
};

static const char *const OUTCOME_CODES[CARRIER_OUTCOME_COUNT] = {
    [CARRIER_ATTRIBUTED] = "attributed",
    [CARRIER_NOT_ENDPOINT] = "not_endpoint",
    [CARRIER_SHARED] = "shared",
    [CARRIER_UNKNOWN_NUMBER] = "unknown_number",
    [CARRIER_NO_INTERVAL] = "no_interval",
    [CARRIER_PORT_MISSING] = "port_missing",
    [CARRIER_CHANGED_HANDS] = "changed_hands",
    [CARRIER_CONTRADICTION] = "contradiction",
    [CARRIER_AMBIGUOUS] = "ambiguous",
    [CARRIER_OUTSIDE] = "outside",
    [CARRIER_DEMO] = "demo",
};

const char *carrier_outcome_code(enum carrier_outcome outcome)
{
    return OUTCOME_CODES[outcome];
}

const char *carrier_outcome_text(enum carrier_outcome outcome)
{
    return OUTCOMES[outcome];
}

/* Numbers come again and again: their hashes are remembered. */
struct hash_slot {
    struct number number;
    struct digest hash;
};

/* And so are those of the numbers that addresses lead to. */
struct key_slot {
    uint32_t key; /* 0: free */
    struct digest hash;
};

struct carrier {
    struct carrier_options options;
    struct carrier_span span;
    struct wall_time now;
    struct secret address_key;
    struct identifier_map *identifiers;
    struct number_map *numbers;
    const struct endpoint_list *endpoints;
    struct source_batches *batches;
    struct batch_reader *reader;
    struct hash_slot *slots;
    struct key_slot *key_slots;
    bool is_open; /* a group of the store */
    unsigned group_batches;
};

/* --- into the store --- */

static bool store_batch(void *context, const struct registry_probe *own,
                        struct slice batch)
{
    struct carrier *c = context;
    struct receipt receipt;
    if (!c->is_open && !store_begin(c->options.store))
        return false;
    c->is_open = true;
    enum take_status status =
        source_take(c->options.store, c->reader, own, batch, c->now, &receipt);
    if (status != TAKE_DONE || receipt.status == RECEIPT_REFUSED ||
        receipt.status == RECEIPT_KEPT) {
        store_rollback(c->options.store);
        c->is_open = false;
        return false;
    }
    if (++c->group_batches < GROUP_BATCHES)
        return true;
    c->group_batches = 0;
    c->is_open = false;
    return store_commit(c->options.store);
}

bool carrier_close(struct carrier *carrier)
{
    struct carrier *c = carrier;
    if (!source_batches_close(c->batches))
        return false;
    if (!c->is_open && !store_begin(c->options.store))
        return false;
    c->is_open = false; /* the caller's from here */
    return true;
}

void carrier_free(struct carrier *carrier)
{
    if (carrier == NULL)
        return;
    if (carrier->is_open)
        store_rollback(carrier->options.store);
    source_batches_free(carrier->batches);
    batch_reader_free(carrier->reader);
    identifier_map_free(carrier->identifiers);
    number_map_free(carrier->numbers);
    free(carrier->slots);
    free(carrier->key_slots);
    explicit_bzero(&carrier->options.number_key, sizeof(struct secret));
    free(carrier);
}

static bool load(struct carrier *c, struct error_text *error)
{
    const struct carrier_options *o = &c->options;
    c->identifiers = identifier_map_load(o->registry, error);
    if (c->identifiers == NULL)
        return false;
    c->numbers = number_map_load(store_db(o->store), o->carrier,
                                 c->span.from_ms, c->span.to_ms + 1, error);
    return c->numbers != NULL;
}

struct carrier *carrier_new(const struct carrier_options *options,
                            const struct endpoint_list *endpoints,
                            const uint8_t *boot_id, struct carrier_span span,
                            struct wall_time now, struct error_text *error)
{
    struct carrier *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    c->options = *options;
    c->endpoints = endpoints;
    c->span = span;
    c->now = now;
    c->address_key = secret_derive(&options->number_key, "carrier addresses");
    c->slots = calloc(HASH_SLOTS, sizeof(*c->slots));
    c->key_slots = calloc(HASH_SLOTS, sizeof(*c->key_slots));
    c->reader = batch_reader_new();
    if (c->slots == NULL || c->key_slots == NULL || c->reader == NULL) {
        error_set(error, "out of memory");
    } else if (load(c, error)) {
        struct source_options source = {
            .key = options->key,
            .boot_id = boot_id,
            .registry_version = endpoint_list_version(c->endpoints),
            .finished = store_batch,
            .context = c,
        };
        digest_of_file("/proc/self/exe", &source.software_hash);
        c->batches = source_batches_new(&source);
        if (c->batches != NULL)
            return c;
        error_set(error, "out of memory");
    }
    carrier_free(c);
    return NULL;
}

/* --- whose it is --- */

/* Whose, and by which number or address. */
struct answer {
    const struct identifier_owner *owner;
    struct digest number;
    bool has_number;
    const struct address *address;
};

static struct digest hash_of(struct carrier *c, const struct number *number)
{
    uint32_t slot = slice_hash(slice_of_text(number->text));
    struct hash_slot *s =
        &c->slots[(slot ^ (uint32_t)number->kind) % HASH_SLOTS];
    if (s->number.kind != number->kind ||
        strcmp(s->number.text, number->text) != 0) {
        s->number = *number;
        s->hash = number_hash(&c->options.number_key, number);
    }
    return s->hash;
}

static enum carrier_outcome outcome_of(enum identifier_found found)
{
    static const enum carrier_outcome OUTCOME[] = {
        [IDENTIFIER_FOUND] = CARRIER_ATTRIBUTED,
        [IDENTIFIER_UNKNOWN] = CARRIER_UNKNOWN_NUMBER,
        [IDENTIFIER_OUTSIDE] = CARRIER_OUTSIDE,
        [IDENTIFIER_AMBIGUOUS] = CARRIER_AMBIGUOUS,
    };
    return OUTCOME[found];
}

/* Of the kinds that the number may be, the one that was declared. */
static enum carrier_outcome
by_number(struct carrier *c, const struct carrier_record *r, struct answer *a)
{
    enum carrier_outcome best = CARRIER_UNKNOWN_NUMBER;
    for (int i = 0; i < r->number_count; i++) {
        const struct identifier_owner *owner;
        struct digest hash = hash_of(c, &r->numbers[i]);
        enum carrier_outcome outcome = outcome_of(identifier_map_number(
            c->identifiers, hash, wall_from_ms(r->start_ms), &owner));
        if (outcome == CARRIER_ATTRIBUTED && best == CARRIER_ATTRIBUTED)
            return CARRIER_AMBIGUOUS;
        if (outcome == CARRIER_ATTRIBUTED)
            *a = (struct answer){owner, hash, true, NULL};
        if (best != CARRIER_ATTRIBUTED && outcome != CARRIER_UNKNOWN_NUMBER)
            best = outcome;
    }
    return best;
}

static bool read_hash(struct carrier *c, uint32_t key, struct digest *hash)
{
    struct db_statement *s = db_prepare(
        store_db(c->options.store), "SELECT hash FROM number WHERE key = :key");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":key", key);
    bool good = db_step(s) == DB_ROW && digest_read(db_blob(s, 0), hash);
    db_reset(s);
    return good;
}

static bool hash_of_key(struct carrier *c, uint32_t key, struct digest *hash)
{
    struct key_slot *s = &c->key_slots[key % HASH_SLOTS];
    if (s->key != key && !read_hash(c, key, &s->hash))
        return false;
    s->key = key;
    *hash = s->hash;
    return true;
}

static enum carrier_outcome by_fixed_address(struct carrier *c,
                                             const struct carrier_record *r,
                                             const struct carrier_user *user,
                                             struct answer *a)
{
    *a = (struct answer){.address = &user->address};
    return outcome_of(identifier_map_address(
        c->identifiers, &user->address, wall_from_ms(r->start_ms), &a->owner));
}

/* The number that had the address; then the address itself. */
static enum carrier_outcome by_user(struct carrier *c,
                                    const struct carrier_record *r,
                                    const struct carrier_user *user,
                                    struct answer *a)
{
    const struct number_interval *n;
    enum number_found found = number_map_find(c->numbers, &user->address,
                                              user->port, r->start_ms, &n);
    if (found == NUMBER_PORT_NEEDED)
        return CARRIER_PORT_MISSING;
    enum carrier_outcome fixed = by_fixed_address(c, r, user, a);
    if (found == NUMBER_NOBODY)
        return fixed == CARRIER_UNKNOWN_NUMBER ? CARRIER_NO_INTERVAL : fixed;
    if (n->to_ms < r->end_ms)
        return CARRIER_CHANGED_HANDS;
    struct answer other = {.has_number = true};
    if (!hash_of_key(c, n->number, &other.number))
        return CARRIER_NO_INTERVAL;
    enum carrier_outcome outcome = outcome_of(identifier_map_number(
        c->identifiers, other.number, wall_from_ms(r->start_ms), &other.owner));
    if (outcome != CARRIER_ATTRIBUTED)
        return fixed == CARRIER_ATTRIBUTED ? fixed : outcome;
    bool is_other =
        fixed == CARRIER_ATTRIBUTED &&
        strcmp(a->owner->enterprise_id, other.owner->enterprise_id) != 0;
    *a = other;
    return is_other ? CARRIER_AMBIGUOUS : CARRIER_ATTRIBUTED;
}

/* The first address that somebody is known to have had. */
static enum carrier_outcome
by_address(struct carrier *c, const struct carrier_record *r, struct answer *a)
{
    enum carrier_outcome outcome = CARRIER_NO_INTERVAL;
    for (int i = 0; i < r->user_count && outcome == CARRIER_NO_INTERVAL; i++)
        outcome = by_user(c, r, &r->users[i], a);
    return outcome;
}

/* Number and address both: what the address says must not contradict. */
static bool contradicts(struct carrier *c, const struct carrier_record *r,
                        const struct answer *a)
{
    struct answer other;
    enum carrier_outcome outcome = by_address(c, r, &other);
    if (outcome == CARRIER_CHANGED_HANDS)
        return true;
    return outcome == CARRIER_ATTRIBUTED &&
           (strcmp(other.owner->enterprise_id, a->owner->enterprise_id) != 0 ||
            (other.has_number && !digest_equal(other.number, a->number)));
}

static enum carrier_outcome
attribute(struct carrier *c, const struct carrier_record *r, struct answer *a)
{
    if (!r->has_number)
        return by_address(c, r, a);
    enum carrier_outcome outcome = by_number(c, r, a);
    if (outcome == CARRIER_ATTRIBUTED && contradicts(c, r, a))
        return CARRIER_CONTRADICTION;
    return outcome;
}

/* --- what becomes of it --- */

static uint64_t host_of(const struct carrier *c, const struct answer *a)
{
    uint64_t host = 0;
    if (!a->has_number)
        return secret_pseudonym(&c->address_key, a->address,
                                sizeof(*a->address));
    for (int i = 0; i < 8; i++)
        host = host << 8 | a->number.bytes[i];
    return host;
}

/* The i-th of n shares of a sum. */
static uint64_t share(uint64_t sum, uint64_t n, uint64_t i)
{
    return sum / n + (i < sum % n ? 1 : 0);
}

static struct flow_record make_record(const struct carrier_record *r,
                                      const char *endpoint, uint64_t host,
                                      uint64_t i)
{
    struct flow_record f = {
        .start_ms = r->start_ms,
        .end_ms = r->end_ms,
        .is_ipv6 = r->cloud_address.version == 6,
        .port = r->cloud_port,
        .protocol = r->protocol,
        .octets = share(r->octets_up, r->connections, i),
        .packets = share(r->packets_up, r->connections, i),
        .roctets = share(r->octets_down, r->connections, i),
        .rpackets = share(r->packets_down, r->connections, i),
        .end_reason = FLOW_END_DETECTED,
        .host_pseudonym = host,
    };
    memcpy(f.address, r->cloud_address.bytes, sizeof(f.address));
    slice_copy(slice_of_text(endpoint), f.endpoint_id, sizeof(f.endpoint_id));
    return f;
}

/* The day in Asia/Shanghai in which it starts, as far as the file goes. */
static struct source_period period_of(const struct carrier *c, int64_t start_ms)
{
    int64_t start = wall_to_ms(day_start(day_of_wall(wall_from_ms(start_ms))));
    int64_t end = start + DAY_S * INT64_C(1000);
    int64_t last = c->span.to_ms + 1;
    return (struct source_period){start, last < end ? last : end};
}

bool carrier_store(struct carrier *carrier, const struct carrier_record *record,
                   const struct carrier_answer *answer)
{
    struct source_chain chain = {
        .source = SOURCE_CARRIER,
        .name = carrier->options.carrier,
        .enterprise_id = answer->owner->enterprise_id,
        .site_id = answer->owner->site_id,
        .is_sample = answer->owner->is_sample,
    };
    struct source_period period = period_of(carrier, record->start_ms);
    for (uint64_t i = 0; i < record->connections; i++) {
        struct flow_record f =
            make_record(record, answer->endpoint_id, answer->host, i);
        if (!source_batches_add(carrier->batches, &chain, period, &f))
            return false;
    }
    return true;
}

void carrier_attribute(struct carrier *carrier,
                       const struct carrier_record *record,
                       struct carrier_answer *answer)
{
    struct carrier *c = carrier;
    struct answer a = {0};
    *answer = (struct carrier_answer){0};
    int endpoint =
        endpoint_find(c->endpoints, &record->cloud_address, record->protocol,
                      record->cloud_port, wall_from_ms(record->start_ms));
    if (endpoint == ENDPOINT_NONE)
        answer->outcome = CARRIER_NOT_ENDPOINT;
    else if (endpoint_is_shared(c->endpoints, endpoint))
        answer->outcome = CARRIER_SHARED;
    else
        answer->outcome = attribute(c, record, &a);
    if (answer->outcome != CARRIER_ATTRIBUTED)
        return;
    answer->endpoint_id = endpoint_id(c->endpoints, endpoint);
    answer->owner = a.owner;
    answer->host = host_of(c, &a);
    if (a.owner->is_sample && !c->options.accept_sample)
        answer->outcome = CARRIER_DEMO;
}

/* --- records of any form --- */

const char *carrier_record_fault(const struct carrier_record *record,
                                 struct wall_time now)
{
    const struct carrier_record *r = record;
    if (r->end_ms < r->start_ms)
        return "end: before start";
    if (r->end_ms > wall_to_ms(now))
        return "end: in the future";
    if (r->end_ms - r->start_ms > CARRIER_DURATION_S * INT64_C(1000))
        return "end: more than a day after start";
    if (r->octets_up > INTAKE_RECORD_OCTETS_MAX ||
        r->octets_down > INTAKE_RECORD_OCTETS_MAX)
        return "octets: more than 2^42";
    return r->octets_up < r->packets_up || r->octets_down < r->packets_down
               ? "octets: fewer than packets"
               : NULL;
}

const char *carrier_record_number(struct carrier_record *record,
                                  struct slice text, unsigned kinds)
{
    const char *fault = NULL;
    record->has_number = true;
    if (!slice_copy(text, record->number_text, sizeof(record->number_text)))
        snprintf(record->number_text, sizeof(record->number_text), "%.*s",
                 (int)sizeof(record->number_text) - 1, text.data);
    for (int k = 0; k < NUMBER_KIND_COUNT; k++) {
        if ((kinds & 1u << k) == 0)
            continue;
        const char *why = number_read((enum number_kind)k, text,
                                      &record->numbers[record->number_count]);
        if (why == NULL)
            record->number_count++;
        else
            fault = why;
    }
    return record->number_count > 0 ? NULL : fault;
}
