#include "probe/uplink/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/durable.h"
#include "probe/uplink/batch_check.h"
#include "probe/uplink/losses.h"

enum {
    NUMBER_DIGITS = 12,
    NAME_LEN = NUMBER_DIGITS + 1 + 64 + sizeof(".ipfix"),
    ENTRIES_MAX = 1000000,
};
#define NUMBER_MAX UINT64_C(999999999999)

struct item {
    struct spool_entry entry;
    struct buffer memory;   /* while is_in_memory */
    struct batch_loss self; /* should it be lost; of this run's batches */
};

/* Files sorted by number, with the sum of their sizes. */
struct folder {
    char path[DURABLE_PATH_LEN];
    struct item *items;
    size_t count, room;
    uint64_t bytes;
};

struct spool {
    int lock; /* held on the state folder; -1: not yet */
    struct folder waiting, sent, refused;
    uint64_t spool_bytes, sent_bytes, memory_bytes;
    uint64_t next_number;
    struct losses *losses;
    struct batch_summary *summary; /* room for one at a time */
    bool read_failed;              /* said so; until a file can be read again */
    bool write_failed, copy_failed; /* the last time */
    struct spool_totals totals;
    struct error_text error;
};

/* --- names --- */

static void make_name(const struct spool_entry *e, char name[static NAME_LEN])
{
    char hex[DIGEST_HEX_LEN];
    digest_to_hex(e->hash, hex);
    snprintf(name, NAME_LEN, "%012" PRIu64 "-%s.ipfix", e->number, hex);
}

static bool parse_name(struct slice name, struct spool_entry *e)
{
    struct slice number = {name.data, NUMBER_DIGITS};
    struct slice hex = {name.data + NUMBER_DIGITS + 1, 64};
    return name.length == NAME_LEN - 1 && name.data[NUMBER_DIGITS] == '-' &&
           slice_ends_with_nocase(name, SLICE(".ipfix")) &&
           parse_u64(number, 0, NUMBER_MAX, &e->number) &&
           parse_hex(hex, e->hash.bytes, DIGEST_LEN);
}

static bool path_of(const struct folder *f, const struct spool_entry *e,
                    char path[static DURABLE_PATH_LEN])
{
    char name[NAME_LEN];
    make_name(e, name);
    return durable_path(path, f->path, name);
}

/* --- folders --- */

/* Adds behind all others; numbers only grow. */
static struct item *append(struct folder *f, const struct spool_entry *e)
{
    if (f->count == f->room) {
        size_t room = f->room == 0 ? 64 : f->room * 2;
        void *bigger = reallocarray(f->items, room, sizeof(*f->items));
        if (bigger == NULL)
            return NULL;
        f->items = bigger;
        f->room = room;
    }
    struct item *item = &f->items[f->count++];
    *item = (struct item){.entry = *e};
    f->bytes += e->size;
    return item;
}

static void remove_at(struct folder *f, size_t index)
{
    f->bytes -= f->items[index].entry.size;
    buffer_clear(&f->items[index].memory);
    f->count--;
    memmove(&f->items[index], &f->items[index + 1],
            (f->count - index) * sizeof(*f->items));
}

/* Index of the first item with a number >= number. */
static size_t index_from(const struct folder *f, uint64_t number)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->items[middle].entry.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int compare_items(const void *a, const void *b)
{
    uint64_t x = ((const struct item *)a)->entry.number;
    uint64_t y = ((const struct item *)b)->entry.number;
    return x < y ? -1 : x > y;
}

static void clear_folder(struct folder *f)
{
    for (size_t i = 0; i < f->count; i++)
        buffer_clear(&f->items[i].memory);
    free(f->items);
}

/* One name found in the folder. Names of other forms are left alone, except
 * for writes that a crash cut off. */
static void take_name(struct folder *f, const char *name)
{
    char path[DURABLE_PATH_LEN];
    struct spool_entry e = {0};
    struct stat info;
    struct slice text = slice_of_text(name);
    if (!durable_path(path, f->path, name))
        return;
    if (slice_ends_with_nocase(text, SLICE(".ipfix.new")))
        unlink(path);
    else if (f->count < ENTRIES_MAX && parse_name(text, &e) &&
             stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        e.size = (uint64_t)info.st_size;
        append(f, &e);
    }
}

