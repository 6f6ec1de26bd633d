/*
 * A line of the file, fields separated by blanks, numbers decimal:
 *
 *   boot id (hex), first, last, batches, period start, end (ms), records,
 *   octets, reason, number of the newest spool file
 */
#include "probe/uplink/losses.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/checked.h"
#include "common/crypto/digest.h"
#include "common/durable.h"
#include "common/log.h"

enum { LINE_MAX = 256, FILE_MAX = (BATCH_LOSS_MAX + 1) * LINE_MAX };

struct entry {
    struct batch_loss loss;
    uint64_t number;
    uint64_t carried_by; /* number of a spool file, 0: none */
};

struct losses {
    char path[DURABLE_PATH_LEN];
    struct entry entries[BATCH_LOSS_MAX];
    size_t count;
    uint64_t told; /* ranges taken out since they are in a batch on disk */
    bool is_dirty; /* the file says something else */
};

/* --- the file --- */

static bool next_number(struct slice *line, uint64_t *value)
{
    struct slice word;
    return slice_next(line, ' ', &word) && parse_u64(word, 0, INT64_MAX, value);
}

static bool parse_line(struct slice line, struct entry *e)
{
    struct slice boot;
    uint64_t start, end, reason;
    struct batch_loss *l = &e->loss;
    if (!slice_next(&line, ' ', &boot) ||
        !parse_hex(boot, l->boot_id, BOOT_ID_LEN) ||
        !next_number(&line, &l->first_sequence) ||
        !next_number(&line, &l->last_sequence) ||
        !next_number(&line, &l->batches) || !next_number(&line, &start) ||
        !next_number(&line, &end) || !next_number(&line, &l->record_count) ||
        !next_number(&line, &l->octets) || !next_number(&line, &reason) ||
        !next_number(&line, &e->number))
        return false;
    l->period_start_ms = (int64_t)start;
    l->period_end_ms = (int64_t)end;
    l->reason = (enum loss_reason)reason;
    return reason >= LOSS_NO_ROOM && reason <= LOSS_DISK && l->batches >= 1 &&
           l->first_sequence <= l->last_sequence && start <= end;
}

static void parse_file(struct losses *l, struct slice text)
{
    struct slice line;
    while (slice_next(&text, '\n', &line)) {
        struct entry e = {0};
        if (line.length == 0)
            continue;
        if (l->count < BATCH_LOSS_MAX && parse_line(line, &e))
            l->entries[l->count++] = e;
        else
            log_error("%s: a line is no loss record and was dropped", l->path);
    }
}

static void print_entry(struct buffer *out, const struct entry *e)
{
    const struct batch_loss *l = &e->loss;
    char boot[2 * BOOT_ID_LEN + 1];
    hex_of(l->boot_id, BOOT_ID_LEN, boot);
    buffer_addf(out,
                "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64
                " %" PRIu64 " %" PRIu64 " %d %" PRIu64 "\n",
                boot, l->first_sequence, l->last_sequence, l->batches,
                l->period_start_ms, l->period_end_ms, l->record_count,
                l->octets, (int)l->reason, e->number);
}

bool losses_flush(struct losses *l)
{
    struct buffer text;
    if (!l->is_dirty)
        return true;
    buffer_init(&text, FILE_MAX);
    for (size_t i = 0; i < l->count; i++)
        print_entry(&text, &l->entries[i]);
    bool good =
        !text.failed && durable_write(l->path, buffer_slice(&text), 0600);
    l->is_dirty = !good;
    buffer_clear(&text);
    return good;
}

struct losses *losses_open(const char *state)
{
    struct buffer text;
    struct losses *l = calloc(1, sizeof(*l));
    if (l == NULL || !durable_path(l->path, state, "losses")) {
        free(l);
        return NULL;
    }
    if (buffer_read_file(&text, l->path, FILE_MAX)) {
        parse_file(l, buffer_slice(&text));
    } else if (errno != ENOENT) {
        free(l);
        l = NULL;
    }
    buffer_clear(&text);
    return l;
}

void losses_free(struct losses *l)
{
    free(l);
}

/* --- ranges --- */

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t value;
    return checked_add_u64(a, b, &value) && value <= INT64_MAX ? value
                                                               : INT64_MAX;
}

static bool is_same_boot(const struct batch_loss *a, const struct batch_loss *b)
{
    return memcmp(a->boot_id, b->boot_id, BOOT_ID_LEN) == 0;
}

