/*
 * The state is the last cosigned checkpoint's text. It is replaced as a whole
 * (written beside, synced, renamed) under a lock, before the signature is
 * given out: two runs at once cannot sign two histories.
 */
#include "common/proof/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/durable.h"

/* *last stays {0} when nothing was cosigned yet. */
static bool read_state(const char *path, struct checkpoint *last,
                       struct error_text *error)
{
    struct buffer file;
    struct error_text why;
    *last = (struct checkpoint){0};
    if (!buffer_read_file(&file, path, NOTE_MAX))
        return errno == ENOENT || error_set(error, "%s: %m", path);
    bool good = checkpoint_read(buffer_slice(&file), last, &why) ||
                error_set(error, "%s: %s", path, why.text);
    buffer_clear(&file);
    return good;
}

static bool write_state(const char *path, struct slice text,
                        struct error_text *error)
{
    char draft[PATH_MAX];
    int length = snprintf(draft, sizeof(draft), "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof(draft))
        return error_set(error, "%s: too long a path", path);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool good = fd >= 0 &&
                write(fd, text.data, text.length) == (ssize_t)text.length &&
                fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return (good && rename(draft, path) == 0 && durable_sync_folder_of(path)) ||
           error_set(error, "%s: %m", path);
}

static bool check_growth(const struct proof *proof,
                         const struct checkpoint *last,
                         struct error_text *error)
{
    const struct checkpoint *c = &proof->checkpoint;
    if (strcmp(last->origin, c->origin) != 0)
        return error_set(error,
                         "the state file is of the log %s, this "
                         "checkpoint of %s",
                         last->origin, c->origin);
    if (c->size < last->size)
        return error_set(error,
                         "rollback: the checkpoint has %" PRIu64
                         " batches, one of %" PRIu64 " was cosigned before",
                         c->size, last->size);
    if (c->size == last->size)
        return digest_equal(c->root, last->root) ||
               error_set(error,
                         "split view: another checkpoint of %" PRIu64
                         " batches was cosigned before",
                         c->size);
    if (proof->kind != PROOF_CONSISTENCY || proof->old_size != last->size)
        return error_set(error,
                         "a proof from %" PRIu64 " batches is needed: "
                         "yz-collector proof --from %" PRIu64 " --to %" PRIu64,
                         last->size, last->size, c->size);
    return proof_check_consistency(proof, last, error);
}

static bool cosign_locked(const struct witness *w, const struct proof *proof,
                          struct wall_time now, struct buffer *out,
                          struct error_text *error)
{
    struct checkpoint last;
    struct buffer line;
    if (!read_state(w->state, &last, error) ||
        (last.origin[0] != '\0' && !check_growth(proof, &last, error)))
        return false;
    buffer_init(&line, NOTE_MAX);
    bool good = note_sign(proof->note.text, w->key, w->public_key,
                          wall_to_s(now), &line) ||
                error_set(error, "the checkpoint cannot be signed");
    good = good && write_state(w->state, proof->note.text, error);
    if (good) {
        buffer_add_slice(out, proof->file);
        buffer_add_slice(out, buffer_slice(&line));
    }
    buffer_clear(&line);
    return good;
}

bool witness_cosign(const struct witness *witness, const struct proof *proof,
                    struct wall_time now, struct buffer *out,
                    struct error_text *error)
{
    const struct witness *w = witness;
    char path[PATH_MAX];
    struct checkpoint checkpoint;
    if (!checkpoint_read_signed(&proof->note, w->log, &checkpoint, error))
        return false;
    if (strcmp(checkpoint.origin, w->log->name) != 0)
        return error_set(error, "the checkpoint is of the log %s, not of %s",
                         checkpoint.origin, w->log->name);
    int length = snprintf(path, sizeof(path), "%s.lock", w->state);
    int fd = length > 0 && (size_t)length < sizeof(path)
                 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644)
                 : -1;
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        error_set(error, "%s: %m", path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool good = cosign_locked(w, proof, now, out, error);
    close(fd);
    return good;
}
