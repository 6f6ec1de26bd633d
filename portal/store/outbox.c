#include "portal/store/outbox.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/digest.h"

/* Pauses between tries, in seconds; the last one goes on. */
static const int64_t PAUSES_S[] = {60, 300, 900, 3600, 3 * 3600, 6 * 3600};
enum { PAUSE_COUNT = sizeof(PAUSES_S) / sizeof(PAUSES_S[0]) };

static const char *const CHANNELS[] = {
    [OUTBOX_MAIL] = "mail",
    [OUTBOX_SMS] = "sms",
};

static struct wall_time later(struct wall_time time, int64_t seconds)
{
    return (struct wall_time){time.us + seconds * INT64_C(1000000)};
}

/* ---- adding ---- */

/* Control characters would be lines of their own in a header or a log. */
static void clean(char *text, bool may_have_lines)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' && !(may_have_lines && *text == '\n'))
            *text = ' ';
}

static bool fill(const struct outbox_message *message, const char *key,
                 enum language language, bool may_have_lines, char *text,
                 size_t size)
{
    struct buffer out;
    buffer_init(&out, size - 1);
    text_fill_list(&out, language, key, message->arguments);
    bool good = !out.failed;
    if (good && out.length > 0)
        memcpy(text, out.data, out.length);
    text[good ? out.length : 0] = '\0';
    clean(text, may_have_lines);
    buffer_clear(&out);
    return good;
}

struct filled {
    char subject[LANGUAGE_COUNT][OUTBOX_SUBJECT_MAX];
    char body[LANGUAGE_COUNT][OUTBOX_BODY_MAX];
};

static bool fill_all(const struct outbox_message *message,
                     struct filled *filled)
{
    bool good = true;
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        enum language language = (enum language)i;
        good = fill(message, message->subject, language, false,
                    filled->subject[i], OUTBOX_SUBJECT_MAX) &&
               fill(message, message->body, language, true, filled->body[i],
                    OUTBOX_BODY_MAX) &&
               good;
    }
    return good;
}

static void bind_or_null(struct db_statement *s, const char *name,
                         const char *text)
{
    if (text != NULL)
        db_bind_text(s, name, text);
    else
        db_bind_null(s, name);
}

/* *id is 0 when it was told already. */
static bool insert_message(struct db *db, struct wall_time now,
                           const struct outbox_message *message,
                           const struct filled *filled, int64_t *id)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO message (account_name, item_id, made_at, subject_zh,"
            " subject_en, body_zh, body_en, is_secret, once)"
            " VALUES (:account, :item, :now, :subject_zh, :subject_en,"
            " :body_zh, :body_en, :secret, :once)"
            " ON CONFLICT (once) DO NOTHING");
    if (s == NULL)
        return false;
    bind_or_null(s, ":account", message->account);
    bind_or_null(s, ":once", message->once);
    if (message->item != 0)
        db_bind_i64(s, ":item", message->item);
    else
        db_bind_null(s, ":item");
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":subject_zh", filled->subject[LANGUAGE_ZH]);
    db_bind_text(s, ":subject_en", filled->subject[LANGUAGE_EN]);
    db_bind_text(s, ":body_zh", filled->body[LANGUAGE_ZH]);
    db_bind_text(s, ":body_en", filled->body[LANGUAGE_EN]);
    db_bind_i64(s, ":secret", message->is_secret);
    bool good = db_do(s);
    *id = good && db_changes(db) > 0 ? db_last_rowid(db) : 0;
    return good;
}

static bool insert_delivery(struct db *db, struct wall_time now, int64_t id,
                            enum outbox_channel channel, const char *address,
                            enum language language)
{
    uint8_t bytes[(OUTBOX_TOKEN_LEN - 1) / 2];
    char token[OUTBOX_TOKEN_LEN];
    struct db_statement *s = db_prepare(
        db, "INSERT INTO delivery (message_id, channel, address, language,"
            " token, next_at) VALUES (:message, :channel, :address, :language,"
            " :token, :now)");
    if (s == NULL)
        return false;
    random_bytes(bytes, sizeof(bytes));
    hex_of(bytes, sizeof(bytes), token);
    db_bind_i64(s, ":message", id);
    db_bind_text(s, ":channel", CHANNELS[channel]);
    db_bind_text(s, ":address", address);
    db_bind_text(s, ":language", language_code(language));
    db_bind_text(s, ":token", token);
    db_bind_i64(s, ":now", now.us);
    return db_do(s);
}

bool outbox_add(struct db *db, struct wall_time now,
                const struct outbox_message *message)
{
    struct filled filled;
    int64_t id = 0;
    if (!fill_all(message, &filled) ||
        !insert_message(db, now, message, &filled, &id))
        return false;
    if (id == 0)
        return true;
    return (message->mail == NULL ||
            insert_delivery(db, now, id, OUTBOX_MAIL, message->mail->text,
                            message->language)) &&
           (message->mobile == NULL ||
            insert_delivery(db, now, id, OUTBOX_SMS, message->mobile->text,
                            message->language));
}

/* ---- taking ---- */

/* An address that no longer reads as one is never sent to. */
static bool read_address(struct db_statement *s, struct outbox_letter *letter)
{
    struct slice address = slice_of_text(db_text(s, db_column(s, "address")));
    bool is_mail =
        strcmp(db_text(s, db_column(s, "channel")), CHANNELS[OUTBOX_MAIL]) == 0;
    letter->channel = is_mail ? OUTBOX_MAIL : OUTBOX_SMS;
    return is_mail ? mail_address_read(address, &letter->mail)
                   : mobile_number_read(address, &letter->mobile);
}

