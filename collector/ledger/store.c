/*
 * Taking a batch, step by step.
 *
 * Facts are gathered, the two pure questions of intake are asked, and the
 * answer is written. A savepoint stands around the writing: a batch that the
 * store refuses (a sum that no longer fits, say) is undone alone. Whether the
 * fault was the batch's or the environment's is told by whether SQLite still
 * has that savepoint: a full disk or a failing one ends the transaction.
 */
#include "collector/ledger/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ledger/archive.h"
#include "collector/ledger/boot.h"
#include "collector/ledger/challenge.h"
#include "collector/ledger/detail.h"
#include "collector/ledger/intake.h"
#include "collector/ledger/loss.h"
#include "collector/ledger/probe_directory.h"
#include "collector/ledger/usage.h"

struct store {
    struct db *db;
    struct archive *archive;
    struct probe_directory *registry;
    struct usage_table *usage;
    struct preparer *preparer;
    int64_t data_version; /* changes when another process has written */
    bool accept_sample;
    bool has_secret;
    struct digest secret;     /* of challenges */
    bool is_failing;          /* the last group could not be stored */
    struct archive_mark mark; /* of the group */
    struct store_totals totals, totals_before;
};

/* KiB. Each probe's next rows go to leaves of their own in two trees: with
 * 10,000 probes 80 MiB, which 2 MiB, as SQLite has it, read again and again. */
static const char CACHE[] = "PRAGMA cache_size = -98304";

static void log_opening(const struct ledger_paths *paths, uint64_t cut_bytes,
                        const struct error_text *damage)
{
    if (cut_bytes > 0)
        log_info("%s: cut off %llu bytes that a crash left behind the last "
                 "committed batch",
                 paths->archive, (unsigned long long)cut_bytes);
    if (damage->text[0] != '\0')
        log_error("%s: %s; going on in a new segment, run "
                  "'yz-collector check'",
                  paths->archive, damage->text);
}

struct store *store_open(const struct ledger_paths *paths, bool accept_sample,
                         struct error_text *error)
{
    uint64_t cut_bytes = 0;
    struct error_text damage = {""};
    struct store *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    c->accept_sample = accept_sample;
    if ((c->registry = probe_directory_open(paths->registry, error)) == NULL ||
        (c->db = db_open(paths->usage_db, DB_WRITE, ledger_migrations,
                         ledger_migration_count, error)) == NULL ||
        (c->archive = archive_open(paths->archive, ledger_archive_end, c->db,
                                   &cut_bytes, &damage, error)) == NULL)
        goto fail;
    if (!db_run(c->db, CACHE)) {
        error_set(error, "%s", db_error(c->db));
        goto fail;
    }
    c->usage = usage_table_new(c->db);
    c->preparer = preparer_new();
    if (c->usage == NULL || c->preparer == NULL) {
        error_set(error, "out of memory");
        goto fail;
    }
    log_opening(paths, cut_bytes, &damage);
    return c;
fail:
    store_close(c);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    usage_table_free(store->usage);
    preparer_free(store->preparer);
    archive_close(store->archive);
    db_close(store->db);
    probe_directory_close(store->registry);
    free(store);
}

void store_set_challenge(struct store *store, struct digest secret)
{
    store->secret = secret;
    store->has_secret = true;
}

struct db *store_db(struct store *store)
{
    return store->db;
}

struct store_totals store_totals(const struct store *store)
{
    return store->totals;
}

/* --- groups --- */

static void log_failing(struct store *c, const char *why)
{
    if (!c->is_failing)
        log_error("cannot store, batches wait and are not acknowledged: %s",
                  why);
    c->is_failing = true;
}

/* Keys that another process may have deleted (retention) are asked for anew. */
static bool look_around(struct store *c)
{
    struct db_statement *s = db_prepare(c->db, "PRAGMA data_version");
    if (s == NULL || db_step(s) != DB_ROW)
        return false;
    if (db_i64(s, 0) != c->data_version)
        usage_table_forget(c->usage);
    c->data_version = db_i64(s, 0);
    db_reset(s);
    return true;
}

bool store_begin(struct store *store)
{
    struct store *c = store;
    if (!archive_begin(c->archive)) {
        log_failing(c, strerror(errno));
        return false;
    }
    c->totals_before = c->totals;
    c->mark = archive_mark(c->archive);
    if (db_begin(c->db)) {
        if (look_around(c))
            return true;
        db_rollback(c->db);
    }
    log_failing(c, db_error(c->db));
    return false;
}

static void forget_group(struct store *c)
{
    usage_table_forget(c->usage);
    c->totals = c->totals_before;
}

