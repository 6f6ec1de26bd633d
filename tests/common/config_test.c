/* Configuration files: values, bounds, line numbers, the stable print. */
#include "common/config.h"

#include <stddef.h>
#include <unistd.h>

#include "tests/test.h"

struct sample {
    char listen[64];
    char folder[192];
    char note[32];
    uint64_t period_s;
    bool is_eager;
    int level;
};

static const struct config_key KEYS[] = {
    {.name = "listen",
     .kind = CONFIG_ADDRESS,
     .offset = offsetof(struct sample, listen),
     .size = sizeof(((struct sample *)0)->listen),
     .help = "Where to listen."},
    {.name = "folder",
     .kind = CONFIG_PATH,
     .offset = offsetof(struct sample, folder),
     .size = sizeof(((struct sample *)0)->folder),
     .initial = "spool",
     .help = "Where things wait."},
    {.name = "note",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct sample, note),
     .size = sizeof(((struct sample *)0)->note),
     .initial = "",
     .help = "Free text. This help is long enough to be broken into more than "
             "one line of the sample file, at a blank."},
    {.name = "period_s",
     .kind = CONFIG_U64,
     .offset = offsetof(struct sample, period_s),
     .min = 1,
     .max = 3600,
     .initial = "300",
     .help = "Seconds."},
    {.name = "eager",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct sample, is_eager),
     .initial = "no",
     .help = "Eager or not."},
    {.name = "level",
     .kind = CONFIG_CHOICE,
     .offset = offsetof(struct sample, level),
     .choices = "error|warn|info",
     .initial = "info",
     .help = "How much to say."},
};
enum { KEY_COUNT = sizeof(KEYS) / sizeof(KEYS[0]) };

static char file_path[256];

static bool read_bytes(const char *text, size_t length, struct sample *sample,
                       struct error_text *error)
{
    FILE *f = fopen(file_path, "wb");
    CHECK(f != NULL && fwrite(text, 1, length, f) == length);
    fclose(f);
    return config_read(file_path, KEYS, KEY_COUNT, sample, error);
}

static bool read_text(const char *text, struct sample *sample,
                      struct error_text *error)
{
    return read_bytes(text, strlen(text), sample, error);
}

/* The message without the file's path, which differs from run to run. */
static const char *without_path(const struct error_text *error)
{
    size_t length = strlen(file_path);
    bool has_path = strncmp(error->text, file_path, length) == 0;
    return has_path ? error->text + length : error->text;
}

static const struct {
    const char *text, *error;
} REFUSALS[] = {
    {"", ":1: the file ends without the key listen"},
    {"# nothing\n\n", ":2: the file ends without the key listen"},
    {"listen = a:1\nlisten = b:2\n", ":2: listen was set already, in line 1"},
    {"# a\n\nlisen = a:1\n", ":3: unknown key 'lisen'"},
    {"listen =\n", ":1: listen must not be empty"},
    {"listen = a\n", ":1: listen: 'a' is neither HOST:PORT nor "
                     "[IPV6]:PORT"},
    {"listen = a:65536\n", ":1: listen: 'a:65536' is neither HOST:PORT "
                           "nor [IPV6]:PORT"},
    {"listen = ::1:80\n", ":1: listen: '::1:80' is neither HOST:PORT nor "
                          "[IPV6]:PORT"},
    {"listen = [a]:80\n", ":1: listen: '[a]:80' is neither HOST:PORT nor "
                          "[IPV6]:PORT"},
    {"listen = [::1:80\n", ":1: listen: '[::1:80' is neither HOST:PORT nor "
                           "[IPV6]:PORT"},
    {"listen = [127.0.0.1]:80\n",
     ":1: listen: '[127.0.0.1]:80' is neither HOST:PORT nor [IPV6]:PORT"},
    {"listen = a b:80\n", ":1: listen: 'a b:80' is neither HOST:PORT nor "
                          "[IPV6]:PORT"},
    {"listen = a:1\nperiod_s = 0\n",
     ":2: period_s: '0' is not a number from 1 to 3600"},
    {"listen = a:1\nperiod_s = 3601\n",
     ":2: period_s: '3601' is not a number from 1 to 3600"},
    {"listen = a:1\nperiod_s = 5m\n",
     ":2: period_s: '5m' is not a number from 1 to 3600"},
    {"listen = a:1\nperiod_s =\n",
     ":2: period_s: '' is not a number from 1 to 3600"},
    {"listen = a:1\neager = true\n", ":2: eager: 'true' is neither yes nor no"},
    {"listen = a:1\nlevel = loud\n",
     ":2: level: 'loud' is not one of error|warn|info"},
    {"listen = a:1\nlevel = error|warn\n",
     ":2: level: 'error|warn' is not one of error|warn|info"},
    {"listen = a:1\njust words\n", ":2: the line is not 'key = value'"},
    {"just words\nunknown = 1\n", ":1: the line is not 'key = value'"},
    {"[network]\nlisten = a:1\n", ":1: there are no sections in this file"},
    {"listen = a:1\nnote = a ; b\n",
     ":2: a comment stands on a line of its own"},
    {"listen = a:1\nnote =;b\n",
     ":2: note has a ';' that would start a comment"},
    {"listen = a:1\nnote = 12345678901234567890123456789012\n",
     ":2: note is longer than 31 bytes"},
    {"listen = a:1\nnote = \xff\n", ":2: the line is not UTF-8 text"},
    {"listen = a:1\nnote = \x1b[2J\n", ":2: the line is not UTF-8 text"},
    {"LISTEN = a:1\n", ":1: unknown key 'LISTEN'"},
};