static void read_letter(struct db_statement *s, struct outbox_letter *letter)
{
    static const char *const SUBJECTS[] = {"subject_zh", "subject_en"};
    static const char *const BODIES[] = {"body_zh", "body_en"};
    *letter = (struct outbox_letter){0};
    letter->delivery = db_i64(s, db_column(s, "id"));
    letter->message = db_i64(s, db_column(s, "message_id"));
    letter->made_at.us = db_i64(s, db_column(s, "made_at"));
    language_from_code(db_text(s, db_column(s, "language")), &letter->language);
    snprintf(letter->token, sizeof(letter->token), "%s",
             db_text(s, db_column(s, "token")));
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        snprintf(letter->subject[i], OUTBOX_SUBJECT_MAX, "%s",
                 db_text(s, db_column(s, SUBJECTS[i])));
        snprintf(letter->body[i], OUTBOX_BODY_MAX, "%s",
                 db_text(s, db_column(s, BODIES[i])));
    }
}

static bool count_try(struct db *db, struct wall_time now, int64_t delivery,
                      int64_t tries)
{
    struct db_statement *s =
        db_prepare(db, "UPDATE delivery SET tries = tries + 1, next_at = :next"
                       " WHERE id = :id");
    if (s == NULL)
        return false;
    int64_t pause = PAUSES_S[tries < PAUSE_COUNT ? tries : PAUSE_COUNT - 1];
    db_bind_i64(s, ":next", later(now, pause).us);
    db_bind_i64(s, ":id", delivery);
    return db_do(s);
}

/* The next one that is due, with its tries so far. */
static enum db_step find_due(struct db *db, struct wall_time now,
                             unsigned channels, struct outbox_letter *letter,
                             int64_t *tries, bool *has_address)
{
    struct db_statement *s = db_prepare(
        db, "SELECT d.id, d.message_id, d.channel, d.address, d.language,"
            " d.token, d.tries, m.made_at, m.subject_zh, m.subject_en,"
            " m.body_zh, m.body_en FROM delivery d"
            " JOIN message m ON m.id = d.message_id"
            " WHERE d.next_at <= :now AND CASE d.channel WHEN 'mail' THEN :mail"
            " ELSE :sms END ORDER BY d.next_at, d.id LIMIT 1");
    if (s == NULL)
        return DB_FAILED;
    db_bind_i64(s, ":now", now.us);
    db_bind_i64(s, ":mail", (channels & 1u << OUTBOX_MAIL) != 0);
    db_bind_i64(s, ":sms", (channels & 1u << OUTBOX_SMS) != 0);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        read_letter(s, letter);
        *tries = db_i64(s, db_column(s, "tries"));
        *has_address = read_address(s, letter);
    }
    db_reset(s);
    return step;
}

enum outbox_take outbox_take(struct db *db, struct wall_time now,
                             unsigned channels, struct outbox_letter *letter)
{
    int64_t tries = 0;
    bool has_address = false;
    enum db_step step = DB_ROW;
    while ((step = find_due(db, now, channels, letter, &tries, &has_address)) ==
           DB_ROW) {
        if (has_address)
            return count_try(db, now, letter->delivery, tries)
                       ? OUTBOX_TAKEN
                       : OUTBOX_TAKE_FAILED;
        if (!outbox_note(db, now, letter, OUTBOX_REFUSED, "not an address"))
            return OUTBOX_TAKE_FAILED;
    }
    return step == DB_DONE ? OUTBOX_EMPTY : OUTBOX_TAKE_FAILED;
}

/* ---- how it went ---- */

static bool write_note(struct db *db, struct wall_time now, int64_t delivery,
                       enum outbox_end end, bool is_over, const char *problem)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE delivery SET problem = :problem,"
            " sent_at = iif(:sent, :now, NULL), is_refused = :refused,"
            " next_at = iif(:over, NULL, next_at) WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_text(s, ":problem", problem);
    db_bind_i64(s, ":sent", end == OUTBOX_SENT);
    db_bind_i64(s, ":now", now.us);
    db_bind_i64(s, ":refused", end == OUTBOX_REFUSED);
    db_bind_i64(s, ":over", is_over);
    db_bind_i64(s, ":id", delivery);
    return db_do(s);
}

static bool forget_secret(struct db *db, int64_t message)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE message SET body_zh = '', body_en = '' WHERE id = :id"
            " AND is_secret = 1 AND NOT EXISTS (SELECT 1 FROM delivery"
            "  WHERE message_id = :id AND next_at IS NOT NULL)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":id", message);
    return db_do(s);
}

bool outbox_note(struct db *db, struct wall_time now,
                 const struct outbox_letter *letter, enum outbox_end end,
                 const char *problem)
{
    struct buffer printable;
    char kept[OUTBOX_PROBLEM_LEN];
    bool is_over = end != OUTBOX_AGAIN ||
                   now.us >= later(letter->made_at, OUTBOX_DAYS * 86400).us;
    buffer_init(&printable, 4096);
    text_add_foreign(&printable, problem);
    buffer_add_u8(&printable, 0);
    snprintf(kept, sizeof(kept), "%s",
             printable.failed ? "" : (const char *)printable.data);
    buffer_clear(&printable);
    return write_note(db, now, letter->delivery, end, is_over, kept) &&
           (!is_over || forget_secret(db, letter->message));
}

bool outbox_give_up_old(struct db *db, struct wall_time now)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE delivery SET next_at = NULL WHERE next_at IS NOT NULL"
            " AND message_id IN (SELECT id FROM message"
            "  WHERE made_at < :before)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":before", later(now, -OUTBOX_DAYS * INT64_C(86400)).us);
    return db_do(s) &&
           db_run(db, "UPDATE message SET body_zh = '', body_en = ''"
                      " WHERE is_secret = 1 AND body_zh <> ''"
                      " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE"
                      "  d.message_id = message.id AND d.next_at IS NOT NULL)");
}
