#include "portal/tick_command.h"

#include <stdio.h>

#include "common/program.h"
#include "portal/commands.h"
#include "portal/record/machines.h"
#include "portal/store/sender.h"
#include "portal/workflow/clock_job.h"

void tick_now(struct portal *portal, bool *has_doubts)
{
    struct clock_count count;
    struct error_text error = {""};
    enum clock_end end =
        clock_job_tick(portal, wall_now(), &MACHINES, false, &count, &error);
    if (end != CLOCK_DONE && !*has_doubts)
        log_error("%s", error.text);
    *has_doubts = end != CLOCK_DONE;
}

static int tell(const struct clock_count *count,
                const struct sender_count *mails)
{
    program_tell("command.tick.done", text_count("moved", count->moved),
                 text_count("ended", count->ended),
                 text_count("reminded", count->reminded),
                 text_count("tasks", count->tasks),
                 text_count("sent", mails->sent),
                 text_count("refused", mails->refused),
                 text_count("failed", mails->failed));
    return 0;
}

static int tick(struct portal *portal, struct wall_time now, bool is_confirmed)
{
    struct error_text error = {""};
    struct clock_count count;
    struct sender_count mails = {0};
    struct sender *sender = sender_new(portal, &error);
    bool good =
        sender != NULL && clock_job_tick(portal, now, &MACHINES, is_confirmed,
                                         &count, &error) == CLOCK_DONE;
    if (good && !sender_round(sender, now, &mails))
        good = error_set(&error, "mail: portal.db cannot be written");
    sender_free(sender);
    return good ? tell(&count, &mails) : command_report(&error);
}

int command_tick(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *time = NULL;
    bool is_confirmed = false;
    struct program_option options[] = {{"-c", .value = &path},
                                       {"--now", .value = &time},
                                       {"--confirm", .flag = &is_confirmed}};
    struct portal_config config = {0};
    struct wall_time now = wall_now();
    struct error_text error;
    if (program_options(argc, argv, options, 3, 0, 0) < 0)
        return 2;
    if (time != NULL && !wall_from_text(slice_of_text(time), &now)) {
        program_complain("command.tick.now", text_foreign("text", time));
        return 2;
    }
    command_read_config(path, &config);
    struct portal *portal = portal_open(&config, &error);
    if (portal == NULL)
        return command_report(&error);
    int status = tick(portal, now, is_confirmed);
    portal_close(portal);
    return status;
}
