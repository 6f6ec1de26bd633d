/* Batches on disk: order, restart, bounds, acknowledgement, refusal, damage, a
 * disk that takes nothing. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/durable.h"
#include "common/wire/batch.h"
#include "probe/uplink/batch_check.h"
#include "probe/uplink/spool.h"
#include "tests/folder.h"
#include "tests/test.h"

static char state[FOLDER_LEN];

/* Batches told apart by a letter, their sequence number; all of one size. */
static struct buffer batches[128];
static struct digest hashes[128];
static size_t batch_size;

static void make_batches(void)
{
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    for (unsigned i = 'a'; i <= 'z'; i++) {
        struct batch_writer *w = batch_writer_new(1, 0);
        struct batch_info info = {.probe_id = "p", .sequence = i};
        struct flow_record record = {.protocol = 6, .octets = i};
        CHECK(batch_writer_add(w, &record, 1000));
        CHECK(
            batch_writer_finish(w, &info, key, 1000, &batches[i], &hashes[i]));
        batch_writer_free(w);
        batch_size = batches[i].length;
    }
    sign_key_free(key);
}

static int count_files(const char *name)
{
    char folder[DURABLE_PATH_LEN];
    int count = 0;
    CHECK(durable_path(folder, state, name));
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return -1;
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
        count += d->d_name[0] != '.';
    closedir(dir);
    return count;
}

static struct spool *open_spool(uint64_t spool_bytes, uint64_t sent_bytes)
{
    struct error_text error = {{0}};
    struct spool *s = spool_open(state, spool_bytes, sent_bytes, &error);
    if (!CHECK(s != NULL))
        printf("# %s\n", error.text);
    return s;
}

/* How many batches the losses are that no batch carries yet. */
static uint64_t lost_batches(const struct spool *s)
{
    static struct batch_loss losses[BATCH_LOSS_MAX];
    size_t count = spool_losses(s, losses);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += losses[i].batches;
    return sum;
}

static struct digest add(struct spool *s, unsigned letter)
{
    struct buffer b;
    buffer_init(&b, BATCH_SIZE_MAX);
    buffer_add_slice(&b, buffer_slice(&batches[letter]));
    CHECK(spool_add(s, &b, hashes[letter]));
    CHECK(b.data == NULL);
    return hashes[letter];
}

static void check_content(struct spool *s, uint64_t number, unsigned letter)
{
    struct buffer b;
    CHECK(spool_read(s, number, &b) == SPOOL_READ);
    CHECK(slice_equal(buffer_slice(&b), buffer_slice(&batches[letter])));
    buffer_clear(&b);
}

static void test_order(void)
{
    test_case("batches wait in order, also over a restart");
    folder_make(state);
    struct spool *s = open_spool(1 << 20, 1 << 20);
    struct digest first = add(s, 'a');
    add(s, 'b');
    spool_close(s);
    s = open_spool(1 << 20, 1 << 20);
    struct digest third = add(s, 'c');
    CHECK_I64(spool_count(s), 3);
    const struct spool_entry *e = spool_from(s, 0);
    CHECK(e != NULL && digest_equal(e->hash, first));
    uint64_t number = e->number;
    check_content(s, number, 'a');
    check_content(s, number + 1, 'b');
    check_content(s, number + 2, 'c');
    CHECK(spool_find(s, third)->number == number + 2);
    CHECK(spool_from(s, number + 3) == NULL);

    test_case("a receipt moves the exact copy to sent, a refusal aside");
    spool_acknowledge(s, number);
    spool_refuse(s, number + 1);
    spool_acknowledge(s, number); /* a second receipt changes nothing */
    CHECK_I64(spool_count(s), 1);
    CHECK_I64(count_files("spool"), 1);
    CHECK_I64(count_files("sent"), 1);
    CHECK_I64(count_files("refused"), 1);
    spool_acknowledge(s, number + 2);
    CHECK_I64(spool_count(s), 0);
    spool_close(s);

    test_case("numbers go on when everything was sent");
    s = open_spool(1 << 20, 1 << 20);
    add(s, 'd');
    CHECK(spool_from(s, 0)->number == number + 3);
    spool_close(s);
    folder_remove(state);
}

static void test_bounds(void)
{
    test_case("past spool_mb the oldest is given up and counted once");
    folder_make(state);
    struct spool *s = open_spool(batch_size * 5 / 2, batch_size * 5 / 4);
    for (unsigned i = 0; i < 5; i++)
        add(s, 'a' + i);
    CHECK_I64(spool_count(s), 2);
    CHECK_I64(lost_batches(s), 3);
    CHECK_I64(spool_totals(s).lost, 3);
    CHECK_I64(count_files("spool"), 2);
    check_content(s, spool_from(s, 0)->number, 'd');

    test_case("past sent_mb the oldest copy is removed");
    spool_acknowledge(s, spool_from(s, 0)->number);
    spool_acknowledge(s, spool_from(s, 0)->number);
    CHECK_I64(count_files("sent"), 1);
    spool_close(s);

    test_case("a smaller bound holds from the start");
    s = open_spool(1 << 20, batch_size);
    add(s, 'x');
    add(s, 'y');
    spool_close(s);
    s = open_spool(batch_size, 0);
    CHECK_I64(spool_count(s), 1);
    CHECK_I64(lost_batches(s), 4); /* with the three of before */
    CHECK_I64(count_files("sent"), 0);
    spool_close(s);
    folder_remove(state);
}

