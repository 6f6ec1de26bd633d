/*
 * power_tool: the power switch of a machine of the durability drill, and the
 * witness of what its programs promised.
 *
 *   power_tool new ROOT JOURNAL
 *   power_tool set JOURNAL KEY=NUMBER...   clock_s, die_after, fault,
 *                                          fault_percent, lies, chance
 *   power_tool get JOURNAL KEY             also operations, faults, bytes
 *   power_tool follow ROOT JOURNAL [WITNESS]        after a kill
 *   power_tool cut ROOT JOURNAL SEED [WITNESS]      after a loss of power
 *
 * WITNESS is a folder outside the machine with three in it: promised/ gets a
 * copy of each batch that the probe's spool holds for sure, acknowledged/ and
 * refused/ of those that it let go of on a receipt; all named HASH.ipfix.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"
#include "common/slice.h"
#include "tests/drill/disk.h"
#include "tests/drill/journal.h"

enum { PATH_LEN = 1024, NUMBER_LEN = 13, HASH_LEN = 64 };

/* --- the switches --- */

#define SWITCH(name)                                                           \
    {                                                                          \
#name, offsetof(struct control, name)                                  \
    }
static const struct {
    const char *key;
    size_t offset;
} SWITCHES[] = {
    SWITCH(clock_s),
    SWITCH(die_after),
    SWITCH(fault),
    SWITCH(fault_percent),
    SWITCH(lies),
    SWITCH(chance),
    SWITCH(operations),
    SWITCH(faults),
    {"bytes", offsetof(struct control, end)},
};

/* All of them are eight bytes wide. */
static _Atomic int64_t *switch_at(void *control, struct slice key)
{
    for (size_t i = 0; i < sizeof(SWITCHES) / sizeof(SWITCHES[0]); i++)
        if (slice_equal_text(key, SWITCHES[i].key))
            return (void *)((char *)control + SWITCHES[i].offset);
    fatal(2, "no such switch: %.*s", (int)key.length, key.data);
}

static void *map_control(const char *journal)
{
    int fd = open(journal, O_RDWR | O_CLOEXEC);
    void *map = MAP_FAILED;
    if (fd >= 0)
        map = mmap(NULL, JOURNAL_START, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                   0);
    if (map == MAP_FAILED)
        fatal(1, "%s: %s", journal, strerror(errno));
    close(fd);
    return map;
}

static int set_switches(const char *journal, char **settings, int count)
{
    void *control = map_control(journal);
    for (int i = 0; i < count; i++) {
        char *value = strchr(settings[i], '=');
        if (value == NULL)
            fatal(2, "%s: not KEY=NUMBER", settings[i]);
        struct slice key = {settings[i], (size_t)(value - settings[i])};
        *switch_at(control, key) = strtoll(value + 1, NULL, 10);
    }
    return 0;
}

static int get_switch(const char *journal, const char *key)
{
    printf("%" PRId64 "\n",
           *switch_at(map_control(journal), slice_of_text(key)));
    return 0;
}

/* --- the witness --- */

static void keep(const char *witness, const char *list, const char *hash,
                 const void *data, uint64_t length)
{
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/%s/%s", witness, list, hash);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return;
    if (fd < 0 || write(fd, data, length) != (ssize_t)length || close(fd) != 0)
        fatal(1, "%s: %s", path, strerror(errno));
}

/* "spool/NUMBER-HASH.ipfix", or in one of the other two. */
static bool see(void *witness, const char *name, const void *data,
                uint64_t length, bool is_sure)
{
    static const struct {
        const char *folder, *list;
        bool is_promise;
    } FOLDERS[] = {{"spool/", "promised", true},
                   {"sent/", "acknowledged", false},
                   {"refused/", "refused", false}};
    for (size_t i = 0; i < sizeof(FOLDERS) / sizeof(FOLDERS[0]); i++) {
        size_t skip = strlen(FOLDERS[i].folder);
        if (strncmp(name, FOLDERS[i].folder, skip) == 0 &&
            strlen(name + skip) == NUMBER_LEN + HASH_LEN + strlen(".ipfix") &&
            (is_sure || !FOLDERS[i].is_promise))
            keep(witness, FOLDERS[i].list, name + skip + NUMBER_LEN, data,
                 length);
    }
    return true;
}

/* --- the commands --- */

static struct disk *load(const char *journal)
{
    struct error_text error;
    struct disk *disk = disk_load(journal, &error);
    if (disk == NULL)
        fatal(1, "%s", error.text);
    return disk;
}

static int make(char **argv)
{
    struct error_text error;
    if (!disk_new(argv[0], argv[1], &error))
        fatal(1, "%s", error.text);
    return 0;
}

static int follow(char **argv, char *witness)
{
    struct error_text error;
    struct disk *disk = load(argv[1]);
    if (!disk_follow(disk, argv[0], &error))
        fatal(1, "%s", error.text);
    if (witness != NULL)
        disk_each(disk, see, witness);
    disk_free(disk);
    return 0;
}

static int cut(char **argv, char *witness)
{
    struct error_text error;
    struct disk_losses losses;
    struct disk *disk = load(argv[1]);
    if (witness != NULL)
        disk_each(disk, see, witness);
    if (!disk_cut(disk, argv[0], strtoull(argv[2], NULL, 10), &losses, &error))
        fatal(1, "%s", error.text);
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", losses.unsure, losses.lost,
           losses.torn);
    disk_free(disk);
    return 0;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "new") == 0 && argc == 4)
        return make(argv + 2);
    if (strcmp(command, "set") == 0 && argc > 3)
        return set_switches(argv[2], argv + 3, argc - 3);
    if (strcmp(command, "get") == 0 && argc == 4)
        return get_switch(argv[2], argv[3]);
    if (strcmp(command, "follow") == 0 && (argc == 4 || argc == 5))
        return follow(argv + 2, argv[4]);
    if (strcmp(command, "cut") == 0 && (argc == 5 || argc == 6))
        return cut(argv + 2, argv[5]);
    fatal(2, "usage: power_tool new|set|get|follow|cut ...");
}
