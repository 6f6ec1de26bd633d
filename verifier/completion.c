/*
 * Completion tables.
 *
 * A new run makes a new version, and the version says what changed since the
 * last one and why: marks, vouchers that came or went, the rules, the evidence.
 */
#include "verifier/completion.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/writer.h"
#include "rules/completion_table.h"

enum { TABLE_LIMIT = 256 << 20, NUMBER_LEN = 120 };

/* --- cells --- */

__attribute__((format(printf, 3, 4))) static void
append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list args;
    va_start(args, format);
    int added = vsnprintf(text + length, size - length, format, args);
    va_end(args);
    if (added < 0 || (size_t)added >= size - length)
        text[length] = '\0'; /* whole parts only */
}

static void add_days(char *cell, size_t size, size_t line_count, int line_no,
                     uint64_t days)
{
    if (line_count == 1)
        append(cell, size, "%" PRIu64, days);
    else
        append(cell, size, "%s%d:%" PRIu64, cell[0] != '\0' ? "; " : "",
               line_no, days);
}

/* The value in words, as it stands in the table: in English. */
static void add_flag(struct completion_row *row, int line_no,
                     const struct finding *finding)
{
    struct buffer value;
    buffer_init(&value, COMPLETION_CELL_LEN);
    finding_text(finding, FINDING_VALUE, LANGUAGE_EN, &value);
    buffer_add_u8(&value, '\0');
    append(row->flags, sizeof(row->flags), "%s%s(%d): %s",
           row->flags[0] != '\0' ? "; " : "", finding->rule, line_no,
           value.failed ? "" : (const char *)value.data);
    buffer_clear(&value);
}

static void add_flags(struct completion_row *row, int line_no,
                      const struct line_verdict *line)
{
    for (size_t i = 0; i < line->finding_count; i++) {
        const struct finding *finding = &line->findings[i];
        if (finding->outcome == RULE_FLAG ||
            finding->outcome == RULE_SUSPICIOUS)
            add_flag(row, line_no, finding);
    }
}

void completion_row_fill(const struct register_view *registry,
                         const struct register_voucher *voucher,
                         const struct voucher_verdict *verdict,
                         const struct line_verdict *lines,
                         struct completion_row *row)
{
    *row = (struct completion_row){
        .voucher = voucher,
        .mark = verdict->mark,
        .is_genuine = verdict->is_genuine,
        .is_effective = verdict->is_effective,
        .is_sample = verdict->is_sample || voucher->is_sample,
    };
    for (size_t i = 0; i < voucher->line_count; i++) {
        const struct register_line *line = &voucher->lines[i];
        const struct register_service *service =
            &registry->services[line->service];
        append(row->services, sizeof(row->services), "%s%s", i > 0 ? "；" : "",
               service->name_zh);
        add_days(row->active_days, sizeof(row->active_days),
                 voucher->line_count, line->line_no,
                 lines[i].window.active_days);
        add_days(row->covered_days, sizeof(row->covered_days),
                 voucher->line_count, line->line_no,
                 lines[i].window.covered_days);
        if (line->sets > 0)
            append(row->devices, sizeof(row->devices), "%s%" PRIu64 "/%" PRIu64,
                   row->devices[0] ? "; " : "", lines[i].devices_seen,
                   line->sets);
        add_flags(row, line->line_no, &lines[i]);
        row->endpoint_count += service->endpoint_count;
    }
    snprintf(row->reason_zh, sizeof(row->reason_zh), "%s",
             verdict->reason[LANGUAGE_ZH]);
}

/* Kinds and numbers of identifiers; the identifiers themselves stay inside. */
static void print_identifiers(const struct register_voucher *v,
                              char text[static COMPLETION_CELL_LEN])
{
    static const char *const KINDS[IDENTIFIER_COUNT] = {
        "固定IP", "宽带账号", "手机号码", "物联网卡号"};
    text[0] = '\0';
    for (int kind = 0; kind < IDENTIFIER_COUNT; kind++) {
        uint64_t n = 0;
        for (size_t i = 0; i < v->line_count; i++)
            n += v->lines[i].identifiers[kind];
        if (n > 0)
            append(text, COMPLETION_CELL_LEN, "%s%s %" PRIu64,
                   text[0] != '\0' ? "; " : "", KINDS[kind], n);
    }
    if (text[0] == '\0')
        append(text, COMPLETION_CELL_LEN, "探针登记");
}

/* --- the table --- */

static void print_head_line(struct csv_writer *csv, const char *label,
                            const char *value)
{
    csv_text(csv, label);
    csv_text(csv, value);
    csv_row_end(csv);
}

