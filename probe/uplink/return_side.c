#include "probe/uplink/return_side.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/durable.h"

enum {
    SAMPLES = 5,
    ASK_CLOCK_MS = 60 * 1000,
    ASK_REGISTRY_MS = 600 * 1000,
    ANSWER_MAX_MS = 10 * 1000,
    STEP_MS = 1000,                 /* of our clock, or all begins anew */
    SAMPLE_AGE_MS = 3600 * 1000,    /* an older offset is not known any more */
    BUNDLE_MAX_MS = 15 * 60 * 1000, /* from the head to the last piece */
    REFUSAL_LOG_MS = 5 * 1000,      /* between two lines at least */
    SERIAL_FILE_MAX = 256,
};

struct return_side {
    struct return_side_options options;
    char serial_path[DURABLE_PATH_LEN], list_path[DURABLE_PATH_LEN];
    struct error_text fault;
    struct digest version; /* of the list in force */
    /* questions */
    struct mono_time ask_clock, ask_registry;
    int64_t asked_ms;      /* T1 of the question that is out; 0: none is */
    int64_t asked_base_us; /* wall minus monotonic clock then */
    /* clock */
    int64_t offsets[SAMPLES];
    size_t offset_count;
    int64_t base_us; /* wall minus monotonic clock at the last sample */
    struct mono_time sampled;
    /* registry */
    uint64_t serial;           /* the highest known */
    struct digest serial_hash; /* of its list; zeros: not known */
    struct registry_head head;
    uint64_t chunk_next, chunk_count;
    struct mono_time bundle_begun;
    bool is_gathering, has_list;
    struct buffer changes;
    struct mono_time challenge_taken, registry_told, refused_taken;
    struct return_status_view status;
};

/* --- the serial --- */

static struct digest key_hash(const struct return_side *s)
{
    struct slice key = s->options.registry_key;
    return digest_of(key.data, key.length);
}

/* A line that holds a hash; zeros without one. */
static struct digest next_hash(struct slice *text)
{
    struct slice line = {0};
    struct digest hash = {{0}};
    if (slice_next(text, '\n', &line) && line.length == 2 * DIGEST_LEN)
        (void)parse_hex(line, hash.bytes, DIGEST_LEN);
    return hash;
}

static bool load_serial(struct return_side *s, struct error_text *error)
{
    static const struct digest none;
    struct buffer text;
    bool good = buffer_read_file(&text, s->serial_path, SERIAL_FILE_MAX);
    if (!good && errno == ENOENT) {
        buffer_clear(&text);
        return true;
    }
    struct slice rest = buffer_slice(&text), first = {0};
    good = good && slice_next(&rest, '\n', &first) &&
           parse_u64(first, 1, INT64_MAX, &s->serial);
    if (good) {
        s->serial_hash = next_hash(&rest);
        struct digest key = next_hash(&rest);
        if (!digest_equal(key, none) && s->options.registry_key.length > 0 &&
            !digest_equal(key, key_hash(s))) {
            log_info("registry key: another one than before; lists are "
                     "numbered anew");
            s->serial = 0;
            s->serial_hash = none;
        }
    }
    buffer_clear(&text);
    return good ||
           error_set(error,
                     "%s: holds no serial number; remove it, and the newest "
                     "list that comes is taken",
                     s->serial_path);
}

static bool store_serial(struct return_side *s, const struct registry_head *h)
{
    char text[SERIAL_FILE_MAX], hash[DIGEST_HEX_LEN], key[DIGEST_HEX_LEN];
    s->serial = h->serial;
    s->serial_hash = h->hash;
    if (s->options.state == NULL)
        return true;
    digest_to_hex(h->hash, hash);
    digest_to_hex(key_hash(s), key);
    snprintf(text, sizeof(text), "%" PRIu64 "\n%s\n%s\n", s->serial, hash, key);
    return durable_write(s->serial_path, slice_of_text(text), 0600);
}

bool return_side_list_path(const char *state, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/endpoints.csv", state);
    return length > 0 && (size_t)length < size;
}

