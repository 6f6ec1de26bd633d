/*
 * Log lines, the fatal line of start-up, and the stop flag.
 *
 * A line is made whole in a local buffer and written with one write(), so that
 * lines of several threads or processes never mix. The log level and the stop
 * flag are the only mutable globals of the programs, besides the program's
 * name, which is set once.
 */
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/slice.h"

enum { LINE_SIZE = 1024 };

static enum log_level max_level = LOG_LEVEL_INFO;
static const char *program_name = "yunzheng";
static volatile sig_atomic_t is_stop_requested, is_reload_requested;

/* The journal's priorities are those of syslog(3). */
static const struct {
    const char *name;
    const char *journal_prefix;
} LEVELS[] = {
    [LOG_LEVEL_ERROR] = {"error", "<3>"},
    [LOG_LEVEL_WARN] = {"warn", "<4>"},
    [LOG_LEVEL_INFO] = {"info", "<6>"},
    [LOG_LEVEL_DEBUG] = {"debug", "<7>"},
};

void log_set_level(enum log_level level)
{
    max_level = level;
}

void log_set_program(const char *name)
{
    program_name = name;
}

const char *log_program(void)
{
    return program_name;
}

/* Replaces what could end the line or drive a terminal: C0 and C1 controls,
 * DEL, and bytes that are not UTF-8. */
static void clean_line(char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t length = slice_utf8_length((struct slice){text, left});
        size_t step = length > 0 ? length : 1;
        if (text[0] == '\t' || text[0] == '\n' ||
            !slice_is_clean_utf8((struct slice){text, step}))
            memset(text, '?', step);
        text += step;
        left -= step;
    }
}

/* Whoever reads our lines may have stopped: then a line is lost, not we. */
static bool may_write(void)
{
    enum { PATIENCE_MS = 100 };
    struct pollfd error_output = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&error_output, 1, PATIENCE_MS) > 0;
}

/* A line that fits no more is cut; a log line never fails its caller. */
__attribute__((format(printf, 2, 0))) static void
write_line(const char *start, const char *format, va_list arguments)
{
    char line[LINE_SIZE];
    int used = snprintf(line, sizeof(line) - 1, "%s", start);
    size_t room = sizeof(line) - 1 - (size_t)used;
    vsnprintf(line + used, room, format, arguments);
    clean_line(line + used);
    size_t length = strlen(line);
    line[length++] = '\n';
    const char *rest = line;
    while (length > 0 && may_write()) {
        ssize_t count = write(STDERR_FILENO, rest, length);
        if (count < 0 && errno != EINTR)
            return;
        if (count > 0) {
            rest += count;
            length -= (size_t)count;
        }
    }
}

static void __attribute__((format(printf, 2, 0)))
log_line(enum log_level level, const char *format, va_list arguments)
{
    if (level > max_level)
        return;
    int reason = errno;
    char start[64];
    if (getenv("JOURNAL_STREAM") != NULL) {
        snprintf(start, sizeof(start), "%s", LEVELS[level].journal_prefix);
    } else {
        struct timespec now;
        struct tm utc;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &utc);
        size_t length =
            strftime(start, sizeof(start), "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(start + length, sizeof(start) - length, ".%03ldZ %s ",
                 now.tv_nsec / 1000000, LEVELS[level].name);
    }
    write_line(start, format, arguments);
    errno = reason;
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_ERROR, format, arguments);
    va_end(arguments);
}

void log_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_WARN, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}

void fatal(int status, const char *format, ...)
{
    char start[128];
    snprintf(start, sizeof(start), "%s: ", program_name);
    va_list arguments;
    va_start(arguments, format);
    write_line(start, format, arguments);
    va_end(arguments);
    exit(status);
}

/* Cuts what did not fit, so that no half character stands at the end. */
static void mark_cut(struct error_text *error)
{
    size_t length = sizeof(error->text) - sizeof("...");
    while (length > 0 && ((unsigned char)error->text[length] & 0xc0) == 0x80)
        length--;
    memcpy(error->text + length, "...", sizeof("..."));
}

bool error_set(struct error_text *error, const char *format, ...)
{
    if (error == NULL)
        return false;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof(error->text))
        mark_cut(error);
    clean_line(error->text);
    return false;
}

static void on_stop_signal(int number)
{
    (void)number;
    is_stop_requested = 1;
}

/* Without SA_RESTART: a blocked call returns EINTR and its loop sees the flag.
 * A peer that closed its end shows as EPIPE, not as a signal. */
void stop_on_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&stop.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_requested(void)
{
    return is_stop_requested != 0;
}

static void on_reload_signal(int number)
{
    (void)number;
    is_reload_requested = 1;
}

void reload_on_signal(void)
{
    struct sigaction reload = {.sa_handler = on_reload_signal};
    sigemptyset(&reload.sa_mask);
    sigaction(SIGHUP, &reload, NULL);
}

bool reload_requested(void)
{
    bool is_requested = is_reload_requested != 0;
    is_reload_requested = 0;
    return is_requested;
}
