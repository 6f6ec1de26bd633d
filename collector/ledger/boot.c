/*
 * One row for each boot and clock: the earliest time by which it had begun, the
 * latest at which it was still alive. Batches only move the two apart, so their
 * order does not matter.
 */
#include "collector/ledger/boot.h"

#include "collector/ledger/intake.h"

struct life {
    int64_t begun_ms, alive_ms;
};

struct boot_moments boot_moments_of(const struct batch_info *info,
                                    int64_t challenge_ms,
                                    struct wall_time received)
{
    const int64_t minute_ms = INTAKE_CLOCK_S * INT64_C(1000);
    const int64_t end_ms = info->period_end_ms, off_ms = info->clock_offset_ms;
    /* A challenge of after its period: one of the two clocks was set. */
    bool is_sound = challenge_ms - end_ms <= INTAKE_LATE_S * INT64_C(1000) &&
                    challenge_ms <= wall_to_ms(received);
    bool is_synchronised = info->clock_quality == CLOCK_SYNCHRONISED &&
                           off_ms >= -minute_ms && off_ms <= minute_ms;
    return (struct boot_moments){
        .collector = {true, is_sound ? challenge_ms : 0, wall_to_ms(received)},
        .probe = {is_sound && is_synchronised && end_ms > minute_ms,
                  end_ms - minute_ms, end_ms + minute_ms},
    };
}

static void bind_boot(struct db_statement *s, const struct batch_info *info,
                      const char *clock)
{
    db_bind_text(s, ":probe", info->probe_id);
    db_bind_blob(s, ":boot", info->boot_id, BOOT_ID_LEN);
    db_bind_text(s, ":clock", clock);
}

/* What is known of the batch's boot; of a new one, nothing. */
static bool find_life(struct db *db, const struct batch_info *info,
                      const char *clock, struct life *life)
{
    struct db_statement *s = db_prepare(
        db, "SELECT begun_ms, alive_ms FROM boot_life WHERE probe_id = :probe "
            "AND clock = :clock AND boot_id = :boot");
    if (s == NULL)
        return false;
    bind_boot(s, info, clock);
    enum db_step step = db_step(s);
    *life = step == DB_ROW ? (struct life){db_i64(s, 0), db_i64(s, 1)}
                           : (struct life){INT64_MAX, -1};
    db_reset(s);
    return step != DB_FAILED;
}

/* Another boot that lived while this one did, and of which that is news: it
 * showed life after this one last had, or before this one first had. */
static bool find_by(struct db *db, const struct batch_info *info,
                    const char *clock, const struct boot_moment *made,
                    bool *returns)
{
    struct life old;
    if (!made->is_known || *returns)
        return true;
    if (!find_life(db, info, clock, &old))
        return false;
    struct db_statement *s = db_prepare(
        db, "SELECT EXISTS (SELECT 1 FROM boot_life INDEXED BY "
            "boot_life_by_end WHERE probe_id = :probe AND clock = :clock AND "
            "boot_id <> :boot AND alive_ms >= min(:before, :begun) AND "
            "(alive_ms > :alive AND begun_ms <= :after OR "
            "alive_ms < :begun AND begun_ms <= max(:after, :alive)))");
    if (s == NULL)
        return false;
    bind_boot(s, info, clock);
    db_bind_i64(s, ":begun", old.begun_ms);
    db_bind_i64(s, ":alive", old.alive_ms);
    db_bind_i64(s, ":before", made->before_ms);
    db_bind_i64(s, ":after", made->after_ms);
    bool good = db_step(s) == DB_ROW;
    *returns = good && db_i64(s, 0) != 0;
    db_reset(s);
    return good;
}

bool boot_find_return(struct db *db, const struct batch_info *info,
                      const struct boot_moments *made, bool *returns)
{
    *returns = false;
    return find_by(db, info, "collector", &made->collector, returns) &&
           find_by(db, info, "probe", &made->probe, returns);
}

static bool note_by(struct db *db, const struct batch_info *info,
                    const char *clock, const struct boot_moment *made)
{
    if (!made->is_known)
        return true;
    struct db_statement *s = db_prepare(
        db, "INSERT INTO boot_life (probe_id, clock, boot_id, begun_ms, "
            "alive_ms) VALUES (:probe, :clock, :boot, :before, :after) "
            "ON CONFLICT DO UPDATE SET begun_ms = min(begun_ms, "
            "excluded.begun_ms), alive_ms = max(alive_ms, excluded.alive_ms)");
    if (s == NULL)
        return false;
    bind_boot(s, info, clock);
    db_bind_i64(s, ":before", made->before_ms);
    db_bind_i64(s, ":after", made->after_ms);
    return db_do(s);
}

bool boot_note(struct db *db, const struct ledger_row *row)
{
    const struct batch_info *info = &row->info;
    if (row->is_sample ||
        (row->source != SOURCE_PROBE && row->source != SOURCE_SUPPLIER_PROBE))
        return true;
    struct boot_moments made =
        boot_moments_of(info, row->challenge_ms, row->received);
    return note_by(db, info, "collector", &made.collector) &&
           note_by(db, info, "probe", &made.probe);
}