static bool open_folder(struct folder *f, const char *state, const char *name,
                        struct error_text *error)
{
    DIR *dir = NULL;
    if (!durable_path(f->path, state, name) || !durable_folder(f->path) ||
        (dir = opendir(f->path)) == NULL || access(f->path, W_OK) != 0) {
        error_set(error, "%s/%s: %s", state, name, strerror(errno));
        if (dir != NULL)
            closedir(dir);
        return false;
    }
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
        take_name(f, d->d_name);
    closedir(dir);
    if (f->count > 0)
        qsort(f->items, f->count, sizeof(*f->items), compare_items);
    return true;
}

static void follow_numbers(struct spool *s, const struct folder *f)
{
    if (f->count > 0 && f->items[f->count - 1].entry.number >= s->next_number)
        s->next_number = f->items[f->count - 1].entry.number + 1;
}

/* Removes the oldest copies until the folder keeps its bound. */
static void bound_copies(struct folder *f, uint64_t limit)
{
    char path[DURABLE_PATH_LEN];
    while (f->count > 0 && f->bytes > limit) {
        if (path_of(f, &f->items[0].entry, path) && unlink(path) != 0 &&
            errno != ENOENT) {
            log_warn("%s: cannot be removed: %s", path, strerror(errno));
            return;
        }
        remove_at(f, 0);
    }
}

/* --- opening --- */

static void give_up_oldest(struct spool *s);
static void finish_losses(struct spool *s);

/* Two probes on one state folder would count every packet twice. */
static bool lock_state(struct spool *s, const char *state,
                       struct error_text *error)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/lock", state) >= (int)sizeof(path))
        return error_set(error, "%s: the path is too long", state);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return error_set(error, "%s: %s", path, strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
        return error_set(error, "%s: in use by another yz-probe", state);
    return true;
}

struct spool *spool_open(const char *state, uint64_t spool_bytes,
                         uint64_t sent_bytes, struct error_text *error)
{
    struct spool *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        error_set(error, "%s: no memory", state);
        return NULL;
    }
    s->spool_bytes = spool_bytes;
    s->sent_bytes = sent_bytes;
    s->next_number = 1;
    s->lock = -1;
    if (!durable_folder(state)) {
        error_set(error, "%s: %s", state, strerror(errno));
        goto fail;
    }
    if (!lock_state(s, state, error))
        goto fail;
    s->summary = malloc(sizeof(*s->summary));
    s->losses = losses_open(state);
    if (s->summary == NULL || s->losses == NULL) {
        error_set(error, "%s/losses: %s", state, strerror(errno));
        goto fail;
    }
    if (!open_folder(&s->waiting, state, "spool", error) ||
        !open_folder(&s->sent, state, "sent", error) ||
        !open_folder(&s->refused, state, "refused", error))
        goto fail;
    follow_numbers(s, &s->waiting);
    follow_numbers(s, &s->sent);
    follow_numbers(s, &s->refused);
    finish_losses(s);
    bound_copies(&s->sent, sent_bytes);
    bound_copies(&s->refused, sent_bytes);
    while (s->waiting.count > 0 && s->waiting.bytes > spool_bytes)
        give_up_oldest(s);
    if (s->waiting.count > 0)
        log_info("%zu batches of an earlier run wait in %s", s->waiting.count,
                 s->waiting.path);
    return s;
fail:
    spool_close(s);
    return NULL;
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    clear_folder(&s->waiting);
    clear_folder(&s->sent);
    clear_folder(&s->refused);
    if (s->losses != NULL)
        (void)losses_flush(s->losses);
    losses_free(s->losses);
    free(s->summary);
    if (s->lock >= 0)
        close(s->lock);
    free(s);
}

/* --- losses --- */

