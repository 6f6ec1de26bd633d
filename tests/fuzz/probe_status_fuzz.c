/*
 * status.json belongs to a less trusted user than its reader: whatever it says,
 * nothing but printable text comes out, in all forms.
 */
#include <stdlib.h>

#include "common/json.h"
#include "probe/admin/status_command.h"
#include "tests/fuzz/fuzz.h"

static bool says_yes(uint64_t pid)
{
    return pid != 0;
}

/* ASCII alone; the human form has no Chinese here, since none is asked for. */
static void check_plain(const struct buffer *out)
{
    for (size_t i = 0; i < out->length; i++) {
        uint8_t c = out->data[i];
        if ((c < ' ' && c != '\n') || c > '~')
            abort();
    }
}

static void answer(struct slice content, bool is_json)
{
    struct status_question q = {.name = "status.json",
                                .config = "/etc/yunzheng/probe.conf",
                                .state = "/var/lib/yunzheng/probe",
                                .now = wall_from_s(1700100005),
                                .is_alive = says_yes,
                                .free_bytes = STATUS_FREE_UNKNOWN,
                                .language = LANGUAGE_EN,
                                .is_json = is_json};
    struct buffer out;
    struct error_text error;
    bool is_running;
    buffer_init(&out, 4 << 20);
    bool good = status_answer(content, &q, &out, &is_running, &error);
    check_plain(&out);
    if (good && is_json) {
        struct json_document *again =
            json_parse(buffer_slice(&out), "again", &error);
        if (again == NULL)
            abort();
        json_free(again);
    }
    buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    answer(slice_of_bytes(data, size), false);
    answer(slice_of_bytes(data, size), true);
    return 0;
}
