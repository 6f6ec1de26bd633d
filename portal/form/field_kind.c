/*
 * See field_kind.h. A reader gets what was typed, trimmed and not empty, makes it clean,
 * and sets the answer's text (and number); or refuses with a sentence that
 * names label, value and the way out. Its code is the paper's (requirements 4.3).
 */
#include "portal/form/field_kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/money.h"
#include "common/shown.h"
#include "portal/form/credit_code.h"
#include "portal/form/typed.h"

enum { CODE_LENGTH = 18, MAIL_MAX = 254, HOST_MAX = 253, PORTS_MAX = 200 };

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* refuse() for the answer's field, with its label and what was typed. */
#define REFUSE(answer, code, sentence, ...)                                    \
    refuse(&(answer)->refusal, code, (answer)->field->name, sentence,          \
           text_words("label", (answer)->field->label),                        \
           text_plain("value", (answer)->typed) __VA_OPT__(, ) __VA_ARGS__)

static bool has_only(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == '\0';
}

static bool is_kept(struct answer *answer, const char *text)
{
    answer->text = text != NULL ? text : "";
    return text != NULL;
}

static bool read_words(struct answer *answer, const char *text)
{
    const struct field *field = answer->field;
    size_t length = typed_length(slice_of_text(text));
    if (length > (size_t)field_max(field))
        return REFUSE(answer, "E_FIELD_VALUE",
                      TEXT_KEY("field.refusal.too_long"),
                      text_count("count", length),
                      text_count("max", (uint64_t)field_max(field)));
    if (field->min > 0 && length < (size_t)field->min)
        return REFUSE(answer, "E_FIELD_VALUE",
                      TEXT_KEY("field.refusal.too_short"),
                      text_count("count", length),
                      text_count("min", (uint64_t)field->min));
    return is_kept(answer, text);
}

static bool read_text(struct answer *answer, struct slice typed,
                      struct arena *arena)
{
    const char *text = typed_line(typed, arena);
    return text != NULL && read_words(answer, text);
}

static bool read_long_text(struct answer *answer, struct slice typed,
                           struct arena *arena)
{
    const char *text = typed_lines(typed, arena);
    return text != NULL && read_words(answer, text);
}

static bool read_credit_code(struct answer *answer, struct slice typed,
                             struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    char *code =
        text != NULL ? arena_copy_text(arena, slice_of_text(text)) : NULL;
    if (code == NULL)
        return false;
    for (char *c = code; *c != '\0'; c++)
        *c = slice_upper(*c);
    size_t length = typed_length(slice_of_text(code));
    if (length != CODE_LENGTH)
        return REFUSE(answer, "E_USCC",
                      TEXT_KEY("field.refusal.credit_code_length"),
                      text_count("count", length));
    if (!has_only(code, DIGITS "ABCDEFGHJKLMNPQRTUWXY"))
        return REFUSE(answer, "E_USCC",
                      TEXT_KEY("field.refusal.credit_code_letter"));
    if (!credit_code_is_good(slice_of_text(code)))
        return REFUSE(answer, "E_USCC",
                      TEXT_KEY("field.refusal.credit_code_check"));
    return is_kept(answer, code);
}

static bool is_among(const char *const *codes, const char *code)
{
    for (; *codes != NULL; codes++)
        if (strcmp(*codes, code) == 0)
            return true;
    return false;
}

/* Whether rows have it is asked of the database: answers_check. */
static bool read_choice(struct answer *answer, struct slice typed,
                        struct arena *arena)
{
    const char *code = typed_line(typed, arena);
    const char *const *codes = answer->field->choices->codes;
    if (code != NULL && codes != NULL && !is_among(codes, code))
        return REFUSE(answer, "E_FIELD_VALUE",
                      TEXT_KEY("field.refusal.choice"));
    return is_kept(answer, code);
}

static bool read_yes_no(struct answer *answer, struct slice typed,
                        struct arena *arena)
{
    static const struct {
        const char *typed;
        bool is_yes;
    } WORDS[] = {
        {"yes", true}, {"true", true},   {"1", true},  {"on", true},
        {"no", false}, {"false", false}, {"0", false},
    };
    (void)arena;
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (!slice_equal_nocase(typed, slice_of_text(WORDS[i].typed)))
            continue;
        answer->number = WORDS[i].is_yes;
        return is_kept(answer, WORDS[i].is_yes ? "yes" : "no");
    }
    return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.yes_no"));
}

