/* See user_commands.h. Each reads: options, configuration, open, work, close. */
#include "portal/user_commands.h"

#include <stdio.h>

#include "common/program.h"
#include "common/shown.h"
#include "portal/access/account_life.h"
#include "portal/access/password.h"
#include "portal/access/session.h"
#include "portal/commands.h"
#include "portal/read_password.h"

enum { FAILED = 1, USAGE = 2, TEXT_MAX = 16 * 1024 * 1024 };

static bool copy_field(const char *option, const char *text, char *field,
                       size_t size)
{
    if (slice_is_clean_utf8(slice_of_text(text)) &&
        slice_copy(slice_of_text(text), field, size))
        return true;
    program_complain("command.user.clean_text", text_plain("option", option),
                     text_number("size", (int64_t)size - 1));
    return false;
}

/* The account sees nothing from the start of that day on. */
static bool read_end(const char *text, struct account *account)
{
    struct civil_day day;
    if (text == NULL)
        return true;
    account->has_end = day_from_text(slice_of_text(text), &day);
    if (account->has_end)
        account->end = day_start(day);
    else
        program_complain("command.user.until", text_foreign("text", text));
    return account->has_end;
}

/* A mandate begins with that day (ORG-04). */
static bool read_begin(const char *text, struct account *account)
{
    struct civil_day day;
    if (text == NULL)
        return true;
    account->has_begin = day_from_text(slice_of_text(text), &day);
    if (account->has_begin)
        account->begin = day_start(day);
    else
        program_complain("command.user.from", text_foreign("text", text));
    return account->has_begin;
}

struct wanted {
    const char *path, *role, *organisation, *display, *from, *until, *mail,
        *mobile;
};

static bool read_contacts(const struct wanted *wanted, struct account *account)
{
    if (wanted->mail != NULL &&
        !mail_address_read(slice_of_text(wanted->mail), &account->mail)) {
        program_complain("command.user.mail",
                         text_foreign("text", wanted->mail));
        return false;
    }
    if (wanted->mobile != NULL &&
        !mobile_number_read(slice_of_text(wanted->mobile), &account->mobile)) {
        program_complain("command.user.mobile",
                         text_foreign("text", wanted->mobile));
        return false;
    }
    return true;
}

static bool fill_account(struct account *account, const char *name,
                         const struct wanted *wanted)
{
    const char *display = wanted->display[0] != '\0' ? wanted->display : name;

    if (!account_role_from(wanted->role, &account->role)) {
        program_complain("command.user.role");
        return false;
    }
    return copy_field("NAME", name, account->name, sizeof(account->name)) &&
           copy_field("--organisation", wanted->organisation,
                      account->organisation, sizeof(account->organisation)) &&
           copy_field("--display-name", display, account->display_name,
                      sizeof(account->display_name)) &&
           read_begin(wanted->from, account) &&
           read_end(wanted->until, account) && read_contacts(wanted, account);
}

int command_user_add(int argc, char **argv)
{
    const char *file = NULL;
    struct wanted wanted = {
        .path = PROGRAM_CONFIG("portal"), .organisation = "", .display = ""};
    struct program_option options[] = {
        {"-c", .value = &wanted.path},
        {"--role", .value = &wanted.role, .is_required = true},
        {"--organisation", .value = &wanted.organisation},
        {"--display-name", .value = &wanted.display},
        {"--from", .value = &wanted.from},
        {"--until", .value = &wanted.until},
        {"--mail", .value = &wanted.mail},
        {"--mobile", .value = &wanted.mobile},
        {"--password-file", .value = &file},
    };
    struct portal_config config = {0};
    struct account account = {0};
    struct error_text error;
    char password[512] = "";
    if (program_options(argc, argv, options, 9, 1, 1) < 0 ||
        !fill_account(&account, argv[1], &wanted))
        return USAGE;
    command_read_config(wanted.path, &config);
    if (!password_init())
        fatal(FAILED, "libsodium does not start");
    if (!read_password(file, password, sizeof(password), &error))
        return command_report(&error);
    struct db *db = command_open_registry(&config);
    bool good = account_add(db, wall_now(), &account, password, &error);
    db_close(db);
    return good ? 0 : command_report(&error);
}

/* --- acts --- */

/* One act on portal.db; what it made is told by the caller. */
static int run_act(const struct portal_config *config, act_fn *fn,
                   struct account_act *act)
{
    struct portal_keys keys;
    struct error_text error;
    if (!portal_keys_load(config, &keys, &error))
        return command_report(&error);
    act->by = "SYS";
    act->keys = &keys;
    act->public_url = config->public_url;
    act->language = program_language();
    struct db *db = command_open_registry(config);
    bool good = act_on(db, wall_now(), NULL, fn, act, &error) == ACT_KEPT;
    db_close(db);
    return good ? 0 : command_report(&error);
}

/* The only time that the link is to be seen. */
static void tell_link(const struct portal_config *config,
                      const struct account_act *act)
{
    printf("%s/activate/%s\n", config->public_url, act->token);
    program_complain("command.user.link", text_plain("account", act->name),
                     text_number("hours", LINK_HOURS));
}

