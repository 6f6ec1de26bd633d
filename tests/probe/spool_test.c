/* Batches on disk: order, restart, bounds, acknowledgement, refusal, a disk
 * that takes nothing. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/durable.h"
#include "probe/spool.h"
#include "tests/test.h"

static char state[512];

static bool new_state(void)
{
    const char *base = getenv("B");
    snprintf(state, sizeof(state), "%s/spool-XXXXXX", base ? base : "build");
    return CHECK(mkdtemp(state) != NULL);
}

static int count_files(const char *name, bool remove)
{
    char folder[DURABLE_PATH_LEN], path[DURABLE_PATH_LEN];
    int count = 0;
    CHECK(durable_path(folder, state, name));
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return -1;
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        if (d->d_name[0] == '.')
            continue;
        count++;
        if (remove && durable_path(path, folder, d->d_name))
            unlink(path);
    }
    closedir(dir);
    if (remove)
        rmdir(folder);
    return count;
}

static void remove_state(void)
{
    count_files("spool", true);
    count_files("sent", true);
    count_files("refused", true);
    rmdir(state);
}

static struct spool *open_spool(uint64_t spool_bytes, uint64_t sent_bytes)
{
    struct error_text error = {{0}};
    struct spool *s = spool_open(state, spool_bytes, sent_bytes, &error);
    if (!CHECK(s != NULL))
        printf("# %s\n", error.text);
    return s;
}

static struct digest add(struct spool *s, unsigned value, size_t size)
{
    struct buffer b;
    buffer_init(&b, 1 << 24);
    for (size_t i = 0; i < size; i++)
        buffer_add_u8(&b, (uint8_t)value);
    struct digest hash = digest_of(b.data, b.length);
    CHECK(spool_add(s, &b, hash));
    CHECK(b.data == NULL);
    return hash;
}

static void check_content(struct spool *s, uint64_t number, unsigned value,
                          size_t size)
{
    struct buffer b;
    CHECK(spool_read(s, number, &b));
    CHECK_I64(b.length, size);
    CHECK(b.length > 0 && b.data[0] == value && b.data[size - 1] == value);
    buffer_clear(&b);
}

static void test_order(void)
{
    test_case("batches wait in order, also over a restart");
    if (!new_state())
        return;
    struct spool *s = open_spool(1 << 20, 1 << 20);
    struct digest first = add(s, 'a', 10);
    add(s, 'b', 20);
    spool_close(s);
    s = open_spool(1 << 20, 1 << 20);
    struct digest third = add(s, 'c', 30);
    CHECK_I64(spool_count(s), 3);
    const struct spool_entry *e = spool_from(s, 0);
    CHECK(e != NULL && digest_equal(e->hash, first));
    uint64_t number = e->number;
    check_content(s, number, 'a', 10);
    check_content(s, number + 1, 'b', 20);
    check_content(s, number + 2, 'c', 30);
    CHECK(spool_find(s, third)->number == number + 2);
    CHECK(spool_from(s, number + 3) == NULL);

    test_case("a receipt moves the exact copy to sent, a refusal aside");
    spool_acknowledge(s, number);
    spool_refuse(s, number + 1);
    spool_acknowledge(s, number); /* a second receipt changes nothing */
    CHECK_I64(spool_count(s), 1);
    CHECK_I64(count_files("spool", false), 1);
    CHECK_I64(count_files("sent", false), 1);
    CHECK_I64(count_files("refused", false), 1);
    spool_acknowledge(s, number + 2);
    CHECK_I64(spool_count(s), 0);
    spool_close(s);

    test_case("numbers go on when everything was sent");
    s = open_spool(1 << 20, 1 << 20);
    add(s, 'd', 1);
    CHECK(spool_from(s, 0)->number == number + 3);
    spool_close(s);
    remove_state();
}