static bool read_yes(struct answer *answer, struct slice typed,
                     struct arena *arena)
{
    if (!read_yes_no(answer, typed, arena))
        return false;
    if (answer->number == 1)
        return true;
    return REFUSE(answer, "E_DECLARATION",
                  TEXT_KEY("field.refusal.declaration"));
}

static bool keep_number(struct answer *answer, int64_t number,
                        struct arena *arena)
{
    answer->number = number;
    return is_kept(answer, arena_format(arena, "%" PRId64, number));
}

/* Without the signs that people put around an amount. */
static struct slice bare_amount(const char *text)
{
    static const char *const BEFORE[] = {"\xC2\xA5", "\xEF\xBF\xA5", "RMB",
                                         "CNY"};
    static const char *const BEHIND[] = {"\xE5\x85\x83", "yuan"};
    struct slice rest = slice_of_text(text);
    for (size_t i = 0; i < sizeof(BEFORE) / sizeof(BEFORE[0]); i++) {
        size_t length = strlen(BEFORE[i]);
        if (rest.length > length && memcmp(rest.data, BEFORE[i], length) == 0)
            rest = slice_of_bytes(rest.data + length, rest.length - length);
    }
    for (size_t i = 0; i < sizeof(BEHIND) / sizeof(BEHIND[0]); i++)
        if (rest.length > strlen(BEHIND[i]) &&
            slice_ends_with_nocase(rest, slice_of_text(BEHIND[i])))
            rest.length -= strlen(BEHIND[i]);
    return rest;
}

static bool read_money(struct answer *answer, struct slice typed,
                       struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    struct money money = {0};
    if (text == NULL)
        return false;
    enum money_status status = money_from_yuan_text(bare_amount(text), &money);
    const struct field *field = answer->field;
    struct money least = {field->min}, most = {field->max};
    if (status == MONEY_NEGATIVE)
        return REFUSE(answer, "E_MONEY_NEGATIVE",
                      TEXT_KEY("field.refusal.money_negative"));
    if (status == MONEY_FORMAT)
        return REFUSE(answer, "E_MONEY_FORMAT",
                      TEXT_KEY("field.refusal.money_format"));
    if (status == MONEY_OVERFLOW)
        return REFUSE(answer, "E_RANGE",
                      TEXT_KEY("field.refusal.money_overflow"));
    if (money.fen < least.fen)
        return REFUSE(answer, "E_RANGE", TEXT_KEY("field.refusal.money_least"),
                      text_money("min", least));
    if (most.fen > 0 && money.fen > most.fen)
        return REFUSE(answer, "E_RANGE", TEXT_KEY("field.refusal.money_most"),
                      text_money("max", most));
    return keep_number(answer, money.fen, arena);
}

static bool read_count(struct answer *answer, struct slice typed,
                       struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    int64_t number, min = answer->field->min, max = field_max(answer->field);
    if (text == NULL)
        return false;
    if (!parse_i64(slice_of_text(text), min, max, &number))
        return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.count"),
                      text_number("min", min), text_number("max", max));
    return keep_number(answer, number, arena);
}

static bool read_year(struct answer *answer, struct slice typed,
                      struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    const struct field *field = answer->field;
    int64_t number, min = field->min > 0 ? field->min : 1900;
    if (text == NULL)
        return false;
    struct slice digits = slice_of_text(text);
    struct slice year = SLICE("\xE5\xB9\xB4");
    if (slice_ends_with_nocase(digits, year))
        digits.length -= year.length;
    if (!parse_i64(digits, min, field_max(field), &number))
        return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.year"));
    return keep_number(answer, number, arena);
}

/* "2018-1-5", "2018/01/05", "2018.1.5", "20180105" and with the characters for
 * year, month and day: as ISO text with two digits each. */
static bool iso_of_typed(const char *text, char iso[static DAY_TEXT_LEN])
{
    unsigned numbers[3] = {0}, digits[3] = {0}, part = 0;
    for (const char *c = text; *c != '\0'; c++) {
        bool is_digit = slice_is_digit(*c);
        if (is_digit && part < 3 && digits[part] < 8) {
            numbers[part] = numbers[part] * 10 + (unsigned)(*c - '0');
            digits[part]++;
        } else if (!is_digit && part < 3 && digits[part] > 0) {
            part++;
        } else if (is_digit) {
            return false;
        }
    }
    if (digits[0] == 8 && digits[1] == 0) {
        numbers[2] = numbers[0] % 100;
        numbers[1] = numbers[0] / 100 % 100;
        numbers[0] /= 10000;
    } else if (digits[0] != 4 || digits[1] < 1 || digits[1] > 2 ||
               digits[2] < 1 || digits[2] > 2) {
        return false;
    }
    return snprintf(iso, DAY_TEXT_LEN, "%04u-%02u-%02u", numbers[0] % 10000,
                    numbers[1] % 100, numbers[2] % 100) < DAY_TEXT_LEN;
}

