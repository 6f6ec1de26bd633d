/*
 * The table of parameters: one row gives key, bounds, default, meaning and the
 * printed form. Choices are rows with words, dates are day numbers; everything
 * else is a number.
 */
#include "rules/parameter.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"

struct parameter_row {
    const char *key;
    size_t offset; /* of a uint64_t in struct parameters */
    uint64_t initial, min, max;
    const char *words; /* "flag|stop": the value is the word's place */
    const char *note;
    bool is_day; /* a date, kept as its number */
};

#define AT(member) offsetof(struct parameters, member)
#define BOOL_WORDS "false|true"

static const struct parameter_row ROWS[] = {
    {"policy.contract_cutoff_date", AT(contract_cutoff_day), 17610, 0, 2932896,
     NULL, "ELIG-07: contracts are signed after this day.", .is_day = true},
    {"policy.contract_cutoff_inclusive", AT(contract_cutoff_inclusive), 0, 0, 1,
     BOOL_WORDS, "ELIG-07 (AMB-ELIG-05): or on it."},
    {"award.item_cap_scope", AT(item_cap_scope), 0, 0, 1, "voucher_line|cycle",
     "AWARD-04: what an item's cap is compared with."},
    {"dead.registration_review_workdays", AT(registration_review_workdays), 5,
     1, 5, NULL, "DEAD-05: working days for the review of a registration."},
    {"dead.voucher_review_workdays", AT(voucher_review_workdays), 10, 1, 10,
     NULL, "DEAD-06: working days for the review of a voucher application."},
    {"order.correction_window_workdays", AT(correction_window_workdays), 10, 0,
     250, NULL, "DEAD-09: working days for a correction after a return."},
    {"dead.deadline_notice_min_days", AT(deadline_notice_min_days), 30, 30, 366,
     NULL, "DEAD-01: days between publishing a deadline and the deadline."},
    {"notice.min_days", AT(notice_min_days), 7, 7, 366, NULL,
     "PUB-03: days of a public notice."},
    {"priv.flow_detail_days", AT(flow_detail_days), 90, 1, 3650, NULL,
     "PRIV-05 (ours): days for which connection detail is searchable."},
    {"priv.flow_retention_days", AT(flow_retention_days), 180, 1, 3650, NULL,
     "PRIV-05 (ours): days after closing a cycle until its archive goes."},

    {"ver.window_days", AT(window_days), 30, 1, 366, NULL,
     "VER-08 (ours, to be confirmed by the province): days of the window in "
     "which use is looked for."},
    {"ver.min_active_days", AT(min_active_days), 10, 1, 366, NULL,
     "VER-08 (ours, to be confirmed by the province): active days in the best "
     "window."},
    {"ver.window_days.A", AT(class_window_days[CLASS_A]), 0, 0, 366, NULL,
     "The same for interactive services; 0: the general number."},
    {"ver.window_days.B", AT(class_window_days[CLASS_B]), 0, 0, 366, NULL,
     "The same for devices; 0: the general number."},
    {"ver.window_days.C", AT(class_window_days[CLASS_C]), 0, 0, 366, NULL,
     "The same for batch and storage; 0: the general number."},
    {"ver.min_active_days.A", AT(class_min_active_days[CLASS_A]), 0, 0, 366,
     NULL, "Active days of interactive services; 0: the general number."},
    {"ver.min_active_days.B", AT(class_min_active_days[CLASS_B]), 0, 0, 366,
     NULL, "Active days of devices; 0: the general number."},
    {"ver.min_active_days.C", AT(class_min_active_days[CLASS_C]), 0, 0, 366,
     NULL, "Active days of batch and storage; 0: the general number."},
    {"ver.require_each_line", AT(require_each_line), 1, 0, 1, BOOL_WORDS,
     "VER-09: every line must be in use, not just one."},
    {"ver.undetermined_policy", AT(undetermined_policy), 0, 0, 1,
     "manual|not_complete", "VER-09: what lack of data comes to."},
    {"ver.device_count_mismatch", AT(device_count_mismatch), 1, 0, 2,
     "ignore|flag|stop",
     "VER-16: fewer devices seen than sets in the contract. With stop, fewer "
     "than ver.device_min_permille is insufficient."},
    {"ver.device_min_permille", AT(device_min_permille), 800, 0, 1000, NULL,
     "I2 (ours): share of the contract's sets that must be seen under stop."},
    {"ver.covered_days_permille", AT(covered_days_permille), 800, 0, 1000, NULL,
     "VER-15 (ours): share of the window's days that must be covered before "
     "lack of use may be concluded."},
    {"ver.covered_minutes_permille", AT(covered_minutes_permille), 900, 1, 1000,
     NULL,
     "I3 (ours): share of a day's minutes under counted batches that makes "
     "the day covered."},
    {"ver.min_tier", AT(min_tier), 0, 0, 3, NULL,
     "Evidence tier that a verdict needs (ours): 0 enterprise probe, 1 "
     "supplier's counts, 2 supplier's probe, 3 carrier. The probe stands with "
     "the applicant; the province may raise this once other sources report."},
    {"ver.min_flows", AT(min_flows), 0, 0, 1000000000, NULL,
     "I1 (ours): connections in the window. VER-08 asks for days only, so 0."},

    {"ver.auto_group_min_flows", AT(auto_group_min_flows), 20, 4, 1000000, NULL,
     "Decomposition (ours): connections a day of one host and upload size that "
     "are looked at as one timer."},
    {"ver.auto_group_score_permille", AT(auto_group_score_permille), 800, 1,
     1000, NULL,
     "Decomposition (ours): regularity from which such a group is automatic "
     "and taken out of the residual."},
    {"ver.judge_min_flows", AT(judge_min_flows), 200, 1, 1000000000, NULL,
     "S1 to S6 (ours): connections in the window below which behaviour is not "
     "judged at all."},
    {"ver.judge_min_days", AT(judge_min_days), 5, 1, 366, NULL,
     "S1, S2 (ours): days with a measurement before its median is judged."},
    {"ver.s1_automated_permille", AT(s1_automated_permille), 950, 1, 1000, NULL,
     "S1 (ours): share of automatic connections that is all there is."},
    {"ver.s1_residual_max", AT(s1_residual_max), 200, 0, 1000000000, NULL,
     "S1 (ours): and fewer remaining connections than this."},
    {"ver.s1_score_permille", AT(s1_score_permille), 650, 1, 1000, NULL,
     "S1 (ours): median regularity of a host's day in the residual."},
    {"ver.s2_fano_max_permille", AT(s2_fano_max_permille), 1500, 1, 1000000,
     NULL,
     "S2 (ours): variance over mean of ten-minute counts at or below which "
     "arrivals are those of a random generator (which has 1000)."},
    {"ver.s2_min_day_flows", AT(s2_min_day_flows), 100, 10, 1000000000, NULL,
     "S2 (ours): residual connections of a day that is measured."},
    {"ver.s3_same_permille", AT(s3_same_permille), 500, 1, 1000, NULL,
     "S3 (ours): share of (minute, sizes) that makes two days the same."},
    {"ver.s3_min_day_flows", AT(s3_min_day_flows), 50, 1, 1000000000, NULL,
     "S3, S11 (ours): residual connections of a day that is compared."},
    {"ver.s3_min_sizes", AT(s3_min_sizes), 25, 1, 1000000000, NULL,
     "S3, S11 (ours): different sizes of a day that is compared."},
    {"ver.s3_min_days", AT(s3_min_days), 2, 2, 366, NULL,
     "S3 (ours): days that are the same as another."},
    {"ver.s4_distinct_permille", AT(s4_distinct_permille), 100, 0, 1000, NULL,
     "S4 (ours): share of different sizes below which a device sends the same "
     "thing over and over."},
    {"ver.s5_day_permille", AT(s5_day_permille), 400, 1, 1000, NULL,
     "S5 (ours): share of all connections on a single day."},
    {"ver.s6_variation_permille", AT(s6_variation_permille), 80, 0, 1000000,
     NULL,
     "S6 (ours): deviation over mean of daily counts below which days are "
     "made by a machine."},
    {"ver.s6_dispersion_permille", AT(s6_dispersion_permille), 2000, 0, 1000000,
     NULL,
     "S6 (ours): and variance over mean of daily counts below this, where "
     "independent events have 1000."},
    {"ver.s6_min_days", AT(s6_min_days), 15, 3, 366, NULL,
     "S6 (ours): active days before that is judged."},
    {"ver.s8_client_permille", AT(s8_client_permille), 800, 1, 1000, NULL,
     "S8 (ours): share of connections by one program that is no browser."},
    {"ver.s9_min_repeats", AT(s9_min_repeats), 3, 1, 1000000000, NULL,
     "S9 (ours): repeated connection tokens; one or two may be a fault."},
    {"ver.s11_min_days", AT(s11_min_days), 2, 1, 366, NULL,
     "S11, VER-14 (ours): days that look exactly like another enterprise's."},
};
enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

