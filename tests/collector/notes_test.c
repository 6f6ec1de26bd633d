/*
 * What the ledger notes about batches, event by event: real signed batches of
 * one probe, made in one order and delivered in another, and the events that
 * are in usage.db afterwards. And that nothing is noted where nothing is wrong.
 *
 * Times are minutes from T on. A case is two texts:
 *
 *   make     "A-10 A-5 B0": a batch of boot A that ends 10 minutes before T, and
 *            so on; sequences and chains are each boot's own. Letters behind the
 *            time change it: see CHANGES. Blanks apart.
 *   deliver  "0@1 2@1 1@3": batch 0 at T + 1 minute, then batch 2, ...
 *   events   kinds in order, "*N" times, "=outcome"
 */
#include "collector/ledger/challenge.h"
#include "collector/ledger/rebuild.h"
#include "collector/peer_session.h"
#include "collector/tlog/ledger_check.h"
#include "tests/collector/ledger/store_sample.h"

enum { MADE_MAX = 600 };
static const int64_t T = SAMPLE_NOW_S * 1000, MINUTE = 60000;

static const char VERSIONS[] = {
#include "portal/store/004-registry-version.sql.inc"
};

struct scene {
    struct sample_folder folder;
    struct sample_files files;
    struct ledger_paths paths;
    struct db *registry;
    struct store *store;
    struct sample_probe boots[2];
    struct digest secret;
    struct buffer made[MADE_MAX];
    size_t made_count;
};

/* Two published lists: 'n' the newest, 'o' replaced a day and an hour ago. */
static void publish(struct scene *s)
{
    CHECK(db_run(s->registry, VERSIONS));
    for (int serial = 1; serial <= 2; serial++) {
        struct digest hash = {{(uint8_t)serial}};
        struct db_statement *q = db_prepare(
            s->registry, "INSERT INTO registry_version VALUES (:serial, :hash, "
                         ":issued, 1, zeroblob(64), x'')");
        db_bind_i64(q, ":serial", serial);
        db_bind_blob(q, ":hash", hash.bytes, DIGEST_LEN);
        db_bind_i64(q, ":issued", T - (3 - serial) * 25 * 60 * MINUTE);
        CHECK(db_do(q));
    }
}