static void test_leftovers(void)
{
    char path[DURABLE_PATH_LEN];
    test_case("half-written files go, files of others stay");
    folder_make(state);
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
    CHECK_I64(count_files("spool"), 1);
    spool_close(s);

    test_case("a batch that vanished from the folder is put aside, not fatal");
    s = open_spool(1 << 20, 1 << 20);
    add(s, 'a');
    CHECK(durable_path(path, state, "spool"));
    folder_remove(path);
    struct buffer b;
    CHECK(spool_read(s, spool_from(s, 0)->number, &b) == SPOOL_SET_ASIDE);
    buffer_clear(&b);
    CHECK_I64(spool_count(s), 0);
    CHECK_I64(lost_batches(s), 1);
    spool_close(s);
    folder_remove(state);

    test_case("a folder that cannot be made is named");
    struct error_text error = {{0}};
    CHECK(spool_open("/proc/nonexistent/x", 1, 1, &error) == NULL);
    CHECK(strstr(error.text, "/proc/nonexistent/x") != NULL);
}

/* The only file in the folder of batches that wait. */
static void damage(size_t place, size_t length)
{
    char folder[DURABLE_PATH_LEN], path[DURABLE_PATH_LEN] = "";
    CHECK(durable_path(folder, state, "spool"));
    DIR *dir = opendir(folder);
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
        if (d->d_name[0] != '.')
            CHECK(durable_path(path, folder, d->d_name));
    closedir(dir);
    int fd = open(path, O_RDWR);
    uint8_t byte = 0;
    CHECK(pread(fd, &byte, 1, (off_t)place) == 1);
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, (off_t)place) == 1);
    CHECK(ftruncate(fd, (off_t)length) == 0);
    close(fd);
}

static void test_damage(void)
{
    test_case("a damaged file is put aside and counted as lost, wherever it is "
              "damaged");
    for (size_t i = 0; i < 40; i++) {
        folder_make(state);
        struct spool *s = open_spool(1 << 20, 1 << 20);
        struct buffer b;
        size_t step = (batch_size - SIGN_LEN - 1) / 38;
        add(s, 'a');
        if (i < 39)
            damage(i * step, batch_size);
        else
            damage(0, 0);
        add(s, 'b');
        CHECK(spool_read(s, spool_from(s, 0)->number, &b) == SPOOL_SET_ASIDE);
        CHECK(b.data == NULL);
        CHECK_I64(spool_count(s), 1);
        CHECK_I64(count_files("refused"), 1);
        CHECK_I64(lost_batches(s), 1);
        CHECK_I64(spool_totals(s).lost, 1);
        CHECK_I64(spool_totals(s).refused, 0);
        check_content(s, spool_from(s, 0)->number, 'b');
        spool_close(s);
        folder_remove(state);
    }

    test_case(
        "every byte before the signature's value is checked, and any cut");
    struct slice whole = buffer_slice(&batches['a']);
    CHECK(batch_check(whole, hashes['a']) == BATCH_CHECK_INTACT);
    CHECK(batch_check(whole, hashes['b']) == BATCH_CHECK_DAMAGED);
    for (size_t i = 0; i < batch_size; i++) {
        bool is_signature = i >= batch_size - SIGN_LEN;
        batches['a'].data[i] ^= 0x10;
        CHECK((batch_check(whole, hashes['a']) == BATCH_CHECK_INTACT) ==
              is_signature);
        batches['a'].data[i] ^= 0x10;
        CHECK(batch_check(slice_of_bytes(whole.data, i), hashes['a']) ==
              BATCH_CHECK_DAMAGED);
    }
}

/* Without free descriptors no file can be opened; nor need it be damaged. */
static void test_not_now(void)
{
    struct rlimit before, none;
    struct buffer b;
    test_case("a good batch that cannot be read now waits where it is");
    folder_make(state);
    struct spool *s = open_spool(1 << 20, 1 << 20);
    add(s, 'a');
    uint64_t number = spool_from(s, 0)->number;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    enum spool_read status = spool_read(s, number, &b);
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK(status == SPOOL_NOT_NOW);
    CHECK_I64(spool_count(s), 1);
    CHECK_I64(lost_batches(s), 0);
    CHECK_I64(count_files("refused"), 0);
    check_content(s, number, 'a');
    spool_close(s);
    folder_remove(state);
}

