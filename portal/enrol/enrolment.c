/* See enrolment.h. */
#include "portal/enrol/enrolment.h"

#include <inttypes.h>
#include <string.h>

#include "common/columns.h"
#include "common/shown.h"
#include "portal/store/act.h"

enum {
    HOUR_S = 3600,
    AGAIN_S = 300, /* a renewal so soon after the last gets the same one */
};

static bool db_failed(struct db *db, struct error_text *error)
{
    return error_set(error, "%s", db_error(db));
}

static enum enrolment_status failed(struct db *db, struct error_text *error)
{
    error_set(error, "%s", db_error(db));
    return ENROLMENT_FAILED;
}

static bool audit(struct db *db, struct wall_time now, const char *actor,
                  const char *action, const char *object)
{
    const struct audit_entry entry = {actor, action, object, "OK"};
    return audit_add(db, now, &entry);
}

/* --- whose it is --- */

/* An enterprise's site or a supplier; "" for what it is not. */
struct owner {
    char enterprise_id[PKI_NAME_LEN], site_id[PKI_NAME_LEN];
    char supplier_id[PKI_NAME_LEN];
};

/* Of the statement's columns 0 to 2. */
static bool read_owner(struct db_statement *s, struct owner *o)
{
    return slice_copy(slice_of_text(db_text(s, 0)), o->enterprise_id,
                      sizeof(o->enterprise_id)) &&
           slice_copy(slice_of_text(db_text(s, 1)), o->site_id,
                      sizeof(o->site_id)) &&
           slice_copy(slice_of_text(db_text(s, 2)), o->supplier_id,
                      sizeof(o->supplier_id));
}

static void bind_or_null(struct db_statement *s, const char *name,
                         const char *text)
{
    if (text == NULL || text[0] == '\0')
        db_bind_null(s, name);
    else
        db_bind_text(s, name, text);
}

static void bind_owner(struct db_statement *s, const struct owner *o)
{
    bind_or_null(s, ":enterprise", o->enterprise_id);
    bind_or_null(s, ":site", o->site_id);
    bind_or_null(s, ":supplier", o->supplier_id);
}

static bool are_same(const struct owner *a, const struct owner *b)
{
    return strcmp(a->enterprise_id, b->enterprise_id) == 0 &&
           strcmp(a->site_id, b->site_id) == 0 &&
           strcmp(a->supplier_id, b->supplier_id) == 0;
}

/* --- the probe as registered --- */

struct registered {
    struct owner owner;
    enum sign_algorithm algorithm;
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t key_length;
    bool is_denied;
};

static bool read_registered(struct db_statement *s, struct registered *r)
{
    struct slice key = db_blob(s, 4);
    *r = (struct registered){
        .algorithm = sign_algorithm_from(slice_of_text(db_text(s, 3))),
        .is_denied = !db_is_null(s, 5)};
    if (key.length > sizeof(r->key))
        return false;
    memcpy(r->key, key.data, key.length);
    r->key_length = key.length;
    return read_owner(s, &r->owner);
}

/* DB_DONE: there is no such probe. */
static enum db_step find_probe(struct db *db, const char *id,
                               struct registered *r)
{
    struct db_statement *s =
        db_prepare(db, "SELECT enterprise_id, site_id, supplier_id, algorithm,"
                       " signing_key, denied_at FROM probe WHERE id = :id");
    if (s == NULL)
        return DB_FAILED;
    db_bind_text(s, ":id", id);
    enum db_step step = db_step(s);
    if (step == DB_ROW && !read_registered(s, r))
        step = DB_FAILED;
    db_reset(s);
    return step;
}

static bool has_key(const struct registered *r,
                    const struct pki_request *request)
{
    return r->algorithm == request->batch_algorithm &&
           slice_equal(
               slice_of_bytes(r->key, r->key_length),
               slice_of_bytes(request->batch_key, request->batch_key_length));
}

/* --- codes --- */

