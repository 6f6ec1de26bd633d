/*
 * A small direct-mapped table stands in front of each key table: most records
 * of a batch name the same few endpoints, and a query for each record would
 * double the work of storing it.
 */
#include "ledger/detail.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1024 };

struct key_slot {
    int64_t key; /* 0: empty */
    char text[ENDPOINT_ID_LEN];
};

struct detail {
    struct db *db;
    struct key_slot endpoints[SLOTS], applications[SLOTS];
};

_Static_assert(APPLICATION_LEN <= ENDPOINT_ID_LEN, "a slot holds both");

struct detail *detail_new(struct db *db)
{
    struct detail *detail = calloc(1, sizeof(*detail));
    if (detail != NULL)
        detail->db = db;
    return detail;
}

void detail_free(struct detail *detail)
{
    free(detail);
}

void detail_forget(struct detail *detail)
{
    memset(detail->endpoints, 0, sizeof(detail->endpoints));
    memset(detail->applications, 0, sizeof(detail->applications));
}

static struct key_slot *slot_of(struct key_slot *slots, const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return &slots[hash % SLOTS];
}

static bool find_or_make(struct db *db, const char *select, const char *insert,
                         const char *text, int64_t *key)
{
    struct db_statement *s = db_prepare(db, select);
    if (s == NULL)
        return false;
    db_bind_text(s, ":text", text);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        *key = db_i64(s, 0);
    db_reset(s);
    if (step != DB_DONE)
        return step == DB_ROW;
    s = db_prepare(db, insert);
    if (s == NULL)
        return false;
    db_bind_text(s, ":text", text);
    if (!db_do(s))
        return false;
    *key = db_last_rowid(db);
    return true;
}

static bool key_of(struct db *db, struct key_slot *slots, const char *select,
                   const char *insert, const char *text, int64_t *key)
{
    struct key_slot *slot = slot_of(slots, text);
    if (slot->key == 0 || strcmp(slot->text, text) != 0) {
        if (!find_or_make(db, select, insert, text, key))
            return false;
        slot->key =
            slice_copy(slice_of_text(text), slot->text, sizeof(slot->text))
                ? *key
                : 0;
    } else {
        *key = slot->key;
    }
    return true;
}

bool detail_endpoint_key(struct detail *detail, const char *endpoint_id,
                         int64_t *key)
{
    return key_of(detail->db, detail->endpoints,
                  "SELECT key FROM endpoint_key WHERE endpoint_id = :text",
                  "INSERT INTO endpoint_key (endpoint_id) VALUES (:text)",
                  endpoint_id, key);
}

bool detail_application_key(struct detail *detail, const char *name,
                            int64_t *key)
{
    return key_of(detail->db, detail->applications,
                  "SELECT key FROM application_key WHERE name = :text",
                  "INSERT INTO application_key (name) VALUES (:text)", name,
                  key);
}