const char *service_class_text(enum service_class class)
{
    static const char *const NAMES[CLASS_COUNT] = {"A", "B", "C"};
    return NAMES[class];
}

bool service_class_from(struct slice text, enum service_class *class)
{
    for (int i = 0; i < CLASS_COUNT; i++) {
        if (slice_equal_text(text, service_class_text(i))) {
            *class = i;
            return true;
        }
    }
    return false;
}

static uint64_t *value_of(struct parameters *p, const struct parameter_row *row)
{
    return (uint64_t *)(void *)((char *)p + row->offset);
}

static uint64_t value_in(const struct parameters *p,
                         const struct parameter_row *row)
{
    return *(const uint64_t *)(const void *)((const char *)p + row->offset);
}

void parameters_set_defaults(struct parameters *parameters)
{
    *parameters = (struct parameters){0};
    for (size_t i = 0; i < ROW_COUNT; i++)
        *value_of(parameters, &ROWS[i]) = ROWS[i].initial;
}

static bool read_day(struct slice text, uint64_t *value)
{
    struct civil_day day;
    if (!day_from_text(text, &day))
        return false;
    *value = (uint64_t)day.number;
    return true;
}

static bool read_value(const struct parameter_row *row, struct slice text,
                       uint64_t *value)
{
    if (row->is_day)
        return read_day(text, value);
    if (row->words == NULL)
        return parse_u64(text, row->min, row->max, value);
    struct slice rest = slice_of_text(row->words), word;
    for (uint64_t i = 0; slice_next(&rest, '|', &word); i++) {
        if (slice_equal(word, text)) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool refuse_value(const struct parameter_row *row, unsigned line,
                         struct error_text *error)
{
    if (row->words != NULL)
        return error_set(error, "line %u: %s is one of %s", line, row->key,
                         row->words);
    if (row->is_day)
        return error_set(error, "line %u: %s is a date such as 2018-03-20",
                         line, row->key);
    return error_set(error, "line %u: %s is %" PRIu64 " to %" PRIu64, line,
                     row->key, row->min, row->max);
}

static bool read_line(struct slice line, unsigned number, bool *seen,
                      struct parameters *p, struct error_text *error)
{
    struct slice key, value = line;
    slice_next(&value, '=', &key);
    if (value.data == NULL)
        return error_set(error, "line %u: key = value expected", number);
    key = slice_trim(key);
    value = slice_trim(value);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (!slice_equal_text(key, ROWS[i].key))
            continue;
        if (seen[i])
            return error_set(error, "line %u: %s stands there twice", number,
                             ROWS[i].key);
        seen[i] = true;
        if (!read_value(&ROWS[i], value, value_of(p, &ROWS[i])))
            return refuse_value(&ROWS[i], number, error);
        return true;
    }
    return error_set(error, "line %u: unknown key %.*s", number,
                     (int)(key.length < 80 ? key.length : 80), key.data);
}

bool parameters_parse(struct slice text, struct parameters *parameters,
                      struct error_text *error)
{
    bool seen[ROW_COUNT] = {false};
    struct slice line;
    parameters_set_defaults(parameters);
    for (unsigned number = 1; slice_next(&text, '\n', &line); number++) {
        line = slice_trim(line);
        if (line.length == 0 || line.data[0] == '#')
            continue;
        if (!read_line(line, number, seen, parameters, error))
            return false;
    }
    for (int c = 0; c < CLASS_COUNT; c++) {
        if (parameters_min_active_days(parameters, c) >
            parameters_window_days(parameters, c))
            return error_set(error,
                             "ver.min_active_days is more than "
                             "ver.window_days (class %s)",
                             service_class_text(c));
    }
    return true;
}

/* The note as comment lines of at most 78 columns. */
static void print_note(const char *note, struct buffer *out)
{
    struct slice rest = slice_of_text(note), word;
    size_t column = 0;
    while (slice_next(&rest, ' ', &word)) {
        if (column == 0 || column + 1 + word.length > 78) {
            buffer_add_text(out, column == 0 ? "#" : "\n#");
            column = 1;
        }
        buffer_add_text(out, " ");
        buffer_add_slice(out, word);
        column += 1 + word.length;
    }
    buffer_add_text(out, "\n");
}

void parameters_print(const struct parameters *parameters, struct buffer *out)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct parameter_row *row = &ROWS[i];
        uint64_t value = value_in(parameters, row);
        print_note(row->note, out);
        if (row->is_day) {
            char day[DAY_TEXT_LEN];
            day_to_text((struct civil_day){(int32_t)value}, day);
            buffer_addf(out, "%s = %s\n\n", row->key, day);
            continue;
        }
        if (row->words == NULL) {
            buffer_addf(out, "%s = %" PRIu64 "\n\n", row->key, value);
            continue;
        }
        struct slice rest = slice_of_text(row->words), word = {0};
        for (uint64_t n = 0; n <= value; n++)
            slice_next(&rest, '|', &word);
        buffer_addf(out, "%s = %.*s\n\n", row->key, (int)word.length,
                    word.data);
    }
}

int64_t parameters_first_contract_day(const struct parameters *p)
{
    return (int64_t)(p->contract_cutoff_day + !p->contract_cutoff_inclusive);
}

uint64_t parameters_window_days(const struct parameters *p,
                                enum service_class class)
{
    uint64_t own = p->class_window_days[class];
    return own != 0 ? own : p->window_days;
}

uint64_t parameters_min_active_days(const struct parameters *p,
                                    enum service_class class)
{
    uint64_t own = p->class_min_active_days[class];
    return own != 0 ? own : p->min_active_days;
}