static bool read_day(struct answer *answer, struct slice typed,
                     struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    char iso[DAY_TEXT_LEN];
    struct civil_day day;
    if (text == NULL)
        return false;
    if (!iso_of_typed(text, iso) || !day_from_text(slice_of_text(iso), &day))
        return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.day"));
    answer->number = day.number;
    return is_kept(answer, arena_copy_text(arena, slice_of_text(iso)));
}

static size_t digit_count(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += slice_is_digit(*text);
    return count;
}

static bool read_phone(struct answer *answer, struct slice typed,
                       struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    if (text == NULL)
        return false;
    size_t digits = digit_count(text);
    if (!has_only(text, DIGITS "+-()") || digits < 5 || digits > 20)
        return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.phone"));
    return is_kept(answer, text);
}

static bool read_mobile(struct answer *answer, struct slice typed,
                        struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    if (text == NULL)
        return false;
    if (strncmp(text, "+86", 3) == 0)
        text += 3;
    char *digits = arena_take(arena, strlen(text) + 1);
    if (digits == NULL)
        return false;
    size_t length = 0;
    for (const char *c = text; *c != '\0'; c++)
        if (*c != '-')
            digits[length++] = *c;
    if (length != 11 || !has_only(digits, DIGITS) || digits[0] != '1' ||
        digits[1] < '3')
        return REFUSE(answer, "E_FIELD_VALUE",
                      TEXT_KEY("field.refusal.mobile"));
    return is_kept(answer, digits);
}

static bool is_host(struct slice name)
{
    struct slice label;
    if (name.length > 2 && memcmp(name.data, "*.", 2) == 0)
        name = slice_of_bytes(name.data + 2, name.length - 2);
    if (name.length > HOST_MAX || name.length == 0 ||
        memchr(name.data, '.', name.length) == NULL)
        return false;
    while (slice_next(&name, '.', &label)) {
        if (label.length < 1 || label.length > 63 || label.data[0] == '-')
            return false;
        for (size_t i = 0; i < label.length; i++)
            if (strchr(LETTERS DIGITS "-_", label.data[i]) == NULL)
                return false;
    }
    return true;
}

/* What SMTP takes without quotes: nothing in it can be a header or a second
 * address. */
static bool read_mail(struct answer *answer, struct slice typed,
                      struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    if (text == NULL)
        return false;
    struct slice host = slice_of_text(text), name;
    slice_next(&host, '@', &name);
    bool is_good = strlen(text) <= MAIL_MAX && name.length > 0 &&
                   name.length <= 64 && host.length > 0 && is_host(host) &&
                   host.data[0] != '*';
    for (size_t i = 0; is_good && i < name.length; i++)
        is_good =
            strchr(LETTERS DIGITS ".!#$%&'*+/=?^_{|}~-", name.data[i]) != NULL;
    if (!is_good)
        return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.mail"));
    return is_kept(answer, text);
}

static bool read_digits(struct answer *answer, struct slice typed,
                        struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    if (text == NULL)
        return false;
    size_t length = strlen(text);
    size_t min = (size_t)answer->field->min,
           max = (size_t)field_max(answer->field);
    if (!has_only(text, DIGITS) || length < min || length > max)
        return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.digits"),
                      text_count("min", min > 0 ? min : 1),
                      text_count("max", max));
    return is_kept(answer, text);
}

static bool read_net(struct answer *answer, struct slice typed,
                     struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    struct prefix prefix;
    if (text == NULL)
        return false;
    if (!prefix_from_text(slice_of_text(text), &prefix))
        return REFUSE(answer, "E_VER_PREFIX", TEXT_KEY("field.refusal.net"));
    char address[ADDRESS_TEXT_LEN];
    address_to_text(&prefix.address, address);
    bool is_one = prefix.length == (prefix.address.version == 4 ? 32 : 128);
    return is_kept(
        answer, is_one ? arena_format(arena, "%s", address)
                       : arena_format(arena, "%s/%u", address, prefix.length));
}

