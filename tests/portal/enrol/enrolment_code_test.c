/* Codes: what a person does to them, and what is found out. */
#include "portal/enrol/enrolment_code.h"
#include "tests/test.h"

static struct digest hash_of(const char *text)
{
    struct digest hash;
    CHECK(enrolment_code_read(slice_of_text(text), &hash));
    return hash;
}

static bool is_taken(const char *text)
{
    struct digest hash;
    return enrolment_code_read(slice_of_text(text), &hash);
}

static void test_form(const char *code)
{
    test_case("seven groups of four");
    CHECK_I64((int64_t)strlen(code), ENROLMENT_CODE_LEN - 1);
    for (size_t i = 4; i < strlen(code); i += 5)
        CHECK(code[i] == '-');
    CHECK(strpbrk(code, "ILOU") == NULL);
}

static void test_reading(const char *code)
{
    char other[2 * ENROLMENT_CODE_LEN] = "";
    struct digest hash = hash_of(code);
    test_case("small letters, without dashes, with blanks");
    for (size_t i = 0, n = 0; code[i] != '\0'; i++) {
        char c = code[i] >= 'A' ? (char)(code[i] - 'A' + 'a') : code[i];
        if (c != '-')
            other[n++] = c;
        else
            other[n++] = ' ';
    }
    CHECK(digest_equal(hash, hash_of(other)));
    test_case("O for 0, I and L for 1");
    snprintf(other, sizeof(other), "%s", code);
    for (char *c = other; *c != '\0'; c++)
        *c = *c == '0' ? 'O' : *c == '1' ? 'l' : *c;
    CHECK(digest_equal(hash, hash_of(other)));
    test_case("too short, too long, strange symbols, nothing");
    CHECK(!is_taken(""));
    CHECK(!is_taken("----"));
    snprintf(other, sizeof(other), "%s0", code);
    CHECK(!is_taken(other));
    other[strlen(code) - 1] = '\0';
    CHECK(!is_taken(other));
    snprintf(other, sizeof(other), "%s", code);
    other[7] = 'U';
    CHECK(!is_taken(other));
    other[7] = '!';
    CHECK(!is_taken(other));
}

/* Every single mistake, and every two symbols exchanged. */
static void test_check_symbol(const char *code)
{
    static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char other[ENROLMENT_CODE_LEN];
    int taken = 0;
    memcpy(other, code, sizeof(other));
    test_case("one symbol mistyped is always found");
    for (size_t i = 0; code[i] != '\0'; i++) {
        for (size_t k = 0; code[i] != '-' && symbols[k] != '\0'; k++) {
            other[i] = symbols[k];
            taken += symbols[k] != code[i] && is_taken(other);
        }
        other[i] = code[i];
    }
    CHECK_I64(taken, 0);
    test_case("two symbols exchanged are always found");
    for (size_t i = 0; code[i] != '\0'; i++)
        for (size_t k = i + 1; code[k] != '\0'; k++) {
            if (code[i] == '-' || code[k] == '-' || code[i] == code[k])
                continue;
            other[i] = code[k];
            other[k] = code[i];
            taken += is_taken(other);
            other[i] = code[i];
            other[k] = code[k];
        }
    CHECK_I64(taken, 0);
}

static void test_chance(void)
{
    char a[ENROLMENT_CODE_LEN], b[ENROLMENT_CODE_LEN], id[ENROLMENT_ID_LEN];
    char handle[ENROLMENT_HANDLE_LEN];
    test_case("no two are the same; the handle is the hash's start");
    for (int i = 0; i < 1000; i++) {
        enrolment_code_new(a);
        enrolment_code_new(b);
        CHECK(strcmp(a, b) != 0 && is_taken(a) && is_taken(b));
    }
    enrolment_code_handle(hash_of(a), handle);
    CHECK_I64((int64_t)strlen(handle), 8);
    enrolment_new_id(id);
    CHECK_I64((int64_t)strlen(id), ENROLMENT_ID_LEN - 1);
    CHECK(strncmp(id, "P-", 2) == 0);
}

int main(void)
{
    char code[ENROLMENT_CODE_LEN];
    enrolment_code_new(code);
    test_form(code);
    test_reading(code);
    test_check_symbol(code);
    test_chance();
    return test_end();
}
