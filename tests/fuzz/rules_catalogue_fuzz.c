/* Programme data as JSON and as key = value lines, whatever they contain. */
#include "rules/catalogue.h"
#include "rules/parameter.h"
#include "rules/programme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct catalogue catalogue;
    struct programme programme;
    struct parameters parameters;
    struct error_text error;
    struct slice text = slice_of_bytes(data, size);
    if (catalogue_parse(text, &catalogue, &error))
        catalogue_find(&catalogue, 1);
    programme_parse(text, &programme, &error);
    parameters_parse(text, &parameters, &error);
    return 0;
}
