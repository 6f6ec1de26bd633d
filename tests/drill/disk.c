/*
 * Names and files apart, as in an inode file system. A file has its bytes
 * twice, in the kernel and on the disk, and between them the changes that wait;
 * a name has its meanings, the first of them sure.
 */
#include "tests/drill/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/drill/journal.h"

enum { NOTHING = -1, INDEX = 1 << 17, PATH_LEN = 1024 };

struct bytes {
    uint8_t *data;
    uint64_t length, room;
};

struct change {
    uint64_t order;
    uint64_t offset, length;
    const uint8_t *data; /* in the journal; NULL: a new size, `offset` */
};

struct file {
    uint64_t inode;
    bool is_folder;
    struct bytes kernel, disk;
    struct change *waiting;
    size_t waiting_count, waiting_room;
    bool is_made; /* in the picture that is being written */
    char picture[PATH_LEN];
};

struct meaning {
    uint64_t order;
    int file;
};

struct name {
    char *text;
    struct meaning *meanings; /* [0] is sure, the last is the kernel's */
    size_t meaning_count, meaning_room;
    bool is_listed; /* among the unsure */
};

struct disk {
    uint8_t *journal;
    struct file *files;
    size_t file_count, file_room;
    struct name *names;
    size_t name_count, name_room;
    uint32_t name_index[INDEX], file_index[INDEX]; /* number + 1; 0: free */
    int *unsure; /* names with more than one meaning */
    size_t unsure_count, unsure_room;
    uint64_t order; /* of the change being read */
};

static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room == 0 ? 4 : *room * 2;
    items = reallocarray(items, *room, size);
    if (items == NULL)
        fatal(1, "no memory");
    return items;
}

/* --- chance --- */

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* --- bytes --- */

static void resize(struct bytes *b, uint64_t length)
{
    if (length > b->room) {
        b->room = length < 4096 ? 4096 : length + length / 2;
        b->data = realloc(b->data, b->room);
        if (b->data == NULL)
            fatal(1, "no memory");
    }
    if (length > b->length)
        memset(b->data + b->length, 0, length - b->length);
    b->length = length;
}

static void put(struct bytes *b, uint64_t offset, const uint8_t *data,
                uint64_t length)
{
    if (offset + length > b->length)
        resize(b, offset + length);
    memcpy(b->data + offset, data, length);
}

static void apply(struct bytes *b, const struct change *c)
{
    if (c->data == NULL)
        resize(b, c->offset);
    else
        put(b, c->offset, c->data, c->length);
}

/* --- files and names --- */

static uint32_t *file_slot(struct disk *d, uint64_t inode)
{
    size_t i = (inode * UINT64_C(0x9e3779b97f4a7c15)) >> 47;
    while (d->file_index[i] != 0 &&
           d->files[d->file_index[i] - 1].inode != inode)
        i = (i + 1) % INDEX;
    return &d->file_index[i];
}

static int find_file(struct disk *d, uint64_t inode)
{
    return (int)*file_slot(d, inode) - 1;
}

/* Takes the place of an older file whose inode number is used again. */
static int new_file(struct disk *d, uint64_t inode, bool is_folder)
{
    d->files = grown(d->files, d->file_count, &d->file_room, sizeof(*d->files));
    d->files[d->file_count] =
        (struct file){.inode = inode, .is_folder = is_folder};
    uint32_t *slot = file_slot(d, inode);
    *slot = (uint32_t)++d->file_count;
    if (d->file_count > INDEX / 2)
        fatal(1, "too many files in one journal");
    return (int)d->file_count - 1;
}

static uint32_t *name_slot(struct disk *d, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *c = text; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    size_t i = hash % INDEX;
    while (d->name_index[i] != 0 &&
           strcmp(d->names[d->name_index[i] - 1].text, text) != 0)
        i = (i + 1) % INDEX;
    return &d->name_index[i];
}

static struct name *name_at(struct disk *d, const char *text)
{
    uint32_t *slot = name_slot(d, text);
    if (*slot != 0)
        return &d->names[*slot - 1];
    d->names = grown(d->names, d->name_count, &d->name_room, sizeof(*d->names));
    struct name *n = &d->names[d->name_count];
    *n = (struct name){.text = strdup(text)};
    n->meanings = grown(NULL, 0, &n->meaning_room, sizeof(*n->meanings));
    n->meanings[n->meaning_count++] = (struct meaning){0, NOTHING};
    *slot = (uint32_t)++d->name_count;
    if (d->name_count > INDEX / 2)
        fatal(1, "too many names in one journal");
    return n;
}

