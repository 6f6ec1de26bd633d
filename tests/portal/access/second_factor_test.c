/* The second factor at made-up times: RFC 6238's numbers, each code once, codes on
 * paper, secrets that open nowhere else. */
#include <stdio.h>

#include "portal/access/second_factor.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static const struct portal_keys KEYS = {.totp = {{1}}, .code = {{2}}};

static struct wall_time at_s(int64_t seconds)
{
    return wall_from_s(1795420800 + seconds);
}

static void test_numbers(void)
{
    /* RFC 6238, appendix B: the last six of its eight digits. */
    static const struct {
        int64_t time;
        unsigned code;
    } CASES[] = {
        {59, 287082},       {1111111109, 81804},  {1111111111, 50471},
        {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130},
    };
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    test_case("codes are those of RFC 6238");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        CHECK_I64(second_factor_code(secret, CASES[i].time / FACTOR_STEP_S),
                  CASES[i].code);
}

static uint8_t secret[FACTOR_SECRET_BYTES];

static void read_base32(const char *text)
{
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0;
    int have = 0, length = 0;
    for (; *text != '\0'; text++) {
        bits = (bits << 5) | (uint32_t)(strchr(letters, *text) - letters);
        have += 5;
        if (have >= 8)
            secret[length++] = (uint8_t)(bits >> (have -= 8));
    }
    CHECK_I64(length, FACTOR_SECRET_BYTES);
}

static const char *code_at(int64_t seconds)
{
    static char text[8];
    snprintf(
        text, sizeof(text), "%06u",
        second_factor_code(secret, wall_to_s(at_s(seconds)) / FACTOR_STEP_S));
    return text;
}

static void test_life(struct db *db)
{
    char text[FACTOR_SECRET_LEN], paper[FACTOR_CODES][FACTOR_CODE_LEN];
    test_case("a secret asks for nothing until a code has confirmed it");
    CHECK(second_factor_begin(db, &KEYS, at_s(0), "anna"));
    CHECK(second_factor_shown(db, &KEYS, "anna", text));
    read_base32(text);
    CHECK(second_factor_check(db, &KEYS, at_s(0), "anna", code_at(0)) ==
          FACTOR_WRONG);
    CHECK(second_factor_confirm(db, &KEYS, at_s(0), "anna", "000000", paper) ==
          FACTOR_WRONG);
    CHECK(second_factor_confirm(db, &KEYS, at_s(0), "anna", code_at(0),
                                paper) == FACTOR_RIGHT);
    CHECK(!second_factor_shown(db, &KEYS, "anna", text));
    CHECK(!second_factor_begin(db, &KEYS, at_s(0), "anna"));
    test_case("a code holds once, for its step and the ones beside it");
    CHECK(second_factor_check(db, &KEYS, at_s(1), "anna", code_at(0)) ==
          FACTOR_WRONG);
    CHECK(second_factor_check(db, &KEYS, at_s(60), "anna", code_at(30)) ==
          FACTOR_RIGHT);
    CHECK(second_factor_check(db, &KEYS, at_s(60), "anna", code_at(90)) ==
          FACTOR_RIGHT);
    CHECK(second_factor_check(db, &KEYS, at_s(60), "anna", code_at(60)) ==
          FACTOR_WRONG);
    CHECK(second_factor_check(db, &KEYS, at_s(300), "anna", code_at(240)) ==
          FACTOR_WRONG);
    CHECK(second_factor_check(db, &KEYS, at_s(300), "anna", code_at(360)) ==
          FACTOR_WRONG);
    test_case("a code on paper holds once, however it is written");
    char typed[32];
    snprintf(typed, sizeof(typed), " %s ", paper[3]);
    typed[1] = (char)(typed[1] >= 'a' ? typed[1] - 32 : typed[1]);
    CHECK_I64(second_factor_left(db, "anna"), FACTOR_CODES);
    CHECK(second_factor_check(db, &KEYS, at_s(600), "anna", typed) ==
          FACTOR_RIGHT);
    CHECK(second_factor_check(db, &KEYS, at_s(600), "anna", typed) ==
          FACTOR_WRONG);
    CHECK_I64(second_factor_left(db, "anna"), FACTOR_CODES - 1);
    CHECK(second_factor_check(db, &KEYS, at_s(600), "bert", paper[4]) ==
          FACTOR_WRONG);
}

static void test_at_rest(struct db *db)
{
    static const struct portal_keys OTHER = {.totp = {{9}}, .code = {{2}}};
    test_case(
        "without the server's key, or in another's row, it opens nothing");
    CHECK(second_factor_check(db, &OTHER, at_s(900), "anna", code_at(900)) ==
          FACTOR_WRONG);
    CHECK(db_run(db, "INSERT INTO account_totp SELECT 'bert', secret, made_at,"
                     " confirmed_at, 0 FROM account_totp"));
    CHECK(second_factor_check(db, &KEYS, at_s(900), "bert", code_at(900)) ==
          FACTOR_WRONG);
    CHECK(second_factor_check(db, &KEYS, at_s(900), "anna", code_at(900)) ==
          FACTOR_RIGHT);
    test_case("when it ends, its codes on paper end, too");
    CHECK(second_factor_end(db, "anna"));
    CHECK_I64(second_factor_left(db, "anna"), 0);
}

int main(void)
{
    struct scratch scratch;
    scratch_open(&scratch);
    CHECK(db_run(scratch.db,
                 "INSERT INTO account (name, role, display_name, password_hash,"
                 " created_at) VALUES ('anna', 'PROV', '', 'x', 0),"
                 " ('bert', 'PROV', '', 'x', 0)"));
    test_numbers();
    test_life(scratch.db);
    test_at_rest(scratch.db);
    scratch_close(&scratch);
    return test_end();
}
