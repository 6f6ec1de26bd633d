/*
 * What the four main.c share: a table of subcommands, options, the language of
 * whoever asks, leaving root.
 *
 *   static const struct program_command COMMANDS[] = {
 *       {"run", command_run, "-c FILE [-n]"},
 *       {"user add", command_user_add, "-c FILE --role ROLE NAME"},
 *   };
 *
 *   int main(int argc, char **argv)
 *   {
 *       return program_main("yz-portal", TEXT_KEY("program.summary.portal"),
 *                           COMMANDS, sizeof(COMMANDS) / sizeof(COMMANDS[0]),
 *                           argc, argv);
 *   }
 *
 * Exit status: 0 done, 1 the work failed, 2 wrong usage or configuration.
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/config.h"
#include "common/log.h"
#include "common/text.h"
#include "common/version.h" /* PROGRAM_VERSION, made from the file VERSION */

/* Where the configuration is without -c: PROGRAM_CONFIG("collector"). */
#define PROGRAM_CONFIG(name) YZ_SYSCONFDIR "/yunzheng/" name ".conf"

struct program_command {
    const char *name; /* one word, or two as in "user add" */
    /* argv[0] is the command's name; gives the exit status. */
    int (*run)(int argc, char **argv);
    const char *usage; /* what follows the name */
};

/* Names the program for log lines, opens standard descriptors that are closed,
 * takes --lang, which may stand anywhere in front of "--", answers --help and
 * --version, else runs the command. The summary is a key of common/text.h.
 * Wrong usage is one line on standard error and 2, and names the wrong word and
 * what there is; output that could not be written turns 0 into 1. */
int program_main(const char *name, const char *summary,
                 const struct program_command *commands, size_t count, int argc,
                 char **argv);

/* The language of whoever started the program: what --lang says, zh or en, else
 * the environment. Set once by program_main; only what runs a command asks, the
 * rest is handed a language. */
enum language program_language(void);
bool program_language_is_chosen(void); /* by --lang */
/* A sentence as a line, in that language: told on standard output, complained
 * of on standard error, with the program's name in front. Arguments as for
 * text_fill. */
#define program_tell(key, ...)                                                 \
    program_say_list(stdout, key, TEXT_ARGUMENTS(__VA_ARGS__))
#define program_complain(key, ...)                                             \
    program_say_list(stderr, key, TEXT_ARGUMENTS(__VA_ARGS__))
void program_say_list(FILE *file, const char *key,
                      const struct text_argument *arguments);

/* One option: a flag, or a name with a value ("-c FILE", "--from DATE",
 * "--from=DATE"). Exactly one of flag and value is set; what it points to
 * keeps its content when the option is not given. */
struct program_option {
    const char *name; /* with its dashes */
    bool *flag;
    const char **value;
    bool is_required;
};

/* Reads the options, which may stand between the operands; "--" ends them, "-"
 * is an operand. The operands are moved to argv[1] and following and counted;
 * outside min_operands..max_operands, or with a wrong option, one line says so
 * and -1 is returned: the command then returns 2. */
int program_options(int argc, char **argv, const struct program_option *options,
                    size_t count, int min_operands, int max_operands);

/* The -n of run: the configuration in normal form to standard output. */
int program_print_config(const struct config_key *keys, size_t count,
                         const void *config);

/* Leaves root for this user, its groups included, for good. An empty name
 * stays; without root only the user's own name is accepted. */
bool program_drop_to_user(const char *user, struct error_text *error);

#endif
