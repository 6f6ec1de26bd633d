/*
 * What the ledger's and the collector's tests are made of: a folder that goes away, a registry
 * as the portal writes it, probes with keys, and batches they sign.
 */
#ifndef TESTS_COLLECTOR_LEDGER_STORE_SAMPLE_H
#define TESTS_COLLECTOR_LEDGER_STORE_SAMPLE_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/ledger/store.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/wire/batch.h"
#include "tests/common/wire/sample_flow.h"
#include "tests/folder.h"
#include "tests/test.h"

/* 2026-11-23T08:00:00Z, a Monday afternoon in Guangdong. */
#define SAMPLE_NOW_S INT64_C(1795420800)
#define SAMPLE_NOW   wall_from_s(SAMPLE_NOW_S)

struct sample_folder {
    char path[FOLDER_LEN];
};

static inline const char *sample_path(const struct sample_folder *folder,
                                      const char *name,
                                      char path[static PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder->path, name);
    return path;
}

static inline void sample_folder_make(struct sample_folder *folder)
{
    folder_make(folder->path);
}

static inline void sample_folder_remove(const struct sample_folder *folder)
{
    folder_remove(folder->path);
}

struct sample_probe {
    const char *id;
    struct sign_key *key;
    uint8_t boot_id[BOOT_ID_LEN];
    uint64_t sequence;       /* of the last batch */
    struct digest last_hash; /* of the last batch */
};

static inline void sample_probe_make(struct sample_probe *probe, const char *id)
{
    *probe =
        (struct sample_probe){.id = id, .key = sign_key_generate(SIGN_ED25519)};
    snprintf((char *)probe->boot_id, BOOT_ID_LEN, "boot-%s", id);
}

static const struct db_migration sample_registry_migration = {
    "001-registry.sql",
#include "portal/store/001-registry.sql.inc"
};

/* portal.db with one city, one enterprise and one site. */
static inline struct db *sample_registry_make(const char *path)
{
    struct error_text error;
    struct db *db =
        db_open(path, DB_WRITE, &sample_registry_migration, 1, &error);
    if (db == NULL ||
        !db_run(db,
                "INSERT INTO city (code, name_zh, name_en) "
                "VALUES ('441500', '汕尾', 'Shanwei');"
                "INSERT INTO enterprise (id, name_zh, name_en, credit_code, "
                "city_code) VALUES ('ENT-1', '一', 'One', "
                "'91441500MA00000001', '441500');"
                "INSERT INTO site (id, enterprise_id, name_zh, name_en, "
                "city_code) VALUES ('SITE-1', 'ENT-1', '厂', 'Plant', "
                "'441500')")) {
        fprintf(stderr, "%s\n", db != NULL ? db_error(db) : error.text);
        exit(1);
    }
    return db;
}

static inline void sample_register(struct db *registry,
                                   const struct sample_probe *probe,
                                   bool is_sample)
{
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t length = sign_key_public(probe->key, key);
    struct db_statement *s = db_prepare(
        registry, "INSERT INTO probe (id, enterprise_id, site_id, algorithm, "
                  "signing_key, agreed_at, is_sample) VALUES (:id, 'ENT-1', "
                  "'SITE-1', :algorithm, :key, 0, :sample)");
    db_bind_text(s, ":id", probe->id);
    db_bind_text(s, ":algorithm",
                 sign_algorithm_name(sign_key_algorithm(probe->key)));
    db_bind_blob(s, ":key", key, length);
    db_bind_i64(s, ":sample", is_sample);
    if (!db_do(s)) {
        fprintf(stderr, "%s\n", db_error(registry));
        exit(1);
    }
}

struct sample_batch {
    struct buffer bytes;
    struct batch_info info;
    struct digest hash;
};

static inline void sample_batch_clear(struct sample_batch *batch)
{
    buffer_clear(&batch->bytes);
}

/* The probe's next batch of 5 minutes, ending at end_ms. */
static inline struct sample_batch sample_next(struct sample_probe *probe,
                                              int64_t end_ms,
                                              const struct flow_record *flows,
                                              size_t count)
{
    struct sample_batch batch = {.info = {
                                     .sequence = ++probe->sequence,
                                     .previous_hash = probe->last_hash,
                                     .period_start_ms = end_ms - 300000,
                                     .period_end_ms = end_ms,
                                     .clock_quality = CLOCK_SYNCHRONISED,
                                     .packets_seen = 100,
                                 }};
    snprintf(batch.info.probe_id, PROBE_ID_LEN, "%s", probe->id);
    memcpy(batch.info.boot_id, probe->boot_id, BOOT_ID_LEN);
    struct batch_writer *w = batch_writer_new(1, 0);
    bool good = w != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = batch_writer_add(w, &flows[i], (uint32_t)(end_ms / 1000));
    good = good && batch_writer_finish(w, &batch.info, probe->key,
                                       (uint32_t)(end_ms / 1000), &batch.bytes,
                                       &batch.hash);
    batch_writer_free(w);
    if (!good) {
        fprintf(stderr, "no batch could be made\n");
        exit(1);
    }
    probe->last_hash = batch.hash;
    return batch;
}

/* The same with one flow inside its period. */
static inline struct sample_batch sample_next_flow(struct sample_probe *probe,
                                                   int64_t end_ms)
{
    struct flow_record flow = sample_flow(end_ms - 200000, 7);
    return sample_next(probe, end_ms, &flow, 1);
}

/* The probe's next batch of these flows through the store, which counts it.
 * `own`: as in struct batch_origin. */
static inline void sample_take(struct store *store, struct batch_reader *reader,
                               const struct registry_probe *own,
                               struct sample_probe *probe, int64_t end_ms,
                               const struct flow_record *flows, size_t count)
{
    const struct batch_origin origin = {TRANSPORT_FILE, NULL, "test", own};
    struct sample_batch batch = sample_next(probe, end_ms, flows, count);
    struct receipt receipt;
    bool complete = false;
    const uint8_t *data = batch.bytes.data;
    size_t left = batch.bytes.length;
    batch_reader_next(reader);
    while (left > 0 && !complete) {
        size_t length = (size_t)ipfix_message_length(data, left);
        CHECK(batch_reader_add(reader, data, length, &complete) == BATCH_OK);
        data += length;
        left -= length;
    }
    CHECK(store_begin(store));
    CHECK(store_take(store, &origin, reader, BATCH_OK, wall_from_ms(end_ms),
                     &receipt) == TAKE_DONE);
    CHECK_I64(receipt.status, RECEIPT_COUNTED);
    CHECK(store_commit(store));
    sample_batch_clear(&batch);
}

static inline void sample_write_file(const char *path, const void *data,
                                     size_t length)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, length, f) != length || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

/* The files of a store in the folder. */
struct sample_files {
    char registry[PATH_MAX], usage_db[PATH_MAX], archive[PATH_MAX];
};

static inline struct sample_files
sample_files(const struct sample_folder *folder)
{
    struct sample_files files;
    sample_path(folder, "portal.db", files.registry);
    sample_path(folder, "usage.db", files.usage_db);
    sample_path(folder, "archive", files.archive);
    return files;
}

static inline struct ledger_paths sample_paths(const struct sample_files *files)
{
    return (struct ledger_paths){files->registry, files->usage_db,
                                 files->archive};
}

/* First column of a query's first row, as a number; -1 on failure. */
static inline int64_t sample_number(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t value = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return value;
}

#endif