/* A pseudonym or fingerprint as the signed 64 bits SQLite keeps. */
static int64_t signed_of_bytes(const uint8_t bytes[static FINGERPRINT_LEN])
{
    uint64_t value = 0;
    for (int i = 0; i < FINGERPRINT_LEN; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void bind_record(struct db_statement *s, const struct flow_record *r)
{
    db_bind_i64(s, ":start_ms", r->start_ms);
    db_bind_i64(s, ":end_ms", r->end_ms);
    db_bind_i64(s, ":protocol", r->protocol);
    db_bind_i64(s, ":port", r->port);
    db_bind_u64(s, ":octets", r->octets);
    db_bind_u64(s, ":packets", r->packets);
    db_bind_u64(s, ":payload", r->payload);
    db_bind_u64(s, ":roctets", r->roctets);
    db_bind_u64(s, ":rpackets", r->rpackets);
    db_bind_u64(s, ":rpayload", r->rpayload);
    db_bind_i64(s, ":tcp_flags", r->tcp_flags);
    db_bind_i64(s, ":rtcp_flags", r->rtcp_flags);
    db_bind_i64(s, ":end_reason", r->end_reason);
    db_bind_i64(s, ":name_evidence", r->name_evidence);
    db_bind_i64(s, ":direction", r->direction);
    db_bind_i64(s, ":rtt_us", r->rtt_us);
    db_bind_i64(s, ":burst_count", r->burst_count);
    db_bind_i64(s, ":host", (int64_t)r->host_pseudonym);
    if (is_zero(r->token, FLOW_TOKEN_LEN))
        db_bind_null(s, ":token");
    else
        db_bind_blob(s, ":token", r->token, FLOW_TOKEN_LEN);
    if (is_zero(r->fingerprint, FINGERPRINT_LEN))
        db_bind_null(s, ":fingerprint");
    else
        db_bind_i64(s, ":fingerprint", signed_of_bytes(r->fingerprint));
}

bool detail_add(struct detail *detail, uint64_t ledger_index,
                const struct flow_record *record, int64_t *endpoint)
{
    int64_t application;
    if (!detail_endpoint_key(detail, record->endpoint_id, endpoint) ||
        !detail_application_key(detail, record->application, &application))
        return false;
    struct db_statement *s = db_prepare(
        detail->db,
        "INSERT INTO flow (ledger_idx, endpoint, application, start_ms, "
        "end_ms, protocol, port, octets, packets, payload, roctets, rpackets, "
        "rpayload, tcp_flags, rtcp_flags, end_reason, name_evidence, "
        "direction, rtt_us, burst_count, host, token, fingerprint) "
        "VALUES (:ledger_idx, :endpoint, :application, :start_ms, :end_ms, "
        ":protocol, :port, :octets, :packets, :payload, :roctets, :rpackets, "
        ":rpayload, :tcp_flags, :rtcp_flags, :end_reason, :name_evidence, "
        ":direction, :rtt_us, :burst_count, :host, :token, :fingerprint)");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":ledger_idx", ledger_index);
    db_bind_i64(s, ":endpoint", *endpoint);
    db_bind_i64(s, ":application", application);
    bind_record(s, record);
    return db_do(s);
}

#define BATCH_QUERY(schema)                                                    \
    "SELECT e.endpoint_id, a.name, f.start_ms, f.end_ms, f.protocol, f.port, " \
    "f.octets, f.packets, f.payload, f.roctets, f.rpackets, f.rpayload, "      \
    "f.tcp_flags, f.rtcp_flags, f.end_reason, f.name_evidence, f.direction, "  \
    "f.rtt_us, f.burst_count, f.host, f.token, f.fingerprint "                 \
    "FROM " schema ".flow AS f "                                               \
    "LEFT JOIN " schema ".endpoint_key AS e ON e.key = f.endpoint "            \
    "LEFT JOIN " schema ".application_key AS a ON a.key = f.application "      \
    "WHERE f.ledger_idx = :ledger_idx ORDER BY f.id"

struct db_statement *detail_prepare_batch(struct db *db, const char *schema,
                                          uint64_t ledger_index)
{
    struct db_statement *s =
        db_prepare(db, strcmp(schema, "main") == 0 ? BATCH_QUERY("main")
                                                   : BATCH_QUERY("live"));
    if (s != NULL)
        db_bind_u64(s, ":ledger_idx", ledger_index);
    return s;
}

static bool blobs_equal(struct db_statement *s, const struct flow_record *r)
{
    struct slice token = db_blob(s, 20);
    bool has_token = !is_zero(r->token, FLOW_TOKEN_LEN);
    bool has_fingerprint = !is_zero(r->fingerprint, FINGERPRINT_LEN);
    if (has_token == db_is_null(s, 20) || has_fingerprint == db_is_null(s, 21))
        return false;
    if (has_token && (token.length != FLOW_TOKEN_LEN ||
                      memcmp(token.data, r->token, FLOW_TOKEN_LEN) != 0))
        return false;
    return !has_fingerprint || db_i64(s, 21) == signed_of_bytes(r->fingerprint);
}

bool detail_row_equals(struct db_statement *s, const struct flow_record *r)
{
    const int64_t numbers[] = {
        r->start_ms,          r->end_ms,
        r->protocol,          r->port,
        (int64_t)r->octets,   (int64_t)r->packets,
        (int64_t)r->payload,  (int64_t)r->roctets,
        (int64_t)r->rpackets, (int64_t)r->rpayload,
        r->tcp_flags,         r->rtcp_flags,
        r->end_reason,        r->name_evidence,
        r->direction,         r->rtt_us,
        r->burst_count,       (int64_t)r->host_pseudonym,
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (db_i64(s, (int)i + 2) != numbers[i])
            return false;
    return strcmp(db_text(s, 0), r->endpoint_id) == 0 &&
           strcmp(db_text(s, 1), r->application) == 0 && blobs_equal(s, r);
}
