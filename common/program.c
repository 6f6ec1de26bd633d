/*
 * What the four main.c share.
 *
 * Options are matched by name in a table given by the command, so that a usage
 * error is noticed before anything is opened. There are no abbreviations and no
 * joined short options: what a script writes means the same in every release.
 */
#include "common/program.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    CONFIG_TEXT_LIMIT = 1 << 20,
    LINE_LIMIT = 4096
};

/* As the program's name in log.c: one process speaks to one terminal. */
static enum language language = LANGUAGE_EN;
static bool is_chosen;

enum language program_language(void)
{
    return language;
}

bool program_language_is_chosen(void)
{
    return is_chosen;
}

static void print_line(FILE *file, const char *key,
                       const struct text_argument *arguments)
{
    struct buffer line;
    buffer_init(&line, LINE_LIMIT);
    text_fill_list(&line, language, key, arguments);
    buffer_add_u8(&line, '\n');
    fwrite(line.data, 1, line.length, file);
    buffer_clear(&line);
}

void program_say_list(FILE *file, const char *key,
                      const struct text_argument *arguments)
{
    if (file == stderr)
        fprintf(stderr, "%s: ", log_program());
    print_line(file, key, arguments);
}

static void print_help(const char *summary,
                       const struct program_command *commands, size_t count)
{
    printf("%s %s: ", log_program(), PROGRAM_VERSION);
    print_line(stdout, summary, TEXT_ARGUMENTS());
    printf("\n");
    for (size_t i = 0; i < count; i++)
        printf("  %s %s %s\n", log_program(), commands[i].name,
               commands[i].usage);
    printf("\n");
    print_line(stdout, TEXT_KEY("program.lang"), TEXT_ARGUMENTS());
    print_line(stdout, TEXT_KEY("program.status"), TEXT_ARGUMENTS());
}

/* Takes --lang and its value off the arguments. False when it has none, or one
 * that is no language. */
static bool take_language(int *argc, char **argv)
{
    static const char option[] = "--lang";
    const size_t length = sizeof(option) - 1;
    int kept = 1;
    bool is_ended = false, is_good = true;
    language = language_of_environment();
    for (int i = 1; i < *argc; i++) {
        const char *value = NULL;
        is_ended = is_ended || strcmp(argv[i], "--") == 0;
        if (is_ended || strncmp(argv[i], option, length) != 0)
            argv[kept++] = argv[i];
        else if (argv[i][length] == '=')
            value = argv[i] + length + 1;
        else if (argv[i][length] == '\0')
            value = i + 1 < *argc ? argv[++i] : "";
        else
            argv[kept++] = argv[i];
        if (value != NULL) {
            is_good = language_from_code(value, &language) && is_good;
            is_chosen = true;
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    return is_good;
}

/* ---- commands ---- */

/* How many arguments name this command: 0 when they name another one. */
static int match_command(const char *name, int argc, char **argv)
{
    struct slice words = slice_of_text(name), word;
    int count = 0;
    while (slice_next(&words, ' ', &word)) {
        if (1 + count >= argc || !slice_equal_text(word, argv[1 + count]))
            return 0;
        count++;
    }
    return count;
}

/* Output that never arrived is work that failed. */
static int end_output(int status)
{
    bool is_good = !ferror(stdout);
    is_good = fflush(stdout) == 0 && is_good;
    if (is_good || status != 0)
        return status;
    fprintf(stderr, "%s: standard output: %s\n", log_program(),
            strerror(errno));
    return STATUS_FAILED;
}

static int run_command(const struct program_command *command, int words,
                       int argc, char **argv)
{
    argc -= words;
    argv += words;
    argv[0] = (char *)command->name;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_line(stdout, TEXT_KEY("program.usage"),
                   TEXT_ARGUMENTS(text_plain("program", log_program()),
                                  text_plain("command", command->name),
                                  text_plain("usage", command->usage)));
        return 0;
    }
    return command->run(argc, argv);
}

/* A descriptor that is closed at the start would be the next file or socket,
 * and log lines would go there. Writing to one opened here fails, as before. */
static void open_standard_descriptors(void)
{
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDONLY);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* The word behind `group` in a command's name; empty when it has none there. */
static struct slice word_behind(struct slice group, const char *name)
{
    struct slice rest = slice_of_text(name), word = {0};
    if (group.length > 0 && (!slice_next(&rest, ' ', &word) ||
                             !slice_equal(word, group) || rest.data == NULL))
        return (struct slice){0};
    slice_next(&rest, ' ', &word);
    return word;
}

/* The words that may stand behind `group`, each once: "add, list". Empty when
 * it is no group. */
static void list_words(struct slice group,
                       const struct program_command *commands, size_t count,
                       struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        struct slice word = word_behind(group, commands[i].name);
        bool is_new = word.length > 0;
        for (size_t j = 0; j < i && is_new; j++)
            is_new = !slice_equal(word, word_behind(group, commands[j].name));
        if (is_new && out->length > 0)
            buffer_add_text(out, ", ");
        if (is_new)
            buffer_add_slice(out, word);
    }
}

