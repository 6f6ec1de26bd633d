/* See load_programme.h. */
#include "portal/load/load_programme.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buffer.h"
#include "portal/load/load_refusal.h"
#include "rules/catalogue.h"
#include "rules/city.h"
#include "rules/programme.h"

enum { RULES_FILE_MAX_BYTES = 1024 * 1024 };

/* The folder's files, read whole. */
struct folder {
    struct rules_file files[RULES_FILES_MAX];
    struct buffer contents[RULES_FILES_MAX];
    char names[RULES_FILES_MAX][256];
    size_t count;
};

static bool read_file(struct folder *folder, const struct load_options *options,
                      const char *name, struct error_text *error)
{
    size_t i = folder->count;
    const char *path = options->folder;
    char full[4096];
    int length = snprintf(full, sizeof(full), "%s/%s", path, name);
    if (i == RULES_FILES_MAX)
        return load_say(error, options, "load.programme.files",
                        text_plain("folder", path),
                        text_number("most", RULES_FILES_MAX));
    if (length < 0 || (size_t)length >= sizeof(full))
        return load_say(error, options, "load.folder.long",
                        text_plain("folder", path));
    folder->count++;
    if (!buffer_read_file(&folder->contents[i], full, RULES_FILE_MAX_BYTES))
        return load_say(error, options, "load.file.unread",
                        text_plain("file", full),
                        text_plain("trouble", strerror(errno)));
    snprintf(folder->names[i], sizeof(folder->names[i]), "%s", name);
    folder->files[i].name = folder->names[i];
    folder->files[i].content = buffer_slice(&folder->contents[i]);
    return true;
}

static bool read_folder(struct folder *folder,
                        const struct load_options *options,
                        struct error_text *error)
{
    DIR *dir = opendir(options->folder);
    bool good = true;
    if (dir == NULL)
        return load_say(error, options, "load.folder.unread",
                        text_plain("folder", options->folder),
                        text_plain("trouble", strerror(errno)));
    for (struct dirent *e = readdir(dir); good && e != NULL; e = readdir(dir))
        if (e->d_name[0] != '.')
            good = read_file(folder, options, e->d_name, error);
    closedir(dir);
    return good;
}

static void free_folder(struct folder *folder)
{
    for (size_t i = 0; folder != NULL && i < folder->count; i++)
        buffer_clear(&folder->contents[i]);
    free(folder);
}

static const struct rules_file *find_file(const struct folder *folder,
                                          const char *name)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->files[i].name, name) == 0)
            return &folder->files[i];
    return NULL;
}

static bool put_programme(struct db *db, const struct load_options *options,
                          const struct folder *folder,
                          const struct programme *programme)
{
    char version[DIGEST_HEX_LEN];
    digest_to_hex(rules_version(folder->files, folder->count), version);
    struct db_statement *s = db_prepare(
        db, "INSERT INTO programme (id, version, title_zh, title_en, loaded_at)"
            " VALUES (:id, :version, :zh, :en, :now) ON CONFLICT (id)"
            " DO UPDATE SET version = :version, title_zh = :zh,"
            " title_en = :en, loaded_at = :now");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", programme->id);
    db_bind_text(s, ":version", version);
    db_bind_text(s, ":zh", programme->title_zh);
    db_bind_text(s, ":en", programme->title_en);
    db_bind_i64(s, ":now", options->now.us);
    return db_do(s);
}

static bool put_cities(struct db *db, const struct city_list *cities)
{
    bool good = true;
    for (size_t i = 0; good && i < cities->count; i++) {
        struct db_statement *s =
            db_prepare(db, "INSERT INTO city (code, name_zh, name_en)"
                           " VALUES (:code, :zh, :en) ON CONFLICT (code)"
                           " DO UPDATE SET name_zh = :zh, name_en = :en");
        if (s == NULL)
            return false;
        db_bind_text(s, ":code", cities->items[i].code);
        db_bind_text(s, ":zh", cities->items[i].name_zh);
        db_bind_text(s, ":en", cities->items[i].name_en);
        good = db_do(s);
    }
    return good;
}