static void open_scene(struct scene *s)
{
    struct error_text error;
    char path[PATH_MAX];
    *s = (struct scene){.secret = digest_of("secret", 6)};
    sample_folder_make(&s->folder);
    s->files = sample_files(&s->folder);
    s->paths = sample_paths(&s->files);
    s->registry =
        sample_registry_make(sample_path(&s->folder, "portal.db", path));
    sample_probe_make(&s->boots[0], "P-1");
    sample_register(s->registry, &s->boots[0], false);
    s->boots[1] = s->boots[0];
    s->boots[1].boot_id[0] ^= 0xff;
    publish(s);
    s->store = store_open(&s->paths, false, &error);
    if (s->store == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    store_set_challenge(s->store, s->secret);
}

static void close_scene(struct scene *s)
{
    for (size_t i = 0; i < s->made_count; i++)
        buffer_clear(&s->made[i]);
    store_close(s->store);
    db_close(s->registry);
    sign_key_free(s->boots[0].key);
    sample_folder_remove(&s->folder);
}

/* --- making --- */

struct plan {
    struct scene *s;
    struct sample_probe *boot;
    struct batch_info info;
    struct flow_record flow;
    struct batch_loss loss; /* batches 0: none */
    bool is_lost;           /* made, and never to be delivered */
};

static void set_challenge(struct plan *p, const char *probe_id,
                          int64_t before_end)
{
    challenge_make(p->s->secret, probe_id,
                   wall_from_ms(p->info.period_end_ms - before_end * MINUTE),
                   p->info.challenge);
}

static void twin(struct plan *p)
{
    p->info.sequence = p->boot->sequence;
    p->flow.octets++;
}
static void challenged(struct plan *p)
{
    set_challenge(p, "P-1", 2);
}
static void challenged_old(struct plan *p)
{
    set_challenge(p, "P-1", 60);
}
static void backdated(struct plan *p)
{
    set_challenge(p, "P-1", -11);
}
static void of_other(struct plan *p)
{
    set_challenge(p, "P-2", 2);
}
static void forged(struct plan *p)
{
    challenged(p);
    p->info.challenge[CHALLENGE_LEN - 1] ^= 1;
}
static void off(struct plan *p)
{
    p->info.clock_offset_ms = -61000;
}
static void unmeasured(struct plan *p)
{
    p->info.clock_offset_ms = CLOCK_OFFSET_UNKNOWN;
}
static void unsynchronised(struct plan *p)
{
    p->info.clock_quality = CLOCK_UNSYNCHRONISED;
}
static void old_list(struct plan *p)
{
    p->info.registry_version = (struct digest){{1}};
}
static void no_list(struct plan *p)
{
    p->info.registry_version = (struct digest){{9}};
}
static void broken(struct plan *p)
{
    p->info.previous_hash.bytes[0] ^= 1;
}
static void long_period(struct plan *p)
{
    p->info.period_start_ms = p->info.period_end_ms - 25 * 60 * MINUTE;
}
static void skip(struct plan *p)
{
    p->info.sequence++;
}
/* The two batches before, or boot A's first two, were given up. */
static void with_loss(struct plan *p)
{
    uint64_t first = p->boot == &p->s->boots[0] ? p->info.sequence - 2 : 1;
    p->loss = (struct batch_loss){.first_sequence = first,
                                  .last_sequence = first + 1,
                                  .batches = 2,
                                  .period_start_ms = T - 60 * MINUTE,
                                  .period_end_ms = T - 50 * MINUTE,
                                  .reason = LOSS_NO_ROOM};
    memcpy(p->loss.boot_id, p->s->boots[0].boot_id, BOOT_ID_LEN);
    p->info.batches_lost = 2;
}

static const struct {
    char letter;
    void (*change)(struct plan *);
} CHANGES[] = {
    {'t', twin},        {'c', challenged},     {'s', challenged_old},
    {'b', backdated},   {'p', of_other},       {'f', forged},
    {'x', off},         {'u', unsynchronised}, {'m', unmeasured},
    {'o', old_list},    {'n', no_list},        {'k', broken},
    {'l', long_period}, {'+', skip},           {'L', with_loss},
};

static void make_one(struct scene *s, char boot, int64_t end_min,
                     const char **letters)
{
    struct sample_probe *b = &s->boots[boot - 'A'];
    int64_t end_ms = T + end_min * MINUTE;
    struct plan p = {
        .s = s,
        .boot = b,
        .info = {.sequence = b->sequence + 1,
                 .previous_hash = b->last_hash,
                 .period_start_ms = end_ms - 5 * MINUTE,
                 .period_end_ms = end_ms,
                 .clock_quality = CLOCK_SYNCHRONISED,
                 .registry_version = {{2}}},
        .flow = sample_flow(end_ms - 200000, 7),
    };
    snprintf(p.info.probe_id, PROBE_ID_LEN, "%s", b->id);
    memcpy(p.info.boot_id, b->boot_id, BOOT_ID_LEN);
    for (; **letters != '\0' && **letters != ' '; (*letters)++)
        for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++)
            if (CHANGES[i].letter == **letters)
                CHANGES[i].change(&p);
    struct batch_writer *w = batch_writer_new(1, 0);
    uint32_t now_s = (uint32_t)(end_ms / 1000);
    bool good =
        batch_writer_add(w, &p.flow, now_s) &&
        (p.loss.batches == 0 || batch_writer_add_loss(w, &p.loss, now_s)) &&
        batch_writer_finish(w, &p.info, b->key, now_s, &s->made[s->made_count],
                            &b->last_hash);
    b->sequence = p.info.sequence;
    s->made_count++;
    batch_writer_free(w);
    CHECK(good);
}

static void make(struct scene *s, const char *text)
{
    while (*text != '\0') {
        char boot = *text++, *end;
        long long minutes = strtoll(text, &end, 10);
        text = end;
        make_one(s, boot, minutes, &text);
        text += *text == ' ';
    }
}

/* --- delivering --- */

static void deliver_one(struct scene *s, size_t number, int64_t at_min)
{
    const struct buffer *batch = &s->made[number];
    struct batch_origin origin = {TRANSPORT_YZ1, "P-1", "test"};
    struct batch_reader *r = batch_reader_new();
    struct receipt receipt;
    bool complete = false;
    enum batch_status content = BATCH_OK;
    for (size_t done = 0; done < batch->length && !complete;) {
        size_t length =
            (size_t)batch->data[done + 2] << 8 | batch->data[done + 3];
        content = batch_reader_add(r, batch->data + done, length, &complete);
        done += length;
    }
    CHECK(complete && store_begin(s->store) &&
          store_take(s->store, &origin, r, content,
                     wall_from_ms(T + at_min * MINUTE),
                     &receipt) == TAKE_DONE &&
          store_commit(s->store));
    batch_reader_free(r);
}

static void deliver(struct scene *s, const char *text)
{
    char *end = NULL;
    for (; *text != '\0'; text = end + (*end == ' ')) {
        long number = strtol(text, &end, 10);
        deliver_one(s, (size_t)number, strtoll(end + 1, &end, 10));
    }
}

/* --- what is there then --- */

