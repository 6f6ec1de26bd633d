/*
 * Captures, whole and damaged, through the path of `yz-probe read`.
 *
 *   mutate_tool [--seed N] [--cuts N] [--flips N] [--only N] [--save FILE]
 *               CAPTURE...
 *
 * Of each capture these inputs are made, numbered from 0:
 *
 *   0                       the capture as it is
 *   1 .. cuts               only its first 0 .. cuts - 1 bytes
 *   cuts + 1 .. + flips     bits turned at random places, the odd numbers
 *                           within the first 4,096 bytes
 *
 * An input depends on the seed and its number alone, so `--only N` makes a
 * finding again and `--save` writes it to a file. Each goes through the
 * capture module (as a file in memory), then through two meters, one with every
 * address registered and one with a list of shared and plain endpoints; flows
 * are printed as --local does, made into records, gathered in signed batches,
 * and these read back as the collector does. One process does it all, for
 * nDPI is slow to start; when it dies or hangs, its parent says with what, and
 * another goes on behind. Built with the sanitizers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/program.h"
#include "common/wire/ipfix_decode.h"
#include "probe/capture/capture.h"
#include "probe/local.h"
#include "probe/meter/hello.h"
#include "probe/meter/meter.h"
#include "probe/process/exporter.h"

enum {
    CAPTURE_MAX = 64 * 1024 * 1024,
    HEAD_LEN = 4096, /* where every second input is damaged */
    FLIPS_MAX = 64,  /* bits in one input */
    PATIENCE_S = 30, /* for one input, on a busy machine */
    FINDINGS_MAX = 20,
    LINE_LEN = 8192,
    BATCH_RECORDS = 50000,
    PACKET_MAX = 1024 * 1024, /* libpcap takes no larger ones */
    GUARD_LEN = 64 * 1024,    /* pages that nobody may touch */
    METERS = 2,
};