static bool read_host(struct answer *answer, struct slice typed,
                      struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    char *host =
        text != NULL ? arena_copy_text(arena, slice_of_text(text)) : NULL;
    if (host == NULL)
        return false;
    if (!is_host(slice_of_text(host)))
        return REFUSE(answer, "E_VER_HOST", TEXT_KEY("field.refusal.host"));
    for (char *c = host; *c != '\0'; c++)
        *c = slice_lower(*c);
    return is_kept(answer, host);
}

static bool is_port_range(struct slice part)
{
    struct slice first;
    uint64_t low = 0, high = 0;
    return slice_next(&part, '-', &first) && parse_u64(first, 1, 65535, &low) &&
           (part.data == NULL ||
            (parse_u64(part, 1, 65535, &high) && low <= high));
}

static bool read_ports(struct answer *answer, struct slice typed,
                       struct arena *arena)
{
    const char *text = typed_code(typed, arena);
    if (text == NULL)
        return false;
    struct slice rest = slice_of_text(text), part;
    bool is_good = rest.length <= PORTS_MAX;
    while (is_good && slice_next(&rest, ',', &part))
        is_good = is_port_range(part);
    if (!is_good)
        return REFUSE(answer, "E_FIELD_VALUE", TEXT_KEY("field.refusal.ports"));
    return is_kept(answer, text);
}

/* ---- the table ---- */

enum { COUNT_MAX = 1000000000, ROWS_MAX = 20 };

static const struct field_kind_row KINDS[FIELD_KIND_COUNT] = {
    [FIELD_TEXT] = {.read = read_text, .max = 200},
    [FIELD_LONG_TEXT] = {.read = read_long_text,
                         .input = INPUT_AREA,
                         .max = 2000},
    [FIELD_CREDIT_CODE] = {.read = read_credit_code,
                           .width = 22,
                           .max = 18,
                           .pattern = "^[0-9A-HJ-NP-RTUWXY]{18}$"},
    [FIELD_CHOICE] = {.read = read_choice, .input = INPUT_SELECT},
    [FIELD_YES] = {.read = read_yes,
                   .json = FIELD_JSON_BOOL,
                   .input = INPUT_CHECK},
    [FIELD_YES_NO] = {.read = read_yes_no,
                      .json = FIELD_JSON_BOOL,
                      .input = INPUT_RADIO},
    [FIELD_MONEY] = {.read = read_money,
                     .json = FIELD_JSON_INTEGER,
                     .input_mode = "decimal",
                     .width = 22},
    [FIELD_COUNT] = {.read = read_count,
                     .json = FIELD_JSON_INTEGER,
                     .input_mode = "numeric",
                     .width = 12,
                     .max = COUNT_MAX},
    [FIELD_YEAR] = {.read = read_year,
                    .json = FIELD_JSON_INTEGER,
                    .input_mode = "numeric",
                    .width = 8,
                    .max = 9999},
    [FIELD_DAY] = {.read = read_day, .width = 14, .format = "date"},
    [FIELD_PHONE] = {.read = read_phone,
                     .input_mode = "tel",
                     .autocomplete = "tel",
                     .width = 22},
    [FIELD_MOBILE] = {.read = read_mobile,
                      .input_mode = "tel",
                      .autocomplete = "tel",
                      .width = 16,
                      .pattern = "^1[3-9][0-9]{9}$"},
    [FIELD_MAIL] = {.read = read_mail,
                    .input_mode = "email",
                    .autocomplete = "email",
                    .format = "email"},
    [FIELD_DIGITS] = {.read = read_digits,
                      .input_mode = "numeric",
                      .width = 30,
                      .max = 40,
                      .pattern = "^[0-9]+$"},
    [FIELD_NET] = {.read = read_net, .width = 30},
    [FIELD_HOST] = {.read = read_host},
    [FIELD_PORTS] = {.read = read_ports},
    [FIELD_FILE] = {.json = FIELD_JSON_FILES, .input = INPUT_FILE, .max = 1},
    [FIELD_ROWS] = {.json = FIELD_JSON_ROWS,
                    .input = INPUT_ROWS,
                    .max = ROWS_MAX},
};

const struct field_kind_row *field_kind(const struct field *field)
{
    return &KINDS[field->kind];
}

int64_t field_max(const struct field *field)
{
    return field->max > 0 ? field->max : KINDS[field->kind].max;
}
