/* See login.h. */
#include "portal/access/login.h"

#include <stdio.h>
#include <string.h>

#include "portal/access/account.h"
#include "portal/store/audit.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US   (60 * MINUTE_US)

enum { SLOW_STEP_MS = 500, MAPPED_LEN = 12 };

static struct address plain_address(const struct address *from)
{
    static const uint8_t MAPPED[MAPPED_LEN] = {[10] = 0xff, [11] = 0xff};
    struct address plain = {.version = 4};
    if (from->version != 6 || memcmp(from->bytes, MAPPED, MAPPED_LEN) != 0)
        return *from;
    memcpy(plain.bytes, from->bytes + MAPPED_LEN, 4);
    return plain;
}

/* An IPv4 address in IPv6's clothes is an IPv4 address. */
static void network_of(const struct address *from,
                       char network[static LOGIN_NETWORK_LEN])
{
    struct address address = plain_address(from);
    char text[ADDRESS_TEXT_LEN];
    int bits = address.version == 4 ? LOGIN_BITS_4 : LOGIN_BITS_6;
    memset(address.bytes + bits / 8, 0, sizeof(address.bytes) - bits / 8);
    address_to_text(&address, text);
    snprintf(network, LOGIN_NETWORK_LEN, "%s/%d", text, bits);
}

static struct digest hash_of_name(const struct secret *key, const char *name)
{
    return hmac_sha256(key->bytes, sizeof(key->bytes), name, strlen(name));
}

void login_try_set(struct login_try *try, const struct secret *key,
                   const char *name, const struct address *from)
{
    struct address address = plain_address(from);
    *try =
        (struct login_try){.name = name, .name_hash = hash_of_name(key, name)};
    address_to_text(&address, try->address);
    network_of(from, try->network);
}

/* A statement about this attempt; each asks for what it needs of it. */
static struct db_statement *prepare(struct db *db, const char *sql,
                                    const struct login_try *try)
{
    struct db_statement *s = db_prepare(db, sql);
    if (s == NULL)
        return NULL;
    db_bind_blob(s, ":name", try->name_hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":network", try->network);
    return s;
}

/* The first column of the only row; -1 when the database failed. */
static int64_t take_number(struct db_statement *s)
{
    if (s == NULL)
        return -1;
    enum db_step step = db_step(s);
    int64_t number = step == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return step == DB_FAILED ? -1 : number;
}

/* 1, 0, or -1. */
static int64_t is_locked(struct db *db, struct wall_time now,
                         const struct login_try *try)
{
    struct db_statement *s =
        prepare(db,
                "SELECT count(*) FROM login_lock WHERE name_hash = :name"
                " AND network = :network AND until > :now",
                try);
    if (s != NULL)
        db_bind_i64(s, ":now", now.us);
    return take_number(s);
}

/* When the network's last attempt was, if it is one of too many; else 0. */
static int64_t paced_since(struct db *db, struct wall_time now,
                           const struct login_try *try)
{
    struct db_statement *s = db_prepare(
        db, "SELECT iif(count(*) < :most, 0, max(at)) FROM (SELECT at"
            " FROM login_failure WHERE network = :network AND at > :since"
            " ORDER BY at DESC LIMIT :most)");
    if (s == NULL)
        return -1;
    db_bind_text(s, ":network", try->network);
    db_bind_i64(s, ":since", now.us - LOGIN_LOCK_MINUTES * MINUTE_US);
    db_bind_i64(s, ":most", LOGIN_PACE_FAILURES);
    return take_number(s);
}

enum login_gate login_ask(struct db *db, struct wall_time now,
                          const struct login_try *try, unsigned *wait_s)
{
    int64_t since = paced_since(db, now, try);
    int64_t locked = is_locked(db, now, try);
    int64_t left = since + LOGIN_PACE_SECONDS * SECOND_US - now.us;
    *wait_s = 0;
    if (since < 0 || locked < 0)
        return LOGIN_UNREAD;
    if (since > 0 && left > 0) {
        *wait_s = (unsigned)((left + SECOND_US - 1) / SECOND_US);
        return LOGIN_PACED;
    }
    return locked > 0 ? LOGIN_LOCKED : LOGIN_OPEN;
}

