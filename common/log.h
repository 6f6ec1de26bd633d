/*
 * One line per event to standard error: level, what happened, to whom, with
 * the numbers. Under systemd (JOURNAL_STREAM set) lines carry its <n> prefix,
 * else a time. Control characters in arguments are printed as '?', so that a
 * stranger cannot write lines of their own.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

void log_set_level(enum log_level level);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Start-up only: one line "PROGRAM: message" on standard error, then exit. The
 * status is 1 (the work failed) or 2 (wrong usage or configuration). */
void fatal(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* Names the program in fatal() and usage lines; call it first in main(). */
void log_set_program(const char *name);
const char *log_program(void);

/* A reason for the caller to print, filled by functions that can fail in ways
 * worth a sentence. One line, no final newline. There is room for a long
 * sentence behind a long path; what is longer is cut where a character begins,
 * and ends in "...". */
struct error_text {
    char text[1024];
};
/* Always returns false, so that `return error_set(...)` reads well. error may
 * be NULL. */
bool error_set(struct error_text *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Set by SIGINT and SIGTERM once stop_on_signals() was called, which also
 * ignores SIGPIPE. */
void stop_on_signals(void);
bool stop_requested(void);
/* The same for SIGHUP: read again what may change. Asking forgets it. */
void reload_on_signal(void);
bool reload_requested(void);

#endif