static enum db_step find_owner(struct db *db, const struct owner *o)
{
    struct db_statement *s = db_prepare(
        db, "SELECT 1 FROM site WHERE id = :site AND enterprise_id ="
            " :enterprise UNION ALL SELECT 1 FROM supplier WHERE id ="
            " :supplier");
    if (s == NULL)
        return DB_FAILED;
    bind_owner(s, o);
    enum db_step step = db_step(s);
    db_reset(s);
    return step;
}

static bool copy_id(const char *id, char copy[static PKI_NAME_LEN])
{
    return slice_copy(slice_of_text(id == NULL ? "" : id), copy, PKI_NAME_LEN);
}

/* Either way what is too long for an id is nobody's. */
static bool read_order(struct db *db, const struct enrolment_order *order,
                       struct owner *o, struct error_text *error)
{
    bool good = copy_id(order->enterprise_id, o->enterprise_id) &&
                copy_id(order->site_id, o->site_id) &&
                copy_id(order->supplier_id, o->supplier_id);
    enum db_step found = good ? find_owner(db, o) : DB_DONE;
    if (found != DB_DONE)
        return found == DB_ROW || db_failed(db, error);
    return order->supplier_id != NULL
               ? error_set(error, "there is no supplier '%s'",
                           order->supplier_id)
               : error_set(error, "enterprise '%s' has no site '%s'",
                           order->enterprise_id, order->site_id);
}

static bool says_elsewhere(const char *probe_id, const struct owner *o,
                           struct error_text *error)
{
    return o->supplier_id[0] != '\0'
               ? error_set(error,
                           "probe '%s' belongs to supplier '%s'; a probe does "
                           "not move",
                           probe_id, o->supplier_id)
               : error_set(error,
                           "probe '%s' belongs to enterprise '%s', site "
                           "'%s'; a probe does not move",
                           probe_id, o->enterprise_id, o->site_id);
}

/* As probe/state/probe_config.h and the collector read names. */
static bool is_good_id(const char *id)
{
    return strlen(id) < PKI_NAME_LEN && slice_is_id(slice_of_text(id));
}

static bool check_order(struct db *db, const struct enrolment_order *o,
                        struct owner *owner, struct error_text *error)
{
    struct registered r;
    if (!read_order(db, o, owner, error))
        return false;
    if (o->probe_id == NULL)
        return true;
    if (!is_good_id(o->probe_id))
        return error_set(error,
                         "probe '%s': 1 to %d letters, digits, '.', '_' or '-'",
                         o->probe_id, PKI_NAME_LEN - 1);
    switch (find_probe(db, o->probe_id, &r)) {
    case DB_DONE:
        return true;
    case DB_FAILED:
        return db_failed(db, error);
    case DB_ROW:
        break;
    }
    if (!are_same(&r.owner, owner))
        return says_elsewhere(o->probe_id, &r.owner, error);
    return !r.is_denied ||
           error_set(error, "probe '%s' is denied; restore it first",
                     o->probe_id);
}