/* "" for a name that no active account has. False when the database failed. */
static bool read_hash(struct db *db, const char *name,
                      char hash[static PASSWORD_HASH_LEN])
{
    struct db_statement *s =
        db_prepare(db, "SELECT password_hash FROM account WHERE name = :name"
                       " AND state = 'ACTIVE'");
    hash[0] = '\0';
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        snprintf(hash, PASSWORD_HASH_LEN, "%s", db_text(s, 0));
    db_reset(s);
    return step != DB_FAILED;
}

enum login_result login_check_password(struct db *db,
                                       const struct login_try *try,
                                       const char *password)
{
    char hash[PASSWORD_HASH_LEN];
    if (!read_hash(db, try->name, hash))
        return LOGIN_FAILED;
    return password_check(hash, password) ? LOGIN_OK : LOGIN_REFUSED;
}

bool login_renew_hash(struct db *db, const char *name, const char *password,
                      struct login_hash *renewed)
{
    char kept[PASSWORD_HASH_LEN];
    *renewed = (struct login_hash){.name = name};
    return read_hash(db, name, kept) && kept[0] != '\0' &&
           password_is_outdated(kept) && password_hash(password, renewed->text);
}

bool login_keep_hash(struct db *db, const struct login_hash *renewed)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE account SET password_hash = :hash WHERE name = :name");
    if (s == NULL)
        return false;
    db_bind_text(s, ":hash", renewed->text);
    db_bind_text(s, ":name", renewed->name);
    return db_do(s);
}

static int64_t is_known(struct db *db, const struct login_try *try)
{
    struct db_statement *s =
        db_prepare(db, "SELECT count(*) FROM account WHERE name = :name");
    if (s != NULL)
        db_bind_text(s, ":name", try->name);
    return take_number(s);
}

/* --- what is kept --- */

static bool forget_old(struct db *db, struct wall_time now)
{
    struct db_statement *old =
        db_prepare(db, "DELETE FROM login_failure WHERE at <= :hour OR id <="
                       " (SELECT max(id) FROM login_failure) - :most");
    struct db_statement *locks =
        db_prepare(db, "DELETE FROM login_lock WHERE until <= :now");
    if (old == NULL || locks == NULL)
        return false;
    db_bind_i64(old, ":hour", now.us - HOUR_US);
    db_bind_i64(old, ":most", LOGIN_ROWS_MAX - 1);
    db_bind_i64(locks, ":now", now.us);
    return db_do(old) && db_do(locks);
}

