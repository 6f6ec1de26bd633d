/*
 * Reading a rules folder.
 *
 * All regular files whose names do not begin with a dot belong to the version,
 * also those that the verifier has no use for: a notice beside the numbers is
 * part of the rules.
 */
#include "verifier/rules_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buffer.h"
#include "rules/rule/rule_table.h"

enum { FILE_LIMIT = 4 << 20, FILE_NAME_LEN = 256 };

struct folder_files {
    char names[RULES_FILES_MAX][FILE_NAME_LEN];
    struct buffer texts[RULES_FILES_MAX];
    size_t count;
};

static bool parse_programme(struct rules_folder *f, struct slice text,
                            struct error_text *error)
{
    return programme_parse(text, &f->programme, error);
}
static bool parse_catalogue(struct rules_folder *f, struct slice text,
                            struct error_text *error)
{
    return catalogue_parse(text, &f->catalogue, error);
}
static bool parse_parameters(struct rules_folder *f, struct slice text,
                             struct error_text *error)
{
    return parameters_parse(text, &f->parameters, error);
}
static bool parse_calendar(struct rules_folder *f, struct slice text,
                           struct error_text *error)
{
    return calendar_parse(text, &f->calendar, error);
}
static bool parse_cities(struct rules_folder *f, struct slice text,
                         struct error_text *error)
{
    return city_list_parse(text, &f->cities, error);
}
static bool parse_clients(struct rules_folder *f, struct slice text,
                          struct error_text *error)
{
    return client_list_parse(text, &f->clients, error);
}

static const struct file_row {
    const char *name;
    bool (*parse)(struct rules_folder *f, struct slice text,
                  struct error_text *error);
} FILES[] = {
    {"programme.json", parse_programme},
    {"catalogue-v1.json", parse_catalogue},
    {"parameters.conf", parse_parameters},
    {"calendar.csv", parse_calendar},
    {"cities.csv", parse_cities},
    {"clients.csv", parse_clients},
};

static bool read_file(const char *path, const char *name,
                      struct folder_files *files, struct error_text *error)
{
    char full[PATH_MAX];
    struct stat status;
    int length = snprintf(full, sizeof(full), "%s/%s", path, name);
    if (length < 0 || (size_t)length >= sizeof(full) ||
        strlen(name) >= FILE_NAME_LEN)
        return error_set(error, "%s: a file name is too long", path);
    if (stat(full, &status) != 0)
        return error_set(error, "%s: %s", full, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return true;
    if (files->count == RULES_FILES_MAX)
        return error_set(error, "%s: more than %d files", path,
                         RULES_FILES_MAX);
    struct buffer *text = &files->texts[files->count];
    if (!buffer_read_file(text, full, FILE_LIMIT)) {
        int reason = errno;
        buffer_clear(text);
        return error_set(error, "%s: %s", full, strerror(reason));
    }
    memcpy(files->names[files->count++], name, strlen(name) + 1);
    return true;
}

static bool read_files(const char *path, struct folder_files *files,
                       struct error_text *error)
{
    bool good = true;
    const struct dirent *entry;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    while (good && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            good = read_file(path, entry->d_name, files, error);
    }
    closedir(folder);
    return good;
}

static bool parse_file(const char *path, const struct file_row *row,
                       const struct folder_files *files, struct rules_folder *f,
                       struct error_text *error)
{
    struct error_text reason = {""};
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->names[i], row->name) != 0)
            continue;
        if (row->parse(f, buffer_slice(&files->texts[i]), &reason))
            return true;
        return error_set(error, "%s/%s: %s", path, row->name, reason.text);
    }
    return error_set(error, "%s/%s: there is no such file", path, row->name);
}

static void set_version(const struct folder_files *files,
                        struct rules_folder *f)
{
    struct rules_file list[RULES_FILES_MAX];
    for (size_t i = 0; i < files->count; i++)
        list[i] = (struct rules_file){files->names[i],
                                      buffer_slice(&files->texts[i])};
    digest_to_hex(rules_version(list, files->count), f->version);
}

struct rules_folder *rules_folder_read(const char *path,
                                       struct error_text *error)
{
    struct folder_files *files = calloc(1, sizeof(*files));
    struct rules_folder *f = calloc(1, sizeof(*f));
    bool good = files != NULL && f != NULL;
    if (!good)
        error_set(error, "out of memory");
    good = good && read_files(path, files, error);
    for (size_t i = 0; good && i < sizeof(FILES) / sizeof(FILES[0]); i++)
        good = parse_file(path, &FILES[i], files, f, error);
    if (good)
        set_version(files, f);
    for (size_t i = 0; files != NULL && i < files->count; i++)
        buffer_clear(&files->texts[i]);
    free(files);
    if (good)
        return f;
    free(f);
    return NULL;
}

void rules_folder_free(struct rules_folder *folder)
{
    free(folder);
}

struct judge_rules rules_folder_for_judge(const struct rules_folder *folder)
{
    return (struct judge_rules){
        .parameters = &folder->parameters,
        .calendar = &folder->calendar,
        .clients = &folder->clients,
        .rules = RULES,
    };
}
