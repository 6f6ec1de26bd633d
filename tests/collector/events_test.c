/* What `yz-collector events` prints: the filters, one line per event whatever a
 * stranger put into it, and JSON. */
#include "collector/events.h"

#include "tests/collector/collector_sample.h"

struct bench {
    struct sample_folder folder;
    struct db *usage;
};

static void add(struct bench *b, const struct ledger_event *event, int64_t s)
{
    bool is_new;
    CHECK(ledger_add_event(b->usage, event, (struct wall_time){s * 1000000},
                           &is_new));
}

static void set_up(struct bench *b)
{
    char path[PATH_MAX];
    struct error_text error = {""};
    struct digest known = {{0xab}}, other = {{0xcd}};
    sample_folder_make(&b->folder);
    b->usage = db_open(sample_path(&b->folder, "usage.db", path), DB_WRITE,
                       ledger_migrations, ledger_migration_count, &error);
    if (!CHECK(b->usage != NULL))
        exit(1);
    const struct ledger_event clone = {.reason = REASON_CONFLICT,
                                       .probe_id = "P-1",
                                       .sequence = 7,
                                       .known = &known,
                                       .other = &other,
                                       .detail = "other content"};
    const struct ledger_event hostile = {.reason = REASON_MALFORMED,
                                         .probe_id = "P\x1b[2J",
                                         .detail = "a\nb\x7f"
                                                   "c\xc2\x9b"
                                                   "d \xe4\xba\x91"};
    const struct ledger_event nobody = {
        .reason = REASON_IDENTITY, .probe_id = "", .detail = "no name"};
    add(b, &clone, 86400);
    add(b, &clone, 86410);
    add(b, &hostile, 2 * 86400);
    add(b, &nobody, 3 * 86400);
}

/* What is printed; "" when it fails. */
static const char *print(struct bench *b, struct event_filter filter,
                         bool as_json, struct error_text *error)
{
    static char text[8192];
    memset(text, 0, sizeof(text));
    FILE *f = fmemopen(text, sizeof(text), "w");
    bool good = events_print(b->usage, &filter, as_json, f, error);
    fclose(f);
    return good ? text : "";
}

static bool has(const char *text, const char *what)
{
    bool found = strstr(text, what) != NULL;
    if (!found)
        printf("# not '%s' in: %s\n", what, text);
    return found;
}

static int lines(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void test_filters(struct bench *b)
{
    static const struct {
        const char *name;
        struct event_filter filter;
        int lines;
    } CASES[] = {
        {"all of them", {.kind = NULL}, 3},
        {"of a kind", {.kind = "conflict"}, 1},
        {"of a kind that did not happen", {.kind = "denied"}, 0},
        {"of a probe", {.probe = "P-1"}, 1},
        {"of an unknown probe", {.probe = "P-3"}, 0},
        {"since the last time, not the first",
         {.since = {INT64_C(86410) * 1000000}},
         3},
        {"since later", {.since = {INT64_C(86411) * 1000000}}, 2},
    };
    struct error_text error;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        test_case(CASES[i].name);
        CHECK_I64(lines(print(b, CASES[i].filter, false, &error)),
                  CASES[i].lines);
        CHECK_I64(lines(print(b, CASES[i].filter, true, &error)),
                  CASES[i].lines);
    }
    test_case("an unknown kind is refused by name");
    CHECK(print(b, (struct event_filter){.kind = "odd"}, false, &error)[0] ==
          '\0');
    CHECK(has(error.text, "--kind odd"));
}

static void test_text(struct bench *b)
{
    struct error_text error;
    test_case("times, sequence and both hashes");
    const char *text =
        print(b, (struct event_filter){.probe = "P-1"}, false, &error);
    CHECK(has(text, "1970-01-02T00:00:00"));
    CHECK(has(text, "P-1 batch 7: other content (2 times, last 1970-01-02"));
    CHECK(has(text, " known ab00") && has(text, " other cd00"));

    test_case("what a stranger sent is one line without control characters");
    text = print(b, (struct event_filter){.kind = "malformed"}, false, &error);
    CHECK(has(text, "P?[2J: a?b?c?d \xe4\xba\x91\n"));

    test_case("JSON escapes it and has the hashes");
    text = print(b, (struct event_filter){.kind = "malformed"}, true, &error);
    CHECK(has(text, "\\u001b[2J") && has(text, "a\\nb"));
    text = print(b, (struct event_filter){.probe = "P-1"}, true, &error);
    CHECK(has(text, "\"sequence\":7") && has(text, "\"times\":2"));
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_filters(&b);
    test_text(&b);
    db_close(b.usage);
    sample_folder_remove(&b.folder);
    return test_end();
}