/* Of the network alone, or of the name from there. */
static bool add_failure(struct db *db, struct wall_time now,
                        const struct login_try *try, bool of_name)
{
    struct db_statement *s =
        db_prepare(db, "INSERT INTO login_failure (at, name_hash, network)"
                       " VALUES (:now, :name, :network)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    db_bind_blob(s, ":name", try->name_hash.bytes, of_name ? DIGEST_LEN : 0);
    db_bind_text(s, ":network", try->network);
    return db_do(s);
}

/* Failures that have led to a lock, or were followed by the right password. */
static bool spend(struct db *db, const struct login_try *try)
{
    struct db_statement *s =
        prepare(db,
                "UPDATE login_failure SET is_spent = 1 WHERE name_hash = :name"
                " AND network = :network AND is_spent = 0",
                try);
    return s != NULL && db_do(s);
}

static bool lock(struct db *db, struct wall_time now,
                 const struct login_try *try)
{
    struct db_statement *s =
        prepare(db,
                "INSERT OR REPLACE INTO login_lock (name_hash, network, until)"
                " VALUES (:name, :network, :until)",
                try);
    if (s == NULL)
        return false;
    db_bind_i64(s, ":until", now.us + LOGIN_LOCK_MINUTES * MINUTE_US);
    return db_do(s) && spend(db, try);
}

/* Attempts at unknown names leave no row: strangers could fill the log with
 * them. */
static bool audit(struct db *db, struct wall_time now,
                  const struct login_try *try, const char *action,
                  const char *result)
{
    struct audit_entry entry = {try->name, action, try->address, result};
    int64_t known = is_known(db, try);
    return known >= 0 && (known == 0 || audit_add(db, now, &entry));
}

static bool note_failure(struct db *db, struct wall_time now,
                         const struct login_try *try)
{
    if (!forget_old(db, now) || !add_failure(db, now, try, true))
        return false;
    int64_t failures = take_number(
        prepare(db,
                "SELECT count(*) FROM login_failure WHERE name_hash = :name"
                " AND network = :network AND is_spent = 0",
                try));
    bool locks = failures >= LOGIN_FAILURES;
    return failures >= 0 && (!locks || lock(db, now, try)) &&
           audit(db, now, try, locks ? "login.lock" : "login", "DENIED");
}

bool login_note_locked(struct db *db, struct wall_time now,
                       const struct login_try *try)
{
    return forget_old(db, now) && add_failure(db, now, try, false) &&
           audit(db, now, try, "login.locked", "DENIED");
}

static enum login_result let_in(struct db *db, struct wall_time now,
                                const struct login_try *try)
{
    struct account account;
    if (!account_find(db, try->name, &account) || !spend(db, try))
        return LOGIN_FAILED;
    bool has_ended = account_has_ended(&account, now);
    if (!audit(db, now, try, has_ended ? "login.ended" : "login",
               has_ended ? "DENIED" : "OK"))
        return LOGIN_FAILED;
    return has_ended ? LOGIN_ENDED : LOGIN_OK;
}

enum login_result login_note(struct db *db, struct wall_time now,
                             const struct login_try *try,
                             enum login_result checked)
{
    if (checked == LOGIN_FAILED)
        return checked;
    int64_t locked = is_locked(db, now, try);
    if (locked < 0)
        return LOGIN_FAILED;
    if (locked > 0)
        return login_note_locked(db, now, try) ? LOGIN_REFUSED : LOGIN_FAILED;
    if (checked == LOGIN_REFUSED)
        return note_failure(db, now, try) ? LOGIN_REFUSED : LOGIN_FAILED;
    return let_in(db, now, try);
}

unsigned login_wait_ms(struct db *db, struct wall_time now,
                       const struct login_try *try)
{
    enum {
        MOST = LOGIN_SLOW_FAILURES + LOGIN_SLOW_SECONDS * 1000 / SLOW_STEP_MS
    };
    struct db_statement *s =
        db_prepare(db, "SELECT count(*) FROM (SELECT 1 FROM login_failure"
                       " WHERE name_hash = :name AND at > :since LIMIT :most)");
    if (s == NULL)
        return 0;
    db_bind_blob(s, ":name", try->name_hash.bytes, DIGEST_LEN);
    db_bind_i64(s, ":since", now.us - HOUR_US);
    db_bind_i64(s, ":most", MOST);
    int64_t failures = take_number(s), wait = 0;
    if (failures >= LOGIN_SLOW_FAILURES)
        wait = (failures - LOGIN_SLOW_FAILURES + 1) * SLOW_STEP_MS;
    return wait < LOGIN_SLOW_SECONDS * 1000 ? (unsigned)wait
                                            : LOGIN_SLOW_SECONDS * 1000;
}

bool login_unlock(struct db *db, const struct secret *key, const char *name)
{
    struct digest hash = hash_of_name(key, name);
    struct db_statement *locks =
        db_prepare(db, "DELETE FROM login_lock WHERE name_hash = :name");
    struct db_statement *failures =
        db_prepare(db, "DELETE FROM login_failure WHERE name_hash = :name");
    if (locks == NULL || failures == NULL)
        return false;
    db_bind_blob(locks, ":name", hash.bytes, DIGEST_LEN);
    db_bind_blob(failures, ":name", hash.bytes, DIGEST_LEN);
    return db_do(locks) && db_do(failures);
}
