/* Files that people hand in: types, names, what comes in and what is refused,
 * rows of drafts and of what was submitted, and what the clock takes away. */
#include "portal/store/attachment.h"

#include <fcntl.h>
#include <string.h>

#include "portal/store/act.h"
#include "portal/store/attachment_clock.h"
#include "portal/store/attachment_type.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define PDF         SLICE("%PDF-1.7\nsome text\n")
#define PNG         SLICE("\x89PNG\r\n\x1a\nIHDR")

/* CON-10: a type is known by the first bytes, and by nothing else. */

static const struct {
    const char *name;
    struct slice start;
    unsigned type;
} STARTS[] = {
    {"a PDF", {"%PDF-1.4\n%\xe2\xe3", 11}, ATTACHMENT_PDF},
    {"a JPG", {"\xff\xd8\xff\xe0\0\x10JFIF", 10}, ATTACHMENT_JPG},
    {"a PNG", {"\x89PNG\r\n\x1a\n\0\0", 10}, ATTACHMENT_PNG},
    {"an OFD",
     {"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7\0\0\0OFD.xml",
      37},
     ATTACHMENT_OFD},
    {"XML", {"<?xml version=\"1.0\"?>", 21}, ATTACHMENT_XML},
    {"XML with a mark", {"\xef\xbb\xbf<?xml ", 9}, ATTACHMENT_XML},
    {"a ZIP that is no OFD",
     {"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7\0\0\0mal.exe",
      37},
     0},
    {"a ZIP cut short", {"PK\x03\x04\x14", 5}, 0},
    {"HTML", {"<!DOCTYPE html>", 15}, 0},
    {"HTML that names a PDF", {" %PDF-1.4", 9}, 0},
    {"a program", {"MZ\x90\0", 4}, 0},
    {"a PNG cut short", {"\x89PNG", 4}, 0},
    {"nothing", {"", 0}, 0},
};

static const struct {
    const char *name, *given, *wanted;
} NAMES[] = {
    {"a plain name", "合同.pdf", "合同.pdf"},
    {"folders go", "../../etc/passwd", "passwd"},
    {"folders of the other kind go", "C:\\Users\\a\\scan 1.jpg", "scan 1.jpg"},
    {"control characters go", "a\r\nb\tc\x7f.pdf", "abc.pdf"},
    {"what is no UTF-8 goes", "a\xff\xc3.pdf", "a.pdf"},
    {"what turns the direction goes",
     "exe\xe2\x80\xae"
     "fdp.pdf",
     "exefdp.pdf"},
    {"blanks around go", "  a b.pdf ", "a b.pdf"},
    {"a name of nothing", "", "file"},
    {"a name of a folder", "a/", "file"},
};

static void test_types(void)
{
    for (size_t i = 0; i < COUNT(STARTS); i++) {
        test_case(STARTS[i].name);
        CHECK_I64(attachment_type_of(STARTS[i].start), STARTS[i].type);
    }
}

static void test_names(void)
{
    char clean[ATTACHMENT_NAME_LEN], given[600], wanted[600];
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        test_case(NAMES[i].name);
        attachment_clean_name(slice_of_text(NAMES[i].given), clean);
        CHECK_TEXT(clean, NAMES[i].wanted);
    }
    test_case("a long name is cut between characters and keeps its ending");
    given[0] = wanted[0] = '\0';
    for (int i = 0; i < 100; i++)
        memcpy(given + 3 * i, "云", 4);
    memcpy(given + 300, ".pdf", 5);
    for (int i = 0; i < 78; i++)
        memcpy(wanted + 3 * i, "云", 4);
    memcpy(wanted + 234, ".pdf", 5);
    attachment_clean_name(slice_of_text(given), clean);
    CHECK_TEXT(clean, wanted);
}

/* ---- what comes in ---- */

struct world {
    struct scratch scratch;
    struct portal_config config;
    struct attachments *attachments;
    struct arena *arena;
};

static void world_open(struct world *w)
{
    struct error_text error;
    scratch_open(&w->scratch);
    w->config = (struct portal_config){.attachment_mib = 1};
    snprintf(w->config.portal_db, sizeof(w->config.portal_db), "%s",
             w->scratch.path);
    w->attachments = attachments_open(&w->config, &error);
    w->arena = arena_new(1 << 20);
    if (w->attachments == NULL)
        fatal(1, "%s", error.text);
}