static int kernel_of(const struct name *n)
{
    return n->meanings[n->meaning_count - 1].file;
}

static void mean(struct disk *d, const char *text, int file)
{
    struct name *n = name_at(d, text);
    n->meanings = grown(n->meanings, n->meaning_count, &n->meaning_room,
                        sizeof(*n->meanings));
    n->meanings[n->meaning_count++] = (struct meaning){d->order, file};
    if (n->is_listed)
        return;
    n->is_listed = true;
    d->unsure =
        grown(d->unsure, d->unsure_count, &d->unsure_room, sizeof(*d->unsure));
    d->unsure[d->unsure_count++] = (int)(n - d->names);
}

static bool is_directly_in(const char *name, const char *folder)
{
    size_t length = strlen(folder);
    if (length == 0)
        return name[0] != '\0' && strchr(name, '/') == NULL;
    return strncmp(name, folder, length) == 0 && name[length] == '/' &&
           strchr(name + length + 1, '/') == NULL;
}

/* --- syncs --- */

static void make_sure(struct name *n, struct meaning meaning)
{
    n->meanings[0] = meaning;
    n->meaning_count = 1;
    n->is_listed = false;
}

/* With chance, for each name: a failed sync. */
static void sync_names(struct disk *d, const char *folder, uint64_t *chance)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->unsure_count; i++) {
        struct name *n = &d->names[d->unsure[i]];
        if (!is_directly_in(n->text, folder))
            d->unsure[kept++] = d->unsure[i];
        else if (chance == NULL || draw(chance) % 2 == 0)
            make_sure(n, n->meanings[n->meaning_count - 1]);
        else
            d->unsure[kept++] = d->unsure[i];
    }
    d->unsure_count = kept;
}

static void sync_file(struct file *f, uint64_t *chance)
{
    for (size_t i = 0; i < f->waiting_count; i++)
        if (chance == NULL || draw(chance) % 2 == 0)
            apply(&f->disk, &f->waiting[i]);
    f->waiting_count = 0;
}

/* The name of a folder: folders keep theirs. */
static const char *folder_name(struct disk *d, int file)
{
    for (size_t i = 0; i < d->name_count; i++)
        if (kernel_of(&d->names[i]) == file)
            return d->names[i].text;
    return "";
}

static void sync_any(struct disk *d, int file, uint64_t *chance)
{
    if (d->files[file].is_folder)
        sync_names(d, folder_name(d, file), chance);
    else
        sync_file(&d->files[file], chance);
}

/* --- reading the journal --- */

static void change(struct file *f, struct change c)
{
    apply(&f->kernel, &c);
    f->waiting = grown(f->waiting, f->waiting_count, &f->waiting_room,
                       sizeof(*f->waiting));
    f->waiting[f->waiting_count++] = c;
}

static void take(struct disk *d, const struct record *r)
{
    const char *name = r->name_length > 0 ? (const char *)(r + 1) : "";
    const uint8_t *data = (const uint8_t *)(r + 1) + r->name_length;
    int file = find_file(d, r->inode);
    uint64_t chance = r->offset;
    d->order++;
    bool is_new = r->kind == RECORD_FILE || r->kind == RECORD_FOLDER;
    if (is_new)
        mean(d, name, new_file(d, r->inode, r->kind == RECORD_FOLDER));
    else if (r->kind == RECORD_UNLINK)
        mean(d, name, NOTHING);
    else if (file < 0)
        return; /* made by a program that was killed before it said so */
    else if (r->kind == RECORD_LINK)
        mean(d, name, file);
    else if (r->kind == RECORD_WRITE)
        change(&d->files[file],
               (struct change){d->order, r->offset, r->data_length, data});
    else if (r->kind == RECORD_RESIZE)
        change(&d->files[file], (struct change){d->order, r->offset, 0, NULL});
    else if (r->kind == RECORD_SYNC)
        sync_any(d, file, NULL);
    else if (r->kind == RECORD_SYNC_FAILED)
        sync_any(d, file, &chance);
}

static bool is_whole(const uint8_t *journal, uint64_t at, uint64_t end)
{
    const struct record *r =
        (const struct record *)(const void *)(journal + at);
    return r->magic == (JOURNAL_MAGIC ^ at) && r->kind < RECORD_KINDS &&
           r->data_length <= end - at &&
           record_size(r->name_length, r->data_length) <= end - at;
}

