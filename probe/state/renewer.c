/* Two kinds of messages, told apart by their length: the sandbox once, the state
 * whenever it changes. The process speaks with strangers, so both are taken as
 * numbers and text of fixed size and nothing more. */
#include "probe/state/renewer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/crypto/digest.h"
#include "common/durable.h"
#include "probe/process/process.h"
#include "probe/process/sandbox.h"
#include "probe/state/est_client.h"
#include "probe/state/identity.h"
#include "probe/state/renew.h"

enum {
    LOOK_MS = 60 * 1000,         /* at the clock, and at the file */
    START_SPREAD_MS = 10 * 1000, /* so that a power cut does not line us up */
    READY_WAIT_MS = 30 * 1000,
    END_WAIT_MS = 2000,
    DNS_PORT = 53,
    LAST_PART = 6, /* of the life: from then on failures are errors */
};

struct renewer {
    pid_t pid;
    int fd;
    bool is_ready;
    struct sandbox_report report;
    struct renewer_state state;
};

/* --- the process --- */

struct worker {
    const struct probe_config *config;
    int fd;
    struct identity identity;
    uint32_t chance; /* one for the life of the process */
    struct renewer_state state;
    struct wall_time not_before; /* after a failure */
};

static uint32_t any_chance(void)
{
    uint32_t chance;
    random_bytes(&chance, sizeof(chance));
    return chance;
}

static void tell_state(struct worker *w)
{
    struct wall_time due = renew_due(&w->identity.certificate, w->chance);
    w->state.next = due.us > w->not_before.us ? due : w->not_before;
    (void)send(w->fd, &w->state, sizeof(w->state), MSG_NOSIGNAL);
}

static void tell_failure(struct worker *w, struct wall_time now,
                         unsigned pause_s, const struct error_text *why)
{
    const struct pki_certificate *c = &w->identity.certificate;
    int64_t left_us = c->ends.us - now.us;
    int64_t hours = left_us / 3600000000;
    snprintf(w->state.reason, sizeof(w->state.reason), "%.199s", why->text);
    if (left_us < (c->ends.us - c->begins.us) / LAST_PART)
        log_error("certificate: %s; it ends in %" PRId64 " hours, and the "
                  "collector takes nothing then; again in %u s",
                  why->text, hours < 0 ? 0 : hours, pause_s);
    else
        log_warn("certificate: %s; again in %u s", why->text, pause_s);
}

static void renew(struct worker *w, struct wall_time now)
{
    struct error_text error;
    struct est_answer answer;
    char end[WALL_TEXT_LEN];
    if (renew_now(w->config, &w->identity, now, &answer, &error)) {
        wall_to_text(w->identity.certificate.ends, end);
        log_info("certificate: renewed, good until %s", end);
        w->state.failures = 0;
        w->state.reason[0] = '\0';
        w->state.renewals++;
        w->not_before.us = 0;
        return;
    }
    unsigned pause_s = renew_pause_s(++w->state.failures, any_chance());
    if (pause_s < answer.retry_after_s)
        pause_s = answer.retry_after_s;
    w->not_before.us = now.us + pause_s * 1000000LL;
    tell_failure(w, now, pause_s, &error);
}

/* Somebody else may have renewed it meanwhile. */
static void look(struct worker *w, struct wall_time now)
{
    struct error_text ignored;
    (void)identity_reload(w->config, &w->identity, &ignored);
    struct wall_time due = renew_due(&w->identity.certificate, w->chance);
    if (now.us >= due.us && now.us >= w->not_before.us)
        renew(w, now);
    tell_state(w);
}

/* The other side never writes: what is there to read is its end. */
static bool wait_ms(int fd, int ms)
{
    struct pollfd other = {.fd = fd, .events = POLLIN};
    return poll(&other, 1, ms) == 0 && !stop_requested();
}

/* Until the next thing to be done, and not longer than a look takes. */
static int pause_of(const struct worker *w, struct wall_time now)
{
    int64_t ms = (w->state.next.us - now.us) / 1000 + 1;
    return ms < 1000 ? 1000 : ms > LOOK_MS ? LOOK_MS : (int)ms;
}

static void work(struct worker *w)
{
    bool is_wanted;
    tell_state(w);
    is_wanted = wait_ms(w->fd, (int)(any_chance() % START_SPREAD_MS));
    while (is_wanted) {
        look(w, wall_now());
        is_wanted = wait_ms(w->fd, pause_of(w, wall_now()));
    }
}

static bool enter(const struct probe_config *c, struct sandbox_report *report,
                  struct error_text *error)
{
    char folder[DURABLE_PATH_LEN];
    struct slice host;
    uint16_t port = 0;
    int status_fd = process_open();
    if (!durable_folder_of(folder, c->certificate))
        return error_set(error, "%s: too long", c->certificate);
    if (c->proxy[0] != '\0')
        (void)est_client_proxy(c->proxy, &port);
    else
        (void)est_client_portal(c->portal, &host, &port);
    const struct sandbox_options sandbox = {.role = SANDBOX_RENEWER,
                                            .user = c->user,
                                            .state = folder,
                                            .ports = {port, DNS_PORT},
                                            .port_count = 2};
    return sandbox_leave_root(&sandbox, error) &&
           sandbox_enter(&sandbox, status_fd, report, error);
}