/* True when a row with these values is there after trying to insert it. */
static bool is_there(struct db_statement *s)
{
    bool found = s != NULL && db_step(s) == DB_ROW;
    if (s != NULL)
        db_reset(s);
    return found;
}

static void bind_catalogue(struct db_statement *s, const char *programme_id,
                           const struct catalogue *catalogue)
{
    db_bind_text(s, ":programme", programme_id);
    db_bind_i64(s, ":version", catalogue->version);
    db_bind_text(s, ":code", catalogue->code);
    db_bind_text(s, ":title", catalogue->title_zh);
    db_bind_i64(s, ":cap", catalogue->cumulative_cap.fen);
}

static bool put_catalogue_head(struct db *db, const char *programme_id,
                               const struct catalogue *catalogue)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO catalogue (programme_id, version, code, title_zh,"
            " cumulative_cap_fen) VALUES (:programme, :version, :code, :title,"
            " :cap) ON CONFLICT DO NOTHING");
    if (s == NULL)
        return false;
    bind_catalogue(s, programme_id, catalogue);
    if (!db_do(s))
        return false;
    s = db_prepare(db, "SELECT 1 FROM catalogue WHERE programme_id = :programme"
                       " AND version = :version AND code = :code"
                       " AND title_zh = :title AND cumulative_cap_fen = :cap");
    if (s == NULL)
        return false;
    bind_catalogue(s, programme_id, catalogue);
    return is_there(s);
}

static void bind_item(struct db_statement *s, const char *programme_id,
                      int version, const struct catalogue_item *item)
{
    db_bind_text(s, ":programme", programme_id);
    db_bind_i64(s, ":version", version);
    db_bind_i64(s, ":no", item->no);
    db_bind_text(s, ":code", item->code);
    db_bind_text(s, ":link", item->link_zh);
    db_bind_text(s, ":zh", item->name_zh);
    db_bind_text(s, ":en", item->name_en);
    db_bind_null(s, ":cap");
    db_bind_null(s, ":per_set");
    db_bind_i64(s, item->cap_kind == CAP_FIXED ? ":cap" : ":per_set",
                item->cap.fen);
}

static bool put_item(struct db *db, const char *programme_id, int version,
                     const struct catalogue_item *item)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO catalogue_item (programme_id, version, no, code,"
            " link_zh, name_zh, name_en, cap_fen, per_set_fen) VALUES"
            " (:programme, :version, :no, :code, :link, :zh, :en, :cap,"
            " :per_set) ON CONFLICT DO NOTHING");
    if (s == NULL)
        return false;
    bind_item(s, programme_id, version, item);
    if (!db_do(s))
        return false;
    s = db_prepare(
        db, "SELECT 1 FROM catalogue_item WHERE programme_id = :programme"
            " AND version = :version AND no = :no AND code = :code"
            " AND link_zh = :link AND name_zh = :zh AND name_en = :en"
            " AND cap_fen IS :cap AND per_set_fen IS :per_set");
    if (s == NULL)
        return false;
    bind_item(s, programme_id, version, item);
    return is_there(s);
}

static bool item_count_is(struct db *db, const char *programme_id,
                          const struct catalogue *catalogue)
{
    struct db_statement *s = db_prepare(
        db, "SELECT count(*) FROM catalogue_item"
            " WHERE programme_id = :programme AND version = :version");
    if (s == NULL)
        return false;
    db_bind_text(s, ":programme", programme_id);
    db_bind_i64(s, ":version", catalogue->version);
    bool same =
        db_step(s) == DB_ROW && db_i64(s, 0) == (int64_t)catalogue->item_count;
    db_reset(s);
    return same;
}