static void test_refusals(void)
{
    test_case("refusals name the file, the line and the reason");
    for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++) {
        struct sample sample = {0};
        struct error_text error = {""};
        CHECK(!read_text(REFUSALS[i].text, &sample, &error));
        CHECK_TEXT(without_path(&error), REFUSALS[i].error);
    }
    struct sample sample = {0};
    struct error_text error = {""};
    test_case("a NUL byte and a very long line are refused");
    CHECK(!read_bytes("listen = a:1\0\n", 14, &sample, &error));
    CHECK_TEXT(without_path(&error), ":1: the line is not UTF-8 text");
    char line[600] = "listen = a:1\nnote = ";
    memset(line + 20, 'x', 500);
    CHECK(!read_text(line, &sample, &error));
    CHECK_TEXT(without_path(&error), ":2: the line is too long");
}

static void test_values(void)
{
    struct sample sample = {0};
    struct error_text error = {""};
    char want[300];
    test_case("defaults, then the file over them");
    CHECK(read_text("listen = 127.0.0.1:8080\n", &sample, &error));
    CHECK_TEXT(sample.listen, "127.0.0.1:8080");
    CHECK_I64((int64_t)sample.period_s, 300);
    CHECK(!sample.is_eager);
    CHECK_I64(sample.level, 2);
    test_case("relative paths are taken from the file's folder");
    char *folder = realpath(getenv("B") ? getenv("B") : "/tmp", NULL);
    snprintf(want, sizeof(want), "%s/spool", folder);
    CHECK_TEXT(sample.folder, want);
    CHECK(read_text("listen = h:0\nfolder = /a b/c\n", &sample, &error));
    CHECK_TEXT(sample.folder, "/a b/c");
    CHECK(read_text("listen = h:0\nfolder =\n", &sample, &error));
    CHECK_TEXT(sample.folder, "");
    free(folder);
    test_case("CRLF, indentation, blanks, a byte order mark, no last newline");
    CHECK(
        read_text("\xef\xbb\xbflisten=[::1]:443\r\n\t note   =  a # b; c  \r\n"
                  "  period_s = 60\r\neager = yes\r\nlevel=warn",
                  &sample, &error));
    CHECK_TEXT(error.text, "");
    CHECK_TEXT(sample.listen, "[::1]:443");
    CHECK_TEXT(sample.note, "a # b; c");
    CHECK_I64((int64_t)sample.period_s, 60);
    CHECK(sample.is_eager);
    CHECK_I64(sample.level, 1);
}

static void test_print(void)
{
    struct sample sample = {0};
    struct error_text error = {""};
    struct buffer first, second;
    test_case("what is printed is read back and printed the same");
    buffer_init(&first, 4096);
    buffer_init(&second, 4096);
    CHECK(read_text("level = error\nlisten = a:1\nnote = \xe4\xba\x91 x\n",
                    &sample, &error));
    config_print(KEYS, KEY_COUNT, &sample, &first);
    buffer_add_u8(&first, '\0');
    CHECK(strstr((char *)first.data, "listen = a:1\nfolder = /") != NULL);
    CHECK(strstr((char *)first.data, "note = \xe4\xba\x91 x\n"
                                     "period_s = 300\neager = no\n"
                                     "level = error\n") != NULL);
    memset(&sample, 0, sizeof(sample));
    CHECK(read_text((char *)first.data, &sample, &error));
    config_print(KEYS, KEY_COUNT, &sample, &second);
    buffer_add_u8(&second, '\0');
    CHECK_TEXT((char *)second.data, (char *)first.data);

    test_case("an empty value is printed and read back");
    CHECK(read_text("listen = a:1\nfolder =\n", &sample, &error));
    buffer_reset(&first);
    config_print(KEYS, KEY_COUNT, &sample, &first);
    buffer_add_u8(&first, '\0');
    CHECK(strstr((char *)first.data, "\nfolder =\nnote =\n") != NULL);
    CHECK(read_text((char *)first.data, &sample, &error));

    test_case("the sample file explains every key");
    buffer_reset(&first);
    config_print_sample(KEYS, KEY_COUNT, &first);
    test_golden("tests/data/common_config_sample.conf", first.data,
                first.length);
    buffer_clear(&first);
    buffer_clear(&second);
}

static void test_files(void)
{
    struct sample sample = {0};
    struct error_text error = {""};
    test_case("defaults alone leave required keys empty");
    config_set_defaults(KEYS, KEY_COUNT, &sample);
    CHECK_TEXT(sample.listen, "");
    CHECK_TEXT(sample.folder, "spool");
    CHECK_I64((int64_t)sample.period_s, 300);
    test_case("a missing file and a folder are named");
    CHECK(!config_read("/nowhere/x.conf", KEYS, KEY_COUNT, &sample, &error));
    CHECK_TEXT(error.text, "/nowhere/x.conf: No such file or directory");
    CHECK(!config_read("/", KEYS, KEY_COUNT, &sample, &error));
    CHECK_TEXT(error.text, "/: Is a directory");
}

int main(void)
{
    const char *folder = getenv("B");
    snprintf(file_path, sizeof(file_path), "%s/config_test.XXXXXX",
             folder ? folder : "/tmp");
    int fd = mkstemp(file_path);
    close(fd);
    test_refusals();
    test_values();
    test_print();
    test_files();
    unlink(file_path);
    return test_end();
}