void store_rollback(struct store *store)
{
    db_rollback(store->db);
    archive_return(store->archive, store->mark);
    forget_group(store);
}

bool store_commit(struct store *store)
{
    struct store *c = store;
    if (!archive_sync(c->archive)) {
        log_failing(c, strerror(errno));
        store_rollback(c);
        return false;
    }
    if (!db_commit(c->db)) {
        log_failing(c, db_error(c->db));
        /* After another failure than a full disk the commit may yet be found
         * done when the write-ahead log is read again: its bytes stay. */
        if (db_is_full(c->db))
            archive_return(c->archive, c->mark);
        forget_group(c);
        return false;
    }
    if (c->is_failing)
        log_info("storing again");
    c->is_failing = false;
    return true;
}

/* --- one batch --- */

/* A batch on its way through the steps. */
struct taking {
    struct store *c;
    const struct batch_origin *origin;
    const struct batch_reader *reader;
    struct prepared *prepared;
    struct registry_probe probe;
    struct intake_facts facts;
    struct intake_neighbours near;
    struct intake_decision decision;
    struct ledger_row row;
    struct archive_mark mark;
    int archive_error; /* errno of a failed append */
};

static bool add_event(struct taking *t, enum intake_reason reason,
                      const struct digest *known, const struct digest *other)
{
    const struct batch_info *info = t->facts.info;
    char detail[200];
    /* The reasons up to here are about the sender: one event a day is enough,
     * and nothing that was not signed goes into the table. */
    bool is_about_batch =
        reason > REASON_SIGNATURE && t->facts.signature == BATCH_OK;
    const char *name = t->facts.peer_name ? t->facts.peer_name : info->probe_id;
    snprintf(detail, sizeof(detail), "%s, from %s", intake_reason_text(reason),
             t->origin->label);
    struct ledger_event event = {
        .reason = reason,
        .probe_id = name,
        .sequence = is_about_batch ? info->sequence : 0,
        .known = known,
        .other = is_about_batch ? other : NULL,
        .detail = detail,
    };
    bool is_new;
    t->c->totals.events[reason]++;
    if (!ledger_add_event(t->c->db, &event, t->facts.now, &is_new))
        return false;
    if (is_new)
        log_warn("%s: batch %llu from %s: %s", name,
                 (unsigned long long)info->sequence, t->origin->label,
                 intake_reason_text(reason));
    return true;
}

static bool refuse(struct taking *t, enum intake_reason reason)
{
    t->decision.verdict = INTAKE_REFUSE;
    t->decision.received = t->facts.now;
    t->c->totals.refused++;
    bool is_conflict = reason == REASON_CONFLICT;
    return add_event(t, reason, is_conflict ? &t->near.same_hash : NULL,
                     &t->facts.hash);
}

static bool add_chain_events(struct taking *t)
{
    struct digest previous = t->facts.info->previous_hash;
    const struct digest *known =
        t->near.has_before ? &t->near.before_hash : NULL;
    if (t->decision.is_gap &&
        (!add_event(t, REASON_GAP, NULL, &t->facts.hash) ||
         !loss_note_gap(t->c->db, t->facts.info, t->facts.hash,
                        t->near.highest + 1)))
        return false;
    if (t->decision.is_late && t->decision.reason == REASON_NONE &&
        !add_event(
            t, t->decision.verdict == INTAKE_LATE ? REASON_LATE : REASON_KEPT,
            NULL, NULL))
        return false;
    if (t->decision.is_reorder &&
        !add_event(t, REASON_REORDER, NULL, &t->facts.hash))
        return false;
    for (size_t i = 0; t->decision.notes[i] != REASON_NONE; i++)
        if (!add_event(t, t->decision.notes[i], NULL, &t->facts.hash))
            return false;
    if (t->decision.is_fork && !add_event(t, REASON_FORK, known, &previous))
        return false;
    if (t->decision.is_overlap &&
        !add_event(t, REASON_OVERLAP, NULL, &t->facts.hash))
        return false;
    if (t->decision.reason != REASON_NONE &&
        !add_event(t, t->decision.reason, NULL, &t->facts.hash))
        return false;
    return t->row.dropped_records == 0 ||
           add_event(t, REASON_FIELDS, NULL, &t->facts.hash);
}

