/* See registry_version.h. */
#include "portal/record/registry_version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/wire/endpoint.h"
#include "portal/record/endpoints_csv.h"
#include "portal/store/audit.h"

/* Serial 0 without any. */
static bool read_newest(struct db *db, struct registry_head *head)
{
    struct db_statement *s =
        db_prepare(db, "SELECT serial, hash FROM registry_version"
                       " ORDER BY serial DESC LIMIT 1");
    *head = (struct registry_head){0};
    if (s == NULL)
        return false;
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        struct slice hash = db_blob(s, 1);
        head->serial = db_u64(s, 0);
        if (hash.length == DIGEST_LEN)
            memcpy(head->hash.bytes, hash.data, DIGEST_LEN);
    }
    db_reset(s);
    return step != DB_FAILED;
}

static bool insert(struct db *db, const struct registry_head *head,
                   struct slice list)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO registry_version (serial, hash, issued_ms, algorithm,"
            " signature, list) VALUES (:serial, :hash, :issued, :algorithm,"
            " :signature, :list)");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":serial", head->serial);
    db_bind_blob(s, ":hash", head->hash.bytes, DIGEST_LEN);
    db_bind_i64(s, ":issued", head->issued_ms);
    db_bind_u64(s, ":algorithm", head->algorithm);
    db_bind_blob(s, ":signature", head->signature, SIGN_LEN);
    db_bind_blob(s, ":list", list.data, list.length);
    return db_do(s);
}

static bool is_readable(struct slice list, struct error_text *error)
{
    if (list.length > REGISTRY_LIST_MAX)
        return error_set(error, "the list of endpoints is longer than %d MiB",
                         REGISTRY_LIST_MAX >> 20);
    struct endpoint_list *parsed =
        endpoint_list_parse(list, "endpoints", error);
    endpoint_list_free(parsed);
    return parsed != NULL;
}

static bool add_version(struct db *db, struct registry_head *head,
                        struct slice list, const char *actor,
                        struct wall_time now)
{
    char object[32 + DIGEST_HEX_LEN], hex[DIGEST_HEX_LEN];
    digest_to_hex(head->hash, hex);
    snprintf(object, sizeof(object), "%" PRIu64 " %s", head->serial, hex);
    const struct audit_entry entry = {.actor = actor,
                                      .action = "registry.publish",
                                      .object = object,
                                      .result = "OK"};
    return insert(db, head, list) && audit_add(db, now, &entry);
}

static bool is_good_serial(uint64_t serial, uint64_t newest,
                           struct error_text *error)
{
    return (serial > newest && serial - newest <= REGISTRY_SERIAL_LEAP_MAX) ||
           error_set(error,
                     "number %" PRIu64 ": the newest version is %" PRIu64
                     "; a number above it is needed, by at most %d",
                     serial, newest, REGISTRY_SERIAL_LEAP_MAX);
}

static enum registry_publish publish(struct db *db, const struct sign_key *key,
                                     const char *actor, struct wall_time now,
                                     uint64_t serial, struct slice list,
                                     struct registry_head *head,
                                     struct error_text *error)
{
    struct digest hash = digest_of(list.data, list.length);
    if (!read_newest(db, head)) {
        error_set(error, "%s", db_error(db));
        return REGISTRY_PUBLISH_FAILED;
    }
    if (serial == 0 && head->serial > 0 && digest_equal(head->hash, hash))
        return REGISTRY_UNCHANGED;
    if ((serial != 0 && !is_good_serial(serial, head->serial, error)) ||
        !is_readable(list, error))
        return REGISTRY_PUBLISH_FAILED;
    head->serial = serial != 0 ? serial : head->serial + 1;
    head->hash = hash;
    head->issued_ms = wall_to_ms(now);
    if (!registry_head_sign(head, key)) {
        error_set(error, "the list of endpoints cannot be signed");
        return REGISTRY_PUBLISH_FAILED;
    }
    if (add_version(db, head, list, actor, now))
        return REGISTRY_PUBLISHED;
    error_set(error, "%s", db_error(db));
    return REGISTRY_PUBLISH_FAILED;
}

enum registry_publish
registry_version_publish(struct db *db, const struct sign_key *key,
                         const char *actor, struct wall_time now,
                         uint64_t serial, struct registry_head *head,
                         struct error_text *error)
{
    struct buffer list;
    enum registry_publish result = REGISTRY_PUBLISH_FAILED;
    buffer_init(&list, ENDPOINT_BYTES_MAX);
    if (endpoints_csv_write(db, &list))
        result = publish(db, key, actor, now, serial, buffer_slice(&list), head,
                         error);
    else
        error_set(error, "%s", db_error(db));
    buffer_clear(&list);
    return result;
}

bool registry_version_print(struct db *db, struct buffer *out)
{
    char hex[DIGEST_HEX_LEN], time[WALL_TEXT_LEN];
    struct digest hash = {{0}};
    struct db_statement *s =
        db_prepare(db, "SELECT serial, issued_ms, hash, algorithm, length(list)"
                       " FROM registry_version ORDER BY serial");
    enum db_step step = DB_FAILED;
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        struct slice blob = db_blob(s, 2);
        if (blob.length == DIGEST_LEN)
            memcpy(hash.bytes, blob.data, DIGEST_LEN);
        digest_to_hex(hash, hex);
        wall_to_text(wall_from_ms(db_i64(s, 1)), time);
        buffer_addf(out, "%" PRIu64 " %s %s %s %" PRIu64 "\n", db_u64(s, 0),
                    time, hex,
                    sign_algorithm_name((enum sign_algorithm)db_i64(s, 3)),
                    db_u64(s, 4));
    }
    return step == DB_DONE && !out->failed;
}