struct return_side *return_side_new(const struct return_side_options *options,
                                    struct error_text *error)
{
    struct return_side *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    s->options = *options;
    if (s->options.wall == NULL)
        s->options.wall = wall_now;
    buffer_init(&s->changes, REGISTRY_CHANGES_MAX);
    bool good = true;
    if (options->state != NULL)
        good =
            (durable_path(s->serial_path, options->state, "registry-serial") &&
             return_side_list_path(options->state, s->list_path,
                                   sizeof(s->list_path))) ||
            error_set(error, "%s: too long", options->state);
    if (!good || (options->state != NULL && !load_serial(s, error))) {
        return_side_free(s);
        return NULL;
    }
    return s;
}

void return_side_free(struct return_side *s)
{
    if (s == NULL)
        return;
    buffer_clear(&s->changes);
    free(s);
}

/* --- questions --- */

void return_side_set_version(struct return_side *s, struct digest version)
{
    s->version = version;
    s->ask_registry.us = 0;
}

static void forget_bundle(struct return_side *s)
{
    s->is_gathering = s->has_list = false;
    buffer_clear(&s->changes);
}

void return_side_open(struct return_side *s, struct mono_time now)
{
    s->ask_clock = s->ask_registry = now;
    s->asked_ms = 0;
    if (!s->has_list)
        forget_bundle(s);
}

static int64_t base_now(const struct return_side *s, struct mono_time now)
{
    return s->options.wall().us - now.us;
}

static bool is_stepped(int64_t base_us, int64_t before_us)
{
    return llabs(base_us - before_us) > STEP_MS * 1000LL;
}

/* Our clock was set since it was compared last: that cannot wait, since what a
 * wrong clock dates is refused. */
static bool wants_clock(const struct return_side *s, struct mono_time now)
{
    return now.us >= s->ask_clock.us ||
           is_stepped(base_now(s, now), s->asked_base_us);
}

struct mono_time return_side_due(const struct return_side *s,
                                 struct mono_time now)
{
    struct mono_time due = wants_clock(s, now) ? now : s->ask_clock;
    return s->options.registry_key.length > 0 && s->ask_registry.us < due.us
               ? s->ask_registry
               : due;
}

void return_side_ask(struct return_side *s, struct mono_time now,
                     struct buffer *out)
{
    int64_t now_ms = wall_to_ms(s->options.wall());
    if (wants_clock(s, now)) {
        struct return_message m = {.kind = RETURN_CLOCK, .request_ms = now_ms};
        s->asked_ms = now_ms;
        s->asked_base_us = base_now(s, now);
        s->ask_clock = mono_later(now, ASK_CLOCK_MS);
        (void)return_channel_encode(&m, now_ms, out);
    }
    if (now.us >= s->ask_registry.us && s->options.registry_key.length > 0 &&
        !s->is_gathering && !s->has_list) {
        struct return_message m = {
            .kind = RETURN_REGISTRY_REQUEST,
            .head = {.hash = s->version, .serial = s->serial}};
        (void)return_channel_encode(&m, now_ms, out);
    }
    if (now.us >= s->ask_registry.us)
        s->ask_registry = mono_later(now, ASK_REGISTRY_MS);
}

/* --- clock --- */

