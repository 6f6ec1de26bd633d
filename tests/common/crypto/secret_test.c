/* A secret is made once, kept, and never read when others may read it. */
#include "common/crypto/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/test.h"

static void write_text(const char *path, const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        perror(path);
    close(fd);
}

int main(void)
{
    char folder[FOLDER_LEN], path[FOLDER_LEN + 8];
    struct secret first, again, label;
    struct error_text error = {""};
    struct stat st;
    folder_make(folder);
    snprintf(path, sizeof(path), "%s/s", folder);

    test_case("made when it is missing, mode 0600, and the same the next time");
    CHECK(secret_load(path, &first, &error));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(secret_load(path, &again, &error));
    CHECK(memcmp(&first, &again, sizeof(first)) == 0);

    test_case("labels give other keys, the same label the same");
    label = secret_derive(&first, "a");
    again = secret_derive(&first, "b");
    CHECK(memcmp(&label, &again, sizeof(label)) != 0);
    again = secret_derive(&first, "a");
    CHECK(memcmp(&label, &again, sizeof(label)) == 0);
    CHECK(secret_pseudonym(&label, "x", 1) == secret_pseudonym(&again, "x", 1));
    CHECK(secret_pseudonym(&label, "x", 1) != secret_pseudonym(&first, "x", 1));

    test_case("readable by others, torn or of another form: refused and kept");
    chmod(path, 0640);
    CHECK(!secret_load(path, &again, &error));
    CHECK(strstr(error.text, "0600") != NULL);
    write_text(path, "0123", 0600);
    CHECK(!secret_load(path, &again, &error));
    CHECK(strstr(error.text, "hex") != NULL);
    CHECK(stat(path, &st) == 0 && st.st_size == 4);
    unlink(path);

    test_case("a folder that is not there is named");
    snprintf(path, sizeof(path), "%s/no/s", folder);
    CHECK(!secret_load(path, &again, &error));
    CHECK(strstr(error.text, "no/s") != NULL);
    folder_remove(folder);
    return test_end();
}