static bool any_sample(const struct completion_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].is_sample)
            return true;
    }
    return false;
}

static void print_time(struct csv_writer *csv, const char *label,
                       struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    wall_to_local_text(time, text);
    print_head_line(csv, label, text);
}

static void print_head(struct csv_writer *csv,
                       const struct completion_head *head, const char *number,
                       int version, const struct completion_row *rows,
                       size_t count)
{
    char text[DIGEST_HEX_LEN];
    const char *code = rows[0].voucher->city_code;
    const struct city *city = city_find(head->cities, slice_of_text(code));
    print_head_line(csv, "企业“上云上平台”完成情况表", "Completion table");
    if (any_sample(rows, count))
        print_head_line(csv, "演示数据 DEMO DATA",
                        "含演示数据，不得用于结算 Not for any settlement");
    print_head_line(csv, "表号 Number", number);
    snprintf(text, sizeof(text), "%d", version);
    print_head_line(csv, "版本 Version", text);
    print_head_line(csv, "地市 City", city != NULL ? city->name_zh : code);
    print_head_line(csv, "周期 Cycle", head->run->cycle_id);
    print_time(csv, "截止时间 Cut-off (Asia/Shanghai)", head->run->cut_off);
    print_head_line(csv, "规则版本 Rules", head->run->rules_version);
    print_time(csv, "生成日期 Made at (Asia/Shanghai)", head->run->at);
    digest_to_hex(head->run->fingerprint, text);
    print_head_line(csv, "校验值 Fingerprint of the run", text);
}

/* Texts that are made for a row of the file. */
struct row_texts {
    char sequence[24], endpoints[24], amount[MONEY_TEXT_LEN];
    char settlement[WALL_TEXT_LEN], user_side[COMPLETION_CELL_LEN];
};

static void make_texts(size_t sequence, const struct completion_row *row,
                       struct row_texts *texts)
{
    snprintf(texts->sequence, sizeof(texts->sequence), "%zu", sequence);
    snprintf(texts->endpoints, sizeof(texts->endpoints), "%" PRIu64,
             row->endpoint_count);
    money_to_yuan_text(row->voucher->amount, texts->amount);
    wall_to_local_text(row->voucher->submitted_at, texts->settlement);
    print_identifiers(row->voucher, texts->user_side);
}

static void print_row(struct csv_writer *csv, size_t sequence,
                      const struct completion_row *row)
{
    struct row_texts texts;
    const struct register_voucher *v = row->voucher;
    make_texts(sequence, row, &texts);
    const char *const cells[] = {
        [COMPLETION_SEQUENCE] = texts.sequence,
        [COMPLETION_ENTERPRISE] = v->enterprise_zh,
        [COMPLETION_CREDIT_CODE] = v->credit_code,
        [COMPLETION_COUNTY] = v->county,
        [COMPLETION_VOUCHER] = v->number,
        [COMPLETION_AMOUNT] = texts.amount,
        [COMPLETION_SUPPLIER] = v->supplier_zh,
        [COMPLETION_SERVICES] = row->services,
        [COMPLETION_PILOT] = completion_yes_no(v->is_pilot),
        [COMPLETION_SETTLEMENT] = texts.settlement,
        [COMPLETION_USER_SIDE] = texts.user_side,
        [COMPLETION_ENDPOINTS] = texts.endpoints,
        [COMPLETION_ACTIVE_DAYS] = row->active_days,
        [COMPLETION_COVERED_DAYS] = row->covered_days,
        [COMPLETION_DEVICES] = row->devices,
        [COMPLETION_GENUINE] = completion_yes_no(row->is_genuine),
        [COMPLETION_EFFECTIVE] = completion_yes_no(row->is_effective),
        [COMPLETION_MARK] = verdict_mark_zh(row->mark),
        [COMPLETION_REASON] = row->reason_zh,
        [COMPLETION_FLAGS] = row->flags,
    };
    _Static_assert(sizeof(cells) / sizeof(cells[0]) == COMPLETION_COLUMN_COUNT,
                   "a cell for each column");
    for (size_t i = 0; i < COMPLETION_COLUMN_COUNT; i++)
        csv_text(csv, cells[i]);
    csv_row_end(csv);
}

void completion_print(const struct completion_head *head, const char *number,
                      int version, const struct completion_row *rows,
                      size_t count, struct buffer *out)
{
    struct csv_writer csv;
    buffer_add_text(out, "\xef\xbb\xbf");
    csv_start(&csv, out);
    print_head(&csv, head, number, version, rows, count);
    for (size_t i = 0; i < COMPLETION_COLUMN_COUNT; i++)
        csv_text(&csv, COMPLETION_COLUMNS[i].zh);
    csv_row_end(&csv);
    for (size_t i = 0; i < COMPLETION_COLUMN_COUNT; i++)
        csv_text(&csv, COMPLETION_COLUMNS[i].en);
    csv_row_end(&csv);
    for (size_t i = 0; i < count; i++)
        print_row(&csv, i + 1, &rows[i]);
}

