/* The probe's side of the return channel against a right collector and against
 * one that lies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/ipfix_decode.h"
#include "probe/uplink/return_side.h"
#include "tests/folder.h"
#include "tests/test.h"

static struct wall_time wall = {INT64_C(1790000000000000)};
static struct sign_key *key;
static uint8_t raw[SIGN_PUBLIC_MAX];
static struct slice old_list = {"id\na\nb\n", 7}, new_list = {"id\na\nc\n", 7};

static struct wall_time fake_wall(void)
{
    return wall;
}

static const char *state; /* NULL: serials are not remembered */

static struct return_side *open_side(void)
{
    struct error_text error;
    struct return_side_options options = {
        .state = state,
        .registry_algorithm = SIGN_ED25519,
        .registry_key = slice_of_bytes(raw, sign_key_public(key, raw)),
        .wall = fake_wall};
    struct return_side *s = return_side_new(&options, &error);
    return_side_set_version(s, digest_of(old_list.data, old_list.length));
    return_side_open(s, (struct mono_time){wall.us});
    return s;
}

static const char *give(struct return_side *s, const struct return_message *m)
{
    struct buffer out;
    buffer_init(&out, 65536);
    CHECK(return_channel_encode(m, 1000, &out));
    const char *fault =
        return_side_take(s, out.data, out.length, (struct mono_time){wall.us});
    buffer_clear(&out);
    return fault;
}

static struct return_message head(uint64_t serial)
{
    struct return_message m = {
        .kind = RETURN_REGISTRY_HEAD,
        .head = {.serial = serial,
                 .hash = digest_of(new_list.data, new_list.length)},
        .from = digest_of(old_list.data, old_list.length),
        .chunk_count = 2};
    CHECK(registry_head_sign(&m.head, key));
    return m;
}

static struct return_message piece(uint64_t index, const char *text)
{
    return (struct return_message){
        .kind = RETURN_REGISTRY_CHUNK,
        .head = {.hash = digest_of(new_list.data, new_list.length)},
        .chunk_index = index,
        .chunk = slice_of_text(text)};
}

static void test_lists(void)
{
    struct return_side *s = open_side();
    struct return_message h = head(5), a = piece(0, "=2\n-1\n"),
                          b = piece(1, "+c\n"), wrong = piece(1, "+d\n");
    struct buffer list;
    struct error_text error;
    test_case("a signed list is built from the old one and its changes");
    CHECK(give(s, &h) == NULL && give(s, &a) == NULL && give(s, &b) == NULL);
    CHECK(return_side_has_list(s));
    CHECK(return_side_build(s, old_list, &list, &error));
    CHECK(slice_equal(buffer_slice(&list), new_list));
    CHECK(return_side_keep(s, buffer_slice(&list), &error));
    buffer_clear(&list);

    test_case("a piece out of order: the end");
    return_side_set_version(s, digest_of(old_list.data, old_list.length));
    h = head(6);
    CHECK(give(s, &h) == NULL && give(s, &b) != NULL);
    CHECK(give(s, &a) == NULL); /* of nothing any more */
    CHECK(!return_side_has_list(s));

    test_case("changes that make something else change nothing");
    CHECK(give(s, &h) == NULL && give(s, &a) == NULL &&
          give(s, &wrong) == NULL);
    CHECK(!return_side_build(s, old_list, &list, &error));
    buffer_clear(&list);
    return_side_free(s);
}

static bool refuses(struct return_side *s, struct return_message *h,
                    enum registry_refusal refusal)
{
    struct return_message a = piece(0, "=2\n-1\n"), b = piece(1, "+c\n");
    bool is_over =
        give(s, h) != NULL || give(s, &a) != NULL || give(s, &b) != NULL;
    struct return_status_view view =
        return_side_status(s, (struct mono_time){wall.us});
    return !is_over && !return_side_has_list(s) && view.refusal == refusal &&
           view.refused_serial == h->head.serial &&
           view.refused_taken.us == wall.us;
}

/* The list of head(serial) comes and is kept. */
static bool takes(struct return_side *s, uint64_t serial)
{
    struct return_message h = head(serial), a = piece(0, "=2\n-1\n"),
                          b = piece(1, "+c\n");
    struct buffer list;
    struct error_text error;
    bool good = give(s, &h) == NULL && give(s, &a) == NULL &&
                give(s, &b) == NULL && return_side_has_list(s) &&
                return_side_build(s, old_list, &list, &error) &&
                return_side_keep(s, buffer_slice(&list), &error);
    buffer_clear(&list);
    return good;
}

static struct return_message confirmation(uint64_t serial)
{
    struct return_message m = {
        .kind = RETURN_REGISTRY_HEAD,
        .head = {.serial = serial,
                 .issued_ms = 77000,
                 .hash = digest_of(old_list.data, old_list.length)}};
    CHECK(registry_head_sign(&m.head, key));
    return m;
}