static int compare_offsets(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int64_t median(const struct return_side *s)
{
    int64_t sorted[SAMPLES];
    memcpy(sorted, s->offsets, sizeof(sorted));
    qsort(sorted, s->offset_count, sizeof(sorted[0]), compare_offsets);
    return sorted[s->offset_count / 2];
}

/* The other end may say any time; what is far from all of ours stays far, and
 * no sum leaves 64 bits, since times end with the year 9999 or so. */
static void take_clock(struct return_side *s, const struct return_message *m,
                       struct mono_time now)
{
    struct wall_time wall = s->options.wall();
    int64_t now_ms = wall_to_ms(wall), base_us = wall.us - now.us;
    bool is_ours = s->asked_ms != 0 && m->request_ms == s->asked_ms;
    bool is_sane = m->receive_ms <= m->transmit_ms && now_ms >= m->request_ms &&
                   now_ms - m->request_ms <= ANSWER_MAX_MS;
    s->asked_ms = 0;
    if (!is_ours || !is_sane)
        return;
    if (is_stepped(base_us, s->base_us))
        s->offset_count = 0;
    if (s->offset_count == SAMPLES)
        memmove(s->offsets, s->offsets + 1,
                --s->offset_count * sizeof(int64_t));
    s->offsets[s->offset_count++] =
        ((m->receive_ms - m->request_ms) + (m->transmit_ms - now_ms)) / 2;
    s->base_us = base_us;
    s->sampled = now;
}

static int64_t offset_now(const struct return_side *s, struct mono_time now)
{
    if (s->offset_count == 0 ||
        now.us - s->sampled.us > SAMPLE_AGE_MS * 1000LL ||
        is_stepped(base_now(s, now), s->base_us))
        return CLOCK_OFFSET_UNKNOWN;
    return median(s);
}

/* --- registry --- */

static const char *fault(struct return_side *s, const char *text)
{
    forget_bundle(s);
    error_set(&s->fault, "%s", text);
    return s->fault.text;
}

const char *return_side_refusal_text(enum registry_refusal refusal)
{
    static const char *const texts[] = {
        [REFUSED_NONE] = "not refused",
        [REFUSED_SIGNATURE] = "its signature is wrong",
        [REFUSED_OLDER] = "it is older than one known before; the portal or "
                          "the collector was set back, or somebody replays it",
        [REFUSED_ANOTHER] = "it is another than the one known under this "
                            "number; the portal was set back, or there are "
                            "two"};
    return (size_t)refusal < sizeof(texts) / sizeof(texts[0]) ? texts[refusal]
                                                              : "refused";
}

static enum registry_refusal refusal_of(const struct return_side *s,
                                        const struct registry_head *h)
{
    static const struct digest none;
    const struct return_side_options *o = &s->options;
    if (!registry_head_check(h, o->registry_algorithm, o->registry_key))
        return REFUSED_SIGNATURE;
    if (h->serial < s->serial)
        return REFUSED_OLDER;
    if (h->serial == s->serial && !digest_equal(s->serial_hash, none) &&
        !digest_equal(s->serial_hash, h->hash))
        return REFUSED_ANOTHER;
    return REFUSED_NONE;
}

/* Logged once; the same is then asked for and refused every ten minutes. What
 * an unsigned head says of its time is worth nothing. */
static void refuse(struct return_side *s, const struct registry_head *h,
                   enum registry_refusal refusal, struct mono_time now)
{
    struct return_status_view *v = &s->status;
    bool is_new = v->refusal != refusal || v->refused_serial != h->serial;
    if (is_new && (v->refusals == 0 ||
                   now.us - s->refused_taken.us >= REFUSAL_LOG_MS * 1000LL))
        log_error("list of endpoints number %" PRIu64 " from the collector: "
                  "refused: %s; the newest known is number %" PRIu64
                  ", and the list before stays in force",
                  h->serial, return_side_refusal_text(refusal), s->serial);
    v->refusal = refusal;
    v->refused_serial = h->serial;
    v->refused_issued =
        wall_from_ms(refusal == REFUSED_SIGNATURE ? 0 : h->issued_ms);
    v->refusals++;
    s->refused_taken = now;
    forget_bundle(s);
}

/* The list in force is the newest, whoever brought it; older ones are refused
 * from now on. */
static void confirm(struct return_side *s, const struct registry_head *h)
{
    s->status.registry_serial = h->serial;
    s->status.registry_issued = wall_from_ms(h->issued_ms);
    if ((h->serial != s->serial || !digest_equal(h->hash, s->serial_hash)) &&
        !store_serial(s, h))
        log_error("%s: cannot be written: %s", s->serial_path, strerror(errno));
}

/* A head without pieces tells that ours is the newest. */
static const char *take_head(struct return_side *s,
                             const struct return_message *m,
                             struct mono_time now)
{
    if (s->options.registry_key.length == 0)
        return NULL; /* the list on disk is in force, whatever is sent */
    enum registry_refusal refusal = refusal_of(s, &m->head);
    if (refusal != REFUSED_NONE) {
        refuse(s, &m->head, refusal, now);
        return NULL;
    }
    s->status.refusal = REFUSED_NONE;
    s->registry_told = now;
    if (digest_equal(m->head.hash, s->version)) {
        confirm(s, &m->head);
        return NULL;
    }
    if (!digest_equal(m->from, s->version)) {
        s->ask_registry = now; /* it thinks that we took what we refused */
        return NULL;
    }
    if (m->chunk_count == 0 || /* pieces of which we could not build it */
        m->chunk_count > REGISTRY_CHANGES_MAX / RETURN_CHUNK_MAX + 1)
        return NULL;
    forget_bundle(s);
    s->head = m->head;
    s->chunk_next = 0;
    s->chunk_count = m->chunk_count;
    s->bundle_begun = now;
    s->is_gathering = true;
    return NULL;
}

static const char *take_chunk(struct return_side *s,
                              const struct return_message *m,
                              struct mono_time now)
{
    if (!s->is_gathering)
        return NULL;
    if (now.us - s->bundle_begun.us > BUNDLE_MAX_MS * 1000LL)
        return fault(s, "its list of endpoints took too long");
    if (!digest_equal(m->head.hash, s->head.hash) ||
        m->chunk_index != s->chunk_next)
        return fault(s, "it sent the pieces of a list in a wrong order");
    buffer_add_slice(&s->changes, m->chunk);
    if (s->changes.failed)
        return fault(s, "it sent a list of endpoints that is too long");
    s->chunk_next++;
    s->has_list = s->chunk_next == s->chunk_count;
    s->is_gathering = !s->has_list;
    return NULL;
}

const char *return_side_take(struct return_side *s, const uint8_t *message,
                             size_t length, struct mono_time now)
{
    struct return_message m;
    switch (return_channel_decode(message, length, &m)) {
    case RETURN_BAD:
        return fault(s, "it sent a message that is none of the return "
                        "channel's");
    case RETURN_UNKNOWN:
        s->status.unknown_messages++;
        return NULL;
    case RETURN_OK:
        break;
    }
    switch (m.kind) {
    case RETURN_CHALLENGE:
        memcpy(s->status.challenge, m.nonce, CHALLENGE_LEN);
        s->status.challenges++;
        s->challenge_taken = now;
        return NULL;
    case RETURN_CLOCK:
        take_clock(s, &m, now);
        return NULL;
    case RETURN_REGISTRY_HEAD:
        return take_head(s, &m, now);
    case RETURN_REGISTRY_CHUNK:
        return take_chunk(s, &m, now);
    case RETURN_REGISTRY_REQUEST:
        return fault(s, "it asks what only a probe asks");
    }
    return NULL;
}

bool return_side_has_list(const struct return_side *s)
{
    return s->has_list;
}

bool return_side_build(struct return_side *s, struct slice old,
                       struct buffer *list, struct error_text *error)
{
    bool good = registry_apply(old, buffer_slice(&s->changes), list);
    good =
        good && digest_equal(digest_of(list->data, list->length), s->head.hash);
    forget_bundle(s);
    return good || error_set(error,
                             "list of endpoints number %" PRIu64
                             ": the changes do not make what was signed",
                             s->head.serial);
}

bool return_side_keep(struct return_side *s, struct slice list,
                      struct error_text *error)
{
    s->status.registry_serial = s->head.serial;
    s->status.registry_issued = wall_from_ms(s->head.issued_ms);
    s->status.lists++;
    s->version = s->serial_hash = s->head.hash;
    s->serial = s->head.serial;
    if (s->options.state != NULL && !durable_write(s->list_path, list, 0600))
        return error_set(error, "%s: cannot be written: %s", s->list_path,
                         strerror(errno));
    return store_serial(s, &s->head) ||
           error_set(error, "%s: cannot be written: %s", s->serial_path,
                     strerror(errno));
}

/* The same moment by the wall clock as it stands now. */
static struct wall_time moment_of(const struct return_side *s,
                                  struct mono_time then, struct mono_time now)
{
    if (then.us == 0)
        return (struct wall_time){0};
    return (struct wall_time){s->options.wall().us - (now.us - then.us)};
}

struct return_status_view return_side_status(const struct return_side *s,
                                             struct mono_time now)
{
    struct return_status_view view = s->status;
    view.clock_offset_ms = offset_now(s, now);
    view.clock_taken = moment_of(s, s->sampled, now);
    view.challenge_taken = moment_of(s, s->challenge_taken, now);
    view.registry_told = moment_of(s, s->registry_told, now);
    view.refused_taken = moment_of(s, s->refused_taken, now);
    view.known_serial = s->serial;
    return view;
}
