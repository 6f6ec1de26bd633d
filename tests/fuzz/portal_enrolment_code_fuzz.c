/* Codes as strangers send them. */
#include <stdlib.h>

#include "portal/enrol/enrolment_code.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest hash;
    if (enrolment_code_read(slice_of_bytes(data, size), &hash) &&
        size < ENROLMENT_SYMBOLS)
        abort();
    return 0;
}