static bool insert_code(struct db *db, struct wall_time now,
                        const struct enrolment_order *o,
                        const struct owner *owner, struct digest hash)
{
    char handle[ENROLMENT_HANDLE_LEN];
    enrolment_code_handle(hash, handle);
    struct db_statement *s = db_prepare(
        db, "INSERT INTO enrolment_code (handle, hash, enterprise_id, site_id,"
            " supplier_id, probe_id, agreed_at, issued_at, expires_at) VALUES"
            " (:handle, :hash, :enterprise, :site, :supplier, :probe, :agreed,"
            " :now, :end)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":handle", handle);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    bind_owner(s, owner);
    bind_or_null(s, ":probe", o->probe_id);
    db_bind_i64(s, ":agreed", o->agreed_at.us);
    db_bind_i64(s, ":now", now.us);
    db_bind_i64(s, ":end", now.us + o->hours * (int64_t)HOUR_S * 1000000);
    return db_do(s) && audit(db, now, "SYS", "code.issue", handle);
}

struct code_issue {
    const struct enrolment_order *order;
    char *code;
};

static enum act_end store_failed(struct db *db, struct error_text *error)
{
    db_failed(db, error);
    return ACT_FAILED;
}

static enum act_end issue_code(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    const struct code_issue *issue = context;
    struct digest hash;
    struct owner owner;
    if (!check_order(db, issue->order, &owner, error))
        return ACT_REFUSED;
    enrolment_code_new(issue->code);
    return enrolment_code_read(slice_of_text(issue->code), &hash) &&
                   insert_code(db, now, issue->order, &owner, hash)
               ? ACT_KEPT
               : store_failed(db, error);
}

bool enrolment_issue_code(struct db *db, struct wall_time now,
                          const struct enrolment_order *order,
                          char code[static ENROLMENT_CODE_LEN],
                          struct error_text *error)
{
    struct code_issue issue = {order, code};
    if (order->agreed_at.us > now.us)
        return error_set(error, "the agreement is of a later day than today");
    return act_on(db, now, NULL, issue_code, &issue, error) == ACT_KEPT;
}

/* One UPDATE that must meet a row. */
struct change {
    struct db_statement *s;
    const char *object;
};

static enum act_end change_row(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    const struct change *change = context;
    (void)now;
    if (!db_do(change->s))
        return store_failed(db, error);
    if (db_changes(db) > 0)
        return ACT_KEPT;
    error_set(error, "'%s': there is none to which this could happen",
              change->object);
    return ACT_REFUSED;
}

static bool change_one(struct db *db, struct wall_time now,
                       struct db_statement *s, const char *action,
                       const char *object, struct error_text *error)
{
    struct change change = {s, object};
    const struct audit_entry entry = {"SYS", action, object, "OK"};
    if (s == NULL)
        return db_failed(db, error);
    return act_on(db, now, &entry, change_row, &change, error) == ACT_KEPT;
}

bool enrolment_revoke_code(struct db *db, struct wall_time now,
                           const char *handle, struct error_text *error)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE enrolment_code SET revoked_at = :now WHERE handle = :handle"
            " AND revoked_at IS NULL AND expires_at > :now");
    if (s != NULL) {
        db_bind_i64(s, ":now", now.us);
        db_bind_text(s, ":handle", handle);
    }
    return change_one(db, now, s, "code.revoke", handle, error);
}

/* --- the deny list --- */

static bool insert_denial(struct db *db, struct wall_time now, const char *id,
                          const char *reason)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO probe_denial (probe_id, denied_at, reason) VALUES"
            " (:id, :now, :reason)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", id);
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":reason", reason);
    return db_do(s);
}

struct denial {
    const char *id, *reason;
};

static enum act_end deny(struct db *db, struct wall_time now, void *context,
                         struct error_text *error)
{
    const struct denial *denial = context;
    struct registered r;
    enum db_step found = find_probe(db, denial->id, &r);
    if (found == DB_DONE || (found == DB_ROW && r.is_denied)) {
        error_set(error,
                  found == DB_DONE ? "there is no probe '%s'"
                                   : "probe '%s' is denied already",
                  denial->id);
        return ACT_REFUSED;
    }
    struct db_statement *s =
        db_prepare(db, "UPDATE probe SET denied_at = :now WHERE id = :id");
    if (found != DB_ROW || s == NULL)
        return store_failed(db, error);
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":id", denial->id);
    return db_do(s) && insert_denial(db, now, denial->id, denial->reason)
               ? ACT_KEPT
               : store_failed(db, error);
}

bool enrolment_deny_probe(struct db *db, struct wall_time now, const char *id,
                          const char *reason, struct error_text *error)
{
    struct denial denial = {id, reason};
    const struct audit_entry entry = {"SYS", "probe.revoke", id, "OK"};
    if (!slice_is_clean_utf8(slice_of_text(reason)) || reason[0] == '\0')
        return error_set(error, "a reason is needed, of clean text");
    return act_on(db, now, &entry, deny, &denial, error) == ACT_KEPT;
}