static void world_close(struct world *w)
{
    arena_free(w->arena);
    attachments_close(w->attachments);
    scratch_close(&w->scratch);
}

static bool count_file(void *context, struct digest sha256)
{
    (void)sha256;
    ++*(int *)context;
    return true;
}

static int kept_count(const struct world *w)
{
    int count = 0;
    CHECK(attachments_each(w->attachments, count_file, &count));
    return count;
}

static int incoming_count(const struct world *w)
{
    char command[FOLDER_LEN + 64], line[32] = "";
    snprintf(command, sizeof(command), "ls %s/attachments/incoming | wc -l",
             w->scratch.folder);
    FILE *out = popen(command, "r");
    CHECK(out != NULL && fgets(line, sizeof(line), out) != NULL);
    pclose(out);
    return (int)strtol(line, NULL, 10);
}

/* In pieces of three bytes, as slow lines send them. */
static struct attachment_file *receive(struct world *w, struct slice content,
                                       unsigned accepted)
{
    struct attachment_file *file =
        attachment_file_new(w->attachments, accepted);
    for (size_t i = 0; i < content.length; i += 3)
        attachment_file_add(
            file,
            slice_of_bytes(content.data + i,
                           content.length - i < 3 ? content.length - i : 3));
    attachment_file_end(file);
    return file;
}

static void test_incoming(struct world *w)
{
    struct digest wanted = digest_of(PDF.data, PDF.length);
    test_case("CON-10: a file is hashed and typed while it comes");
    struct attachment_file *file = receive(w, PDF, ATTACHMENT_READABLE);
    CHECK_I64(attachment_file_state(file), ATTACHMENT_GOOD);
    CHECK(digest_equal(attachment_file_digest(file), wanted));
    CHECK_I64(attachment_file_bytes(file), (int64_t)PDF.length);
    CHECK_I64(attachment_file_type(file), ATTACHMENT_PDF);
    CHECK_I64(attachment_file_scan(file), VIRUS_NOT_SCANNED);
    CHECK_I64(incoming_count(w), 1);
    test_case("a file that nobody keeps leaves nothing");
    attachment_file_free(file);
    CHECK_I64(incoming_count(w), 0);
    CHECK_I64(kept_count(w), 0);
}