static struct batch_loss loss_of(const struct batch_info *info)
{
    struct batch_loss loss = {.first_sequence = info->sequence,
                              .last_sequence = info->sequence,
                              .batches = 1,
                              .period_start_ms = info->period_start_ms,
                              .period_end_ms = info->period_end_ms,
                              .record_count = info->record_count,
                              .octets = info->octets};
    memcpy(loss.boot_id, info->boot_id, BOOT_ID_LEN);
    return loss;
}

static void note_loss(struct spool *s, const struct batch_loss *loss,
                      uint64_t number)
{
    if (!losses_add(s->losses, loss, number))
        log_warn("%s: losses cannot be written now: %s", s->waiting.path,
                 strerror(errno));
}

/* What is known of the batch, into s->summary; its bytes may be those of a file
 * that is not what was written. */
static bool summarise(struct spool *s, const struct item *item)
{
    char path[DURABLE_PATH_LEN];
    struct buffer bytes;
    if (item->entry.is_in_memory)
        return batch_summary_of(buffer_slice(&item->memory), s->summary);
    bool good = path_of(&s->waiting, &item->entry, path) &&
                buffer_read_file(&bytes, path, BATCH_SIZE_MAX);
    if (good)
        good = batch_check(buffer_slice(&bytes), item->entry.hash) ==
                   BATCH_CHECK_INTACT &&
               batch_summary_of(buffer_slice(&bytes), s->summary);
    buffer_clear(&bytes);
    return good;
}

/* Written down before the batch goes: itself, and what it should have told. */
static void lose(struct spool *s, size_t index, enum loss_reason reason)
{
    const struct item *item = &s->waiting.items[index];
    struct batch_loss loss = item->self;
    bool is_readable = summarise(s, item);
    if (loss.batches == 0 && is_readable)
        loss = loss_of(&s->summary->info);
    loss.batches = 1;
    loss.reason = reason;
    losses_untold(s->losses, item->entry.number);
    for (size_t i = 0;
         is_readable && !item->entry.is_in_memory && i < s->summary->loss_count;
         i++)
        note_loss(s, &s->summary->losses[i], item->entry.number);
    note_loss(s, &loss, item->entry.number);
    s->totals.lost++;
}

/* After a crash: a batch whose loss was written down goes, and ranges that the
 * newest batch tells are not told by the next one again. */
static void finish_losses(struct spool *s)
{
    char path[DURABLE_PATH_LEN];
    for (size_t i = s->waiting.count; i-- > 0;) {
        const struct spool_entry *e = &s->waiting.items[i].entry;
        if (!losses_has_number(s->losses, e->number) ||
            !path_of(&s->waiting, e, path))
            continue;
        unlink(path);
        remove_at(&s->waiting, i);
    }
    struct folder *const folders[] = {&s->waiting, &s->sent, &s->refused};
    for (size_t i = 0; i < 3; i++) {
        const struct folder *f = folders[i];
        struct buffer bytes;
        if (f->count == 0 ||
            f->items[f->count - 1].entry.number + 1 != s->next_number ||
            !path_of(f, &f->items[f->count - 1].entry, path))
            continue;
        if (buffer_read_file(&bytes, path, BATCH_SIZE_MAX) &&
            batch_summary_of(buffer_slice(&bytes), s->summary)) {
            losses_carried(s->losses, s->summary->losses,
                           s->summary->loss_count, s->next_number - 1);
            losses_told(s->losses, s->next_number - 1);
        }
        buffer_clear(&bytes);
    }
}

size_t spool_losses(const struct spool *s,
                    struct batch_loss out[static BATCH_LOSS_MAX])
{
    return losses_pending(s->losses, out);
}

/* --- in --- */

static void drop_waiting(struct spool *s, size_t index)
{
    if (s->waiting.items[index].entry.is_in_memory)
        s->memory_bytes -= s->waiting.items[index].entry.size;
    remove_at(&s->waiting, index);
}

static void give_up_oldest(struct spool *s)
{
    char path[DURABLE_PATH_LEN];
    const struct spool_entry *e = &s->waiting.items[0].entry;
    log_warn("no room: batch %" PRIu64 " was given up before it was "
             "acknowledged; the next batch says so",
             e->number);
    lose(s, 0, LOSS_NO_ROOM);
    if (!e->is_in_memory && path_of(&s->waiting, e, path) &&
        unlink(path) != 0 && errno != ENOENT)
        log_warn("%s: cannot be removed: %s", path, strerror(errno));
    drop_waiting(s, 0);
}

