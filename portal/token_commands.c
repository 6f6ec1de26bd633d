#include "portal/token_commands.h"

#include <stdio.h>

#include "common/program.h"
#include "common/shown.h"
#include "portal/access/api_token.h"
#include "portal/commands.h"

enum { USAGE = 2, TEXT_MAX = 16 * 1024 * 1024 };

static struct db *open_at(const char *path)
{
    struct portal_config config = {0};
    command_read_config(path, &config);
    return command_open_registry(&config);
}

int command_token_add(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *supplier = NULL;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--supplier", .value = &supplier, .is_required = true}};
    char token[API_TOKEN_LEN], handle[API_HANDLE_LEN];
    struct error_text error;
    if (program_options(argc, argv, options, 2, 0, 0) < 0)
        return USAGE;
    struct db *db = open_at(path);
    bool good = api_token_add(db, wall_now(), supplier, token, handle, &error);
    db_close(db);
    if (!good)
        return command_report(&error);
    printf("%s\n", token);
    program_complain("command.token.made", text_plain("handle", handle),
                     text_plain("supplier", supplier));
    return 0;
}

int command_token_revoke(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    const struct program_option options[] = {{"-c", .value = &path}};
    struct error_text error;
    if (program_options(argc, argv, options, 1, 1, 1) < 0)
        return USAGE;
    struct db *db = open_at(path);
    bool good = api_token_revoke(db, wall_now(), argv[1], &error);
    db_close(db);
    return good ? 0 : command_report(&error);
}

static void add_token(struct buffer *out, struct db_statement *s)
{
    text_fill(out, program_language(),
              db_is_null(s, 3) ? "command.token.row"
                               : "command.token.row_revoked",
              text_plain("handle", db_text(s, 0)),
              text_plain("supplier", db_text(s, 1)),
              text_moment("made", (struct wall_time){db_i64(s, 2)}),
              text_moment("revoked", (struct wall_time){db_i64(s, 3)}));
    buffer_add_u8(out, '\n');
}

static bool list_tokens(struct db *db, struct buffer *out)
{
    struct db_statement *s =
        db_prepare(db, "SELECT handle, supplier_id, created_at, revoked_at "
                       "FROM api_token ORDER BY created_at, handle");
    enum db_step step = DB_FAILED;
    while (s != NULL && (step = db_step(s)) == DB_ROW)
        add_token(out, s);
    return step == DB_DONE && !out->failed;
}

int command_token_list(int argc, char **argv)
{
    return command_print(argc, argv, TEXT_MAX, list_tokens);
}