static void test_bounds(void)
{
    test_case("past spool_mb the oldest is given up and counted once");
    if (!new_state())
        return;
    struct spool *s = open_spool(100, 50);
    for (unsigned i = 0; i < 5; i++)
        add(s, 'a' + i, 40);
    CHECK_I64(spool_count(s), 2);
    CHECK_I64(spool_take_lost(s), 3);
    CHECK_I64(spool_take_lost(s), 0);
    CHECK_I64(spool_totals(s).lost, 3);
    CHECK_I64(count_files("spool", false), 2);
    check_content(s, spool_from(s, 0)->number, 'd', 40);

    test_case("past sent_mb the oldest copy is removed");
    spool_acknowledge(s, spool_from(s, 0)->number);
    spool_acknowledge(s, spool_from(s, 0)->number);
    CHECK_I64(count_files("sent", false), 1);
    spool_close(s);

    test_case("a smaller bound holds from the start");
    s = open_spool(1000, 50);
    add(s, 'x', 100);
    add(s, 'y', 100);
    spool_close(s);
    s = open_spool(100, 0);
    CHECK_I64(spool_count(s), 1);
    CHECK_I64(spool_take_lost(s), 1);
    CHECK_I64(count_files("sent", false), 0);
    spool_close(s);
    remove_state();
}

static void test_leftovers(void)
{
    char path[DURABLE_PATH_LEN];
    test_case("half-written files go, files of others stay");
    if (!new_state())
        return;
    spool_close(open_spool(1 << 20, 1 << 20));
    CHECK(durable_path(path, state, "spool/000000000001-half.ipfix.new"));
    FILE *f = fopen(path, "w");
    fputs("half", f);
    fclose(f);
    CHECK(durable_path(path, state, "spool/README"));
    f = fopen(path, "w");
    fclose(f);
    struct spool *s = open_spool(1 << 20, 1 << 20);
    CHECK_I64(spool_count(s), 0);
    CHECK_I64(count_files("spool", false), 1);
    spool_close(s);

    test_case("a batch that vanished from the folder is put aside, not fatal");
    s = open_spool(1 << 20, 1 << 20);
    add(s, 'a', 10);
    count_files("spool", true);
    struct buffer b;
    CHECK(!spool_read(s, spool_from(s, 0)->number, &b));
    buffer_clear(&b);
    CHECK_I64(spool_count(s), 0);
    spool_close(s);
    remove_state();

    test_case("a folder that cannot be made is named");
    struct error_text error = {{0}};
    CHECK(spool_open("/proc/nonexistent/x", 1, 1, &error) == NULL);
    CHECK(strstr(error.text, "/proc/nonexistent/x") != NULL);
}

/* A file size limit of nothing is a full disk that needs no disk. */
static void test_full(void)
{
    struct rlimit before, none;
    test_case(
        "a full disk: batches wait in memory, are sent, are written later");
    if (!new_state())
        return;
    struct spool *s = open_spool(1 << 20, 1 << 20);
    struct buffer b;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &none);
    for (int i = 0; i < 2; i++) {
        buffer_init(&b, 100);
        buffer_add_text(&b, i ? "two" : "one");
        bool is_on_disk = spool_add(s, &b, digest_of(&i, sizeof(i)));
        bool is_flushed = spool_flush(s);
        setrlimit(RLIMIT_FSIZE, &before);
        CHECK(!is_on_disk);
        CHECK(!is_flushed);
        CHECK(strstr(spool_error(s), "cannot be written") != NULL);
        CHECK_I64(count_files("spool", false), 0);
        setrlimit(RLIMIT_FSIZE, &none);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    uint64_t number = spool_from(s, 0)->number;
    CHECK(spool_read(s, number, &b));
    CHECK(slice_equal_text(buffer_slice(&b), "one"));
    buffer_clear(&b);
    spool_acknowledge(s, number);
    CHECK_I64(count_files("sent", false), 1);
    CHECK(spool_flush(s));
    CHECK_I64(count_files("spool", false), 1);
    CHECK_I64(spool_count(s), 1);
    spool_close(s);
    s = open_spool(1 << 20, 1 << 20);
    CHECK_I64(spool_count(s), 1);
    spool_close(s);
    remove_state();
}

int main(void)
{
    test_order();
    test_bounds();
    test_leftovers();
    test_full();
    return test_end();
}