/* Past a record that was cut off, the next whole one is looked for. */
static void read_records(struct disk *d)
{
    const struct control *c = (const struct control *)(const void *)d->journal;
    uint64_t end = c->end;
    for (uint64_t at = JOURNAL_START; at + sizeof(struct record) <= end;) {
        const struct record *r =
            (const struct record *)(const void *)(d->journal + at);
        if (!is_whole(d->journal, at, end)) {
            at += RECORD_ALIGN;
            continue;
        }
        take(d, r);
        at += record_size(r->name_length, r->data_length);
    }
}

static uint8_t *map_journal(const char *path, struct error_text *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    void *map = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, (off_t)JOURNAL_BYTES) == 0)
        map = mmap(NULL, JOURNAL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                   0);
    if (map == MAP_FAILED)
        error_set(error, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return map == MAP_FAILED ? NULL : map;
}

struct disk *disk_load(const char *journal, struct error_text *error)
{
    struct disk *d = calloc(1, sizeof(*d));
    if (d == NULL)
        fatal(1, "no memory");
    d->journal = map_journal(journal, error);
    if (d->journal == NULL) {
        disk_free(d);
        return NULL;
    }
    read_records(d);
    return d;
}

void disk_free(struct disk *disk)
{
    struct disk *d = disk;
    for (size_t i = 0; i < d->file_count; i++) {
        free(d->files[i].kernel.data);
        free(d->files[i].disk.data);
        free(d->files[i].waiting);
    }
    for (size_t i = 0; i < d->name_count; i++) {
        free(d->names[i].text);
        free(d->names[i].meanings);
    }
    if (d->journal != NULL)
        munmap(d->journal, JOURNAL_BYTES);
    free(d->files);
    free(d->names);
    free(d->unsure);
    free(d);
}

bool disk_each(const struct disk *disk, disk_visit *visit, void *context)
{
    for (size_t i = 0; i < disk->name_count; i++) {
        const struct name *n = &disk->names[i];
        int file = kernel_of(n);
        if (file < 0 || disk->files[file].is_folder)
            continue;
        const struct file *f = &disk->files[file];
        bool is_sure =
            n->meaning_count == 1 && f->waiting_count == 0 &&
            f->disk.length == f->kernel.length &&
            (f->kernel.length == 0 ||
             memcmp(f->disk.data, f->kernel.data, f->kernel.length) == 0);
        if (!visit(context, n->text, f->kernel.data, f->kernel.length, is_sure))
            return false;
    }
    return true;
}

/* --- writing the journal --- */

static void append(struct disk *d, enum record_kind kind, const char *name,
                   uint64_t inode, uint64_t offset, const void *data,
                   uint64_t length)
{
    struct control *c = (struct control *)(void *)d->journal;
    uint64_t name_length = name != NULL ? strlen(name) + 1 : 0, at = c->end;
    c->end += record_size(name_length, length);
    if (c->end > JOURNAL_BYTES)
        fatal(1, "the journal is full");
    struct record *r = (struct record *)(void *)(d->journal + at);
    r->kind = kind;
    r->name_length = (uint32_t)name_length;
    r->inode = inode;
    r->offset = offset;
    r->data_length = length;
    uint8_t *tail = (uint8_t *)(r + 1);
    if (name != NULL)
        memcpy(tail, name, name_length);
    if (length > 0)
        memcpy(tail + name_length, data, length);
    r->magic = JOURNAL_MAGIC ^ at;
    take(d, r);
}

/* --- what is there --- */

static bool read_live(const char *path, struct bytes *b)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    b->length = 0;
    if (fd < 0 || fstat(fd, &st) != 0)
        return false;
    resize(b, (uint64_t)st.st_size);
    ssize_t n = b->length > 0 ? read(fd, b->data, b->length) : 0;
    close(fd);
    return n == (ssize_t)b->length;
}

static bool is_left_out(const char *name)
{
    size_t length = strlen(name);
    return name[0] == '.' ||
           (length > 4 && strcmp(name + length - 4, "-shm") == 0);
}

struct following {
    struct disk *d;
    const char *root;
    struct bytes live;
    struct error_text *error;
};

static void follow_bytes(struct following *w, const char *path, uint64_t inode)
{
    struct file *f = &w->d->files[find_file(w->d, inode)];
    if (!read_live(path, &w->live) ||
        (f->kernel.length == w->live.length &&
         (f->kernel.length == 0 ||
          memcmp(f->kernel.data, w->live.data, w->live.length) == 0)))
        return;
    append(w->d, RECORD_WRITE, NULL, inode, 0, w->live.data, w->live.length);
    append(w->d, RECORD_RESIZE, NULL, inode, w->live.length, NULL, 0);
}