static bool put_catalogue(struct db *db, const char *programme_id,
                          const struct catalogue *catalogue)
{
    bool good = put_catalogue_head(db, programme_id, catalogue);
    for (size_t i = 0; good && i < catalogue->item_count; i++)
        good = put_item(db, programme_id, catalogue->version,
                        &catalogue->items[i]);
    return good && item_count_is(db, programme_id, catalogue);
}

/* A file of the folder that cannot be what its name says. */
static bool refuse_unfit(const struct load_options *options, const char *name,
                         const struct error_text *reason,
                         struct error_text *error)
{
    return load_say(error, options, "load.programme.unfit",
                    text_plain("folder", options->folder),
                    text_plain("file", name),
                    text_plain("reason", reason->text));
}

static bool load_catalogue(struct db *db, const struct load_options *options,
                           const struct rules_file *file,
                           const char *programme_id,
                           struct catalogue *catalogue,
                           struct error_text *error)
{
    struct error_text reason;
    if (!catalogue_parse(file->content, catalogue, &reason))
        return refuse_unfit(options, file->name, &reason, error);
    return put_catalogue(db, programme_id, catalogue) ||
           load_say(error, options, "load.programme.published",
                    text_plain("folder", options->folder),
                    text_plain("file", file->name),
                    text_number("version", catalogue->version));
}

static bool load_catalogues(struct db *db, const struct load_options *options,
                            const struct folder *folder,
                            const char *programme_id, struct error_text *error)
{
    size_t found = 0;
    bool good = true;
    struct catalogue *catalogue = calloc(1, sizeof(*catalogue));
    if (catalogue == NULL)
        return load_say(error, options, "load.memory");
    for (size_t i = 0; good && i < folder->count; i++) {
        if (fnmatch("catalogue-v*.json", folder->files[i].name, 0) != 0)
            continue;
        found++;
        good = load_catalogue(db, options, &folder->files[i], programme_id,
                              catalogue, error);
    }
    free(catalogue);
    return good &&
           (found > 0 || load_say(error, options, "load.programme.no_catalogue",
                                  text_plain("folder", options->folder)));
}

static bool load_cities(struct db *db, const struct load_options *options,
                        const struct folder *folder, struct error_text *error)
{
    struct error_text reason;
    struct city_list cities;
    const struct rules_file *file = find_file(folder, "cities.csv");
    if (file == NULL)
        return load_say(error, options, "load.programme.no_cities",
                        text_plain("folder", options->folder));
    if (!city_list_parse(file->content, &cities, &reason))
        return refuse_unfit(options, file->name, &reason, error);
    return put_cities(db, &cities) || load_say_trouble(error, options, db);
}

/* What programme.json names, and what belongs to it. */
static bool put_all(struct db *db, const struct load_options *options,
                    const struct folder *folder, const struct rules_file *file,
                    struct error_text *error)
{
    struct programme programme;
    struct error_text reason;
    if (!programme_parse(file->content, &programme, &reason))
        return refuse_unfit(options, file->name, &reason, error);
    if (!put_programme(db, options, folder, &programme))
        return load_say_trouble(error, options, db);
    return load_cities(db, options, folder, error) &&
           load_catalogues(db, options, folder, programme.id, error);
}

bool load_programme(struct db *db, const struct load_options *options,
                    struct load_counts *counts, struct error_text *error)
{
    char name[4096];
    int length =
        snprintf(name, sizeof(name), "%s/programme.json", options->folder);
    if (length < 0 || (size_t)length >= sizeof(name) || access(name, F_OK) != 0)
        return true; /* registry rows only */
    struct folder *folder = calloc(1, sizeof(*folder));
    if (folder == NULL)
        return load_say(error, options, "load.memory");
    counts->has_programme = true;
    bool good = read_folder(folder, options, error);
    if (good)
        good = put_all(db, options, folder, find_file(folder, "programme.json"),
                       error);
    free_folder(folder);
    return good;
}
