/*
 * One growing array a day. The days of a file are few and its rows mostly in
 * their order, so the last day used is the first one looked at. Kept runs are
 * cut into parts: both sides are sorted, so a part is held against ours in one
 * walk, and no more than a part is in memory.
 */
#include "collector/carrier/counted_rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"

struct run {
    struct civil_day day;
    uint64_t *hashes;
    size_t count, capacity;
};

struct counted_rows {
    struct run runs[COUNTED_DAYS_MAX];
    size_t run_count, last, total;
};

struct counted_rows *counted_rows_new(void)
{
    return calloc(1, sizeof(struct counted_rows));
}

void counted_rows_free(struct counted_rows *rows)
{
    if (rows == NULL)
        return;
    for (size_t i = 0; i < rows->run_count; i++)
        free(rows->runs[i].hashes);
    free(rows);
}

/* --- adding --- */

static struct run *run_of(struct counted_rows *rows, struct civil_day day)
{
    if (rows->run_count > 0 && rows->runs[rows->last].day.number == day.number)
        return &rows->runs[rows->last];
    for (size_t i = 0; i < rows->run_count; i++)
        if (rows->runs[i].day.number == day.number) {
            rows->last = i;
            return &rows->runs[i];
        }
    if (rows->run_count == COUNTED_DAYS_MAX)
        return NULL;
    rows->last = rows->run_count++;
    rows->runs[rows->last].day = day;
    return &rows->runs[rows->last];
}

static bool make_room(struct run *run)
{
    if (run->count < run->capacity)
        return true;
    size_t capacity = run->capacity ? run->capacity + run->capacity / 2 : 1024;
    uint64_t *more = realloc(run->hashes, capacity * sizeof(*more));
    if (more == NULL)
        return false;
    run->hashes = more;
    run->capacity = capacity;
    return true;
}

bool counted_rows_add(struct counted_rows *rows, struct civil_day day,
                      const void *row, size_t length)
{
    struct run *run = run_of(rows, day);
    if (run == NULL || rows->total == COUNTED_ROWS_MAX || !make_room(run))
        return false;
    struct digest digest = digest_of(row, length);
    memcpy(&run->hashes[run->count++], digest.bytes, sizeof(uint64_t));
    rows->total++;
    return true;
}

static int compare(const void *one, const void *other)
{
    uint64_t a, b;
    memcpy(&a, one, sizeof(a));
    memcpy(&b, other, sizeof(b));
    return (a > b) - (a < b);
}

void counted_rows_sort(struct counted_rows *rows)
{
    for (size_t i = 0; i < rows->run_count; i++)
        qsort(rows->runs[i].hashes, rows->runs[i].count, sizeof(uint64_t),
              compare);
}

/* --- against what is kept --- */

/* The first of ours that is not smaller. */
static size_t lower_bound(const struct run *run, uint64_t hash)
{
    size_t low = 0, high = run->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t hash_at(struct slice part, size_t i)
{
    uint64_t hash;
    memcpy(&hash, part.data + i * sizeof(hash), sizeof(hash));
    return hash;
}

/* How many of ours stand in the part. */
static uint64_t count_shared(const struct run *run, struct slice part)
{
    size_t kept = part.length / sizeof(uint64_t), k = 0;
    uint64_t shared = 0;
    size_t i = kept > 0 ? lower_bound(run, hash_at(part, 0)) : run->count;
    while (i < run->count && k < kept) {
        uint64_t hash = hash_at(part, k);
        if (hash < run->hashes[i]) {
            k++;
            continue;
        }
        shared += hash == run->hashes[i];
        i++; /* of ours, each that repeats counts */
    }
    return shared;
}

static bool find_in_run(const struct run *run, struct db *db,
                        const char *carrier, int64_t file,
                        struct counted_before *before)
{
    struct db_statement *s = db_prepare(
        db, "SELECT r.hashes, f.name, f.is_whole FROM counted_row AS r "
            "JOIN source_file AS f ON f.id = r.file WHERE r.carrier = :carrier "
            "AND r.day = :day AND r.file <> :file");
    enum db_step step;
    if (s == NULL)
        return false;
    db_bind_text(s, ":carrier", carrier);
    db_bind_i64(s, ":day", run->day.number);
    db_bind_i64(s, ":file", file);
    while ((step = db_step(s)) == DB_ROW) {
        uint64_t shared = count_shared(run, db_blob(s, 0));
        if (shared > 0 && before->rows == 0) {
            slice_copy(slice_of_text(db_text(s, 1)), before->name,
                       sizeof(before->name));
            before->is_whole = db_i64(s, 2) != 0;
        }
        before->rows += shared;
    }
    db_reset(s);
    return step == DB_DONE;
}

bool counted_rows_find(const struct counted_rows *rows, struct db *usage_db,
                       const char *carrier, int64_t file,
                       struct counted_before *before)
{
    *before = (struct counted_before){0};
    for (size_t i = 0; i < rows->run_count; i++)
        if (!find_in_run(&rows->runs[i], usage_db, carrier, file, before))
            return false;
    return true;
}

static bool store_part(const struct run *run, size_t first, struct db *db,
                       const char *carrier, int64_t file)
{
    size_t count = run->count - first;
    if (count > COUNTED_PART_MAX)
        count = COUNTED_PART_MAX;
    struct db_statement *s =
        db_prepare(db, "INSERT INTO counted_row (carrier, day, file, hashes) "
                       "VALUES (:carrier, :day, :file, :hashes)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":carrier", carrier);
    db_bind_i64(s, ":day", run->day.number);
    db_bind_i64(s, ":file", file);
    db_bind_blob(s, ":hashes", run->hashes + first, count * sizeof(uint64_t));
    return db_do(s);
}

bool counted_rows_store(const struct counted_rows *rows, struct db *usage_db,
                        const char *carrier, int64_t file)
{
    for (size_t i = 0; i < rows->run_count; i++)
        for (size_t first = 0; first < rows->runs[i].count;
             first += COUNTED_PART_MAX)
            if (!store_part(&rows->runs[i], first, usage_db, carrier, file))
                return false;
    return true;
}
