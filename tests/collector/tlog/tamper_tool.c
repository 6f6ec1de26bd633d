/*
 * What the tampering drill needs that no program of ours would do:
 *
 *   tamper_tool batches KEY PROBE BOOT FIRST COUNT END_S PREVIOUS SALT FOLDER
 *     COUNT signed batches of PROBE from sequence FIRST on, 5 minutes each, the
 *     last ending at END_S (seconds since 1970), the first naming the hash
 *     PREVIOUS ("-": none); SALT goes into the records. Into
 *     FOLDER/NNNNNN.ipfix; prints "HASH FILE" lines.
 *   tamper_tool rehash USAGE.db
 *     computes every Merkle leaf and stored subtree again from the rows, as
 *     somebody does who owns the database and no keys.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ledger/ledger.h"
#include "collector/ledger/schema.h"
#include "collector/tlog/log_tree.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/wire/batch.h"
#include "tests/common/wire/sample_flow.h"

static uint64_t number(const char *text)
{
    uint64_t value;
    if (!parse_u64(slice_of_text(text), 0, INT64_MAX, &value))
        fatal(2, "%s: not a number", text);
    return value;
}

static struct flow_record record_at(int64_t start_ms, uint64_t salt)
{
    struct flow_record r = sample_flow(start_ms, salt);
    r.octets += salt;
    r.host_pseudonym = salt + 1;
    return r;
}

static void write_batch(const char *folder, uint64_t sequence,
                        const struct buffer *batch, struct digest hash)
{
    char path[PATH_MAX], hex[DIGEST_HEX_LEN];
    snprintf(path, sizeof(path), "%s/%06llu.ipfix", folder,
             (unsigned long long)sequence);
    FILE *f = fopen(path, "wb");
    if (f == NULL ||
        fwrite(batch->data, 1, batch->length, f) != batch->length ||
        fclose(f) != 0)
        fatal(1, "%s: %m", path);
    digest_to_hex(hash, hex);
    printf("%s %s\n", hex, path);
}

static int make_batches(char **a)
{
    struct error_text error;
    struct sign_key *key = sign_key_load(a[0], &error);
    if (key == NULL)
        fatal(1, "%s", error.text);
    uint64_t first = number(a[3]), count = number(a[4]);
    int64_t end_ms = (int64_t)number(a[5]) * 1000;
    uint64_t salt = number(a[7]);
    struct digest previous = {{0}};
    if (strcmp(a[6], "-") != 0 &&
        !parse_hex(slice_of_text(a[6]), previous.bytes, DIGEST_LEN))
        fatal(2, "%s: not a hash", a[6]);
    struct batch_writer *w = batch_writer_new(1, 0);
    for (uint64_t i = 0; w != NULL && i < count; i++) {
        int64_t to_ms = end_ms - (int64_t)(count - 1 - i) * 300000;
        struct batch_info info = {
            .sequence = first + i,
            .previous_hash = previous,
            .period_start_ms = to_ms - 300000,
            .period_end_ms = to_ms,
            .clock_quality = CLOCK_SYNCHRONISED,
            .packets_seen = 100,
        };
        struct flow_record record = record_at(to_ms - 200000, salt);
        struct buffer batch;
        snprintf(info.probe_id, PROBE_ID_LEN, "%s", a[1]);
        snprintf((char *)info.boot_id, BOOT_ID_LEN, "%s", a[2]);
        if (!batch_writer_add(w, &record, (uint32_t)(to_ms / 1000)) ||
            !batch_writer_finish(w, &info, key, (uint32_t)(to_ms / 1000),
                                 &batch, &previous))
            fatal(1, "no batch could be made");
        write_batch(a[8], first + i, &batch, previous);
        buffer_clear(&batch);
    }
    batch_writer_free(w);
    sign_key_free(key);
    return 0;
}

static bool add_leaf(struct db *db, const struct ledger_row *row)
{
    struct digest leaf = ledger_leaf(row);
    struct db_statement *s =
        db_prepare(db, "INSERT INTO merkle_leaf VALUES (:idx, :hash)");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":idx", row->index);
    db_bind_blob(s, ":hash", leaf.bytes, DIGEST_LEN);
    return db_do(s);
}

static bool hash_rows(struct db *db)
{
    struct db_statement *s = ledger_prepare_all(db, "main");
    enum db_step step = DB_FAILED;
    bool good = s != NULL;
    while (good && (step = db_step(s)) == DB_ROW) {
        struct ledger_row row;
        good = ledger_read_row(s, &row) && add_leaf(db, &row);
    }
    return good && step == DB_DONE;
}

static int rehash(const char *path)
{
    struct error_text error;
    uint64_t size;
    bool is_done;
    struct db *db = db_open(path, DB_WRITE, ledger_migrations,
                            ledger_migration_count, &error);
    if (db == NULL)
        fatal(1, "%s", error.text);
    if (!db_begin(db) ||
        !db_run(db, "DELETE FROM merkle_leaf; DELETE FROM merkle_node") ||
        !hash_rows(db) || !log_tree_size(db, &size) ||
        !log_tree_extend(db, size, UINT64_MAX, &is_done) || !db_commit(db))
        fatal(1, "%s", db_error(db));
    db_close(db);
    return 0;
}

int main(int argc, char **argv)
{
    log_set_program("tamper_tool");
    if (argc == 11 && strcmp(argv[1], "batches") == 0)
        return make_batches(argv + 2);
    if (argc == 3 && strcmp(argv[1], "rehash") == 0)
        return rehash(argv[2]);
    fatal(2, "usage: tamper_tool batches ... | rehash USAGE.db");
}
