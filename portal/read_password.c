/* See read_password.h. */
#include "portal/read_password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static bool read_line(FILE *file, const char *name, char *line, size_t size,
                      struct error_text *error)
{
    errno = 0;
    if (fgets(line, (int)size, file) == NULL)
        return error_set(error, "%s: %s", name,
                         errno != 0 ? strerror(errno) : "no password");
    size_t length = strcspn(line, "\r\n");
    if (length == size - 1)
        return error_set(error, "%s: the password is too long", name);
    line[length] = '\0';
    return true;
}

static bool ask(const char *question, char *line, size_t size,
                struct error_text *error)
{
    struct termios before, silent;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return error_set(error, "terminal: %s", strerror(errno));
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s", question);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    bool good = read_line(stdin, "terminal", line, size, error);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fprintf(stderr, "\n");
    return good;
}

static bool ask_twice(char *password, size_t size, struct error_text *error)
{
    char again[512] = "";
    return ask("Password: ", password, size, error) &&
           ask("The same again: ", again, sizeof(again), error) &&
           (strcmp(password, again) == 0 ||
            error_set(error, "the two passwords differ"));
}

bool read_password(const char *file, char *password, size_t size,
                   struct error_text *error)
{
    if (file == NULL && isatty(STDIN_FILENO))
        return ask_twice(password, size, error);
    if (file == NULL || strcmp(file, "-") == 0)
        return read_line(stdin, "standard input", password, size, error);
    FILE *opened = fopen(file, "r");
    if (opened == NULL)
        return error_set(error, "%s: %s", file, strerror(errno));
    bool good = read_line(opened, file, password, size, error);
    fclose(opened);
    return good;
}