static void test_refused(struct world *w)
{
    static const struct {
        const char *name;
        struct slice content;
        unsigned accepted;
        const char *code;
    } CASES[] = {
        {"CON-10: an empty file", {"", 0}, ATTACHMENT_READABLE, "E_FILE_EMPTY"},
        {"CON-10: another type",
         {"MZ program", 10},
         ATTACHMENT_READABLE,
         "E_FILE_TYPE"},
        {"CON-10: a type that this field does not take",
         {"<?xml version=\"1.0\"?>", 21},
         ATTACHMENT_READABLE,
         "E_FILE_TYPE"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        test_case(CASES[i].name);
        struct attachment_file *file =
            receive(w, CASES[i].content, CASES[i].accepted);
        CHECK_TEXT(attachment_state_code(attachment_file_state(file)),
                   CASES[i].code);
        CHECK_I64(incoming_count(w), 0);
        attachment_file_free(file);
    }
}

static void test_size(struct world *w)
{
    const size_t limit = (size_t)attachments_file_max(w->attachments);
    char *content = calloc(1, limit + 1);
    memcpy(content, "%PDF-", 5);
    test_case("CON-10: a file of the largest size");
    struct attachment_file *file =
        attachment_file_new(w->attachments, ATTACHMENT_READABLE);
    attachment_file_add(file, slice_of_bytes(content, limit));
    CHECK_I64(attachment_file_state(file), ATTACHMENT_GOOD);
    test_case("CON-10: one byte more is refused at once, and leaves nothing");
    attachment_file_add(file, slice_of_bytes(content, 1));
    CHECK_TEXT(attachment_state_code(attachment_file_state(file)),
               "E_FILE_TOO_BIG");
    CHECK_I64(incoming_count(w), 0);
    attachment_file_end(file);
    CHECK_TEXT(attachment_state_code(attachment_file_state(file)),
               "E_FILE_TOO_BIG");
    attachment_file_free(file);
    free(content);
}

static void test_killed(struct world *w)
{
    char path[FOLDER_LEN + 64];
    struct error_text error;
    test_case("what a killed portal left half is gone at the next start");
    snprintf(path, sizeof(path), "attachments/incoming/%032d", 7);
    scratch_write(&w->scratch, path, "%PDF-half");
    CHECK_I64(incoming_count(w), 1);
    attachments_clean(w->attachments);
    CHECK_I64(incoming_count(w), 0);
    test_case("but not what another portal is receiving");
    scratch_write(&w->scratch, path, "%PDF-half");
    struct attachments *other = attachments_open(&w->config, &error);
    attachments_clean(other);
    CHECK_I64(incoming_count(w), 1);
    attachments_close(other);
    attachments_clean(w->attachments);
}

/* ---- rows ---- */

struct adding {
    struct slice content, name;
    struct world *w;
    int64_t id;
    enum act_end end;
};

static enum act_end add_file(struct db *db, struct wall_time now, void *context,
                             struct error_text *error)
{
    struct adding *adding = context;
    const struct attachment_place place = {"registration", "R1", "licence",
                                           adding->name, "ent1"};
    struct attachment_file *file =
        receive(adding->w, adding->content, ATTACHMENT_READABLE);
    adding->id = attachment_add(db, now, &place, file, error);
    attachment_file_free(file);
    return adding->id != 0 ? adding->end : ACT_FAILED;
}

static int64_t add(struct world *w, struct slice content, const char *name,
                   enum act_end end)
{
    struct error_text error = {""};
    struct adding adding = {content, slice_of_text(name), w, 0, end};
    CHECK_I64(act_on(w->scratch.db, wall_from_s(100), NULL, add_file, &adding,
                     &error),
              end);
    return adding.id;
}

static size_t list(struct world *w, bool also_removed, struct attachment **rows)
{
    size_t count = 0;
    CHECK(attachment_list(w->scratch.db, "registration", "R1", "licence",
                          also_removed, w->arena, rows, &count));
    return count;
}

static enum act_end submit(struct db *db, struct wall_time now, void *context,
                           struct error_text *error)
{
    (void)context, (void)error;
    return attachment_submit(db, now, "registration", "R1") ? ACT_KEPT
                                                            : ACT_FAILED;
}

static enum act_end take_out(struct db *db, struct wall_time now, void *context,
                             struct error_text *error)
{
    (void)error;
    return attachment_remove(db, now, *(int64_t *)context) ? ACT_KEPT
                                                           : ACT_FAILED;
}

static enum act_end drop(struct db *db, struct wall_time now, void *context,
                         struct error_text *error)
{
    (void)now, (void)context, (void)error;
    return attachment_drop_draft(db, "registration", "R1") ? ACT_KEPT
                                                           : ACT_FAILED;
}

static void act(struct world *w, act_fn *fn, void *context)
{
    struct error_text error = {""};
    CHECK_I64(
        act_on(w->scratch.db, wall_from_s(200), NULL, fn, context, &error),
        ACT_KEPT);
}

/* A day later each time, or it would not be its time. */
static enum act_end sweep(struct db *db, struct wall_time now, void *context,
                          struct error_text *error)
{
    static int64_t days;
    size_t count;
    (void)error;
    now.us += ++days * 25 * 3600 * INT64_C(1000000);
    return attachment_sweep(context, db, now, &count) ? ACT_KEPT : ACT_FAILED;
}

static void check_content(struct world *w, const struct attachment *a,
                          struct slice wanted)
{
    char bytes[64];
    int fd = attachments_open_file(w->attachments, a->sha256);
    ssize_t got = read(fd, bytes, sizeof(bytes));
    CHECK(
        slice_equal(slice_of_bytes(bytes, got > 0 ? (size_t)got : 0), wanted));
    close(fd);
}

static void test_draft(struct world *w)
{
    struct attachment *rows, found;
    test_case("a file of a draft: row and bytes");
    int64_t first = add(w, PDF, "/tmp/执照.pdf", ACT_KEPT);
    CHECK_I64(list(w, false, &rows), 1);
    CHECK_TEXT(rows[0].name, "执照.pdf");
    CHECK_TEXT(rows[0].uploaded_by, "ent1");
    CHECK_TEXT(attachment_media_type(rows[0].type), "application/pdf");
    CHECK_TEXT(attachment_scan_name(rows[0].scan), "NOT_SCANNED");
    CHECK(!attachments_are_scanned(w->attachments));
    CHECK_I64(attachments_scan(w->attachments, rows[0].sha256),
              VIRUS_NOT_SCANNED);
    CHECK(!rows[0].is_submitted && rows[0].type == ATTACHMENT_PDF);
    check_content(w, &rows[0], PDF);
    CHECK(attachment_find(w->scratch.db, first, w->arena, &found));
    CHECK_TEXT(found.owner_id, "R1");
    CHECK(!attachment_find(w->scratch.db, first + 1, w->arena, &found));
    test_case("the same bytes twice lie there once");
    int64_t second = add(w, PDF, "again.pdf", ACT_KEPT);
    CHECK_I64(list(w, false, &rows), 2);
    CHECK_I64(kept_count(w), 1);
    test_case("taken out of a draft the row is gone, the other's bytes stay");
    act(w, take_out, &second);
    CHECK_I64(list(w, true, &rows), 1);
    act(w, sweep, w->attachments);
    check_content(w, &rows[0], PDF);
    test_case("an act that is not kept leaves no row, and bytes that go");
    add(w, PNG, "b.png", ACT_REFUSED);
    CHECK_I64(list(w, true, &rows), 1);
    CHECK_I64(kept_count(w), 2);
    act(w, sweep, w->attachments);
    CHECK_I64(kept_count(w), 1);
    CHECK_I64(incoming_count(w), 0);
}

static void test_submitted(struct world *w)
{
    struct attachment *rows;
    list(w, false, &rows);
    int64_t first = rows[0].id;
    act(w, submit, NULL);
    test_case("CON-10: what was submitted does not change and is not deleted");
    CHECK_I64(list(w, false, &rows), 1);
    CHECK(rows[0].is_submitted);
    CHECK(!db_run(w->scratch.db, "DELETE FROM attachment"));
    CHECK(!db_run(w->scratch.db, "UPDATE attachment SET name = 'x'"));
    CHECK(
        !db_run(w->scratch.db, "UPDATE attachment SET sha256 = zeroblob(32)"));
    CHECK(!db_run(w->scratch.db, "UPDATE attachment SET submitted_at = NULL"));
    act(w, drop, NULL);
    CHECK_I64(list(w, false, &rows), 1);
    test_case("CON-10: a new version is a new file, the earlier one stays");
    int64_t second = add(w, PNG, "new.png", ACT_KEPT);
    act(w, take_out, &first);
    CHECK_I64(list(w, false, &rows), 1);
    CHECK_I64(rows[0].id, second);
    CHECK_I64(list(w, true, &rows), 2);
    CHECK(rows[0].id == first && rows[0].is_removed);
    act(w, sweep, w->attachments);
    check_content(w, &rows[0], PDF);
    test_case("a draft that is given up takes its own files along");
    act(w, drop, NULL);
    CHECK_I64(list(w, true, &rows), 1);
    act(w, sweep, w->attachments);
    CHECK_I64(kept_count(w), 1);
}

static void test_full(struct world *w)
{
    test_case("a draft has so many files, and no more");
    for (int i = 0; i < ATTACHMENT_DRAFT_MAX; i++) {
        CHECK(attachment_has_place(w->scratch.db, "registration", "R1"));
        add(w, PDF, "one more.pdf", ACT_KEPT);
    }
    CHECK(!attachment_has_place(w->scratch.db, "registration", "R1"));
    CHECK(attachment_has_place(w->scratch.db, "registration", "R2"));
}

int main(void)
{
    struct world w;
    world_open(&w);
    test_types();
    test_names();
    test_incoming(&w);
    test_refused(&w);
    test_size(&w);
    test_killed(&w);
    test_draft(&w);
    test_submitted(&w);
    test_full(&w);
    world_close(&w);
    return test_end();
}