static void check_events(struct scene *s, const char *events)
{
    struct db_statement *q = db_prepare(
        store_db(s->store),
        "SELECT ifnull(group_concat(e, ' '), '') FROM (SELECT kind || "
        "ifnull('=' || outcome, '') || iif(sum(times) > 1, '*' || sum(times), "
        "'') AS e FROM event GROUP BY kind, outcome ORDER BY kind, outcome)");
    CHECK(q != NULL && db_step(q) == DB_ROW);
    CHECK_TEXT(db_text(q, 0), events);
    db_reset(q);
}

/* Counts batches, keeps the total, and agrees with itself; and the tables that
 * are made of the ledger come out again the same. */
static void check_ledger(struct scene *s, int64_t batches, int64_t counted)
{
    struct check_result result;
    struct rebuild_result rebuilt;
    struct error_text error = {""};
    struct db *db = store_db(s->store);
    CHECK_I64(sample_number(db, "SELECT count(*) FROM ledger"), batches);
    CHECK_I64(sample_number(db, "SELECT sum(is_counted) FROM ledger"), counted);
    CHECK_I64(sample_number(db, "SELECT ifnull(sum(flows), 0) FROM usage"),
              counted);
    if (!CHECK(ledger_check_all(&s->paths, &result, &error) &&
               rebuild_all(&s->paths, &rebuilt, &error) &&
               ledger_check_all(&s->paths, &result, &error)))
        printf("# %s\n", error.text);
}

static const struct {
    const char *name, *make, *deliver, *events;
    int64_t batches, counted; /* 0, 0: all of both */
} CASES[] = {
    {"a chain that comes in time", "A-10 A-5 A0", "0@-10 1@-5 2@0", ""},
    {"a challenge and a clock that are right", "A-10c A-5c A0c",
     "0@-10 1@-5 2@0", ""},
    {"late: more than 10 minutes", "A0", "0@11", "late"},
    {"kept: more than 72 hours", "A0", "0@4321", "kept", 1, 0},
    {"stale: a period of more than a day", "A0l", "0@0", "stale", 1, 0},
    {"late and of a clock that is off: both", "A-5x A0x", "0@10 1@20",
     "clock late*2"},
    {"repeated: three times in all", "A0", "0@0 0@1 0@2", "repeated*2", 1, 1},
    {"repeated after 72 hours: still counted once", "A0", "0@0 0@5000",
     "repeated", 1, 1},
    {"conflict: other content under a known number", "A-5 A-5t", "0@0 1@0",
     "conflict", 1, 1},
    {"fork: another previous hash", "A-5 A0k", "0@0 1@0", "fork"},
    {"fork: told when the one between comes last", "A-10 A-5k A0",
     "0@0 2@0 1@0", "fork gap=arrived reorder"},
    {"gap: open", "A-10 A-5+ A0", "0@0 1@0 2@0", "gap"},
    {"gap: the one between arrives", "A-10 A-5 A0", "0@0 2@0 1@0",
     "gap=arrived reorder"},
    {"gap: half of it arrives", "A-15 A-10 A-5 A0", "0@0 3@0 2@0",
     "gap late reorder", 3, 3},
    {"gap: a signed loss record explains it", "A-15 A-10 A-5 A0L", "0@-15 3@0",
     "gap=lost", 2, 2},
    {"gap: the loss is told by the next boot", "A-15 A-10 A-5 B0L", "2@0 3@0",
     "gap=lost", 2, 2},
    {"gap: the loss is told first, by the next boot", "A-15 A-10 A-5 B0L",
     "3@0 2@0", "gap=lost", 2, 2},
    {"gap: half of it arrives, the loss of all is told", "A-20 A-15 A-10 A-5L",
     "0@-20 3@-5 1@-5", "gap=lost reorder", 3, 3},
    {"gap: two of one boot, the later is closed first",
     "A-25 A-20 A-15 A-10 A-5", "0@0 2@0 4@0 3@0 1@0",
     "gap=arrived*2 late*3 reorder*2"},
    {"gap: two of one boot, the later one stays", "A-25 A-20 A-15 A-10 A-5",
     "0@0 2@0 4@0 1@0", "gap gap=arrived late*3 reorder", 4, 4},
    {"challenge: forged", "A0f", "0@0", "challenge"},
    {"challenge: another probe's", "A0p", "0@0", "challenge"},
    {"stale-challenge: older than the one before", "A-5c A0s", "0@0 1@0",
     "stale-challenge"},
    {"backdated: the challenge is of after its period", "A-30b", "0@0",
     "backdated late"},
    {"clock: off once is a moment, twice is told", "A-10x A-5x A0",
     "0@0 1@0 2@0", "clock"},
    {"registry: a list that was never published", "A0n", "0@0", "registry"},
    {"registry-old: replaced more than a day ago", "A0o", "0@0",
     "registry-old"},
    {"overlap and clone: two machines at the same time", "A-10 B-8 A-5 B-3",
     "0@0 1@0 2@0 3@0", "clone*2 overlap*3"},
    {"clone: a start that was over goes on", "A-20 B-15 A-10",
     "0@-20 1@-15 2@-10", "clone"},
    {"clone: in turns, told each time", "A-20 B-15 A-10 B-5 A0",
     "0@-20 1@-15 2@-10 3@-5 4@0", "clone*3"},
    {"clone: told once, and not at each batch after that",
     "A-25 B-20 A-15 A-10 A-5 A0", "0@-25 1@-20 2@-15 3@-10 4@-5 5@0", "clone"},
    {"clone: in whatever order they come", "A-20 B-15 A-10", "0@0 2@0 1@0",
     "clone late*2"},
    {"clone: all of them late, last things first", "A-60 B-55 A-50",
     "2@0 1@0 0@0", "clone gap=arrived late*3 reorder"},
    {"clone: clocks that say nothing, told by challenges",
     "A-20cu B-15cu A-10cu", "0@-20 1@-15 2@-10", "clone"},
    {"no clone: a clock that was never measured was a day off",
     "A-20m B-1460m B-10m", "0@-20 1@-15 2@-10", "late"},
    {"no clone: a restart", "A-20c A-15c B-10c B-5c", "0@-20 1@-15 2@-10 3@-5",
     ""},
    {"no clone: a restart, the old spool comes last", "A-20c A-15c B-10c B-5c",
     "2@-9 0@-8 1@-7 3@-5", "late"},
    {"no clone: the old spool comes between, twice",
     "A-20c A-15c B-10c B-5c B0c", "2@-10 1@-9 3@-4 0@-3 1@-2 4@0",
     "gap=arrived late reorder repeated", 5, 5},
    {"no clone: the clock was set back before a restart",
     "A-20cu A-15cu B-60cu B-55cu", "0@-20 1@-15 2@-10 3@-5", "late*2"},
};

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct scene s;
        test_case(CASES[i].name);
        open_scene(&s);
        make(&s, CASES[i].make);
        deliver(&s, CASES[i].deliver);
        check_events(&s, CASES[i].events);
        bool is_all = CASES[i].batches == 0;
        check_ledger(&s, is_all ? (int64_t)s.made_count : CASES[i].batches,
                     is_all ? (int64_t)s.made_count : CASES[i].counted);
        close_scene(&s);
    }
}

