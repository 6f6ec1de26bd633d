/*
 * What an HTTP proxy answers to CONNECT, and the text of a configured proxy. An
 * answer is told to the last byte: with less of it the proxy has not decided
 * for the tunnel.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/uplink/proxy.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const uint8_t *data, size_t size)
{
    char text[512];
    struct proxy proxy;
    size_t length = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    if (!proxy_parse(text, &proxy))
        return;
    if (proxy.address.data < text || proxy.address.length == 0 ||
        proxy.address.data + proxy.address.length > text + strlen(text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char reason[160] = "";
    if (size > PROXY_ANSWER_MAX)
        size = PROXY_ANSWER_MAX;
    enum proxy_answer answer = proxy_answer(slice_of_bytes(data, size), reason);
    if (answer == PROXY_REFUSED &&
        (reason[0] == '\0' ||
         strnlen(reason, sizeof(reason)) == sizeof(reason)))
        abort();
    check_text(data, size);
    return 0;
}
