/* Frames written, read back, damaged, torn. */
#include "collector/ledger/archive.h"

#include <fcntl.h>

#include "tests/collector/ledger/store_sample.h"

/* Frame and append, as the store does it. */
static bool append(struct archive *a, struct slice batch,
                   struct archive_place *place)
{
    struct packer *packer = packer_new(1);
    struct buffer frame;
    buffer_init(&frame, archive_frame_max());
    bool good = packer != NULL && archive_make_frame(packer, batch, &frame) &&
                archive_append(a, buffer_slice(&frame), place);
    buffer_clear(&frame);
    packer_free(packer);
    return good;
}

static uint64_t committed; /* what the ledger would say of segment 1 */

static bool end_of(void *context, uint32_t segment, uint64_t *end)
{
    (void)context;
    *end = segment == 1 ? committed : 0;
    return true;
}

static uint64_t size_of(const struct sample_folder *f, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    return stat(sample_path(f, name, path), &st) == 0 ? (uint64_t)st.st_size
                                                      : 0;
}

static void change_byte(const struct sample_folder *f, const char *name,
                        off_t offset)
{
    char path[PATH_MAX];
    uint8_t byte;
    int fd = open(sample_path(f, name, path), O_RDWR | O_CLOEXEC);
    CHECK(pread(fd, &byte, 1, offset) == 1);
    byte ^= 0x10;
    CHECK(pwrite(fd, &byte, 1, offset) == 1);
    close(fd);
}

static bool reads_back(struct archive *a, struct archive_place place,
                       struct slice want)
{
    struct buffer batch;
    struct error_text error;
    buffer_init(&batch, BATCH_SIZE_MAX);
    bool good = archive_read(a, place, &batch, &error) &&
                slice_equal(buffer_slice(&batch), want);
    buffer_clear(&batch);
    return good;
}

static void test_round_trip(struct sample_folder *f, struct archive_place *p)
{
    struct error_text error = {""}, damage = {""};
    uint64_t cut = 99;
    test_case("what is appended is read back");
    struct archive *a =
        archive_open(f->path, end_of, NULL, &cut, &damage, &error);
    if (!CHECK(a != NULL))
        return;
    CHECK_I64(cut, 0);
    CHECK(append(a, SLICE("first batch"), &p[0]));
    CHECK(append(a, SLICE("second batch"), &p[1]));
    CHECK(archive_sync(a));
    CHECK(reads_back(a, p[0], SLICE("first batch")));
    CHECK(reads_back(a, p[1], SLICE("second batch")));
    CHECK_I64(p[1].offset, p[0].offset + p[0].length);

    test_case("returning to a mark makes the next frame stand there");
    struct archive_mark mark = archive_mark(a);
    struct archive_place lost;
    CHECK(append(a, SLICE("undone"), &lost));
    archive_return(a, mark);
    CHECK(append(a, SLICE("third"), &p[2]));
    CHECK_I64(p[2].offset, lost.offset);
    CHECK(reads_back(a, p[2], SLICE("third")));

    test_case("a second writer gets a segment of its own");
    struct archive *b =
        archive_open(f->path, end_of, NULL, &cut, &damage, &error);
    struct archive_place other;
    CHECK(b != NULL && append(b, SLICE("import"), &other));
    CHECK_I64(other.segment, 2);
    CHECK(reads_back(b, p[0], SLICE("first batch")));
    archive_close(b);
    archive_close(a);
}

static void test_torn(struct sample_folder *f, const struct archive_place *p)
{
    struct error_text error = {""}, damage = {""};
    uint64_t cut = 0;
    test_case("bytes that no committed row names are cut off at start");
    committed = p[1].offset + p[1].length;
    struct archive *a =
        archive_open(f->path, end_of, NULL, &cut, &damage, &error);
    CHECK(a != NULL && cut > p[2].length); /* segment 2 as well */
    CHECK_I64(size_of(f, "000001.yza"), committed);
    CHECK(reads_back(a, p[1], SLICE("second batch")));
    CHECK(!reads_back(a, p[2], SLICE("third")));
    archive_close(a);

    test_case("a segment shorter than the ledger says is left and reported");
    committed += 10;
    a = archive_open(f->path, end_of, NULL, &cut, &damage, &error);
    CHECK(a != NULL && strstr(damage.text, "000001.yza") != NULL);
    struct archive_place place;
    CHECK(append(a, SLICE("more"), &place));
    CHECK_I64(place.segment, 2);
    archive_close(a);
    committed -= 10;
}