static void fill_row(struct taking *t)
{
    enum intake_verdict verdict = t->decision.verdict;
    struct ledger_row *row = &t->row;
    *row = (struct ledger_row){
        .info = *t->facts.info,
        .hash = t->facts.hash,
        .source = t->probe.source,
        .transport = t->origin->transport,
        .algorithm = t->probe.algorithm,
        .key_length = t->probe.key_length,
        .received = t->decision.received,
        .is_late = t->decision.is_late,
        .is_counted = verdict != INTAKE_KEEP,
        .is_sample = t->probe.is_sample,
        .is_scaled = t->probe.is_scaled,
        .dropped_records = batch_reader_dropped(t->reader),
        .challenge_ms = t->facts.challenge_ms,
    };
    memcpy(row->key, t->probe.key, t->probe.key_length);
    memcpy(row->enterprise_id, t->probe.enterprise_id, REGISTRY_ID_LEN);
    memcpy(row->site_id, t->probe.site_id, REGISTRY_ID_LEN);
    memcpy(row->supplier_id, t->probe.supplier_id, REGISTRY_ID_LEN);
}

/* Storing uses the sums up: when the group fails, and the batch is taken again,
 * they are made anew. */
static bool store_records(struct taking *t)
{
    const struct usage_scope scope = usage_scope_of(&t->row);
    t->prepared->has_content = false;
    return detail_store(t->c->db, t->row.index, batch_reader_count(t->reader),
                        buffer_slice(&t->prepared->block)) &&
           usage_store(t->c->usage, t->prepared->sums, &scope);
}

static void add_to_totals(struct taking *t)
{
    struct store_totals *totals = &t->c->totals;
    enum intake_verdict verdict = t->decision.verdict;
    totals->late += verdict == INTAKE_LATE;
    totals->kept += verdict == INTAKE_KEEP;
    totals->counted += verdict == INTAKE_COUNT;
    totals->by_source[t->row.source]++;
    if (t->row.is_counted)
        totals->records += batch_reader_count(t->reader);
}

static bool store(struct taking *t)
{
    struct store *c = t->c;
    fill_row(t);
    if (!archive_append(c->archive, buffer_slice(&t->prepared->frame),
                        &t->row.place)) {
        t->archive_error = errno;
        return false;
    }
    if (!ledger_append(c->db, &t->row) || !boot_note(c->db, &t->row) ||
        !add_chain_events(t) ||
        !loss_store(c->db, t->row.index, t->reader, t->decision.is_reorder) ||
        (t->row.is_counted && !store_records(t)))
        return false;
    add_to_totals(t);
    return true;
}

static bool decide_and_store(struct taking *t, enum batch_status content)
{
    enum intake_reason reason = intake_admit(&t->facts);
    if (reason == REASON_NONE && content != BATCH_OK)
        reason = REASON_CONTENT;
    if (reason != REASON_NONE)
        return refuse(t, reason);
    struct boot_moments made =
        boot_moments_of(t->facts.info, t->facts.challenge_ms, t->facts.now);
    if (!ledger_find_neighbours(t->c->db, t->facts.info, &t->near) ||
        !boot_find_return(t->c->db, t->facts.info, &made, &t->near.is_return))
        return false;
    t->decision = intake_place(&t->facts, &t->near);
    if (t->decision.verdict == INTAKE_REFUSE)
        return refuse(t, t->decision.reason);
    if (t->decision.verdict == INTAKE_REPEATED) {
        t->c->totals.repeated++;
        return add_event(t, REASON_REPEATED, NULL, NULL);
    }
    if (!prepare_content(t->c->preparer, t->prepared, t->reader)) {
        t->archive_error = ENOMEM;
        return false;
    }
    if (t->prepared->has_too_many_cells && t->decision.verdict != INTAKE_KEEP)
        return refuse(t, REASON_CELLS);
    return store(t);
}

static void fill_receipt(const struct taking *t, struct receipt *receipt)
{
    static const enum receipt_status STATUS[] = {
        [INTAKE_COUNT] = RECEIPT_COUNTED,  [INTAKE_LATE] = RECEIPT_LATE,
        [INTAKE_KEEP] = RECEIPT_KEPT,      [INTAKE_REPEATED] = RECEIPT_REPEATED,
        [INTAKE_REFUSE] = RECEIPT_REFUSED,
    };
    bool is_repeated = t->decision.verdict == INTAKE_REPEATED;
    *receipt = (struct receipt){
        .sequence = t->facts.info->sequence,
        .batch_hash = t->facts.hash,
        .ledger_index = is_repeated ? t->near.same_index : t->row.index,
        .received_ms = wall_to_ms(is_repeated ? t->near.same_received
                                              : t->decision.received),
        .status = STATUS[t->decision.verdict],
    };
    memcpy(receipt->probe_id, t->facts.info->probe_id, PROBE_ID_LEN);
}

/* Undoes one batch. False when the transaction is gone with it, or when the
 * fault is not the batch's. */