/* --- versions --- */

struct last_version {
    int version; /* 0: none */
    bool same_rules, same_evidence;
};

static bool find_last(struct db *db, const char *number,
                      const struct verdict_run *run, struct last_version *last)
{
    struct db_statement *s = db_prepare(
        db, "SELECT t.version, r.rules_version = :rules, "
            " r.evidence_root = :root FROM completion_table AS t "
            "JOIN run AS r ON r.id = t.run_id WHERE t.number = :number "
            "ORDER BY t.version DESC LIMIT 1");
    *last = (struct last_version){0};
    if (s == NULL)
        return false;
    db_bind_text(s, ":rules", run->rules_version);
    db_bind_blob(s, ":root", run->evidence_root.bytes, DIGEST_LEN);
    db_bind_text(s, ":number", number);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        *last = (struct last_version){(int)db_i64(s, 0), db_i64(s, 1) != 0,
                                      db_i64(s, 2) != 0};
    db_reset(s);
    return step != DB_FAILED;
}

static const char *mark_zh_of(const char *text)
{
    enum verdict_mark mark;
    if (verdict_mark_from(slice_of_text(text), &mark))
        return verdict_mark_zh(mark);
    return text;
}

static int compare_rows(const void *a, const void *b)
{
    const struct completion_row *x = a, *y = b;
    int order = strcmp(x->voucher->city_code, y->voucher->city_code);
    return order != 0 ? order : strcmp(x->voucher->number, y->voucher->number);
}

/* Rows of one city, sorted by number: NULL when the voucher is not there. */
static const struct completion_row *find_row(const struct completion_row *rows,
                                             size_t count, const char *number)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rows[middle].voucher->number, number);
        if (order == 0)
            return &rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct change_note {
    struct buffer text;
    size_t changes, known;
};

static void note_change(struct change_note *note, const char *number,
                        const char *before, const char *after)
{
    enum { NAMED_MAX = 50 };
    if (++note->changes > NAMED_MAX)
        return;
    buffer_addf(&note->text, "%s%s：%s→%s", note->changes > 1 ? "；" : "",
                number, before, after);
}

static bool note_differences(struct db *db, const char *number, int version,
                             const struct completion_row *rows, size_t count,
                             struct change_note *note)
{
    enum db_step step;
    struct db_statement *s = db_prepare(
        db, "SELECT voucher_number, mark FROM completion_row "
            "WHERE number = :number AND version = :version ORDER BY seq");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", number);
    db_bind_i64(s, ":version", version);
    while ((step = db_step(s)) == DB_ROW) {
        const char *voucher = db_text(s, 0), *mark = db_text(s, 1);
        const struct completion_row *row = find_row(rows, count, voucher);
        note->known += row != NULL;
        if (row == NULL)
            note_change(note, voucher, mark_zh_of(mark), "移出");
        else if (strcmp(verdict_mark_text(row->mark), mark) != 0)
            note_change(note, voucher, mark_zh_of(mark),
                        verdict_mark_zh(row->mark));
    }
    return step == DB_DONE;
}

/* "what changed since version N, and why"; "" for a first version. */
static bool write_note(struct db *db, const char *number,
                       const struct last_version *last,
                       const struct completion_row *rows, size_t count,
                       struct buffer *out)
{
    struct change_note note = {0};
    if (last->version == 0)
        return true;
    buffer_init(&note.text, 1 << 20);
    bool good = note_differences(db, number, last->version, rows, count, &note);
    buffer_addf(out, "与第%d版相比：", last->version);
    if (note.changes == 0 && note.known == count)
        buffer_add_text(out, "结果没有变化");
    else
        buffer_addf(out, "变更%zu项，新增%zu项", note.changes,
                    count - note.known);
    if (note.changes > 0) {
        buffer_add_text(out, "（");
        buffer_add_slice(out, buffer_slice(&note.text));
        buffer_add_text(out, "）");
    }
    buffer_addf(out, "。依据：证据%s，规则%s。",
                last->same_evidence ? "未变" : "有更新",
                last->same_rules ? "未变" : "有更新");
    buffer_clear(&note.text);
    return good && !out->failed;
}

/* --- storing --- */