static void test_damage(struct sample_folder *f, const struct archive_place *p)
{
    struct error_text error = {""};
    struct buffer batch;
    buffer_init(&batch, BATCH_SIZE_MAX);
    for (uint64_t i = 0; i < p[0].length; i += 7) {
        char name[80];
        snprintf(name, sizeof(name), "a changed byte at %u is found",
                 (unsigned)i);
        test_case(name);
        change_byte(f, "000001.yza", (off_t)(p[0].offset + i));
        struct archive *a = archive_open_read(f->path, &error);
        CHECK(!archive_read(a, p[0], &batch, &error));
        CHECK(strstr(error.text, "000001 at 0") != NULL);
        archive_close(a);
        change_byte(f, "000001.yza", (off_t)(p[0].offset + i));
    }
    test_case("places that cannot be are refused");
    struct archive *a = archive_open_read(f->path, &error);
    const struct archive_place places[] = {
        {1, 0, 0},           {1, 0, 19},
        {1, 5, p[0].length}, {1, 0, p[0].length + 1},
        {9, 0, 100},         {1, 1 << 20, 100},
        {1, 0, UINT64_MAX},  {1, UINT64_MAX, 50},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        CHECK(!archive_read(a, places[i], &batch, &error));
    archive_close(a);
    buffer_clear(&batch);
}

static void test_segments(struct sample_folder *f)
{
    struct error_text error = {""}, damage = {""};
    struct archive_place p[4];
    test_case("a full segment is followed by a new one");
    struct archive *a =
        archive_open(f->path, end_of, NULL, NULL, &damage, &error);
    archive_set_segment_size(a, 1);
    for (int i = 0; i < 4; i++) {
        CHECK(archive_begin(a));
        CHECK(append(a, SLICE("batch"), &p[i]));
    }
    CHECK(p[0].segment < p[1].segment && p[1].segment < p[2].segment);
    CHECK(archive_sync(a));
    for (int i = 0; i < 4; i++)
        CHECK(reads_back(a, p[i], SLICE("batch")));

    test_case("a group that is undone leaves its segment to the next");
    CHECK(archive_begin(a));
    struct archive_mark mark = archive_mark(a);
    CHECK(append(a, SLICE("undone"), &p[0]));
    CHECK_I64(p[0].segment, p[3].segment + 1);
    archive_return(a, mark);
    CHECK(archive_begin(a));
    CHECK(append(a, SLICE("kept"), &p[1]));
    CHECK_I64(p[1].segment, p[0].segment);
    CHECK_I64(p[1].offset, 0);
    CHECK(reads_back(a, p[1], SLICE("kept")));
    archive_close(a);

    test_case("a folder that cannot be made is an error with its name");
    a = archive_open("/proc/none/archive", end_of, NULL, NULL, &damage, &error);
    CHECK(a == NULL && strstr(error.text, "/proc/none/archive") != NULL);
}

/* The ledger as another process sees it: the group is not committed. */
static bool nothing_committed(void *context, uint32_t segment, uint64_t *end)
{
    (void)context, (void)segment;
    *end = 0;
    return true;
}

static void test_open_group(void)
{
    struct sample_folder f;
    struct error_text error = {""}, damage = {""};
    struct archive_place p[2];
    uint64_t cut = 99;
    sample_folder_make(&f);
    test_case("a second writer cuts nothing of a group that fills a segment");
    struct archive *a =
        archive_open(f.path, nothing_committed, NULL, NULL, &damage, &error);
    archive_set_segment_size(a, 10);
    CHECK(append(a, SLICE("first"), &p[0]));
    CHECK(append(a, SLICE("second"), &p[1]));
    struct archive *b =
        archive_open(f.path, nothing_committed, NULL, &cut, &damage, &error);
    CHECK_I64(cut, 0);
    archive_close(b);
    CHECK(archive_sync(a));
    CHECK(reads_back(a, p[0], SLICE("first")));
    CHECK(reads_back(a, p[1], SLICE("second")));
    archive_close(a);
    sample_folder_remove(&f);
}

int main(void)
{
    struct sample_folder f;
    struct archive_place p[3] = {{0}};
    sample_folder_make(&f);
    test_round_trip(&f, p);
    test_torn(&f, p);
    test_damage(&f, p);
    test_segments(&f);
    test_open_group();
    sample_folder_remove(&f);
    return test_end();
}