static bool follow_folder(struct following *w, const char *folder)
{
    char path[PATH_LEN], name[PATH_LEN];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", w->root, folder);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return error_set(w->error, "%s: %s", path, strerror(errno));
    bool good = true;
    for (struct dirent *e; good && (e = readdir(dir)) != NULL;) {
        if (is_left_out(e->d_name))
            continue;
        int n = snprintf(name, sizeof(name), "%s%s%s", folder,
                         folder[0] != '\0' ? "/" : "", e->d_name);
        int m = snprintf(path, sizeof(path), "%s/%s", w->root, name);
        if (n >= PATH_LEN || m >= PATH_LEN || stat(path, &st) != 0)
            continue;
        bool is_folder = S_ISDIR(st.st_mode);
        int file = find_file(w->d, st.st_ino);
        if (file < 0)
            append(w->d, is_folder ? RECORD_FOLDER : RECORD_FILE, name,
                   st.st_ino, 0, NULL, 0);
        else if (kernel_of(name_at(w->d, name)) != file)
            append(w->d, RECORD_LINK, name, st.st_ino, 0, NULL, 0);
        if (is_folder)
            good = follow_folder(w, name);
        else
            follow_bytes(w, path, st.st_ino);
    }
    closedir(dir);
    return good;
}

bool disk_follow(struct disk *disk, const char *root, struct error_text *error)
{
    struct following w = {.d = disk, .root = root, .error = error};
    char path[PATH_LEN];
    struct stat st;
    bool good = follow_folder(&w, "");
    for (size_t i = 0; i < disk->name_count; i++) {
        const struct name *n = &disk->names[i];
        snprintf(path, sizeof(path), "%s/%s", root, n->text);
        if (kernel_of(n) >= 0 && stat(path, &st) != 0)
            append(disk, RECORD_UNLINK, n->text, 0, 0, NULL, 0);
    }
    free(w.live.data);
    return good;
}

/* --- the power goes --- */

/* How much of what waited came through. */
enum mercy { NONE_OF_IT, ALL_OF_IT, UP_TO_SOME_POINT, ANY_OF_IT, MERCIES };

struct cut {
    enum mercy mercy;
    uint64_t point, percent;
    uint64_t chance;
    struct disk_losses *losses;
};

static bool comes_through(struct cut *c, uint64_t order)
{
    switch (c->mercy) {
    case NONE_OF_IT:
        return false;
    case ALL_OF_IT:
        return true;
    case UP_TO_SOME_POINT:
        return order <= c->point;
    default:
        return draw(&c->chance) % 100 < c->percent;
    }
}

/* A write by its sectors; now and then one ends in the middle. */
static uint64_t write_sectors(struct cut *c, struct bytes *b,
                              const struct change *w)
{
    uint64_t lost = 0, end = w->offset + w->length;
    if (end > b->length) { /* the size came, whatever the bytes do */
        uint64_t old = b->length;
        resize(b, end);
        bool is_noise = draw(&c->chance) % 2 == 0;
        for (uint64_t i = old; is_noise && i < end; i++)
            b->data[i] = (uint8_t)draw(&c->chance);
    }
    for (uint64_t at = w->offset; at < end;) {
        uint64_t next = (at / SECTOR + 1) * SECTOR;
        uint64_t length = (next < end ? next : end) - at;
        uint64_t kept = length;
        if (draw(&c->chance) % 100 >= c->percent)
            kept = draw(&c->chance) % 8 == 0 ? draw(&c->chance) % length : 0;
        put(b, at, w->data + (at - w->offset), kept);
        lost += kept < length;
        at += length;
    }
    return lost;
}

static void cut_file(struct cut *c, struct file *f)
{
    for (size_t i = 0; i < f->waiting_count; i++) {
        const struct change *w = &f->waiting[i];
        c->losses->unsure++;
        bool is_last = c->mercy == UP_TO_SOME_POINT && w->order == c->point;
        bool is_torn =
            w->data != NULL &&
            (is_last || (c->mercy == ANY_OF_IT && draw(&c->chance) % 2 == 0));
        if (is_torn)
            c->losses->torn += write_sectors(c, &f->disk, w) > 0;
        else if (comes_through(c, w->order))
            apply(&f->disk, w);
        else
            c->losses->lost++;
    }
    f->waiting_count = 0;
}