static struct return_status_view view_of(const struct return_side *s)
{
    return return_side_status(s, (struct mono_time){wall.us});
}

static void test_roll_back(void)
{
    char folder[FOLDER_LEN];
    struct return_message h, c = confirmation(5);
    folder_make(folder);
    state = folder;
    struct return_side *s = open_side();
    test_case("the list in force under its serial: an older one is refused");
    CHECK(give(s, &c) == NULL && view_of(s).registry_serial == 5);
    CHECK_I64(wall_to_s(view_of(s).registry_issued), 77);
    h = head(4);
    CHECK(refuses(s, &h, REFUSED_OLDER));
    test_case("also after a restart, and as often as it comes");
    return_side_free(s);
    s = open_side();
    CHECK(view_of(s).known_serial == 5);
    CHECK(refuses(s, &h, REFUSED_OLDER) && refuses(s, &h, REFUSED_OLDER));
    CHECK(view_of(s).refusals == 2);
    test_case("another list under the serial that is known");
    h = head(5);
    CHECK(refuses(s, &h, REFUSED_ANOTHER));
    test_case("a head that nobody signed");
    h = head(6);
    h.head.signature[0] ^= 1;
    CHECK(refuses(s, &h, REFUSED_SIGNATURE));
    test_case("the one in force is confirmed: nothing is refused any more");
    CHECK(give(s, &c) == NULL && view_of(s).refusal == REFUSED_NONE);
    test_case("a higher number goes on, whatever was refused before");
    h = head(4);
    CHECK(refuses(s, &h, REFUSED_OLDER) && takes(s, 1005));
    CHECK(view_of(s).refusal == REFUSED_NONE);
    CHECK(view_of(s).known_serial == 1005);
    test_case("changes of a list that is not in force: it asks with its own");
    struct buffer out;
    buffer_init(&out, 4096);
    return_side_ask(s, (struct mono_time){wall.us}, &out);
    CHECK(return_side_due(s, (struct mono_time){wall.us}).us > wall.us);
    h = head(1006);
    h.head.hash.bytes[0] ^= 1;
    CHECK(registry_head_sign(&h.head, key) && give(s, &h) == NULL);
    CHECK(return_side_due(s, (struct mono_time){wall.us}).us <= wall.us &&
          !return_side_has_list(s));
    buffer_clear(&out);
    return_side_free(s);

    test_case("serials of another key are counted anew");
    sign_key_free(key);
    key = sign_key_generate(SIGN_ED25519);
    s = open_side();
    CHECK(takes(s, 1) && view_of(s).known_serial == 1);
    return_side_free(s);
    state = NULL;
    char path[FOLDER_LEN + 20];
    static const char *const names[] = {"/registry-serial", "/endpoints.csv",
                                        ""};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", folder, names[i]);
        CHECK(remove(path) == 0);
    }
}

static void test_clock(void)
{
    test_case("the offset is a median, and unknown once the clock was set");
    struct return_side *s = open_side();
    static const int64_t offsets[] = {70000, 71000, 500000, 70500, 70200};
    for (size_t i = 0; i < 5; i++) {
        struct buffer out;
        struct return_message m;
        buffer_init(&out, 4096);
        wall.us += 61000000;
        return_side_ask(s, (struct mono_time){wall.us}, &out);
        CHECK_I64(return_channel_decode(
                      out.data,
                      (size_t)ipfix_message_length(out.data, out.length), &m),
                  RETURN_OK);
        m.receive_ms = m.transmit_ms = wall_to_ms(wall) + offsets[i];
        CHECK(give(s, &m) == NULL);
        CHECK(give(s, &m) == NULL); /* nobody asked */
        buffer_clear(&out);
    }
    struct mono_time now = {wall.us};
    CHECK_I64(return_side_status(s, now).clock_offset_ms, 70500);
    CHECK(return_side_due(s, now).us > now.us);
    wall.us += INT64_C(86400000000);
    CHECK(return_side_status(s, now).clock_offset_ms == CLOCK_OFFSET_UNKNOWN);
    test_case("a clock that was set is compared at once, and once");
    struct buffer out;
    buffer_init(&out, 4096);
    CHECK(return_side_due(s, now).us == now.us);
    return_side_ask(s, now, &out);
    CHECK(out.length > 0 && return_side_due(s, now).us > now.us);
    buffer_clear(&out);
    return_side_free(s);
}

int main(void)
{
    key = sign_key_generate(SIGN_ED25519);
    test_lists();
    test_roll_back();
    test_clock();
    sign_key_free(key);
    return test_end();
}