static enum act_end restore(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    const char *id = context;
    struct db_statement *end = db_prepare(
        db, "UPDATE probe_denial SET restored_at = :now WHERE probe_id = :id"
            " AND restored_at IS NULL");
    struct db_statement *s =
        db_prepare(db, "UPDATE probe SET denied_at = NULL WHERE id = :id AND"
                       " denied_at IS NOT NULL");
    if (end == NULL || s == NULL)
        return store_failed(db, error);
    db_bind_i64(end, ":now", now.us);
    db_bind_text(end, ":id", id);
    db_bind_text(s, ":id", id);
    if (!db_do(end) || !db_do(s))
        return store_failed(db, error);
    if (db_changes(db) > 0)
        return ACT_KEPT;
    error_set(error, "there is no denied probe '%s'", id);
    return ACT_REFUSED;
}

bool enrolment_restore_probe(struct db *db, struct wall_time now,
                             const char *id, struct error_text *error)
{
    const struct audit_entry entry = {"SYS", "probe.restore", id, "OK"};
    return act_on(db, now, &entry, restore, (void *)id, error) == ACT_KEPT;
}

/* --- lists --- */

static const struct column CODES[] = {
    {TEXT_KEY("command.column.handle"), 8},
    {TEXT_KEY("command.column.state"), 8},
    {TEXT_KEY("command.column.owner"), 16},
    {TEXT_KEY("command.column.site"), 16},
    {TEXT_KEY("command.column.probe"), 14},
    {TEXT_KEY("command.column.issued"), 19},
    {TEXT_KEY("command.column.expires"), 19},
};
static const struct column PROBES[] = {
    {TEXT_KEY("command.column.probe"), 14},
    {TEXT_KEY("command.column.owner"), 16},
    {TEXT_KEY("command.column.site"), 16},
    {TEXT_KEY("command.column.key"), 7},
    {TEXT_KEY("command.column.state"), 8},
    {TEXT_KEY("command.column.certificate"), 19},
    {TEXT_KEY("command.column.reason"), 6},
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add_time(struct buffer *out, const struct column *column,
                     struct db_statement *s, int index)
{
    char text[SHOWN_LEN] = "-";
    if (!db_is_null(s, index))
        shown_end((struct wall_time){db_i64(s, index)}, text);
    columns_add_cell(out, column, text);
}

bool enrolment_list_codes(struct db *db, struct wall_time now,
                          enum language language, struct buffer *out)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        db, "SELECT handle, CASE WHEN revoked_at IS NOT NULL THEN 'revoked'"
            " WHEN used_at IS NOT NULL THEN 'used' WHEN expires_at <= :now"
            " THEN 'expired' ELSE 'open' END,"
            " coalesce(enterprise_id, supplier_id), coalesce(site_id, '-'),"
            " coalesce((SELECT probe_id FROM certificate c WHERE c.serial ="
            " e.serial), probe_id, '-'), issued_at, expires_at"
            " FROM enrolment_code e ORDER BY issued_at, handle");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    columns_add_heads(out, language, CODES, COUNT(CODES));
    while ((step = db_step(s)) == DB_ROW) {
        for (int i = 0; i < 5; i++)
            columns_add_cell(out, &CODES[i],
                             i == 1 ? text_word(language, "command.code.state.",
                                                db_text(s, i))
                                    : db_text(s, i));
        add_time(out, &CODES[5], s, 5);
        add_time(out, &CODES[6], s, 6);
        buffer_add_u8(out, '\n');
    }
    return step == DB_DONE && !out->failed;
}

bool enrolment_list_probes(struct db *db, enum language language,
                           struct buffer *out)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        db, "SELECT p.id, coalesce(p.enterprise_id, p.supplier_id),"
            " coalesce(p.site_id, '-'), p.algorithm,"
            " CASE WHEN p.denied_at IS NULL THEN 'good' ELSE 'denied' END,"
            " (SELECT max(not_after) FROM certificate c WHERE c.probe_id ="
            " p.id), (SELECT reason FROM probe_denial d WHERE d.probe_id = p.id"
            " AND d.restored_at IS NULL) FROM probe p ORDER BY p.id");
    if (s == NULL)
        return false;
    columns_add_heads(out, language, PROBES, COUNT(PROBES));
    while ((step = db_step(s)) == DB_ROW) {
        for (int i = 0; i < 5; i++)
            columns_add_cell(
                out, &PROBES[i],
                i == 4
                    ? text_word(language, "command.probe.state.", db_text(s, i))
                    : db_text(s, i));
        add_time(out, &PROBES[5], s, 5);
        buffer_addf(out, "%s\n", db_text(s, 6));
    }
    return step == DB_DONE && !out->failed;
}

