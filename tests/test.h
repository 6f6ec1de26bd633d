/*
 * The test harness: named cases, checks, TAP lines.
 *
 *   int main(void)
 *   {
 *       test_case("AWARD-01: fee under the cap is paid whole");
 *       CHECK_I64(award(...), 8000000);
 *       return test_end();
 *   }
 *
 * A case passes when none of its checks failed; tests/run adds the cases of
 * all programs up. Golden files: test_golden() compares text with a file under
 * tests/data, or rewrites it when GOLDEN=write (make golden).
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int number;
    int failed_checks;
    char name[200];
} test_now;

static inline void test_close_case(void)
{
    if (test_now.number > 0)
        printf("%s %d - %s\n", test_now.failed_checks ? "not ok" : "ok",
               test_now.number, test_now.name);
    test_now.failed_checks = 0;
}

static inline void test_case(const char *name)
{
    test_close_case();
    test_now.number++;
    snprintf(test_now.name, sizeof(test_now.name), "%s", name);
    fflush(stdout);
}

static inline int test_end(void)
{
    test_close_case();
    printf("1..%d\n", test_now.number);
    fflush(stdout);
    return 0;
}

static inline bool test_check(bool good, const char *file, int line,
                              const char *what)
{
    if (!good) {
        test_now.failed_checks++;
        printf("# %s:%d: %s\n", file, line, what);
    }
    return good;
}

static inline bool test_check_i64(int64_t a, int64_t b, const char *file,
                                  int line, const char *what)
{
    if (a != b) {
        test_now.failed_checks++;
        printf("# %s:%d: %s is %" PRId64 ", expected %" PRId64 "\n", file, line,
               what, a, b);
    }
    return a == b;
}

static inline bool test_check_text(const char *a, const char *b,
                                   const char *file, int line, const char *what)
{
    bool good = a != NULL && b != NULL && strcmp(a, b) == 0;
    if (!good) {
        test_now.failed_checks++;
        printf("# %s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what,
               a ? a : "(null)", b ? b : "(null)");
    }
    return good;
}

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_I64(a, b)  test_check_i64((a), (b), __FILE__, __LINE__, #a)
#define CHECK_TEXT(a, b) test_check_text((a), (b), __FILE__, __LINE__, #a)

/* path is relative to the checkout, where tests run. */
static inline void test_golden(const char *path, const void *data,
                               size_t length)
{
    const char *mode = getenv("GOLDEN");
    bool write = mode != NULL && strcmp(mode, "write") == 0;
    FILE *f = fopen(path, write ? "wb" : "rb");
    if (!test_check(f != NULL, path, 1, "cannot open the golden file"))
        return;
    if (write) {
        test_check(fwrite(data, 1, length, f) == length, path, 1, "write");
    } else {
        char *want = malloc(length + 2);
        size_t got = want ? fread(want, 1, length + 1, f) : 0;
        test_check(got == length && memcmp(want, data, length) == 0, path, 1,
                   "differs from what the program made (make golden, then "
                   "read the diff)");
        free(want);
    }
    fclose(f);
}

#endif
