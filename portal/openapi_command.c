#include "portal/openapi_command.h"

#include <stdio.h>

#include "common/buffer.h"
#include "common/log.h"
#include "portal/list/list_openapi.h"
#include "portal/record/event_list.h"
#include "portal/record/probe_list.h"
#include "portal/record/table_list.h"
#include "portal/record/voucher_list.h"
#include "portal/show/refused.h"

enum { DOCUMENT_MAX = 1024 * 1024 };

static const char HEAD[] =
    "# Printed by `yz-portal openapi`.\n"
    "openapi: 3.1.0\n"
    "info:\n"
    "  title: Yunzheng portal\n"
    "  version: \"1\"\n"
    "  description: >-\n"
    "    Lists of the portal for programs, with the session of an account.\n"
    "    Codes, fen, UTC, both names, whatever the account's language.\n"
    "servers:\n"
    "  - url: /api/v1\n"
    "paths:\n";

static const char SCHEMAS[] = "components:\n"
                              "  schemas:\n"
                              "    names:\n"
                              "      type: object\n"
                              "      additionalProperties: false\n"
                              "      required: [id, name_zh, name_en]\n"
                              "      properties:\n"
                              "        id: {type: string}\n"
                              "        name_zh: {type: string}\n"
                              "        name_en: {type: string}\n";

int command_openapi(int argc, char **argv)
{
    static const struct list *const LISTS[] = {&VOUCHER_LIST, &PROBE_LIST,
                                               &TABLE_LIST, &EVENT_LIST};
    struct buffer out;
    if (argc > 1) {
        log_error("openapi: %s is not expected", argv[1]);
        return 2;
    }
    buffer_init(&out, DOCUMENT_MAX);
    buffer_add_text(&out, HEAD);
    for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++)
        list_openapi_path(LISTS[i], &out);
    buffer_add_text(&out, SCHEMAS);
    refused_openapi(&out);
    for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++)
        list_openapi_schema(LISTS[i], &out);
    bool good = !out.failed &&
                fwrite(out.data, 1, out.length, stdout) == out.length &&
                fflush(stdout) == 0;
    buffer_clear(&out);
    return good ? 0 : 1;
}
