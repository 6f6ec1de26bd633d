/*
 * Asking, weighing, concluding. The order of the rules is the order of showing
 * them; the worst outcome decides the line, the earliest among equals explains
 * it.
 */
#include "rules/judge.h"

#include <assert.h>
#include <string.h>

enum { TEXT_LIMIT = 4096 };

const char *verdict_word_text(enum verdict_word word)
{
    static const char *const NAMES[] = {"genuine", "insufficient",
                                        "suspicious"};
    return NAMES[word];
}

/* --- the line --- */

static void ask_rule(const struct line_case *c, const struct rule *rule,
                     struct finding *finding)
{
    static const char *const NOT_FOR[CLASS_COUNT] = {"not_for_A", "not_for_B",
                                                     "not_for_C"};
    *finding = (struct finding){.rule = rule->id};
    if ((rule->classes & 1U << c->line->class) != 0)
        rule->ask(c, finding);
    else
        finding_end(finding, RULE_NOT_APPLICABLE, NOT_FOR[c->line->class]);
}

static void ask_all(const struct line_case *c, const struct rule *const *rules,
                    struct line_verdict *v)
{
    for (; rules[v->finding_count] != NULL; v->finding_count++) {
        assert(v->finding_count < JUDGE_RULES_MAX);
        ask_rule(c, rules[v->finding_count], &v->findings[v->finding_count]);
    }
}

static bool has_open_coverage(const struct line_verdict *v,
                              const struct rule *const *rules)
{
    for (size_t i = 0; i < v->finding_count; i++) {
        if (rules[i]->role == RULE_COVERAGE &&
            v->findings[i].outcome == RULE_OPEN)
            return true;
    }
    return false;
}

/* Lack of use cannot be concluded from days that nobody watched. */
static void weigh_coverage(struct line_verdict *v,
                           const struct rule *const *rules)
{
    if (!has_open_coverage(v, rules))
        return;
    for (size_t i = 0; i < v->finding_count; i++) {
        if (v->findings[i].outcome == RULE_INSUFFICIENT)
            v->findings[i].outcome = RULE_OPEN;
    }
}

/* Statistics that an honest factory can meet by chance (many visitors of one
 * page each, one storm of reconnections) hold a line only together with another
 * sign; alone they are shown as a flag. */
static void weigh_signs(struct line_verdict *v, const struct rule *const *rules)
{
    size_t signs = 0;
    for (size_t i = 0; i < v->finding_count; i++)
        signs += v->findings[i].outcome == RULE_SUSPICIOUS;
    for (size_t i = 0; signs == 1 && i < v->finding_count; i++) {
        if (v->findings[i].outcome == RULE_SUSPICIOUS &&
            rules[i]->role == RULE_WEAK_SIGN)
            v->findings[i].outcome = RULE_FLAG;
    }
}

static bool is_sustained(const struct line_verdict *v,
                         const struct rule *const *rules)
{
    for (size_t i = 0; i < v->finding_count; i++) {
        if (rules[i]->role == RULE_SUSTAINED &&
            v->findings[i].outcome != RULE_PASS)
            return false;
    }
    return true;
}

static enum rule_outcome find_decisive(struct line_verdict *v)
{
    enum rule_outcome worst = RULE_PASS;
    v->decisive = v->finding_count;
    for (size_t i = 0; i < v->finding_count; i++) {
        enum rule_outcome outcome = v->findings[i].outcome;
        if (outcome > worst && outcome != RULE_FLAG) {
            worst = outcome;
            v->decisive = i;
        }
    }
    return worst;
}

/* What the worst outcome makes of a line. */
static const struct conclusion {
    enum verdict_word word;
    enum verdict_mark mark;
} CONCLUSIONS[] = {
    [RULE_PASS] = {VERDICT_GENUINE, MARK_COMPLETE},
    [RULE_OPEN] = {VERDICT_INSUFFICIENT, MARK_UNDETERMINED},
    [RULE_INSUFFICIENT] = {VERDICT_INSUFFICIENT, MARK_NOT_COMPLETE},
    [RULE_SUSPICIOUS] = {VERDICT_SUSPICIOUS, MARK_UNDETERMINED},
};

static void conclude(struct line_verdict *v, const struct judge_rules *rules)
{
    enum rule_outcome worst = find_decisive(v);
    v->word = CONCLUSIONS[worst].word;
    v->mark = CONCLUSIONS[worst].mark;
    if (worst == RULE_OPEN &&
        rules->parameters->undetermined_policy == UNDETERMINED_NOT_COMPLETE)
        v->mark = MARK_NOT_COMPLETE;
    v->is_flagged = worst == RULE_SUSPICIOUS;
    v->is_genuine = v->flows > 0 && !v->is_flagged;
    v->is_effective = is_sustained(v, rules->rules);
}