/* Never comes back. Descriptors of the parent are closed before anything else;
 * what remains are the standard ones and the channel. */
static void run_child(const struct probe_config *c, int fd)
{
    enum { CHANNEL = STDERR_FILENO + 1 };
    struct worker w = {.config = c, .fd = CHANNEL, .chance = any_chance()};
    struct sandbox_report report;
    struct error_text error = {"libcurl does not start"};
    if (fd != CHANNEL && dup2(fd, CHANNEL) < 0)
        _exit(1);
    closefrom(CHANNEL + 1);
    bool good =
        est_client_init() && identity_load(c, &w.identity, &error) &&
        enter(c, &report, &error) &&
        send(CHANNEL, &report, sizeof(report), MSG_NOSIGNAL) == sizeof(report);
    if (good)
        work(&w);
    else
        log_error("certificate: %s", error.text);
    identity_clear(&w.identity);
    _exit(good ? 0 : 1);
}

/* --- the uplink process --- */

static void take_report(struct renewer *r, const void *data)
{
    memcpy(&r->report, data, sizeof(r->report));
    r->report.process = "renewer";
    r->report.pid = (uint32_t)r->pid;
    r->report.user[sizeof(r->report.user) - 1] = '\0';
    r->report.note[sizeof(r->report.note) - 1] = '\0';
    r->is_ready = true;
}

static void take_state(struct renewer *r, const void *data)
{
    memcpy(&r->state, data, sizeof(r->state));
    r->state.reason[sizeof(r->state.reason) - 1] = '\0';
    r->state.is_gone = false;
}

static void give_up(struct renewer *r)
{
    log_error("renewer: it is gone; the certificate will not be renewed before "
              "the next start");
    close(r->fd);
    r->fd = -1;
    r->state.is_gone = true;
}

void renewer_step(struct renewer *r)
{
    _Static_assert(sizeof(struct renewer_state) !=
                       sizeof(struct sandbox_report),
                   "messages are told apart by their length");
    uint8_t data[sizeof(struct sandbox_report) + sizeof(struct renewer_state)];
    while (r != NULL && r->fd >= 0) {
        ssize_t n = recv(r->fd, data, sizeof(data), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n == sizeof(r->report) && !r->is_ready)
            take_report(r, data);
        else if (n == sizeof(r->state))
            take_state(r, data);
        else
            give_up(r);
    }
}

static bool wait_ready(struct renewer *r, struct error_text *error)
{
    struct mono_time end = mono_later(mono_now(), READY_WAIT_MS);
    while (!r->is_ready && r->fd >= 0 && mono_now().us < end.us) {
        struct pollfd fd = renewer_poll(r);
        if (poll(&fd, 1, 100) > 0)
            renewer_step(r);
    }
    return r->is_ready || error_set(error, "renewer: it does not start");
}

struct renewer *renewer_start(const struct probe_config *config,
                              struct error_text *error)
{
    int fds[2];
    struct renewer *r = calloc(1, sizeof(*r));
    if (r == NULL ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
        error_set(error, "renewer: %s", strerror(errno));
        free(r);
        return NULL;
    }
    r->pid = fork();
    if (r->pid == 0)
        run_child(config, fds[1]);
    int reason = errno;
    close(fds[1]);
    r->fd = fds[0];
    if (r->pid > 0 && wait_ready(r, error))
        return r;
    if (r->pid < 0)
        error_set(error, "renewer: %s", strerror(reason));
    renewer_free(r);
    return NULL;
}

void renewer_leave(struct renewer *r)
{
    if (r != NULL && r->fd >= 0)
        close(r->fd);
    if (r != NULL)
        r->fd = -1;
}

/* It may be in the middle of a request, which is given up. */
static void reap(pid_t pid)
{
    struct mono_time end = mono_later(mono_now(), END_WAIT_MS);
    pid_t got;
    (void)kill(pid, SIGTERM);
    while ((got = waitpid(pid, NULL, WNOHANG)) == 0 && mono_now().us < end.us)
        (void)poll(NULL, 0, 5);
    if (got == 0 && kill(pid, SIGKILL) == 0)
        (void)waitpid(pid, NULL, 0);
}

void renewer_free(struct renewer *r)
{
    if (r == NULL)
        return;
    renewer_leave(r);
    if (r->pid > 0)
        reap(r->pid);
    free(r);
}

struct pollfd renewer_poll(const struct renewer *r)
{
    return (struct pollfd){.fd = r == NULL ? -1 : r->fd, .events = POLLIN};
}

const struct renewer_state *renewer_state(const struct renewer *r)
{
    static const struct renewer_state none;
    return r == NULL ? &none : &r->state;
}

const struct sandbox_report *renewer_report(const struct renewer *r)
{
    return r == NULL ? NULL : &r->report;
}