static bool is_next(const struct batch_loss *a, const struct batch_loss *b)
{
    return is_same_boot(a, b) && a->reason == b->reason &&
           a->first_sequence > 0 && a->last_sequence + 1 == b->first_sequence;
}

static void join(struct batch_loss *a, const struct batch_loss *b)
{
    if (!is_same_boot(a, b)) { /* no range of one boot says it all */
        memset(a->boot_id, 0, BOOT_ID_LEN);
        a->first_sequence = a->last_sequence = 0;
    } else {
        if (b->first_sequence < a->first_sequence)
            a->first_sequence = b->first_sequence;
        if (b->last_sequence > a->last_sequence)
            a->last_sequence = b->last_sequence;
    }
    if (b->period_start_ms < a->period_start_ms)
        a->period_start_ms = b->period_start_ms;
    if (b->period_end_ms > a->period_end_ms)
        a->period_end_ms = b->period_end_ms;
    a->batches = sum(a->batches, b->batches);
    a->record_count = sum(a->record_count, b->record_count);
    a->octets = sum(a->octets, b->octets);
}

/* The newest range that may still grow, or NULL. */
static struct entry *newest(struct losses *l)
{
    for (size_t i = l->count; i-- > 0;)
        if (l->entries[i].carried_by == 0)
            return &l->entries[i];
    return NULL;
}

/* For want of room: the two oldest of one boot that may be joined, else the two
 * newest, whoever they belong to. */
static void make_room(struct losses *l)
{
    size_t last = l->count;
    for (size_t i = 0; i + 1 < l->count; i++) {
        if (l->entries[i].carried_by != 0 || l->entries[i + 1].carried_by != 0)
            continue;
        last = i;
        if (is_same_boot(&l->entries[i].loss, &l->entries[i + 1].loss))
            break;
    }
    if (last == l->count)
        return;
    join(&l->entries[last].loss, &l->entries[last + 1].loss);
    l->entries[last].number = l->entries[last + 1].number;
    l->count--;
    memmove(&l->entries[last + 1], &l->entries[last + 2],
            (l->count - last - 1) * sizeof(l->entries[0]));
}

bool losses_add(struct losses *l, const struct batch_loss *loss,
                uint64_t number)
{
    struct entry *before = newest(l);
    l->is_dirty = true;
    if (before != NULL && is_next(&before->loss, loss)) {
        join(&before->loss, loss);
        before->number = number;
        return losses_flush(l);
    }
    if (l->count == BATCH_LOSS_MAX)
        make_room(l);
    if (l->count < BATCH_LOSS_MAX)
        l->entries[l->count++] = (struct entry){*loss, number, 0};
    return losses_flush(l);
}

size_t losses_pending(const struct losses *l,
                      struct batch_loss out[static BATCH_LOSS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].carried_by == 0)
            out[count++] = l->entries[i].loss;
    return count;
}

void losses_carried(struct losses *l, const struct batch_loss *carried,
                    size_t count, uint64_t number)
{
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < l->count; i++) {
            const struct batch_loss *a = &l->entries[i].loss, *b = &carried[k];
            if (l->entries[i].carried_by == 0 && is_same_boot(a, b) &&
                a->first_sequence == b->first_sequence &&
                a->last_sequence == b->last_sequence &&
                a->batches == b->batches && a->octets == b->octets &&
                a->period_start_ms == b->period_start_ms) {
                l->entries[i].carried_by = number;
                break;
            }
        }
}

void losses_told(struct losses *l, uint64_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].carried_by != number)
            l->entries[kept++] = l->entries[i];
    l->is_dirty = l->is_dirty || kept != l->count;
    l->told += l->count - kept;
    l->count = kept;
    (void)losses_flush(l);
}

void losses_untold(struct losses *l, uint64_t number)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].carried_by == number)
            l->entries[i].carried_by = 0;
}

bool losses_has_number(const struct losses *l, uint64_t number)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].number == number)
            return true;
    return false;
}

struct losses_totals losses_totals(const struct losses *l)
{
    struct losses_totals totals = {.told = l->told, .waiting = l->count};
    for (size_t i = 0; i < l->count; i++)
        totals.waiting_batches =
            sum(totals.waiting_batches, l->entries[i].loss.batches);
    return totals;
}