static bool sign_table(const struct sign_key *key, struct digest fingerprint,
                       uint8_t signature[static SIGN_LEN])
{
    struct buffer signed_bytes;
    buffer_init(&signed_bytes, 256);
    buffer_add_text(&signed_bytes, TABLE_SIGN_PREFIX);
    buffer_add_u8(&signed_bytes, (uint8_t)sign_key_algorithm(key));
    buffer_add(&signed_bytes, fingerprint.bytes, sizeof(fingerprint.bytes));
    bool good =
        !signed_bytes.failed &&
        sign_make(key, signed_bytes.data, signed_bytes.length, signature);
    buffer_clear(&signed_bytes);
    return good;
}

static bool insert_table(struct db *db, const struct completion_head *head,
                         const char *number, int version, const char *city,
                         bool is_sample, struct slice note, struct slice text)
{
    uint8_t signature[SIGN_LEN];
    struct digest fingerprint = digest_of(text.data, text.length);
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO completion_table (number, version, run_id, city_code, "
        " cycle_id, made_at, is_sample, change_note, csv, fingerprint, "
        " algorithm, signature) "
        "VALUES (:number, :version, :run, :city, :cycle, :made_at, :sample, "
        " :note, :csv, :fingerprint, :algorithm, :signature)");
    if (s == NULL || !sign_table(head->key, fingerprint, signature))
        return false;
    db_bind_text(s, ":number", number);
    db_bind_i64(s, ":version", version);
    db_bind_i64(s, ":run", head->run->id);
    db_bind_text(s, ":city", city);
    db_bind_text(s, ":cycle", head->run->cycle_id);
    db_bind_i64(s, ":made_at", head->run->at.us);
    db_bind_i64(s, ":sample", is_sample);
    db_bind_slice(s, ":note", note);
    db_bind_blob(s, ":csv", text.data, text.length);
    db_bind_blob(s, ":fingerprint", fingerprint.bytes, DIGEST_LEN);
    db_bind_text(s, ":algorithm",
                 sign_algorithm_name(sign_key_algorithm(head->key)));
    db_bind_blob(s, ":signature", signature, sizeof(signature));
    return db_do(s);
}

static bool insert_rows(struct db *db, const char *number, int version,
                        const struct completion_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct db_statement *s = db_prepare(
            db, "INSERT INTO completion_row (number, version, seq, "
                " voucher_number, enterprise_id, mark) "
                "VALUES (:number, :version, :seq, :voucher, :enterprise, "
                " :mark)");
        if (s == NULL)
            return false;
        db_bind_text(s, ":number", number);
        db_bind_i64(s, ":version", version);
        db_bind_i64(s, ":seq", (int64_t)i + 1);
        db_bind_text(s, ":voucher", rows[i].voucher->number);
        db_bind_text(s, ":enterprise", rows[i].voucher->enterprise_id);
        db_bind_text(s, ":mark", verdict_mark_text(rows[i].mark));
        if (!db_do(s))
            return false;
    }
    return true;
}

static bool write_city(struct db *db, const struct completion_head *head,
                       const struct completion_row *rows, size_t count)
{
    char number[NUMBER_LEN];
    struct buffer text, note;
    struct last_version last;
    const char *city = rows[0].voucher->city_code;
    buffer_init(&text, TABLE_LIMIT);
    buffer_init(&note, 1 << 20);
    int length =
        snprintf(number, sizeof(number), "%s-%s", head->run->cycle_id, city);
    bool good = length > 0 && (size_t)length < sizeof(number) &&
                find_last(db, number, head->run, &last) &&
                write_note(db, number, &last, rows, count, &note);
    if (good) {
        completion_print(head, number, last.version + 1, rows, count, &text);
        good = !text.failed &&
               insert_table(db, head, number, last.version + 1, city,
                            any_sample(rows, count), buffer_slice(&note),
                            buffer_slice(&text)) &&
               insert_rows(db, number, last.version + 1, rows, count);
    }
    buffer_clear(&text);
    buffer_clear(&note);
    return good;
}

bool completion_write(struct db *db, const struct completion_head *head,
                      struct completion_row *rows, size_t count,
                      struct error_text *error)
{
    if (count > 0)
        qsort(rows, count, sizeof(rows[0]), compare_rows);
    for (size_t begin = 0, end; begin < count; begin = end) {
        const char *city = rows[begin].voucher->city_code;
        for (end = begin;
             end < count && strcmp(rows[end].voucher->city_code, city) == 0;
             end++)
            ;
        if (!write_city(db, head, &rows[begin], end - begin))
            return error_set(error, "completion table of %s: %s", city,
                             db_error(db)[0] ? db_error(db)
                                             : "too large, or not signed");
    }
    return true;
}