/* --- certificates --- */

/* A code as it is kept. */
struct kept_code {
    char handle[ENROLMENT_HANDLE_LEN];
    struct owner owner;
    char probe_id[PKI_NAME_LEN]; /* "" a new one */
    char serial[PKI_SERIAL_LEN]; /* "" not used */
    int64_t agreed_at, expires_at;
    bool is_revoked;
};

/* In time that does not depend on where they differ. */
static bool equal_hashes(struct slice a, struct digest b)
{
    uint8_t difference = a.length != DIGEST_LEN;
    for (size_t i = 0; i < DIGEST_LEN && a.length == DIGEST_LEN; i++)
        difference |= (uint8_t)((uint8_t)a.data[i] ^ b.bytes[i]);
    return difference == 0;
}

static bool copy_code(struct db_statement *s, struct kept_code *c)
{
    c->agreed_at = db_i64(s, 5);
    c->expires_at = db_i64(s, 6);
    c->is_revoked = !db_is_null(s, 7);
    return read_owner(s, &c->owner) &&
           slice_copy(slice_of_text(db_text(s, 4)), c->probe_id,
                      sizeof(c->probe_id)) &&
           slice_copy(slice_of_text(db_text(s, 8)), c->serial,
                      sizeof(c->serial));
}

/* Looked up by its handle, which is no secret, then compared. */
static enum db_step find_code(struct db *db, struct digest hash,
                              struct kept_code *c)
{
    struct db_statement *s = db_prepare(
        db, "SELECT enterprise_id, site_id, supplier_id, hash, probe_id,"
            " agreed_at, expires_at, revoked_at, serial FROM enrolment_code"
            " WHERE handle = :handle");
    if (s == NULL)
        return DB_FAILED;
    *c = (struct kept_code){.agreed_at = 0};
    enrolment_code_handle(hash, c->handle);
    db_bind_text(s, ":handle", c->handle);
    enum db_step step = db_step(s);
    if (step == DB_ROW && !equal_hashes(db_blob(s, 3), hash))
        step = DB_DONE;
    else if (step == DB_ROW && !copy_code(s, c))
        step = DB_FAILED;
    db_reset(s);
    return step;
}

/* The last certificate of the probe for this key: with a serial that one, else
 * one issued from `since` to `until`: what was issued while the clock was ahead
 * is of no use yet. DB_DONE: none. */
static enum db_step find_certificate(struct db *db, const char *probe_id,
                                     const char *serial, int64_t since,
                                     int64_t until, struct digest key_hash,
                                     struct buffer *certificate)
{
    struct db_statement *s = db_prepare(
        db, "SELECT der FROM certificate WHERE key_hash = :key AND"
            " (:probe = '' OR probe_id = :probe) AND"
            " (serial = :serial OR (:serial = '' AND issued_at >= :since"
            "  AND issued_at <= :until))"
            " ORDER BY issued_at DESC LIMIT 1");
    if (s == NULL)
        return DB_FAILED;
    db_bind_text(s, ":probe", probe_id);
    db_bind_text(s, ":serial", serial);
    db_bind_i64(s, ":since", since);
    db_bind_i64(s, ":until", until);
    db_bind_blob(s, ":key", key_hash.bytes, DIGEST_LEN);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        buffer_add_slice(certificate, db_blob(s, 0));
    db_reset(s);
    return step;
}

static bool keep_certificate(struct db *db, struct wall_time now,
                             const struct pki_certificate *c, struct slice der)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO certificate (serial, probe_id, issued_at, not_before,"
            " not_after, key_hash, der) VALUES (:serial, :probe, :now, :begin,"
            " :end, :key, :der)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":serial", c->serial);
    db_bind_text(s, ":probe", c->name);
    db_bind_i64(s, ":now", now.us);
    db_bind_i64(s, ":begin", c->begins.us);
    db_bind_i64(s, ":end", c->ends.us);
    db_bind_blob(s, ":key", c->key_hash.bytes, DIGEST_LEN);
    db_bind_blob(s, ":der", der.data, der.length);
    return db_do(s);
}

