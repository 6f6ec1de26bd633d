/* Receipts that are kept: whole ones only, also after a crash, in the files of
 * their days, within their bound. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/wire/receipt.h"
#include "probe/uplink/receipts.h"
#include "tests/folder.h"
#include "tests/test.h"

enum { DAY_S = 86400, FIRST_DAY_S = 1700006400 /* 2023-11-15 */ };

static char state[FOLDER_LEN];
static struct sign_key *key;
static size_t receipt_length;

static const char *path_of(const char *name)
{
    static char path[FOLDER_LEN + 80];
    snprintf(path, sizeof(path), "%s/receipts/%s", state, name);
    return path;
}

static off_t size_of(const char *name)
{
    struct stat info;
    return stat(path_of(name), &info) == 0 ? info.st_size : -1;
}

static bool add(struct receipts *r, int64_t received_s)
{
    struct receipt receipt = {
        .probe_id = "probe-1", .sequence = 1, .received_ms = received_s * 1000};
    struct buffer out;
    buffer_init(&out, 4096);
    CHECK(receipt_encode(&receipt, key, &out));
    bool good = receipts_add(r, buffer_slice(&out), wall_from_s(received_s));
    receipt_length = out.length;
    buffer_clear(&out);
    return good;
}

static struct receipts *open_with(uint64_t limit)
{
    struct error_text error;
    struct receipts *r = receipts_open(state, limit, &error);
    if (!CHECK(r != NULL))
        printf("# %s\n", error.text);
    return r;
}

static void test_days(void)
{
    test_case("each in the file of the day that it names, behind the last");
    struct receipts *r = open_with(1 << 20);
    CHECK(receipts_view(r).oldest[0] == '\0');
    CHECK(add(r, FIRST_DAY_S + 5) && add(r, FIRST_DAY_S + DAY_S - 1) &&
          add(r, FIRST_DAY_S + DAY_S) && add(r, FIRST_DAY_S));
    off_t one = (off_t)receipt_length;
    CHECK(size_of("2023-11-15.ipfix") == 3 * one &&
          size_of("2023-11-16.ipfix") == one);
    struct stat info;
    CHECK(stat(path_of("2023-11-15.ipfix"), &info) == 0 &&
          (info.st_mode & 0777) == 0600);
    receipts_free(r);
    test_case("a later run goes on");
    r = open_with(1 << 20);
    struct receipts_view view = receipts_view(r);
    CHECK(view.days == 2 && view.bytes == 4 * receipt_length &&
          strcmp(view.oldest, "2023-11-15") == 0);
    CHECK(add(r, FIRST_DAY_S + DAY_S));
    CHECK(size_of("2023-11-16.ipfix") == 2 * one);
    receipts_free(r);
}

static void test_crash(void)
{
    test_case("what a crash cut off goes, byte by byte, and nothing else");
    for (off_t cut = 1; cut < (off_t)receipt_length; cut++) {
        off_t whole = size_of("2023-11-15.ipfix");
        CHECK(truncate(path_of("2023-11-15.ipfix"), whole - cut) == 0);
        struct receipts *r = open_with(1 << 20);
        CHECK(add(r, FIRST_DAY_S));
        CHECK(size_of("2023-11-15.ipfix") == whole &&
              receipts_view(r).bytes == 5 * receipt_length);
        receipts_free(r);
    }
    test_case("zeros that a loss of power left");
    off_t whole = size_of("2023-11-15.ipfix");
    CHECK(truncate(path_of("2023-11-15.ipfix"), whole + 100) == 0);
    struct receipts *r = open_with(1 << 20);
    CHECK(add(r, FIRST_DAY_S) && add(r, FIRST_DAY_S));
    CHECK(size_of("2023-11-15.ipfix") == whole + 2 * (off_t)receipt_length);
    receipts_free(r);
}

static void test_fault(void)
{
    test_case("a file that cannot be written fails, and is tried again");
    CHECK(mkdir(path_of("2023-11-20.ipfix"), 0700) == 0);
    struct receipts *r = open_with(1 << 20);
    CHECK(!add(r, FIRST_DAY_S + 5 * DAY_S) && receipts_view(r).has_failed);
    CHECK(!add(r, FIRST_DAY_S + 5 * DAY_S));
    CHECK(rmdir(path_of("2023-11-20.ipfix")) == 0);
    CHECK(add(r, FIRST_DAY_S + 5 * DAY_S) && !receipts_view(r).has_failed);
    CHECK(size_of("2023-11-20.ipfix") == (off_t)receipt_length);
    receipts_free(r);
}

static void test_bound(void)
{
    test_case("the oldest days go when the bound is passed");
    struct receipts *r = open_with(3 * receipt_length);
    CHECK(receipts_view(r).bytes <= 3 * receipt_length &&
          size_of("2023-11-15.ipfix") < 0);
    for (int i = 6; i < 20; i++)
        CHECK(add(r, FIRST_DAY_S + i * DAY_S));
    struct receipts_view view = receipts_view(r);
    CHECK(view.days == 3 && view.bytes == 3 * receipt_length);
    CHECK(strcmp(view.oldest, "2023-12-02") == 0);
    test_case("a year that has no day is not kept, and harms nothing");
    CHECK(!add(r, INT64_C(9000000000000)));
    CHECK(receipts_view(r).days == 3);
    receipts_free(r);
    test_case("a bound of 0 keeps none");
    r = open_with(0);
    CHECK(receipts_view(r).days == 0 && add(r, FIRST_DAY_S));
    CHECK(size_of("2023-12-04.ipfix") < 0 && size_of("2023-11-15.ipfix") < 0);
    receipts_free(r);
}

int main(void)
{
    folder_make(state);
    key = sign_key_generate(SIGN_ED25519);
    test_days();
    test_crash();
    test_fault();
    test_bound();
    CHECK(rmdir(path_of("")) == 0 && rmdir(state) == 0);
    sign_key_free(key);
    return test_end();
}