void judge_line(const struct judge_line *line, const struct judge_rules *rules,
                struct line_verdict *verdict)
{
    struct line_case c = {
        .line = line,
        .p = rules->parameters,
        .calendar = rules->calendar,
        .clients = rules->clients,
    };
    line_case_gather(&c);
    *verdict = (struct line_verdict){
        .is_sample = c.is_sample,
        .tier = c.tier,
        .window = c.window,
        .devices_seen = c.devices,
        .flows = c.flows,
        .octets = c.octets,
    };
    ask_all(&c, rules->rules, verdict);
    weigh_coverage(verdict, rules->rules);
    weigh_signs(verdict, rules->rules);
    conclude(verdict, rules);
}

/* --- the voucher --- */

/* How much a line weighs: a stop, a lack of use, an open question, nothing. */
static int weight(const struct line_verdict *line)
{
    if (line->is_flagged)
        return 3;
    if (line->word == VERDICT_GENUINE)
        return 0;
    return line->mark == MARK_NOT_COMPLETE ? 2 : 1;
}

/* The line that decides. When one line in use is enough, a stop still stops;
 * else the lightest line speaks for the voucher. */
static size_t deciding_line(const struct line_verdict *lines, size_t count,
                            bool each)
{
    size_t heaviest = 0, lightest = 0;
    for (size_t i = 1; i < count; i++) {
        heaviest = weight(&lines[i]) > weight(&lines[heaviest]) ? i : heaviest;
        lightest = weight(&lines[i]) < weight(&lines[lightest]) ? i : lightest;
    }
    return each || lines[heaviest].is_flagged ? heaviest : lightest;
}

/* Takes back a character that was cut in its middle. */
static void end_whole(char *text)
{
    size_t length = strlen(text), start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xC0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (length - (start - 1) < want)
        text[start - 1] = '\0';
}

/* Takes over what the buffer has, as far as there is room. */
static void take_text(struct buffer *from, char text[static JUDGE_SENTENCE_LEN])
{
    size_t length = from->failed ? 0 : from->length;
    length = length < JUDGE_SENTENCE_LEN ? length : JUDGE_SENTENCE_LEN - 1;
    if (length > 0)
        memcpy(text, from->data, length);
    text[length] = '\0';
    end_whole(text);
    buffer_clear(from);
}

static void say_genuine(const struct line_verdict *line, enum language language,
                        struct buffer *out)
{
    text_fill(out, language, "verdict.reason.genuine",
              text_number("days", line->window.active_days));
}

static void say_decisive(const struct finding *finding, int line_no,
                         enum language language, struct buffer *out)
{
    struct buffer sentence;
    buffer_init(&sentence, TEXT_LIMIT);
    finding_text(finding, FINDING_SENTENCE, language, &sentence);
    text_fill(out, language, "verdict.reason.line",
              text_number("line", line_no), text_plain("rule", finding->rule),
              text_slice("sentence", buffer_slice(&sentence)));
    buffer_clear(&sentence);
}

static void explain(const struct line_verdict *line, int line_no,
                    struct voucher_verdict *v)
{
    bool is_decided = line->decisive < line->finding_count;
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        struct buffer reason, remedy;
        const struct finding *finding = &line->findings[line->decisive];
        buffer_init(&reason, TEXT_LIMIT);
        buffer_init(&remedy, TEXT_LIMIT);
        if (!is_decided) {
            say_genuine(line, (enum language)i, &reason);
        } else {
            say_decisive(finding, line_no, (enum language)i, &reason);
            finding_text(finding, FINDING_REMEDY, (enum language)i, &remedy);
        }
        take_text(&reason, v->reason[i]);
        take_text(&remedy, v->remedy[i]);
    }
}

void judge_voucher(const struct line_verdict *lines, const int *line_nos,
                   size_t count, const struct parameters *parameters,
                   struct voucher_verdict *v)
{
    bool each = parameters->require_each_line != 0;
    size_t decides = deciding_line(lines, count, each);
    *v = (struct voucher_verdict){
        .word = lines[decides].word,
        .mark = lines[decides].mark,
        .is_genuine = each,
        .is_effective = each,
    };
    for (size_t i = 0; i < count; i++) {
        const struct line_verdict *line = &lines[i];
        v->is_genuine = each ? v->is_genuine && line->is_genuine
                             : v->is_genuine || line->is_genuine;
        v->is_effective = each ? v->is_effective && line->is_effective
                               : v->is_effective || line->is_effective;
        v->is_flagged |= line->is_flagged;
        v->is_sample |= line->is_sample;
        v->tier = line->tier > v->tier ? line->tier : v->tier;
    }
    v->is_genuine &= !v->is_flagged;
    explain(&lines[decides], line_nos[decides], v);
}
