#include "collector/ledger/loss.h"

#include <string.h>

static bool insert(struct db *db, uint64_t index, size_t number,
                   const char *probe_id, const struct batch_loss *loss)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO loss (ledger_idx, number, probe_id, boot_id, "
            "first_sequence, last_sequence, batches, period_start_ms, "
            "period_end_ms, record_count, octets, reason) VALUES (:idx, "
            ":number, :probe, :boot, :first, :last, :batches, :start, :end, "
            ":records, :octets, :reason)");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":idx", index);
    db_bind_u64(s, ":number", number);
    db_bind_text(s, ":probe", probe_id);
    db_bind_blob(s, ":boot", loss->boot_id, BOOT_ID_LEN);
    db_bind_u64(s, ":first", loss->first_sequence);
    db_bind_u64(s, ":last", loss->last_sequence);
    db_bind_u64(s, ":batches", loss->batches);
    db_bind_i64(s, ":start", loss->period_start_ms);
    db_bind_i64(s, ":end", loss->period_end_ms);
    db_bind_u64(s, ":records", loss->record_count);
    db_bind_u64(s, ":octets", loss->octets);
    db_bind_i64(s, ":reason", loss->reason);
    return db_do(s);
}

/* Settles the open gaps that reach into [first, last]; the gaps of a boot lie
 * one behind the other, so the first of them is found at once. A gap of so many
 * sequences is over when as many are in the ledger, or in the ledger and lost.
 * Ranges of losses are cut to the gap; one told twice counts once, by its first
 * sequence. */
static bool settle_gaps(struct db *db, const char *probe_id,
                        const uint8_t boot_id[static BOOT_ID_LEN],
                        uint64_t first, uint64_t last)
{
    struct db_statement *s = db_prepare(
        db,
        "UPDATE event SET outcome = CASE WHEN (SELECT count(*) FROM ledger AS "
        "l "
        "WHERE l.probe_id = event.probe_id AND l.boot_id = event.boot_id AND "
        "l.sequence >= gap_first AND l.sequence < event.sequence) = "
        "event.sequence - gap_first THEN 'arrived' ELSE 'lost' END "
        "WHERE kind = 'gap' AND outcome IS NULL AND probe_id = :probe AND "
        "boot_id = :boot AND gap_first >= ifnull((SELECT max(g.gap_first) FROM "
        "event AS g WHERE g.kind = 'gap' AND g.outcome IS NULL AND g.probe_id "
        "= :probe AND g.boot_id = :boot AND g.gap_first <= :first), :first) "
        "AND gap_first <= :last AND (SELECT count(*) FROM ledger AS l WHERE "
        "l.probe_id = event.probe_id AND l.boot_id = event.boot_id AND "
        "l.sequence >= gap_first AND l.sequence < event.sequence) + "
        "(SELECT ifnull(sum(n), 0) FROM (SELECT max(min(x.last_sequence + 1, "
        "event.sequence) - max(x.first_sequence, event.gap_first)) AS n FROM "
        "loss AS x WHERE x.probe_id = event.probe_id AND x.boot_id = "
        "event.boot_id AND x.first_sequence < event.sequence AND "
        "x.last_sequence >= event.gap_first GROUP BY x.first_sequence)) >= "
        "event.sequence - gap_first");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", probe_id);
    db_bind_blob(s, ":boot", boot_id, BOOT_ID_LEN);
    db_bind_u64(s, ":first", first);
    db_bind_u64(s, ":last", last);
    return db_do(s);
}

bool loss_store(struct db *db, uint64_t index,
                const struct batch_reader *reader, bool is_reorder)
{
    const struct batch_info *info = batch_reader_info(reader);
    size_t count = batch_reader_loss_count(reader);
    for (size_t i = 0; i < count; i++)
        if (!insert(db, index, i, info->probe_id, batch_reader_loss(reader, i)))
            return false;
    bool good = !is_reorder || settle_gaps(db, info->probe_id, info->boot_id,
                                           info->sequence, info->sequence);
    for (size_t i = 0; good && i < count; i++) {
        const struct batch_loss *loss = batch_reader_loss(reader, i);
        good = settle_gaps(db, info->probe_id, loss->boot_id,
                           loss->first_sequence, loss->last_sequence);
    }
    return good;
}

static bool is_same(struct db_statement *s, size_t number, const char *probe_id,
                    const struct batch_loss *loss)
{
    struct slice boot = db_blob(s, 2);
    return db_u64(s, 0) == number && strcmp(db_text(s, 1), probe_id) == 0 &&
           boot.length == BOOT_ID_LEN &&
           memcmp(boot.data, loss->boot_id, BOOT_ID_LEN) == 0 &&
           db_u64(s, 3) == loss->first_sequence &&
           db_u64(s, 4) == loss->last_sequence &&
           db_u64(s, 5) == loss->batches &&
           db_i64(s, 6) == loss->period_start_ms &&
           db_i64(s, 7) == loss->period_end_ms &&
           db_u64(s, 8) == loss->record_count && db_u64(s, 9) == loss->octets &&
           db_i64(s, 10) == (int64_t)loss->reason;
}

bool loss_compare(struct db *db, uint64_t index,
                  const struct batch_reader *reader, bool *is_equal)
{
    size_t count = batch_reader_loss_count(reader), found = 0;
    struct db_statement *s = db_prepare(
        db, "SELECT number, probe_id, boot_id, first_sequence, last_sequence, "
            "batches, period_start_ms, period_end_ms, record_count, octets, "
            "reason FROM live.loss WHERE ledger_idx = :idx ORDER BY number");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":idx", index);
    enum db_step step;
    *is_equal = true;
    for (; (step = db_step(s)) == DB_ROW; found++)
        *is_equal = *is_equal && found < count &&
                    is_same(s, found, batch_reader_info(reader)->probe_id,
                            batch_reader_loss(reader, found));
    *is_equal = *is_equal && found == count;
    db_reset(s);
    return step == DB_DONE;
}

bool loss_note_gap(struct db *db, const struct batch_info *info,
                   struct digest hash, uint64_t first)
{
    struct db_statement *s =
        db_prepare(db, "UPDATE event SET boot_id = :boot, gap_first = :first "
                       "WHERE id = (SELECT max(id) FROM event) AND "
                       "kind = 'gap' AND other_hash = :hash");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":boot", info->boot_id, BOOT_ID_LEN);
    db_bind_u64(s, ":first", first);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    return db_do(s) && settle_gaps(db, info->probe_id, info->boot_id, first,
                                   info->sequence - 1);
}