/* A batch of sequence `sequence` that tells these losses, into the spool. */
static void add_telling(struct spool *s, uint64_t sequence)
{
    static struct batch_loss losses[BATCH_LOSS_MAX];
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    struct batch_writer *w = batch_writer_new(1, 0);
    struct batch_info info = {.probe_id = "p", .sequence = sequence};
    struct buffer batch;
    struct digest hash;
    size_t count = spool_losses(s, losses);
    for (size_t i = 0; i < count; i++)
        CHECK(batch_writer_add_loss(w, &losses[i], 1000));
    CHECK(batch_writer_finish(w, &info, key, 1000, &batch, &hash));
    CHECK(spool_add(s, &batch, hash));
    batch_writer_free(w);
    sign_key_free(key);
}

static void copy_losses(struct buffer *text, bool is_back)
{
    char path[DURABLE_PATH_LEN];
    CHECK(durable_path(path, state, "losses"));
    if (is_back)
        CHECK(durable_write(path, buffer_slice(text), 0600));
    else
        CHECK(buffer_read_file(text, path, 1 << 20));
}

static void test_losses(void)
{
    static struct batch_loss losses[BATCH_LOSS_MAX];
    struct buffer before;
    test_case("a loss survives a restart, names its batches and is told once");
    folder_make(state);
    struct spool *s = open_spool(batch_size * 5 / 2, 1 << 20);
    for (unsigned i = 0; i < 5; i++)
        add(s, 'a' + i);
    spool_close(s);
    s = open_spool(1 << 20, 1 << 20);
    CHECK_I64(spool_losses(s, losses), 1);
    CHECK_I64(losses[0].first_sequence, 'a');
    CHECK_I64(losses[0].last_sequence, 'c');
    CHECK_I64(losses[0].batches, 3);
    CHECK_I64(losses[0].record_count, 3);
    CHECK_I64(losses[0].octets, 'a' + 'b' + 'c');
    CHECK_I64(losses[0].reason, LOSS_NO_ROOM);
    copy_losses(&before, false);
    add_telling(s, 'f');
    CHECK_I64(spool_losses(s, losses), 0);
    spool_close(s);

    test_case("a crash between telling a loss and forgetting it");
    copy_losses(&before, true);
    buffer_clear(&before);
    s = open_spool(1 << 20, 1 << 20);
    CHECK_I64(spool_losses(s, losses), 0);

    test_case("what a lost batch told is told again");
    spool_close(s);
    s = open_spool(1, 1 << 20);
    CHECK_I64(spool_count(s), 0);
    CHECK_I64(lost_batches(s), 3 + 3);
    spool_close(s);
    folder_remove(state);
}

/* 72 h of 5 minutes. */
static void test_72_hours(void)
{
    enum { BATCHES = 72 * 12 };
    test_case("72 h without a collector lose nothing within the bound");
    folder_make(state);
    struct spool *s = open_spool(1 << 20, 1 << 20);
    for (int i = 0; i < BATCHES; i++) {
        add(s, 'a' + (unsigned)i % 26);
        if (i % 200 == 199) {
            spool_close(s);
            s = open_spool(1 << 20, 1 << 20);
        }
    }
    CHECK_I64(spool_count(s), BATCHES);
    CHECK_I64(lost_batches(s), 0);
    uint64_t first = spool_from(s, 0)->number;
    for (int i = 0; i < BATCHES; i += 100)
        check_content(s, first + (uint64_t)i, 'a' + (unsigned)i % 26);
    spool_close(s);
    folder_remove(state);
}

/* A file size limit of nothing is a full disk that needs no disk. */
static void test_full(void)
{
    struct rlimit before, none;
    test_case(
        "a full disk: batches wait in memory, are sent, are written later");
    folder_make(state);
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
        CHECK_I64(count_files("spool"), 0);
        setrlimit(RLIMIT_FSIZE, &none);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    uint64_t number = spool_from(s, 0)->number;
    CHECK(spool_read(s, number, &b) == SPOOL_READ);
    CHECK(slice_equal_text(buffer_slice(&b), "one"));
    buffer_clear(&b);
    spool_acknowledge(s, number);
    CHECK_I64(count_files("sent"), 1);
    CHECK(spool_flush(s));
    CHECK_I64(count_files("spool"), 1);
    CHECK_I64(spool_count(s), 1);
    spool_close(s);
    s = open_spool(1 << 20, 1 << 20);
    CHECK_I64(spool_count(s), 1);
    spool_close(s);
    folder_remove(state);
}

static void test_lock(void)
{
    test_case("a state folder serves one probe at a time");
    folder_make(state);
    struct error_text error = {0};
    struct spool *first = open_spool(1 << 20, 1 << 20);
    CHECK(spool_open(state, 1 << 20, 1 << 20, &error) == NULL);
    CHECK(strstr(error.text, "in use by another yz-probe") != NULL);
    spool_close(first);
    struct spool *next = open_spool(1 << 20, 1 << 20);
    CHECK(next != NULL);
    spool_close(next);
    folder_remove(state);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    make_batches();
    test_lock();
    test_order();
    test_bounds();
    test_leftovers();
    test_damage();
    test_not_now();
    test_losses();
    test_72_hours();
    test_full();
    for (unsigned i = 'a'; i <= 'z'; i++)
        buffer_clear(&batches[i]);
    return test_end();
}