int command_user_invite(int argc, char **argv)
{
    struct wanted wanted = {
        .path = PROGRAM_CONFIG("portal"), .organisation = "", .display = ""};
    struct program_option options[] = {
        {"-c", .value = &wanted.path},
        {"--role", .value = &wanted.role, .is_required = true},
        {"--organisation", .value = &wanted.organisation},
        {"--display-name", .value = &wanted.display},
        {"--from", .value = &wanted.from},
        {"--until", .value = &wanted.until},
        {"--mail", .value = &wanted.mail},
        {"--mobile", .value = &wanted.mobile},
    };
    struct portal_config config = {0};
    struct account account = {0};
    if (program_options(argc, argv, options, 8, 1, 1) < 0 ||
        !fill_account(&account, argv[1], &wanted))
        return USAGE;
    command_read_config(wanted.path, &config);
    struct account_act act = {.name = account.name, .account = &account};
    int status = run_act(&config, account_invite, &act);
    if (status == 0)
        tell_link(&config, &act);
    return status;
}

static int act_on_one(int argc, char **argv, act_fn *fn, bool has_link)
{
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    struct portal_config config = {0};
    if (program_options(argc, argv, options, 1, 1, 1) < 0)
        return USAGE;
    command_read_config(path, &config);
    struct account_act act = {.name = argv[1]};
    int status = run_act(&config, fn, &act);
    if (status == 0 && has_link)
        tell_link(&config, &act);
    return status;
}

int command_user_disable(int argc, char **argv)
{
    return act_on_one(argc, argv, account_disable, false);
}

int command_user_enable(int argc, char **argv)
{
    return act_on_one(argc, argv, account_enable, false);
}

int command_user_unlock(int argc, char **argv)
{
    return act_on_one(argc, argv, account_unlock, false);
}

int command_user_reset(int argc, char **argv)
{
    return act_on_one(argc, argv, account_reset, true);
}

int command_user_hand_over(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    struct portal_config config = {0};
    if (program_options(argc, argv, options, 1, 2, 2) < 0)
        return USAGE;
    command_read_config(path, &config);
    struct account_act act = {.name = argv[1], .to = argv[2]};
    return run_act(&config, account_hand_over, &act);
}

/* --- what there is --- */

static void add_time(struct buffer *out, const char *key,
                     struct db_statement *s, int column)
{
    if (db_is_null(s, column))
        return;
    buffer_add_text(out, "  ");
    text_fill(out, program_language(), key,
              text_end("time", (struct wall_time){db_i64(s, column)}));
}

static bool list_accounts(struct db *db, struct buffer *out)
{
    struct db_statement *s = db_prepare(
        db, "SELECT name, role, organisation, state, created_at, ends_at,"
            " (SELECT max(used_at) FROM session WHERE account_name = name),"
            " successor, EXISTS (SELECT 1 FROM account_totp WHERE"
            " account_name = name AND confirmed_at IS NOT NULL) FROM account"
            " ORDER BY name");
    enum db_step step = DB_FAILED;
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        buffer_addf(out, "%s  %s  %s  %s", db_text(s, 0), db_text(s, 1),
                    db_text(s, 2)[0] != '\0' ? db_text(s, 2) : "-",
                    db_text(s, 3));
        add_time(out, TEXT_KEY("command.user.row.made"), s, 4);
        add_time(out, TEXT_KEY("command.user.row.until"), s, 5);
        add_time(out, TEXT_KEY("command.user.row.used"), s, 6);
        if (!db_is_null(s, 7)) {
            buffer_add_text(out, "  ");
            text_fill(out, program_language(), "command.user.row.successor",
                      text_plain("name", db_text(s, 7)));
        }
        if (db_i64(s, 8) != 0) {
            buffer_add_text(out, "  ");
            text_add(out, program_language(), "command.user.row.second_factor");
        }
        buffer_add_u8(out, '\n');
    }
    return step == DB_DONE && !out->failed;
}

int command_user_list(int argc, char **argv)
{
    return command_print(argc, argv, TEXT_MAX, list_accounts);
}

static enum act_end end_sessions(struct db *db, struct wall_time now,
                                 void *name, struct error_text *error)
{
    (void)now;
    if (session_end_others(db, name, NULL))
        return ACT_KEPT;
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

static bool print_sessions(struct db *db, const char *name)
{
    struct db_statement *s = db_prepare(
        db, "SELECT substr(lower(hex(token_hash)), 1, 16), address, created_at,"
            " used_at, agent FROM session WHERE account_name = :name"
            " ORDER BY used_at DESC");
    struct buffer out;
    enum db_step step = DB_FAILED;
    if (s == NULL)
        return false;
    buffer_init(&out, TEXT_MAX);
    db_bind_text(s, ":name", name);
    while ((step = db_step(s)) == DB_ROW) {
        buffer_addf(&out, "%s  %s", db_text(s, 0), db_text(s, 1));
        add_time(&out, TEXT_KEY("command.user.row.since"), s, 2);
        add_time(&out, TEXT_KEY("command.user.row.used"), s, 3);
        buffer_addf(&out, "  %s\n", db_text(s, 4));
    }
    fwrite(out.data, 1, out.length, stdout);
    buffer_clear(&out);
    return step == DB_DONE;
}

int command_user_sessions(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    bool ends = false;
    struct program_option options[] = {{"-c", .value = &path},
                                       {"--end", .flag = &ends}};
    struct portal_config config = {0};
    struct error_text error;
    if (program_options(argc, argv, options, 2, 1, 1) < 0)
        return USAGE;
    command_read_config(path, &config);
    struct db *db = command_open_registry(&config);
    const struct audit_entry entry = {.actor = "SYS",
                                      .action = "session.end",
                                      .object = argv[1],
                                      .result = "OK"};
    bool good = print_sessions(db, argv[1]);
    if (!good)
        error_set(&error, "%s", db_error(db));
    if (good && ends)
        good = act_on(db, wall_now(), &entry, end_sessions, argv[1], &error) ==
               ACT_KEPT;
    db_close(db);
    return good ? 0 : command_report(&error);
}
