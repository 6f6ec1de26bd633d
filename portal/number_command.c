#include "portal/number_command.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "common/program.h"
#include "common/wire/number.h"
#include "portal/commands.h"

enum { FAILED = 1, USAGE = 2, LINE_MAX_LEN = 256 };

static bool print_number(const struct secret *key, enum number_kind kind,
                         struct slice text, unsigned line)
{
    struct number number;
    char hex[DIGEST_HEX_LEN], mask[NUMBER_LEN];
    const char *fault = number_read(kind, text, &number);
    if (fault != NULL) {
        program_complain("command.number.line", text_number("line", line),
                         text_words("fault", fault));
        return false;
    }
    digest_to_hex(number_hash(key, &number), hex);
    number_mask(&number, mask);
    printf("%s,%s\n", hex, mask);
    return true;
}

int command_number(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *kind_text = NULL;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--kind", .value = &kind_text, .is_required = true}};
    struct portal_config config = {0};
    struct secret key;
    struct error_text error;
    enum number_kind kind;
    char line[LINE_MAX_LEN];
    bool good = true;
    if (program_options(argc, argv, options, 2, 0, 0) < 0)
        return USAGE;
    if (!number_kind_from(slice_of_text(kind_text), &kind)) {
        program_complain("command.number.kind",
                         text_foreign("kind", kind_text));
        return USAGE;
    }
    command_read_config(path, &config);
    if (!secret_load(config.number_key, &key, &error))
        return command_report(&error);
    for (unsigned n = 1; fgets(line, sizeof(line), stdin) != NULL; n++)
        good &= print_number(&key, kind, slice_trim(slice_of_text(line)), n);
    return good ? 0 : FAILED;
}
