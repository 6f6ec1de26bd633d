#include "portal/workflow/notice.h"

#include <stdio.h>
#include <string.h>

#include "common/shown.h"
#include "portal/store/outbox.h"
#include "portal/workflow/machine.h"

enum { ONCE_LEN = 256, ARGUMENTS_MAX = 10 };

/* A name that has two forms. */
struct names {
    char zh[ITEM_TITLE_LEN], en[ITEM_TITLE_LEN];
};

static void add_name(struct buffer *out, enum language language,
                     const struct text_argument *argument)
{
    bool is_english = language == LANGUAGE_EN && argument->prefix[0] != '\0';
    if (is_english)
        buffer_add_text(out, argument->prefix);
    else
        buffer_add_slice(out, argument->text);
}

static struct text_argument text_names(const char *name,
                                       const struct names *names)
{
    return (struct text_argument){.name = name,
                                  .add = add_name,
                                  .text = slice_of_text(names->zh),
                                  .prefix = names->en};
}

static void find_city(struct db *db, const char *code, struct names *names)
{
    struct db_statement *s =
        db_prepare(db, "SELECT name_zh, name_en FROM city WHERE code = :code");
    *names = (struct names){0};
    if (s == NULL)
        return;
    db_bind_text(s, ":code", code);
    if (db_step(s) == DB_ROW) {
        snprintf(names->zh, sizeof(names->zh), "%s", db_text(s, 0));
        snprintf(names->en, sizeof(names->en), "%s", db_text(s, 1));
    }
    db_reset(s);
}

static void fill_arguments(const struct notice *notice, struct wall_time now,
                           const struct names *city,
                           struct text_argument list[static ARGUMENTS_MAX])
{
    const struct item *item = notice->item;
    bool is_due = item->due_rule != DUE_NONE;
    const char *consequence = notice->machine->consequence;
    const char *reason = notice->reason != NULL ? notice->reason : "";
    size_t n = 0;
    list[n++] = text_plain("number", item->number);
    list[n++] = text_plain("title", item->title);
    list[n++] = text_code("state", notice->machine->state_words, item->state);
    list[n++] = text_moment("at", now);
    list[n++] = is_due ? text_end("due", item->due_at)
                       : text_words("due", TEXT_KEY("work.due.none"));
    list[n++] = text_names("city", city);
    list[n++] = text_plain("reason", reason);
    list[n++] = text_number("left", notice->left);
    list[n++] = consequence != NULL ? text_words("consequence", consequence)
                                    : text_plain("consequence", "");
    list[n] = (struct text_argument){0};
}

/* One who is told. */
struct reader {
    char name[ACCOUNT_NAME_LEN];
    struct mail_address mail;    /* "": none */
    struct mobile_number mobile; /* the same */
};

static bool tell(struct db *db, struct wall_time now,
                 const struct notice *notice,
                 const struct text_argument *arguments,
                 const struct reader *reader)
{
    char once[ONCE_LEN];
    struct outbox_message message = {
        .account = reader->name,
        .mail = !notice->is_quiet && reader->mail.text[0] != '\0'
                    ? &reader->mail
                    : NULL,

        .mobile = notice->rings && reader->mobile.text[0] != '\0'
                      ? &reader->mobile
                      : NULL,
        .item = notice->item->id,
        .subject = notice->subject,
        .body = notice->body,
        .arguments = arguments};
    if (notice->once != NULL) {
        snprintf(once, sizeof(once), "%s/%s", notice->once, reader->name);
        message.once = once;
    }
    return outbox_add(db, now, &message);
}

/* An address that is none is left out: the inbox is there. */
static void read_reader(struct db_statement *s, struct reader *reader)
{
    snprintf(reader->name, sizeof(reader->name), "%s", db_text(s, 0));
    mail_address_read(slice_of_text(db_text(s, 1)), &reader->mail);
    mobile_number_read(slice_of_text(db_text(s, 2)), &reader->mobile);
}

/* Which organisation the accounts of a role have that have to do with it. */
static const char *organisation_of(const struct item *item,
                                   enum account_role role)
{
    if (role == ROLE_ENT || role == ROLE_SUPP)
        return item->party;
    return role == ROLE_CITY || role == ROLE_OPC ? item->city_code : "";
}

static bool tell_role(struct db *db, struct wall_time now,
                      const struct notice *notice,
                      const struct text_argument *arguments,
                      enum account_role role)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        db, "SELECT name, mail, mobile FROM account WHERE role = :role"
            " AND organisation = :organisation AND state = 'ACTIVE'"
            " AND (ends_at IS NULL OR ends_at > :now)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":role", account_role_text(role));
    db_bind_text(s, ":organisation", organisation_of(notice->item, role));
    db_bind_i64(s, ":now", now.us);
    while ((step = db_step(s)) == DB_ROW) {
        struct reader reader;
        read_reader(s, &reader);
        if (!tell(db, now, notice, arguments, &reader)) {
            db_reset(s);
            return false;
        }
    }
    return step == DB_DONE;
}

bool notice_tell(struct db *db, struct wall_time now,
                 const struct notice *notice)
{
    struct text_argument arguments[ARGUMENTS_MAX];
    struct names city;
    if (notice->roles == 0)
        return true;
    find_city(db, notice->item->city_code, &city);
    fill_arguments(notice, now, &city, arguments);
    for (int role = ROLE_NONE + 1; role < ROLE_COUNT; role++)
        if ((notice->roles & ROLE_BIT(role)) != 0 &&
            !tell_role(db, now, notice, arguments, (enum account_role)role))
            return false;
    return true;
}