static const char endpoints_csv[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "low,S,V,0.0.0.0/1,,,,,,no\n"
    "shared,S,V,128.0.0.0/1,*.com,tcp,443,,,yes\n"
    "shared,S,V,,*.net,tcp,443,,,yes\n"
    "quic,S,V,128.0.0.0/1,*.com,udp,443,,,yes\n"
    "web,S,V,128.0.0.0/2,www.example.com,tcp,\"80,8000-8100\",,,no\n"
    "six,S,V,2000::/3,*.org,,,,,no\n"
    "old,S,V,fe80::/10,,,,2001-01-01,2015-01-01,no\n";

/* What the worker tells its parent, in memory that both see. */
struct progress {
    uint64_t capture, input; /* under way */
    uint64_t inputs, refused, packets, flows, records, batches;
};

struct plan {
    uint64_t seed, cuts, flips, only;
    const char *only_text, *save;
    char **captures;
    uint64_t capture_count;
};

/* One meter and what came out of it for the input under way. */
struct side {
    struct meter *meter;
    struct endpoint_list *endpoints;
    struct buffer line;
    uint64_t packets, octets, ended;
    struct exporter *exporter; /* NULL: records are not gathered */
    uint64_t record_count;     /* in the batch under way */
    struct worker *worker;
};

struct worker {
    const struct plan *plan;
    struct progress *progress;
    struct buffer original;
    uint8_t *changed; /* a copy of the original */
    int file;
    char path[32];
    struct sign_key *key;
    struct side sides[METERS];
    uint8_t *room_end; /* of PACKET_MAX bytes; behind it nothing */
    int link_type;
    uint64_t handed; /* packets of this input */
};

/* A finding of our own: the sanitizers print theirs. */
static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* --- flows out --- */

/* What was written must come back from the reader, record by record. */
static void check_batch(const struct buffer *batch, uint64_t count)
{
    struct batch_reader *reader = batch_reader_new();
    bool complete = false;
    must(reader != NULL, "no memory");
    for (size_t at = 0; at < batch->length;) {
        int length = ipfix_message_length(batch->data + at, batch->length - at);
        must(length > 0 && !complete, "a batch is a run of messages");
        must(batch_reader_add(reader, batch->data + at, (size_t)length,
                              &complete) == BATCH_OK,
             "the batch reader takes what the exporter wrote");
        at += (size_t)length;
    }
    must(complete && batch_reader_count(reader) == count &&
             batch_reader_dropped(reader) == 0,
         "every record that left is one that the collector counts");
    batch_reader_free(reader);
}

static void finish_batch(struct side *s)
{
    struct exporter_period period = {.clock_quality = CLOCK_RELATIVE};
    struct buffer batch;
    struct digest hash;
    must(exporter_finish(s->exporter, &period, wall_from_s(1800000000), &batch,
                         &hash),
         "a batch is finished");
    check_batch(&batch, s->record_count);
    buffer_clear(&batch);
    s->record_count = 0;
    s->worker->progress->batches++;
}

/* Names are names, and whatever else came from the wire is escaped. */
static void check_line(const struct flow *flow, const struct buffer *line)
{
    must(flow->name[0] == '\0' || hello_is_name(slice_of_text(flow->name)),
         "a name is a name");
    must(!line->failed && line->length > 0 &&
             line->data[line->length - 1] == '\n',
         "a flow is one whole line");
    for (size_t i = 0; i + 1 < line->length; i++)
        must(line->data[i] >= ' ', "a line has no control characters");
}

static void export_flow(struct side *s, const struct flow *flow)
{
    static const uint8_t key[PSEUDONYM_KEY_LEN] = {1};
    struct wall_time now = wall_from_s(1800000000);
    struct flow_record record;
    if (!exporter_redact(flow, s->endpoints, key, &record)) {
        must(!flow->is_counted, "a flow that counts makes a record");
        return;
    }
    must(exporter_add(s->exporter, flow, now), "there is room in a batch");
    s->worker->progress->records++;
    if (++s->record_count == BATCH_RECORDS)
        finish_batch(s);
}

static void on_flow(void *context, const struct flow *flow)
{
    struct side *s = context;
    must(flow->end.us >= flow->start.us, "a flow ends after it started");
    must(memchr(flow->name, '\0', FLOW_NAME_LEN) != NULL, "a name ends");
    s->packets += flow->forward.packets + flow->reverse.packets;
    s->octets += flow->forward.octets + flow->reverse.octets;
    s->ended += flow->end_reason != FLOW_END_ACTIVE;
    s->worker->progress->flows++;
    buffer_reset(&s->line);
    local_add_flow(&s->line, flow);
    check_line(flow, &s->line);
    export_flow(s, flow);
}

/* --- packets in --- */

/* A copy that ends where memory ends: nobody can read behind it, not even
 * nDPI, which is not built with the sanitizers. */
static void on_packet(void *context, const struct capture_packet *p)
{
    struct worker *w = context;
    must(p->captured <= p->length && p->captured <= PACKET_MAX,
         "captured <= length");
    uint8_t *copy = w->room_end - p->captured;
    memcpy(copy, p->data, p->captured);
    for (int i = 0; i < METERS; i++)
        meter_packet(w->sides[i].meter, w->link_type, copy, p->captured,
                     p->length, p->when, 0);
    w->handed++;
}

static uint64_t undecodable(const struct meter_counters *c)
{
    uint64_t sum = 0;
    for (int i = 0; i < UNDECODABLE_COUNT; i++)
        sum += c->undecodable[i];
    return sum;
}

/* Everything handed over is counted once, and comes out as flows. */
static void check_counts(const struct side *s, const struct meter_counters *b,
                         uint64_t handed)
{
    const struct meter_counters *c = meter_counters(s->meter);
    must(c->packets - b->packets + c->filtered - b->filtered + undecodable(c) -
                 undecodable(b) ==
             handed,
         "every packet is counted once");
    must(c->packets - b->packets == s->packets &&
             c->octets - b->octets == s->octets,
         "the flows hold what was counted");
    must(c->active_flows == 0 && c->flows - b->flows == s->ended,
         "every flow ended once");
}

static void read_input(struct worker *w)
{
    struct error_text error;
    struct meter_counters before[METERS];
    struct capture *capture = capture_open_file(w->path, &error);
    w->handed = 0;
    if (capture == NULL || !meter_reads_link_type(capture_link_type(capture))) {
        capture_close(capture);
        w->progress->refused++;
        return;
    }
    w->link_type = capture_link_type(capture);
    for (int i = 0; i < METERS; i++) {
        struct side *s = &w->sides[i];
        before[i] = *meter_counters(s->meter);
        s->packets = s->octets = s->ended = 0;
    }
    while (capture_dispatch(capture, 1024, on_packet, w) == CAPTURE_OK)
        continue;
    for (int i = 0; i < METERS; i++) {
        meter_flush(w->sides[i].meter);
        check_counts(&w->sides[i], &before[i], w->handed);
    }
    capture_close(capture);
    w->progress->packets += w->handed;
}

/* --- inputs --- */

static uint64_t input_count(const struct plan *plan)
{
    return 1 + plan->cuts + plan->flips;
}

static void fill_file(struct worker *w, const uint8_t *data, size_t length)
{
    must(ftruncate(w->file, (off_t)length) == 0, "the file in memory");
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(w->file, data + done, length - done, (off_t)done);
        must(n > 0, "the file in memory");
        done += (size_t)n;
    }
}