/* Issues for a probe that is registered, and keeps it. */
static enum enrolment_status
issue(struct db *db, struct wall_time now,
      const struct enrolment_issuer *issuer, const char *id,
      const struct pki_request *request, struct buffer *certificate,
      struct pki_certificate *issued, struct error_text *error)
{
    const struct pki_order order = {
        .public_key =
            slice_of_bytes(request->public_key, request->public_key_length),
        .name = id,
        .use = PKI_CLIENT,
        .now = now,
        .days = issuer->days};
    if (!pki_authority_issue(issuer->authority, &order, certificate, error) ||
        !pki_certificate_read(buffer_slice(certificate), issued, error))
        return ENROLMENT_FAILED;
    if (!keep_certificate(db, now, issued, buffer_slice(certificate)))
        return failed(db, error);
    return ENROLMENT_ISSUED;
}

static bool insert_probe(struct db *db, const char *id,
                         const struct kept_code *code,
                         const struct pki_request *request)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO probe (id, enterprise_id, site_id, supplier_id,"
            " algorithm, signing_key, agreed_at, is_sample) SELECT :id,"
            " :enterprise, :site, :supplier, :algorithm, :key, :agreed,"
            " is_sample FROM (SELECT is_sample FROM enterprise WHERE id ="
            " :enterprise UNION ALL SELECT is_sample FROM supplier WHERE id ="
            " :supplier)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", id);
    bind_owner(s, &code->owner);
    db_bind_text(s, ":algorithm",
                 sign_algorithm_name(request->batch_algorithm));
    db_bind_blob(s, ":key", request->batch_key, request->batch_key_length);
    db_bind_i64(s, ":agreed", code->agreed_at);
    return db_do(s);
}

/* One batch key, one probe: else what one signed could be the other's. */
static enum db_step find_key(struct db *db, const struct pki_request *request)
{
    struct db_statement *s =
        db_prepare(db, "SELECT 1 FROM probe WHERE signing_key = :key");
    if (s == NULL)
        return DB_FAILED;
    db_bind_blob(s, ":key", request->batch_key, request->batch_key_length);
    enum db_step step = db_step(s);
    db_reset(s);
    return step;
}

static enum enrolment_status forbid(struct error_text *error,
                                    const char *sentence)
{
    error_set(error, "%s", sentence);
    return ENROLMENT_FORBIDDEN;
}

/* Makes the code's probe registered with the request's batch key; its id. */
static enum enrolment_status register_probe(struct db *db,
                                            const struct kept_code *code,
                                            const struct pki_request *request,
                                            char id[static PKI_NAME_LEN],
                                            struct error_text *error)
{
    struct registered r;
    enrolment_new_id(id);
    if (code->probe_id[0] != '\0')
        memcpy(id, code->probe_id, PKI_NAME_LEN);
    switch (find_probe(db, id, &r)) {
    case DB_FAILED:
        return failed(db, error);
    case DB_ROW:
        if (r.is_denied)
            return forbid(error, "this probe is denied");
        if (!are_same(&r.owner, &code->owner))
            return forbid(error, "the probe of this code is somewhere else");
        return has_key(&r, request)
                   ? ENROLMENT_ISSUED
                   : forbid(error,
                            "this probe has another batch key, which it keeps "
                            "for life; a new key is a new probe and needs a "
                            "code for a new one");
    case DB_DONE:
        break;
    }
    switch (find_key(db, request)) {
    case DB_FAILED:
        return failed(db, error);
    case DB_ROW:
        return forbid(error, "the batch key belongs to another probe; a new "
                             "probe needs a new one");
    case DB_DONE:
        break;
    }
    return insert_probe(db, id, code, request) ? ENROLMENT_ISSUED
                                               : failed(db, error);
}