static void cut_name(struct cut *c, struct name *n)
{
    struct meaning left = n->meanings[0];
    if (n->text[0] == '\0')
        return; /* the root itself */
    c->losses->unsure += n->meaning_count - 1;
    for (size_t i = 1; i < n->meaning_count; i++) {
        if (comes_through(c, n->meanings[i].order))
            left = n->meanings[i];
        else
            c->losses->lost++;
    }
    make_sure(n, left);
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *place)
{
    (void)st;
    (void)kind;
    return place->level > 0 ? remove(path) : 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text,
                  ((const struct name *)b)->text);
}

static bool write_file(const char *path, const struct bytes *b)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint64_t done = 0;
    while (fd >= 0 && done < b->length) {
        ssize_t n = write(fd, b->data + done, b->length - done);
        if (n <= 0)
            break;
        done += (uint64_t)n;
    }
    return fd >= 0 && close(fd) == 0 && done == b->length;
}

/* One name of the picture. What stands in a folder that is lost is lost. */
static bool make_name(struct disk *d, const char *root, const struct name *n,
                      struct error_text *error)
{
    char path[PATH_LEN];
    int file = n->meanings[0].file;
    snprintf(path, sizeof(path), "%s/%s", root, n->text);
    if (file < 0 || n->text[0] == '\0')
        return true;
    struct file *f = &d->files[file];
    bool good = f->is_folder ? mkdir(path, 0700) == 0
                : f->is_made ? link(f->picture, path) == 0
                             : write_file(path, &f->disk);
    if (!good && errno == ENOENT)
        return true;
    f->is_made = true;
    snprintf(f->picture, sizeof(f->picture), "%s", path);
    return good || error_set(error, "%s: %s", path, strerror(errno));
}

static void note_root(struct disk *d, const char *root)
{
    struct stat st;
    if (stat(root, &st) == 0)
        append(d, RECORD_FOLDER, "", st.st_ino, 0, NULL, 0);
}

/* The journal of what is in the folder now, all of it sure. */
static bool start_anew(uint8_t *journal, const char *root,
                       struct error_text *error)
{
    struct control *c = (struct control *)(void *)journal;
    struct disk *d = calloc(1, sizeof(*d));
    if (d == NULL)
        fatal(1, "no memory");
    memset(journal + JOURNAL_START, 0, c->end - JOURNAL_START);
    c->end = JOURNAL_START;
    d->journal = journal;
    note_root(d, root);
    bool good = disk_follow(d, root, error);
    size_t files = d->file_count;
    for (size_t i = 0; i < files; i++)
        append(d, RECORD_SYNC, NULL, d->files[i].inode, 0, NULL, 0);
    d->journal = NULL; /* stays the caller's */
    disk_free(d);
    return good;
}

bool disk_cut(struct disk *disk, const char *root, uint64_t seed,
              struct disk_losses *losses, struct error_text *error)
{
    struct disk *d = disk;
    struct cut c = {.chance = seed, .losses = losses};
    uint64_t first = d->order;
    *losses = (struct disk_losses){0};
    for (size_t i = 0; i < d->file_count; i++)
        if (d->files[i].waiting_count > 0 &&
            d->files[i].waiting[0].order < first)
            first = d->files[i].waiting[0].order;
    c.mercy = (enum mercy)(draw(&c.chance) % MERCIES);
    if (seed == 0)
        c.mercy = NONE_OF_IT;
    c.percent = 10 + draw(&c.chance) % 81;
    c.point = first + draw(&c.chance) % (d->order - first + 1);
    for (size_t i = 0; i < d->file_count; i++)
        cut_file(&c, &d->files[i]);
    for (size_t i = 0; i < d->name_count; i++)
        cut_name(&c, &d->names[i]);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    qsort(d->names, d->name_count, sizeof(*d->names), by_text);
    for (size_t i = 0; i < d->name_count; i++)
        if (!make_name(d, root, &d->names[i], error))
            return false;
    return start_anew(d->journal, root, error);
}

bool disk_new(const char *root, const char *journal, struct error_text *error)
{
    uint8_t *map;
    if (mkdir(root, 0700) != 0 && errno != EEXIST)
        return error_set(error, "%s: %s", root, strerror(errno));
    unlink(journal);
    map = map_journal(journal, error);
    if (map == NULL)
        return false;
    struct control *c = (struct control *)(void *)map;
    c->end = JOURNAL_START;
    bool good = start_anew(map, root, error);
    munmap(map, JOURNAL_BYTES);
    return good;
}