/* XOR: done twice with the same number it undoes itself. */
static void flip(struct worker *w, uint64_t number)
{
    uint64_t random = w->plan->seed ^ number * UINT64_C(0x2545f4914f6cdd1d);
    size_t range = w->original.length;
    if (number % 2 == 1 && range > HEAD_LEN)
        range = HEAD_LEN;
    uint64_t bits = next_random(&random) % FLIPS_MAX + 1;
    bits = next_random(&random) % bits + 1; /* rather few than many */
    for (; bits > 0 && range > 0; bits--) {
        size_t at = (size_t)(next_random(&random) % range);
        w->changed[at] ^= (uint8_t)(1 << next_random(&random) % 8);
    }
}

static void make_input(struct worker *w, uint64_t number)
{
    size_t length = w->original.length;
    if (number >= 1 && number <= w->plan->cuts) {
        fill_file(w, w->original.data,
                  number - 1 < length ? (size_t)number - 1 : length);
    } else if (number == 0) {
        fill_file(w, w->original.data, length);
    } else {
        flip(w, number);
        fill_file(w, w->changed, length);
        flip(w, number);
    }
}

/* The input under way, for a finding to be kept. */
static void save_input(const struct worker *w)
{
    struct buffer content;
    FILE *out = fopen(w->plan->save, "wb");
    must(out != NULL && buffer_read_file(&content, w->path, CAPTURE_MAX),
         "the input can be saved");
    fwrite(content.data, 1, content.length, out);
    must(fclose(out) == 0, "the input can be saved");
    buffer_clear(&content);
}

static void run_input(struct worker *w, uint64_t number)
{
    w->progress->input = number;
    make_input(w, number);
    if (w->plan->save != NULL)
        save_input(w);
    alarm(PATIENCE_S);
    read_input(w);
    /* The cuts are small and many: one batch for all of them. */
    if (number == 0 || number >= w->plan->cuts || w->plan->only_text != NULL)
        for (int i = 0; i < METERS; i++)
            finish_batch(&w->sides[i]);
    alarm(0);
    w->progress->inputs++;
}

static void run_capture(struct worker *w, const char *path, uint64_t first)
{
    const struct plan *plan = w->plan;
    must(buffer_read_file(&w->original, path, CAPTURE_MAX), path);
    w->changed = malloc(w->original.length + 1);
    must(w->changed != NULL, "no memory");
    if (w->original.length > 0)
        memcpy(w->changed, w->original.data, w->original.length);
    if (plan->only_text != NULL)
        run_input(w, plan->only);
    else
        for (uint64_t i = first; i < input_count(plan); i++)
            run_input(w, i);
    free(w->changed);
    buffer_clear(&w->original);
}

/* --- the worker --- */

static void open_side(struct worker *w, struct side *s,
                      struct endpoint_list *endpoints, uint64_t flow_limit)
{
    struct error_text error = {{0}};
    struct meter_options options = {flow_limit, 30, 300, .keeps_texts = true};
    struct exporter_options exporter = {
        .probe_id = "mutate", .key = w->key, .endpoints = endpoints};
    s->worker = w;
    s->endpoints = endpoints;
    buffer_init(&s->line, LINE_LEN);
    s->meter = meter_new(&options, endpoints, on_flow, s, &error);
    must(s->meter != NULL, error.text);
    s->exporter = exporter_new(&exporter);
    must(s->exporter != NULL, "the exporter");
}

static void close_side(struct side *s)
{
    meter_free(s->meter);
    exporter_free(s->exporter);
    endpoint_list_free(s->endpoints);
    buffer_clear(&s->line);
}

