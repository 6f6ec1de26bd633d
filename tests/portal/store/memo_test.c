/* Numbers that are kept for a minute. */
#include "portal/store/memo.h"

#include <string.h>

#include "tests/test.h"

static struct wall_time at(int64_t seconds)
{
    return wall_from_s(1795420800 + seconds);
}

int main(void)
{
    struct memo memo;
    char longest[2 * MEMO_KEY_LEN];
    int64_t number = 0;
    memo_init(&memo);
    test_case("a number is known for a minute, and no longer");
    CHECK(!memo_find(&memo, "probes", at(0), &number));
    memo_keep(&memo, "probes", at(0), 7);
    CHECK(memo_find(&memo, "probes", at(0), &number) && number == 7);
    CHECK(memo_find(&memo, "probes", at(MEMO_SECONDS - 1), &number));
    CHECK(!memo_find(&memo, "probes", at(MEMO_SECONDS), &number));
    test_case("... nor when the clock was set back");
    CHECK(!memo_find(&memo, "probes", at(-1), &number));
    test_case("another key is another number");
    CHECK(!memo_find(&memo, "probe", at(0), &number));
    CHECK(!memo_find(&memo, "", at(0), &number) || number == 0);
    memo_keep(&memo, "probes", at(1), 8);
    CHECK(memo_find(&memo, "probes", at(1), &number) && number == 8);
    test_case("a key that is too long is not kept");
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    memo_keep(&memo, longest, at(0), 9);
    CHECK(!memo_find(&memo, longest, at(0), &number));
    memo_clear(&memo);
    return test_end();
}