/* Says which word is wrong, or that one is missing, and which there are. */
static int refuse_command(const struct program_command *commands, size_t count,
                          int argc, char **argv)
{
    struct buffer words;
    const char *group = log_program(), *wrong = argc > 1 ? argv[1] : NULL;
    buffer_init(&words, LINE_LIMIT);
    if (wrong != NULL)
        list_words(slice_of_text(wrong), commands, count, &words);
    bool is_group = words.length > 0;
    if (is_group) {
        group = wrong;
        wrong = argc > 2 ? argv[2] : NULL;
    } else {
        list_words((struct slice){0}, commands, count, &words);
    }
    const char *key = wrong == NULL ? is_group ? TEXT_KEY("program.incomplete")
                                               : TEXT_KEY("program.no_command")
                      : is_group ? TEXT_KEY("program.unknown_in_group")
                                    : TEXT_KEY("program.unknown");
    print_line(stderr, key,
               TEXT_ARGUMENTS(text_plain("program", log_program()),
                              text_foreign("group", group),
                              text_foreign("word", wrong != NULL ? wrong : ""),
                              text_slice("commands", buffer_slice(&words))));
    buffer_clear(&words);
    return STATUS_USAGE;
}

int program_main(const char *name, const char *summary,
                 const struct program_command *commands, size_t count, int argc,
                 char **argv)
{
    open_standard_descriptors();
    log_set_program(name);
    if (!take_language(&argc, argv)) {
        program_complain("program.bad_lang");
        return STATUS_USAGE;
    }
    const char *first = argc > 1 ? argv[1] : "";
    if (strcmp(first, "--help") == 0) {
        print_help(summary, commands, count);
        return end_output(0);
    }
    if (strcmp(first, "--version") == 0) {
        printf("%s %s\n", name, PROGRAM_VERSION);
        return end_output(0);
    }
    for (size_t i = 0; i < count; i++) {
        int words = match_command(commands[i].name, argc, argv);
        if (words > 0)
            return end_output(run_command(&commands[i], words, argc, argv));
    }
    return refuse_command(commands, count, argc, argv);
}

/* ---- options ---- */

struct option_scan {
    const char *command;
    const struct program_option *options;
    size_t count;
    uint64_t given; /* bit i: options[i] */
};

static bool complain(const char *command, const char *key, const char *option)
{
    print_line(stderr, key,
               TEXT_ARGUMENTS(text_plain("program", log_program()),
                              text_plain("command", command),
                              text_foreign("option", option)));
    return false;
}

/* The option called `argument`; behind '=' may stand its value. */
static size_t find_option(const struct option_scan *scan, struct slice name)
{
    size_t i = 0;
    while (i < scan->count && !slice_equal_text(name, scan->options[i].name))
        i++;
    return i;
}

/* Takes argv[*i], and its value when that is the next argument. */
static bool take_option(struct option_scan *scan, int argc, char **argv, int *i)
{
    char *argument = argv[*i], *value = NULL;
    struct slice rest = slice_of_text(argument), name;
    slice_next(&rest, '=', &name);
    if (rest.data != NULL)
        value = argument + name.length + 1;
    size_t found = find_option(scan, name);
    if (found == scan->count)
        return complain(scan->command, TEXT_KEY("program.no_option"), argument);
    const struct program_option *option = &scan->options[found];
    if (scan->given & (1ull << found))
        return complain(scan->command, TEXT_KEY("program.given_twice"),
                        option->name);
    scan->given |= 1ull << found;
    if (option->flag != NULL) {
        *option->flag = true;
        return value == NULL ||
               complain(scan->command, TEXT_KEY("program.takes_no_value"),
                        option->name);
    }
    if (value == NULL && *i + 1 < argc)
        value = argv[++*i];
    if (value == NULL)
        return complain(scan->command, TEXT_KEY("program.needs_value"),
                        option->name);
    *option->value = value;
    return true;
}

static bool has_required(const struct option_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (scan->options[i].is_required && !(scan->given & (1ull << i)))
            return complain(scan->command, TEXT_KEY("program.is_required"),
                            scan->options[i].name);
    }
    return true;
}

int program_options(int argc, char **argv, const struct program_option *options,
                    size_t count, int min_operands, int max_operands)
{
    struct option_scan scan = {argv[0], options, count, 0};
    int operands = 0;
    bool is_ended = false;
    assert(count <= 64);
    for (int i = 1; i < argc; i++) {
        bool is_option = !is_ended && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option && strcmp(argv[i], "--") == 0)
            is_ended = true;
        else if (!is_option)
            argv[1 + operands++] = argv[i];
        else if (!take_option(&scan, argc, argv, &i))
            return -1;
    }
    if (!has_required(&scan))
        return -1;
    if (operands >= min_operands && operands <= max_operands)
        return operands;
    complain(scan.command,
             operands < min_operands ? TEXT_KEY("program.more_arguments")
                                     : TEXT_KEY("program.too_many_arguments"),
             "");
    return -1;
}

/* ---- configuration, user ---- */

int program_print_config(const struct config_key *keys, size_t count,
                         const void *config)
{
    struct buffer text;
    buffer_init(&text, CONFIG_TEXT_LIMIT);
    config_print(keys, count, config, &text);
    bool is_good = !text.failed && (text.length == 0 ||
                                    fwrite(text.data, text.length, 1, stdout));
    buffer_clear(&text);
    return is_good ? 0 : STATUS_FAILED;
}

bool program_drop_to_user(const char *user, struct error_text *error)
{
    if (user[0] == '\0')
        return true;
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (entry == NULL)
        return error_set(error, "user %s: %s", user,
                         errno != 0 ? strerror(errno) : "no such user");
    if (geteuid() != 0) {
        if (entry->pw_uid == geteuid())
            return true;
        return error_set(error, "user %s: only root can become another user",
                         user);
    }
    if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
        setuid(entry->pw_uid) != 0)
        return error_set(error, "user %s: %s", user, strerror(errno));
    /* Root must not come back; a user id of 0 under another name keeps it. */
    if (entry->pw_uid != 0 && setuid(0) == 0)
        return error_set(error, "user %s: root could not be left", user);
    return true;
}
