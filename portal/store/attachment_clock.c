#include "portal/store/attachment_clock.h"

#include <stdio.h>

#include "portal/store/attachment.h"

#define HOUR_US INT64_C(3600000000)
enum { ROUND_MAX = 20 };

/* ---- bytes without a row ---- */

struct sweep {
    const struct attachments *attachments;
    struct db *db;
    size_t count;
};

static bool sweep_file(void *context, struct digest sha256)
{
    struct sweep *sweep = context;
    struct db_statement *s = db_prepare(
        sweep->db, "SELECT 1 FROM attachment WHERE sha256 = :sha256");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":sha256", sha256.bytes, sizeof(sha256.bytes));
    enum db_step step = db_step(s);
    db_reset(s);
    if (step != DB_DONE)
        return step == DB_ROW;
    sweep->count++;
    return attachments_remove_file(sweep->attachments, sha256);
}

/* Whether it is time; notes that it was done. */
static bool is_due(struct db *db, struct wall_time now)
{
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO clock_mark (job, at) VALUES ('attachments.sweep', :now)"
        " ON CONFLICT (job) DO UPDATE SET at = :now WHERE at <= :before");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    db_bind_i64(s, ":before", now.us - ATTACHMENT_SWEEP_HOURS * HOUR_US);
    return db_do(s) && db_changes(db) > 0;
}

bool attachment_sweep(const struct attachments *attachments, struct db *db,
                      struct wall_time now, size_t *count)
{
    struct sweep sweep = {attachments, db, 0};
    bool good =
        !is_due(db, now) || attachments_each(attachments, sweep_file, &sweep);
    *count = sweep.count;
    return good;
}

/* ---- what was not scanned yet ---- */

struct round {
    struct digest files[ROUND_MAX];
    size_t count;
};

/* Also notes that they are tried now. */
static enum act_end find_files(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    struct round *round = context;
    enum db_step step = DB_DONE;
    struct db_statement *s = db_prepare(
        db, "UPDATE attachment SET scan_tried_at = :now WHERE id IN"
            " (SELECT id FROM attachment WHERE scan = 'NOT_SCANNED'"
            "  AND scan_tried_at <= :before ORDER BY scan_tried_at LIMIT :max)"
            " RETURNING sha256");
    error_set(error, "%s", db_error(db));
    if (s == NULL)
        return ACT_FAILED;
    db_bind_i64(s, ":now", now.us);
    db_bind_i64(s, ":before", now.us - ATTACHMENT_RESCAN_HOURS * HOUR_US);
    db_bind_i64(s, ":max", ROUND_MAX);
    while (round->count < ROUND_MAX && (step = db_step(s)) == DB_ROW &&
           digest_read(db_blob(s, 0), &round->files[round->count]))
        round->count++;
    db_reset(s);
    return step == DB_FAILED ? ACT_FAILED : ACT_KEPT;
}

struct finding {
    struct digest sha256;
    enum virus_scan scan;
};

static enum act_end note_scan(struct db *db, struct wall_time now,
                              void *context, struct error_text *error)
{
    const struct finding *finding = context;
    char hex[DIGEST_HEX_LEN];
    struct db_statement *s = db_prepare(
        db, "UPDATE attachment SET scan = :scan WHERE sha256 = :sha256");
    digest_to_hex(finding->sha256, hex);
    const struct audit_entry entry = {"SYS", "file.harmful", hex, "OK"};
    if (s != NULL) {
        db_bind_text(s, ":scan", attachment_scan_name(finding->scan));
        db_bind_blob(s, ":sha256", finding->sha256.bytes, DIGEST_LEN);
    }
    if (s != NULL && db_do(s) &&
        (finding->scan != VIRUS_FOUND || audit_add(db, now, &entry)))
        return ACT_KEPT;
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

bool attachment_rescan(struct portal *portal, struct wall_time now,
                       size_t *count)
{
    struct attachments *attachments = portal_attachments(portal);
    struct round round = {.count = 0};
    struct error_text error = {""};
    *count = 0;
    if (!attachments_are_scanned(attachments))
        return true;
    bool good =
        portal_act(portal, now, NULL, find_files, &round, &error) == ACT_KEPT;
    for (size_t i = 0; good && i < round.count; i++) {
        struct finding finding = {
            round.files[i], attachments_scan(attachments, round.files[i])};
        if (finding.scan == VIRUS_NO_ANSWER)
            break; /* nor will it answer for the next ones */
        good = portal_act(portal, now, NULL, note_scan, &finding, &error) ==
               ACT_KEPT;
        *count += good;
    }
    return good;
}