/* Two days without a collector, then everything three times. */
static void offline(const char *name, size_t stride, const char *events)
{
    enum { BATCHES = 2 * 24 * 12 };
    struct scene s;
    test_case(name);
    open_scene(&s);
    for (int i = 0; i < BATCHES; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%c%d", i < BATCHES / 2 ? 'A' : 'B',
                 (i + 1 - BATCHES) * 5);
        make(&s, text);
    }
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < BATCHES; i++)
            deliver_one(&s, ((i + 1) * stride - 1) % BATCHES, round);
    check_events(&s, events);
    check_ledger(&s, BATCHES, BATCHES);
    close_scene(&s);
}

/* Connections of nearly a day, each to an endpoint of its own: what no gateway
 * sees, and what would be made of it fills memory. */
static void test_cells(void)
{
    enum { DAY_CELLS = 280, FLOWS = (1 << 17) / DAY_CELLS + 1 };
    static struct flow_record flows[FLOWS];
    struct scene s;
    test_case("a batch whose records reach into too many cells is refused, and "
              "the next one counts");
    open_scene(&s);
    for (int i = 0; i < FLOWS; i++) {
        flows[i] = sample_flow(T - 286 * 5 * MINUTE, (uint64_t)i);
        flows[i].end_ms = T - 1;
        snprintf(flows[i].endpoint_id, sizeof(flows[i].endpoint_id), "EP-%d",
                 i);
    }
    struct sample_batch batch = sample_next(&s.boots[0], T, flows, FLOWS);
    s.made[s.made_count++] = batch.bytes;
    batch = sample_next(&s.boots[0], T, flows, 1);
    s.made[s.made_count++] = batch.bytes;
    deliver(&s, "0@1");
    check_events(&s, "cells");
    CHECK_I64(sample_number(store_db(s.store), "SELECT count(*) FROM ledger"),
              0);
    deliver(&s, "1@1");
    CHECK_I64(sample_number(store_db(s.store), "SELECT sum(flows) FROM usage"),
              1);
    close_scene(&s);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    test_cases();
    test_cells();
    offline("48 hours offline, the spool three times, in order", 1,
            "late*573 repeated*1152");
    offline("48 hours offline, the spool three times, backwards", 575,
            "gap=arrived*2 late*573 reorder*573 repeated*1152");
    offline("48 hours offline, the spool three times, in jumps", 131,
            "gap=arrived*30 late*573 reorder*545 repeated*1152");
    return test_end();
}