static bool use_code(struct db *db, struct wall_time now,
                     const struct kept_code *code, const char *serial)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE enrolment_code SET used_at = :now, serial = :serial"
            " WHERE handle = :handle AND used_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":serial", serial);
    db_bind_text(s, ":handle", code->handle);
    return db_do(s) && db_changes(db) == 1;
}

/* The answer was lost: the same keys get the same certificate. */
static enum enrolment_status repeat(struct db *db, const struct kept_code *code,
                                    const struct pki_request *request,
                                    struct buffer *certificate,
                                    struct error_text *error)
{
    struct pki_certificate c;
    struct registered r;
    switch (find_certificate(db, "", code->serial, 0, 0, request->key_hash,
                             certificate)) {
    case DB_FAILED:
        return failed(db, error);
    case DB_DONE:
        return forbid(error, "this code has been used");
    case DB_ROW:
        break;
    }
    if (!pki_certificate_read(buffer_slice(certificate), &c, error))
        return ENROLMENT_FAILED;
    if (find_probe(db, c.name, &r) != DB_ROW)
        return failed(db, error);
    if (r.is_denied)
        return forbid(error, "this probe is denied");
    return has_key(&r, request) ? ENROLMENT_ISSUED
                                : forbid(error, "this code has been used");
}

static enum enrolment_status wrong(struct error_text *error,
                                   const char *sentence)
{
    error_set(error, "%s", sentence);
    return ENROLMENT_WRONG_CODE;
}

enum enrolment_status enrolment_enrol(struct db *db, struct wall_time now,
                                      const struct enrolment_issuer *issuer,
                                      struct digest code,
                                      const struct pki_request *request,
                                      struct buffer *certificate,
                                      struct error_text *error)
{
    struct kept_code kept;
    struct pki_certificate issued;
    char id[PKI_NAME_LEN];
    switch (find_code(db, code, &kept)) {
    case DB_FAILED:
        return failed(db, error);
    case DB_DONE:
        return wrong(error, "there is no such code");
    case DB_ROW:
        break;
    }
    if (kept.is_revoked)
        return wrong(error, "this code has been revoked");
    if (now.us >= kept.expires_at)
        return wrong(error, "this code has expired");
    if (kept.serial[0] != '\0')
        return repeat(db, &kept, request, certificate, error);
    enum enrolment_status status =
        register_probe(db, &kept, request, id, error);
    if (status == ENROLMENT_ISSUED)
        status =
            issue(db, now, issuer, id, request, certificate, &issued, error);
    if (status == ENROLMENT_ISSUED &&
        (!use_code(db, now, &kept, issued.serial) ||
         !audit(db, now, "EST", "probe.enrol", id)))
        status = failed(db, error);
    return status;
}

enum enrolment_status enrolment_renew(struct db *db, struct wall_time now,
                                      const struct enrolment_issuer *issuer,
                                      const struct pki_certificate *holder,
                                      const struct pki_request *request,
                                      struct buffer *certificate,
                                      struct error_text *error)
{
    struct registered r;
    struct pki_certificate issued;
    switch (find_probe(db, holder->name, &r)) {
    case DB_FAILED:
        return failed(db, error);
    case DB_DONE:
        return forbid(error, "the certificate is that of no probe");
    case DB_ROW:
        break;
    }
    if (r.is_denied)
        return forbid(error, "this probe is denied");
    if (strcmp(request->name, holder->name) != 0)
        return forbid(error, "the request names another probe than the "
                             "certificate");
    if (request->has_batch_key && !has_key(&r, request))
        return forbid(error, "a probe keeps its batch key; a new one needs a "
                             "code");
    enum db_step step =
        find_certificate(db, holder->name, "", now.us - AGAIN_S * 1000000LL,
                         now.us, request->key_hash, certificate);
    if (step != DB_DONE)
        return step == DB_ROW ? ENROLMENT_ISSUED : failed(db, error);
    enum enrolment_status status = issue(db, now, issuer, holder->name, request,
                                         certificate, &issued, error);
    if (status == ENROLMENT_ISSUED &&
        !audit(db, now, "EST", "probe.renew", holder->name))
        status = failed(db, error);
    return status;
}