static uint8_t *make_room(void)
{
    uint8_t *room = mmap(NULL, PACKET_MAX + GUARD_LEN, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(room != MAP_FAILED &&
             mprotect(room + PACKET_MAX, GUARD_LEN, PROT_NONE) == 0,
         "no memory");
    return room + PACKET_MAX;
}

static int work(const struct plan *plan, struct progress *progress,
                uint64_t first_input)
{
    struct worker w = {.plan = plan, .progress = progress};
    struct error_text error = {{0}};
    w.room_end = make_room();
    w.file = memfd_create("capture", 0);
    snprintf(w.path, sizeof(w.path), "/proc/self/fd/%d", w.file);
    w.key = sign_key_generate(SIGN_ED25519);
    open_side(&w, &w.sides[0], endpoint_list_any(), 65536);
    open_side(
        &w, &w.sides[1],
        endpoint_list_parse(slice_of_text(endpoints_csv), "mutate.csv", &error),
        64);
    for (; progress->capture < plan->capture_count; progress->capture++) {
        run_capture(&w, plan->captures[progress->capture], first_input);
        first_input = 0;
    }
    for (int i = 0; i < METERS; i++)
        close_side(&w.sides[i]);
    sign_key_free(w.key);
    close(w.file);
    munmap(w.room_end - PACKET_MAX, PACKET_MAX + GUARD_LEN);
    return 0;
}

/* --- the parent --- */

static bool run_worker(const struct plan *plan, struct progress *progress,
                       uint64_t first_input)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        exit(work(plan, progress, first_input));
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    uint64_t at = progress->capture;
    if (at >= plan->capture_count) { /* at the end: what was not freed */
        printf("FOUND: status %#x after all inputs\n", (unsigned)status);
        return false;
    }
    bool is_hang = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    printf("FOUND: %s: --seed %" PRIu64 " --cuts %" PRIu64 " --only %" PRIu64
           " %s\n",
           is_hang ? "hangs" : "dies", plan->seed, plan->cuts, progress->input,
           plan->captures[at]);
    return false;
}

static int run_all(const struct plan *plan, struct progress *progress)
{
    int findings = 0;
    uint64_t first_input = 0;
    while (!run_worker(plan, progress, first_input)) {
        findings++;
        first_input = progress->input + 1;
        if (plan->only_text != NULL || findings == FINDINGS_MAX ||
            progress->capture >= plan->capture_count)
            break;
    }
    printf("%" PRIu64 " captures, %" PRIu64 " inputs (%" PRIu64
           " not opened), %" PRIu64 " packets, %" PRIu64 " flows, %" PRIu64
           " records in %" PRIu64 " batches; seed %" PRIu64 ": %d findings\n",
           progress->capture, progress->inputs, progress->refused,
           progress->packets, progress->flows, progress->records,
           progress->batches, plan->seed, findings);
    return findings > 0 ? 1 : 0;
}

static bool parse_plan(int argc, char **argv, struct plan *plan)
{
    const char *seed = "1", *cuts = "2048", *flips = "200";
    const struct program_option options[] = {
        {.name = "--seed", .value = &seed},
        {.name = "--cuts", .value = &cuts},
        {.name = "--flips", .value = &flips},
        {.name = "--only", .value = &plan->only_text},
        {.name = "--save", .value = &plan->save},
    };
    enum { OPTIONS = sizeof(options) / sizeof(options[0]) };
    int operands = program_options(argc, argv, options, OPTIONS, 1, argc);
    if (operands < 0)
        return false;
    plan->captures = argv + 1;
    plan->capture_count = (uint64_t)operands;
    const char *only = plan->only_text != NULL ? plan->only_text : "0";
    return parse_u64(slice_of_text(seed), 0, UINT64_MAX, &plan->seed) &&
           parse_u64(slice_of_text(cuts), 0, 1 << 20, &plan->cuts) &&
           parse_u64(slice_of_text(flips), 0, 1 << 20, &plan->flips) &&
           parse_u64(slice_of_text(only), 0, 1 << 22, &plan->only);
}

int main(int argc, char **argv)
{
    struct plan plan = {0};
    log_set_program("mutate_tool");
    if (!parse_plan(argc, argv, &plan))
        return 2;
    struct progress *progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return 2;
    int status = run_all(&plan, progress);
    munmap(progress, sizeof(*progress));
    return status;
}
