/*
 * Files handed in without a form, for scripts:
 *
 *   attachment_tool take DIR SOCKET FILE   receives it, keeps it when it is good,
 *                                          says "good CLEAN" or why not
 *   attachment_tool clock DIR SOCKET HOURS what the clock does, so much later
 *   attachment_tool flood DIR SEED         keeps made-up files until it is ended;
 *                                          a line "ID SHA-256" for each, once it
 *                                          is kept
 *
 * DIR has portal.db, SOCKET is clamd's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portal/store/attachment.h"
#include "portal/store/attachment_clock.h"
#include "portal/store/attachment_type.h"

enum { FLOOD_BYTES_MAX = 300000, PIECE = 7000 };

static struct portal *open_portal(const char *folder, const char *socket)
{
    static struct portal_config config = {.attachment_mib = 20};
    struct error_text error;
    snprintf(config.portal_db, sizeof(config.portal_db), "%s/portal.db",
             folder);
    snprintf(config.rules, sizeof(config.rules), "rules/guangdong-2018");
    snprintf(config.clamd, sizeof(config.clamd), "%s", socket);
    struct portal *portal = portal_open(&config, &error);
    if (portal == NULL)
        fatal(1, "%s", error.text);
    return portal;
}

static struct attachment_file *receive(struct portal *portal,
                                       struct slice content)
{
    struct attachment_file *file =
        attachment_file_new(portal_attachments(portal), ATTACHMENT_READABLE);
    while (content.length > 0) {
        size_t length = content.length < PIECE ? content.length : PIECE;
        attachment_file_add(file, slice_of_bytes(content.data, length));
        content =
            slice_of_bytes(content.data + length, content.length - length);
    }
    attachment_file_end(file);
    attachment_file_look(file);
    return file;
}

struct keeping {
    struct attachment_file *file;
    const char *name;
    int64_t id;
};

static enum act_end keep(struct db *db, struct wall_time now, void *context,
                         struct error_text *error)
{
    struct keeping *keeping = context;
    const struct attachment_place place = {
        "enterprise_registration", "1", "licence", slice_of_text(keeping->name),
        "somebody"};
    keeping->id = attachment_add(db, now, &place, keeping->file, error);
    return keeping->id != 0 ? ACT_KEPT : ACT_FAILED;
}

static int64_t keep_file(struct portal *portal, struct attachment_file *file,
                         const char *name)
{
    struct keeping keeping = {file, name, 0};
    struct error_text error = {""};
    if (portal_act(portal, wall_now(), NULL, keep, &keeping, &error) !=
        ACT_KEPT)
        fatal(1, "%s", error.text);
    return keeping.id;
}

static int take(struct portal *portal, const char *path)
{
    struct buffer content;
    const char *slash = strrchr(path, '/');
    if (!buffer_read_file(&content, path, 64 << 20))
        fatal(1, "%s: cannot be read", path);
    struct attachment_file *file = receive(portal, buffer_slice(&content));
    const char *code = attachment_state_code(attachment_file_state(file));
    if (code == NULL)
        keep_file(portal, file, slash != NULL ? slash + 1 : path);
    printf("%s%s\n", code != NULL ? code : "good ",
           code != NULL ? ""
                        : attachment_scan_name(attachment_file_scan(file)));
    attachment_file_free(file);
    buffer_clear(&content);
    return 0;
}

static int clock_later(struct portal *portal, const char *hours)
{
    struct wall_time now = wall_now();
    size_t count;
    now.us += strtol(hours, NULL, 10) * INT64_C(3600000000);
    return attachment_rescan(portal, now, &count) ? 0 : 1;
}

/* Sizes and bytes follow from the seed; every third has the bytes of one before,
 * so that some lie there already. */
static void __attribute__((noreturn))
flood(struct portal *portal, const char *seed)
{
    static char content[FLOOD_BYTES_MAX];
    char hex[DIGEST_HEX_LEN];
    uint32_t state = (uint32_t)strtoul(seed, NULL, 10);
    for (unsigned n = 0;; n++) {
        if (n % 3 != 2)
            state = state * 1664525u + 1013904223u;
        size_t length = 100 + state % (FLOOD_BYTES_MAX - 100);
        memset(content, (int)(state >> 24), length);
        memcpy(content, "%PDF-", 5);
        struct attachment_file *file =
            receive(portal, slice_of_bytes(content, length));
        digest_to_hex(attachment_file_digest(file), hex);
        printf("%" PRId64 " %s\n", keep_file(portal, file, "flood.pdf"), hex);
        fflush(stdout);
        attachment_file_free(file);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fatal(2, "wrong usage");
    bool is_flood = strcmp(argv[1], "flood") == 0;
    struct portal *portal = open_portal(argv[2], is_flood ? "" : argv[3]);
    int status = 2;
    if (is_flood)
        flood(portal, argv[3]);
    if (argc == 5 && strcmp(argv[1], "take") == 0)
        status = take(portal, argv[4]);
    else if (argc == 5 && strcmp(argv[1], "clock") == 0)
        status = clock_later(portal, argv[4]);
    portal_close(portal);
    return status;
}
