/*
 * The malformed messages of tests/data/netflow/malformed, in process: each
 * ends in the very state that its second line tells, over UDP and over a
 * stream, within its bounds, and a good message is read afterwards.
 */
#include <dirent.h>

#include "collector/netflow/netflow_session.h"
#include "tests/collector/netflow/hex.h"
#include "tests/test.h"

#define FOLDER "tests/data/netflow/malformed/"

enum { BUDGET = 4 << 20, NOW_MS = 1764000000 };

static const struct {
    const char *word;
    enum netflow_status status;
} WORDS[] = {
    {"ok", NETFLOW_OK},
    {"duplicate", NETFLOW_DUPLICATE},
    {"version", NETFLOW_BAD_VERSION},
    {"truncated", NETFLOW_TRUNCATED},
    {"length", NETFLOW_BAD_LENGTH},
    {"set", NETFLOW_BAD_SET},
    {"template", NETFLOW_BAD_TEMPLATE},
    {"redefined", NETFLOW_REDEFINED},
    {"record", NETFLOW_BAD_RECORD},
};

static const char *word_of(enum netflow_status status)
{
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (WORDS[i].status == status)
            return WORDS[i].word;
    return netflow_status_text(status);
}

static void count_record(void *context, const struct netflow_record *record)
{
    uint64_t *count = context;
    (void)record;
    ++*count;
}

/* A template and a record of it, in a domain of its own. */
static uint64_t records_of_good(struct netflow_session *session)
{
    static const uint8_t message[] = {
        0,    10, 0, 36, 0x69, 0x25, 0x20, 0, 0, 0, 0, 0, 0xaa, 0xbb, 0xcc,
        0xdd, 0,  2, 0,  12,   1,    44,   0, 1, 0, 1, 0, 4, /* template 300 */
        1,    44, 0, 8,  0,    0,    0,    9};
    uint64_t count = 0;
    netflow_session_take(session, message, sizeof(message), NOW_MS,
                         count_record, &count);
    return count;
}

static enum netflow_status take_file(struct netflow_session *session, FILE *f)
{
    struct buffer text, bytes;
    uint32_t counter = 0;
    uint64_t count = 0;
    enum netflow_status status = NETFLOW_OK;
    buffer_init(&text, HEX_MESSAGE_MAX);
    buffer_init(&bytes, HEX_MESSAGE_MAX);
    while (hex_read(f, &text))
        for (unsigned long n = hex_times(&text); n > 0; n--) {
            CHECK(hex_bytes(&text, &bytes, &counter));
            status = netflow_session_take(session, bytes.data, bytes.length,
                                          NOW_MS, count_record, &count);
        }
    buffer_clear(&text);
    buffer_clear(&bytes);
    return status;
}

static void check_file(FILE *f, enum netflow_transport transport,
                       const char *expected)
{
    struct netflow_budget budget = {0, BUDGET};
    struct netflow_session *session =
        netflow_session_new(transport, INT64_C(1800000), &budget);
    CHECK_TEXT(word_of(take_file(session, f)), expected);
    CHECK_I64(records_of_good(session), 1);
    CHECK(budget.used <= budget.max);
    netflow_session_free(session);
    CHECK_I64(budget.used, 0);
}

static void check_named(const char *name)
{
    char path[512], udp[32] = "", stream[32] = "", line[512] = "";
    snprintf(path, sizeof(path), FOLDER "%s", name);
    FILE *f = fopen(path, "r");
    test_case(name);
    CHECK(f != NULL && fgets(line, sizeof(line), f) != NULL &&
          fgets(line, sizeof(line), f) != NULL &&
          sscanf(line, "# expect udp=%31s stream=%31s", udp, stream) == 2);
    check_file(f, NETFLOW_UDP, udp);
    rewind(f);
    check_file(f, NETFLOW_STREAM, stream);
    fclose(f);
}

int main(void)
{
    struct dirent **entries = NULL;
    int count = scandir(FOLDER, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            check_named(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    test_case("the corpus has at least 60 messages");
    CHECK(count >= 60 + 2);
    return test_end();
}