/* Memory holds less than the disk may; the oldest there goes first. */
static void bound_memory(struct spool *s)
{
    while (s->memory_bytes > SPOOL_MEMORY_MAX) {
        size_t i = 0;
        while (!s->waiting.items[i].entry.is_in_memory)
            i++;
        log_warn("the disk takes no batches: batch %" PRIu64 " was given up",
                 s->waiting.items[i].entry.number);
        lose(s, i, LOSS_DISK);
        drop_waiting(s, i);
    }
}

static bool write_item(struct spool *s, struct item *item)
{
    char path[DURABLE_PATH_LEN];
    s->write_failed = !path_of(&s->waiting, &item->entry, path) ||
                      !durable_write(path, buffer_slice(&item->memory), 0600);
    if (s->write_failed)
        return error_set(&s->error, "%s: cannot be written: %s",
                         s->waiting.path, strerror(errno));
    item->entry.is_in_memory = false;
    s->memory_bytes -= item->entry.size;
    buffer_clear(&item->memory);
    losses_told(s->losses, item->entry.number);
    return true;
}

bool spool_add(struct spool *s, struct buffer *batch, struct digest hash)
{
    struct spool_entry e = {.number = s->next_number,
                            .hash = hash,
                            .size = batch->length,
                            .is_in_memory = true};
    while (s->waiting.count > 0 && s->waiting.bytes + e.size > s->spool_bytes)
        give_up_oldest(s);
    struct item *item = append(&s->waiting, &e);
    bool is_known = batch_summary_of(buffer_slice(batch), s->summary);
    struct batch_loss self = {.reason = LOSS_NO_ROOM};
    if (is_known) {
        self = loss_of(&s->summary->info);
        self.reason = LOSS_NO_ROOM;
    }
    if (item == NULL) {
        buffer_clear(batch);
        self.batches = 1;
        note_loss(s, &self, 0);
        s->totals.lost++;
        return error_set(&s->error, "no memory for a batch");
    }
    if (is_known)
        losses_carried(s->losses, s->summary->losses, s->summary->loss_count,
                       e.number);
    s->next_number++;
    item->self = self;
    item->memory = *batch;
    *batch = (struct buffer){0};
    s->memory_bytes += e.size;
    bool good = write_item(s, item);
    bound_memory(s);
    return good;
}

bool spool_flush(struct spool *s)
{
    for (size_t i = 0; i < s->waiting.count && s->memory_bytes > 0; i++)
        if (s->waiting.items[i].entry.is_in_memory &&
            !write_item(s, &s->waiting.items[i]))
            return false;
    return losses_flush(s->losses);
}

bool spool_is_failing(const struct spool *s)
{
    return s->write_failed;
}

const char *spool_error(const struct spool *s)
{
    return s->error.text;
}

/* --- out --- */

size_t spool_count(const struct spool *s)
{
    return s->waiting.count;
}

const struct spool_entry *spool_from(const struct spool *s, uint64_t number)
{
    size_t i = index_from(&s->waiting, number);
    return i < s->waiting.count ? &s->waiting.items[i].entry : NULL;
}

const struct spool_entry *spool_find(const struct spool *s, struct digest hash)
{
    for (size_t i = 0; i < s->waiting.count; i++)
        if (digest_equal(s->waiting.items[i].entry.hash, hash))
            return &s->waiting.items[i].entry;
    return NULL;
}

static struct item *item_of(struct spool *s, uint64_t number, size_t *index)
{
    *index = index_from(&s->waiting, number);
    if (*index == s->waiting.count ||
        s->waiting.items[*index].entry.number != number)
        return NULL;
    return &s->waiting.items[*index];
}

/* From waiting into another folder, whose bound then holds. One that is in
 * memory only is written there, if the disk takes it now. */