static bool undo(struct taking *t, const struct store_totals *before)
{
    struct store *c = t->c;
    struct error_text why;
    bool is_disk = t->archive_error != 0 || db_is_full(c->db);
    error_set(&why, "%s",
              t->archive_error != 0 ? strerror(t->archive_error)
                                    : db_error(c->db));
    usage_table_forget(c->usage);
    c->totals = *before;
    if (is_disk || !db_run(c->db, "ROLLBACK TO batch; RELEASE batch")) {
        log_failing(c, why.text);
        return false;
    }
    archive_return(c->archive, t->mark);
    c->totals.failed++;
    log_error("%s: batch %llu from %s cannot be stored: %s",
              t->facts.info->probe_id,
              (unsigned long long)t->facts.info->sequence, t->origin->label,
              why.text);
    return true;
}

/* Lists of endpoints are published to probes; the chains that the collector
 * makes itself know none, nor challenges. */
static bool look_at_version(struct taking *t)
{
    struct store *c = t->c;
    const struct batch_info *info = t->facts.info;
    if (t->origin->own != NULL)
        return true;
    if (c->has_secret)
        t->facts.is_challenge_forged =
            challenge_check(c->secret, info->probe_id, info->challenge,
                            &t->facts.challenge_ms) == CHALLENGE_FORGED;
    if (published_version_age(c->registry, info->registry_version,
                              &t->facts.registry_age,
                              &t->facts.registry_replaced_ms))
        return true;
    log_failing(c, probe_directory_error(c->registry));
    return false;
}

static bool gather(struct taking *t, struct wall_time now)
{
    struct store *c = t->c;
    const struct batch_info *info = batch_reader_info(t->reader);
    enum registry_status found = REGISTRY_FOUND;
    if (t->origin->own != NULL)
        t->probe = *t->origin->own;
    else if (ledger_source_owns_id(info->probe_id))
        found = REGISTRY_UNKNOWN;
    else
        found = probe_directory_find(c->registry, info->probe_id, &t->probe);
    if (found == REGISTRY_FAILED) {
        log_failing(c, probe_directory_error(c->registry));
        return false;
    }
    t->facts = (struct intake_facts){
        .info = info,
        .hash = batch_reader_hash(t->reader),
        .peer_name = t->origin->peer_name,
        .probe = found == REGISTRY_FOUND ? &t->probe : NULL,
        .signature = BATCH_UNKNOWN_PROBE,
        .span = t->prepared->span,
        .accept_sample = c->accept_sample,
        .now = now,
    };
    if (!look_at_version(t))
        return false;
    if (found == REGISTRY_FOUND)
        t->facts.signature =
            prepare_signature(t->prepared, t->reader, &t->probe);
    return true;
}

enum take_status store_take(struct store *store,
                            const struct batch_origin *origin,
                            const struct batch_reader *reader,
                            enum batch_status content, struct wall_time now,
                            struct receipt *receipt)
{
    struct prepared prepared;
    prepared_init(&prepared);
    prepared.span = intake_span_of(reader);
    enum take_status status = store_take_prepared(
        store, origin, reader, content, &prepared, now, receipt);
    prepared_clear(&prepared);
    return status;
}

enum take_status
store_take_prepared(struct store *store, const struct batch_origin *origin,
                    const struct batch_reader *reader,
                    enum batch_status content, struct prepared *prepared,
                    struct wall_time now, struct receipt *receipt)
{
    struct store *c = store;
    struct store_totals before = c->totals;
    struct taking t = {.c = c,
                       .origin = origin,
                       .reader = reader,
                       .prepared = prepared,
                       .mark = archive_mark(c->archive)};
    if (!gather(&t, now))
        return TAKE_GROUP_FAILED;
    if (!db_run(c->db, "SAVEPOINT batch")) {
        log_failing(c, db_error(c->db));
        return TAKE_GROUP_FAILED;
    }
    if (!decide_and_store(&t, content) || !db_run(c->db, "RELEASE batch"))
        return undo(&t, &before) ? TAKE_BATCH_FAILED : TAKE_GROUP_FAILED;
    fill_receipt(&t, receipt);
    return TAKE_DONE;
}

void store_note(struct store *store, const struct batch_origin *origin,
                enum intake_reason reason, const char *detail,
                struct wall_time now)
{
    struct ledger_event event = {
        .reason = reason,
        .probe_id = origin->peer_name ? origin->peer_name : "",
        .detail = detail,
    };
    bool is_new = true;
    store->totals.events[reason]++;
    if (!ledger_add_event(store->db, &event, now, &is_new))
        log_warn("the next event could not be stored: %s", db_error(store->db));
    if (is_new)
        log_warn("%s%s%s: %s: %s", event.probe_id,
                 origin->peer_name ? " from " : "", origin->label,
                 intake_reason_text(reason), detail);
}
