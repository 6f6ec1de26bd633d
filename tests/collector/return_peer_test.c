/* The collector's side of the return channel, with a portal.db of two versions
 * and the probe's reading of what it says. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/ledger/challenge.h"
#include "collector/return_peer.h"
#include "common/db.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/return_channel.h"
#include "tests/test.h"

static const char SCHEMA[] =
#include "portal/store/004-registry-version.sql.inc"
    ;
static const char PROBES[] =
    "CREATE TABLE probe (id TEXT, enterprise_id TEXT, site_id TEXT, algorithm "
    "TEXT, signing_key BLOB, agreed_at INTEGER, denied_at INTEGER, is_sample "
    "INTEGER, supplier_id TEXT)";

static const struct slice lists[] = {{"id\na\nb\n", 7}, {"id\na\nc\n", 7}};
static char path[300];

static void publish(struct db *db, int version)
{
    struct digest hash = digest_of(lists[version].data, lists[version].length);
    uint8_t signature[SIGN_LEN] = {1};
    struct db_statement *s = db_prepare(
        db, "INSERT INTO registry_version VALUES (:serial, :hash, 5, 1, "
            ":signature, :list)");
    db_bind_i64(s, ":serial", version + 1);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_blob(s, ":signature", signature, SIGN_LEN);
    db_bind_blob(s, ":list", lists[version].data, lists[version].length);
    CHECK(db_do(s));
}

/* The next message of `out`, or kind 0. */
static struct return_message next(struct buffer *out)
{
    static uint8_t bytes[65536];
    struct return_message m = {0};
    int length =
        out->length > 0 ? ipfix_message_length(out->data, out->length) : 0;
    if (length <= 0)
        return m;
    memcpy(bytes, out->data, (size_t)length);
    CHECK_I64(return_channel_decode(bytes, (size_t)length, &m), RETURN_OK);
    buffer_consume(out, (size_t)length);
    return m;
}

static bool say(struct return_peer *p, const struct return_message *m)
{
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    CHECK(return_channel_encode(m, 1000, &bytes));
    bool good =
        return_peer_take(p, bytes.data, bytes.length, wall_from_ms(2000));
    buffer_clear(&bytes);
    return good;
}

int main(void)
{
    static const struct db_migration migrations[] = {{"probes", PROBES},
                                                     {"versions", SCHEMA}};
    struct error_text error = {{0}};
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    struct buffer out;
    int64_t made_ms;
    snprintf(path, sizeof(path), "%s/return-%d.db",
             getenv("B") ? getenv("B") : "build", (int)getpid());
    struct db *db = db_open(path, DB_WRITE, migrations, 2, &error);
    publish(db, 0);
    publish(db, 1);
    struct return_peer_channel *c = return_peer_channel_new(key, path, &error);
    if (c == NULL)
        printf("# %s\n", error.text);
    struct return_peer *p = return_peer_open(c, "probe-1");
    struct mono_time now = {5};
    buffer_init(&out, 65536);
    return_peer_channel_tick(c, now);

    test_case("a probe that comes gets its own challenge, and one in 5 min");
    CHECK(return_peer_fill(p, now, wall_from_ms(9000), &out));
    struct return_message m = next(&out);
    CHECK_I64(m.kind, RETURN_CHALLENGE);
    struct digest secret = challenge_secret(key);
    CHECK_I64(challenge_check(secret, "probe-1", m.nonce, &made_ms),
              CHALLENGE_RIGHT);
    CHECK_I64(made_ms, 9000);
    CHECK_I64(challenge_check(secret, "probe-2", m.nonce, &made_ms),
              CHALLENGE_FORGED);
    CHECK(return_peer_fill(p, now, wall_from_ms(9000), &out));
    CHECK_I64(out.length, 0);

    test_case("a question about the time is answered once");
    CHECK(say(
        p, &(struct return_message){.kind = RETURN_CLOCK, .request_ms = 77}));
    CHECK(return_peer_fill(p, now, wall_from_ms(2010), &out));
    m = next(&out);
    CHECK_I64(m.request_ms, 77);
    CHECK_I64(m.receive_ms, 2000);
    CHECK_I64(m.transmit_ms, 2010);

    test_case("a probe with the version before gets the changes alone");
    CHECK(say(p, &(struct return_message){
                     .kind = RETURN_REGISTRY_REQUEST,
                     .head = {.hash = digest_of(lists[0].data, 7)}}));
    CHECK(return_peer_fill(p, now, wall_from_ms(2010), &out));
    m = next(&out);
    CHECK_I64(m.kind, RETURN_REGISTRY_HEAD);
    CHECK_I64(m.head.serial, 2);
    CHECK_I64(m.chunk_count, 1);
    m = next(&out);
    CHECK_I64(m.kind, RETURN_REGISTRY_CHUNK);
    CHECK(slice_equal_text(m.chunk, "=2\n-1\n+c\n"));
    CHECK_I64(out.length, 0);

    test_case("what only a collector says is refused");
    CHECK(!say(p, &(struct return_message){.kind = RETURN_CHALLENGE}));
    return_peer_close(p);
    return_peer_channel_free(c);
    buffer_clear(&out);
    db_close(db);
    unlink(path);
    sign_key_free(key);
    return test_end();
}