static void move_to(struct spool *s, uint64_t number, struct folder *to)
{
    char from_path[DURABLE_PATH_LEN], to_path[DURABLE_PATH_LEN];
    size_t index;
    struct item *item = item_of(s, number, &index);
    if (item == NULL)
        return;
    struct spool_entry e = item->entry;
    bool good = path_of(&s->waiting, &e, from_path) &&
                path_of(to, &e, to_path) &&
                (e.is_in_memory
                     ? durable_write(to_path, buffer_slice(&item->memory), 0600)
                     : durable_move(from_path, to_path));
    if (!good) {
        if (!s->copy_failed)
            log_warn("%s: no copy is kept: %s", to->path, strerror(errno));
        if (!e.is_in_memory && unlink(from_path) != 0 && errno != ENOENT)
            log_warn("%s: cannot be removed: %s; the next start sends it once "
                     "more",
                     from_path, strerror(errno));
    }
    s->copy_failed = !good;
    losses_told(s->losses, number);
    drop_waiting(s, index);
    e.is_in_memory = false;
    if (good && append(to, &e) != NULL)
        bound_copies(to, s->sent_bytes);
}

/* Into refused/, so that the batches behind it can go. */
static void set_aside(struct spool *s, uint64_t number, const char *why)
{
    log_error("%s: batch %" PRIu64 " %s; it is kept in the folder refused, "
              "and the next batch says that one was lost",
              s->waiting.path, number, why);
    size_t index;
    if (item_of(s, number, &index) == NULL)
        return;
    lose(s, index, LOSS_DAMAGED);
    move_to(s, number, &s->refused);
}

/* Only what the file itself says is held against it: memory, descriptors and
 * disks come back. */
static enum spool_read read_file(struct spool *s, uint64_t number,
                                 const struct spool_entry *e,
                                 struct buffer *batch)
{
    char path[DURABLE_PATH_LEN];
    enum batch_check check = BATCH_CHECK_UNKNOWN;
    errno = 0;
    if (path_of(&s->waiting, e, path) &&
        buffer_read_file(batch, path, BATCH_SIZE_MAX))
        check = batch_check(buffer_slice(batch), e->hash);
    else if (errno == ENOENT || errno == EFBIG)
        check = BATCH_CHECK_DAMAGED;
    if (check == BATCH_CHECK_DAMAGED) {
        set_aside(s, number, errno == ENOENT ? "is gone" : "is damaged");
        return SPOOL_SET_ASIDE;
    }
    if (check == BATCH_CHECK_UNKNOWN && !s->read_failed)
        log_warn("%s: batch %" PRIu64 " cannot be read now: %s; it waits",
                 s->waiting.path, number, strerror(errno));
    s->read_failed = check == BATCH_CHECK_UNKNOWN;
    return s->read_failed ? SPOOL_NOT_NOW : SPOOL_READ;
}

enum spool_read spool_read(struct spool *s, uint64_t number,
                           struct buffer *batch)
{
    size_t index;
    struct item *item = item_of(s, number, &index);
    buffer_init(batch, BATCH_SIZE_MAX);
    if (item == NULL)
        return SPOOL_NOT_NOW;
    if (!item->entry.is_in_memory) {
        struct spool_entry e = item->entry;
        enum spool_read status = read_file(s, number, &e, batch);
        if (status != SPOOL_READ)
            buffer_clear(batch);
        return status;
    }
    buffer_add_slice(batch, buffer_slice(&item->memory));
    return batch->failed ? SPOOL_NOT_NOW : SPOOL_READ;
}

void spool_acknowledge(struct spool *s, uint64_t number)
{
    move_to(s, number, &s->sent);
    s->totals.acknowledged++;
}

void spool_refuse(struct spool *s, uint64_t number)
{
    move_to(s, number, &s->refused);
    s->totals.refused++;
}

struct spool_totals spool_totals(const struct spool *s)
{
    struct spool_totals totals = s->totals;
    totals.waiting = s->waiting.count;
    totals.waiting_bytes = s->waiting.bytes;
    totals.bound_bytes = s->spool_bytes;
    totals.in_memory_bytes = s->memory_bytes;
    totals.losses = losses_totals(s->losses);
    return totals;
}
