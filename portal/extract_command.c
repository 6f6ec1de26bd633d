/* `yz-portal register import`: all of a file or nothing. */
#include "portal/extract_command.h"

#include <errno.h>
#include <string.h>

#include "common/program.h"
#include "portal/commands.h"
#include "portal/record/register_extract.h"
#include "portal/store/act.h"

enum { FILE_MAX_BYTES = 256 * 1024 * 1024, USAGE = 2 };

static int import(struct db *db, struct register_import *job)
{
    struct error_text error = {""};
    struct audit_entry entry = {
        "SYS", "register.import", job->source, "OK", NULL, NULL};
    enum act_end end =
        act_on(db, wall_now(), &entry, register_import, job, &error);
    if (end == ACT_REFUSED)
        error_set(&error, "%s: %s: %s", job->source, job->refusal.code,
                  refusal_words(&job->refusal, program_language(), job->arena));
    if (end != ACT_KEPT)
        return command_report(&error);
    program_tell("command.register.imported", text_plain("file", job->source),
                 text_count("rows", job->row_count));
    return 0;
}

int command_extract_import(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *day = NULL;
    struct program_option options[] = {
        {"-c", .value = &path}, {"--day", .value = &day, .is_required = true}};
    struct portal_config config = {0};
    struct buffer text;
    struct register_import job = {.by = "SYS"};
    if (program_options(argc, argv, options, 2, 1, 1) < 0)
        return USAGE;
    const char *source = argv[1];
    if (!day_from_text(slice_of_text(day), &job.day)) {
        program_complain("command.register.day", text_plain("day", day));
        return USAGE;
    }
    command_read_config(path, &config);
    if (!buffer_read_file(&text, source, FILE_MAX_BYTES)) {
        program_complain("command.register.file", text_plain("file", source),
                         text_plain("reason", strerror(errno)));
        return USAGE;
    }
    struct db *db = command_open_registry(&config);
    job.source = source;
    job.text = buffer_slice(&text);
    job.arena = arena_new(1024 * 1024);
    int status = import(db, &job);
    arena_free(job.arena);
    buffer_clear(&text);
    db_close(db);
    return status;
}
