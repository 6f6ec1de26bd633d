#include "portal/store/sender.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/address.h"
#include "common/buffer.h"
#include "common/writer.h"
#include "portal/store/mail_text.h"
#include "portal/store/outbox.h"

enum {
    PAUSE_S = 5,
    CONNECT_S = 10,
    WHOLE_S = 60,
    SECRET_MAX = 1024,
    ADDRESS_MAX = 2048,
    ANSWER_MAX = 64 * 1024,
};

struct sender {
    struct portal *portal;
    const struct portal_config *config;
    struct mail_address from;
    char mail_password[SECRET_MAX], sms_token[SECRET_MAX];
    bool has_failed; /* the last try: it is said once */
    bool is_running;
    atomic_bool is_ending;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* ---- what the configuration says ---- */

/* The first line of a file; an empty path is an empty secret. */
static bool read_secret(const char *path, char *secret,
                        struct error_text *error)
{
    struct buffer text;
    if (path[0] == '\0')
        return true;
    if (!buffer_read_file(&text, path, SECRET_MAX - 1)) {
        buffer_clear(&text);
        return error_set(error, "%s: %s", path, strerror(errno));
    }
    struct slice rest = buffer_slice(&text), line;
    bool good = slice_next(&rest, '\n', &line) &&
                slice_copy(slice_trim(line), secret, SECRET_MAX) &&
                secret[0] != '\0';
    explicit_bzero(text.data, text.length);
    buffer_clear(&text);
    return good || error_set(error, "%s: a secret is expected", path);
}

static bool is_loopback(struct slice host)
{
    struct address address;
    static const uint8_t LOOPBACK_6[16] = {[15] = 1};
    if (slice_equal_nocase(host, SLICE("localhost")))
        return true;
    return address_from_text(host, &address) &&
           (address.version == 4 ? address.bytes[0] == 127
                                 : memcmp(address.bytes, LOOPBACK_6, 16) == 0);
}

static bool check_mail(struct sender *sender, struct error_text *error)
{
    const struct portal_config *config = sender->config;
    struct slice host, port;
    if (config->mail_server[0] == '\0')
        return true;
    if (!mail_address_read(slice_of_text(config->mail_from), &sender->from))
        return error_set(error, "mail_from: an address is expected");
    if (config->mail_tls == MAIL_TLS_NONE &&
        (!slice_split_port(slice_of_text(config->mail_server), &host, &port) ||
         !is_loopback(host)))
        return error_set(error, "mail_tls = none is for a server on this "
                                "machine");
    return read_secret(config->mail_password_file, sender->mail_password,
                       error);
}

static bool check_sms(struct sender *sender, struct error_text *error)
{
    const char *hook = sender->config->sms_hook;
    static const char *const PLAIN[] = {
        "http://127.0.0.1:", "http://[::1]:", "http://localhost:"};
    bool good = hook[0] == '\0' || strncmp(hook, "https://", 8) == 0;
    for (size_t i = 0; i < sizeof(PLAIN) / sizeof(PLAIN[0]); i++)
        good = good || strncmp(hook, PLAIN[i], strlen(PLAIN[i])) == 0;
    if (!good)
        return error_set(error, "sms_hook: https:// is expected, or http:// on "
                                "this machine with its port");
    return read_secret(sender->config->sms_token_file, sender->sms_token,
                       error);
}

struct sender *sender_new(struct portal *portal, struct error_text *error)
{
    struct sender *sender = calloc(1, sizeof(*sender));
    if (sender == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        error_set(error, "no memory");
        free(sender);
        return NULL;
    }
    sender->portal = portal;
    sender->config = portal_config_of(portal);
    pthread_mutex_init(&sender->lock, NULL);
    pthread_cond_init(&sender->changed, NULL);
    if (check_mail(sender, error) && check_sms(sender, error))
        return sender;
    sender_free(sender);
    return NULL;
}

void sender_free(struct sender *sender)
{
    if (sender == NULL)
        return;
    pthread_mutex_lock(&sender->lock);
    sender->is_ending = true;
    pthread_cond_signal(&sender->changed);
    pthread_mutex_unlock(&sender->lock);
    if (sender->is_running)
        pthread_join(sender->thread, NULL);
    pthread_cond_destroy(&sender->changed);
    pthread_mutex_destroy(&sender->lock);
    explicit_bzero(sender, sizeof(*sender));
    free(sender);
}

/* ---- one try ---- */

struct attempt {
    CURL *curl;
    struct curl_slist *list; /* recipients, or headers */
    struct buffer out;       /* what is sent */
    size_t read;
    size_t answered;
    char why[CURL_ERROR_SIZE];
};

static size_t give(char *data, size_t size, size_t count, void *context)
{
    struct attempt *a = context;
    size_t left = a->out.length - a->read, wanted = size * count;
    size_t length = left < wanted ? left : wanted;
    if (length > 0)
        memcpy(data, a->out.data + a->read, length);
    a->read += length;
    return length;
}

/* What a gateway answers is not looked at, and not without end. */
static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    struct attempt *a = context;
    (void)data;
    a->answered += size * count;
    return a->answered <= ANSWER_MAX ? size * count : 0;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c,
                       curl_off_t d)
{
    const struct sender *sender = context;
    (void)a, (void)b, (void)c, (void)d;
    return sender->is_ending ? 1 : 0;
}

static bool is_set(CURLcode code)
{
    return code == CURLE_OK;
}

static bool open_attempt(struct attempt *a, struct sender *sender)
{
    *a = (struct attempt){.curl = curl_easy_init()};
    buffer_init(&a->out, MAIL_TEXT_MAX);
    CURL *curl = a->curl;
    return curl != NULL && is_set(curl_easy_setopt(curl, CURLOPT_PROXY, "")) &&
           is_set(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L)) &&
           is_set(curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT,
                                   (long)CONNECT_S)) &&
           is_set(curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WHOLE_S)) &&
           is_set(curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, a->why)) &&
           is_set(curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L)) &&
           is_set(
               curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress)) &&
           is_set(curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sender)) &&
           is_set(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore)) &&
           is_set(curl_easy_setopt(curl, CURLOPT_WRITEDATA, a));
}

static void close_attempt(struct attempt *a)
{
    curl_easy_cleanup(a->curl);
    curl_slist_free_all(a->list);
    buffer_clear(&a->out);
}

static bool set_login(CURL *curl, const struct sender *sender)
{
    const struct portal_config *config = sender->config;
    return config->mail_user[0] == '\0' ||
           (is_set(
                curl_easy_setopt(curl, CURLOPT_USERNAME, config->mail_user)) &&
            is_set(curl_easy_setopt(curl, CURLOPT_PASSWORD,
                                    sender->mail_password)));
}

static bool set_mail_server(CURL *curl, const struct portal_config *config)
{
    bool is_plain = config->mail_tls == MAIL_TLS_NONE;
    bool is_tls = config->mail_tls == MAIL_TLS_FROM_START;
    char address[ADDRESS_MAX];
    snprintf(address, sizeof(address), "%s://%s", is_tls ? "smtps" : "smtp",
             config->mail_server);
    return is_set(curl_easy_setopt(curl, CURLOPT_URL, address)) &&
           is_set(
               curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps")) &&
           is_set(curl_easy_setopt(
               curl, CURLOPT_USE_SSL,
               (long)(is_plain ? CURLUSESSL_NONE : CURLUSESSL_ALL))) &&
           (config->mail_authority[0] == '\0' ||
            is_set(curl_easy_setopt(curl, CURLOPT_CAINFO,
                                    config->mail_authority)));
}

static bool set_envelope(struct attempt *a, const struct sender *sender,
                         const struct outbox_letter *letter)
{
    a->list = curl_slist_append(NULL, letter->mail.text);
    return a->list != NULL &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_MAIL_FROM,
                                   sender->from.text)) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_MAIL_RCPT, a->list)) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_UPLOAD, 1L)) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_READFUNCTION, give)) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_READDATA, a));
}

/* Only what the server says of the recipient for good ends a mail; its other
 * troubles are its own, and pass. */
static enum outbox_end mail_end(const struct attempt *a, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        return OUTBOX_SENT;
    return status / 100 == 5 && strncmp(a->why, "RCPT", 4) == 0 ? OUTBOX_REFUSED
                                                                : OUTBOX_AGAIN;
}

static enum outbox_end perform(struct attempt *a, struct error_text *error)
{
    CURLcode code = curl_easy_perform(a->curl);
    error_set(error, "%s",
              a->why[0] != '\0' ? a->why : curl_easy_strerror(code));
    return mail_end(a, code);
}

static enum outbox_end send_mail(struct sender *sender,
                                 const struct outbox_letter *letter,
                                 struct error_text *error)
{
    struct attempt a;
    enum outbox_end end = OUTBOX_AGAIN;
    error_set(error, "libcurl cannot be set up");
    if (open_attempt(&a, sender) && set_mail_server(a.curl, sender->config) &&
        set_login(a.curl, sender) && set_envelope(&a, sender, letter)) {
        mail_text_write(letter, &sender->from, &a.out);
        if (!a.out.failed)
            end = perform(&a, error);
    }
    close_attempt(&a);
    return end;
}

static bool add_header(struct attempt *a, const char *header)
{
    struct curl_slist *longer = curl_slist_append(a->list, header);
    if (longer != NULL)
        a->list = longer;
    return longer != NULL;
}

static bool set_hook(struct attempt *a, const struct sender *sender,
                     const struct outbox_letter *letter)
{
    char bearer[SECRET_MAX + 32];
    struct json_writer json;
    json_start(&json, &a->out);
    json_object_begin(&json, NULL);
    json_text(&json, "id", letter->token);
    json_text(&json, "to", letter->mobile.text);
    json_text(&json, "text", letter->subject[letter->language]);
    json_object_end(&json);
    snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
             sender->sms_token);
    bool good = add_header(a, "Content-Type: application/json") &&
                (sender->sms_token[0] == '\0' || add_header(a, bearer));
    explicit_bzero(bearer, sizeof(bearer));
    return good && !a->out.failed &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_URL,
                                   sender->config->sms_hook)) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_PROTOCOLS_STR,
                                   "http,https")) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, a->list)) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_POSTFIELDSIZE,
                                   (long)a->out.length)) &&
           is_set(curl_easy_setopt(a->curl, CURLOPT_POSTFIELDS, a->out.data));
}

static enum outbox_end hook_end(struct attempt *a, struct error_text *error)
{
    long status = 0;
    CURLcode code = curl_easy_perform(a->curl);
    curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        error_set(error, "%s",
                  a->why[0] != '\0' ? a->why : curl_easy_strerror(code));
    else
        error_set(error, "HTTP status %ld", status);
    if (code == CURLE_OK && status / 100 == 2)
        return OUTBOX_SENT;
    return code == CURLE_OK && status / 100 == 4 && status != 408 &&
                   status != 429
               ? OUTBOX_REFUSED
               : OUTBOX_AGAIN;
}

static enum outbox_end send_sms(struct sender *sender,
                                const struct outbox_letter *letter,
                                struct error_text *error)
{
    struct attempt a;
    enum outbox_end end = OUTBOX_AGAIN;
    error_set(error, "libcurl cannot be set up");
    if (open_attempt(&a, sender) && set_hook(&a, sender, letter))
        end = hook_end(&a, error);
    close_attempt(&a);
    return end;
}

/* ---- a round ---- */

struct handling {
    unsigned channels;
    struct outbox_letter letter;
    enum outbox_take taken;
    enum outbox_end end;
    const char *problem;
};

static enum act_end take_letter(struct db *db, struct wall_time now,
                                void *context, struct error_text *error)
{
    struct handling *h = context;
    h->taken = outbox_take(db, now, h->channels, &h->letter);
    error_set(error, "%s", db_error(db));
    return h->taken == OUTBOX_TAKE_FAILED ? ACT_FAILED : ACT_KEPT;
}

static enum act_end note_letter(struct db *db, struct wall_time now,
                                void *context, struct error_text *error)
{
    const struct handling *h = context;
    error_set(error, "%s", db_error(db));
    return outbox_note(db, now, &h->letter, h->end,
                       h->end == OUTBOX_SENT ? "" : h->problem)
               ? ACT_KEPT
               : ACT_FAILED;
}

static void say_once(struct sender *sender, const struct handling *h)
{
    bool fails = h->end == OUTBOX_AGAIN;
    const char *what = h->letter.channel == OUTBOX_MAIL ? "mail" : "sms";
    if (fails && !sender->has_failed)
        log_error("%s: not sent, and tried again for %d days: %s", what,
                  OUTBOX_DAYS, h->problem);
    if (!fails && sender->has_failed)
        log_info("%s: sent again", what);
    sender->has_failed = fails;
}

static void count_end(struct sender_count *count, enum outbox_end end)
{
    count->sent += end == OUTBOX_SENT;
    count->refused += end == OUTBOX_REFUSED;
    count->failed += end == OUTBOX_AGAIN;
}

static unsigned channels_of(const struct sender *sender)
{
    return (sender->config->mail_server[0] != '\0' ? 1u << OUTBOX_MAIL : 0) |
           (sender->config->sms_hook[0] != '\0' ? 1u << OUTBOX_SMS : 0);
}

bool sender_round(struct sender *sender, struct wall_time now,
                  struct sender_count *count)
{
    struct handling *h = calloc(1, sizeof(*h));
    bool good = h != NULL;
    *count = (struct sender_count){0};
    if (good)
        h->channels = channels_of(sender);
    /* A carrier that fails is let alone for the rest of the round. */
    for (int i = 0;
         good && h->channels != 0 && i < SENDER_ROUND_MAX && !sender->is_ending;
         i++) {
        struct error_text error = {""};
        good = portal_act(sender->portal, now, NULL, take_letter, h, &error) ==
               ACT_KEPT;
        if (!good || h->taken != OUTBOX_TAKEN)
            break;
        h->end = h->letter.channel == OUTBOX_MAIL
                     ? send_mail(sender, &h->letter, &error)
                     : send_sms(sender, &h->letter, &error);
        struct error_text problem = error;
        h->problem = problem.text;
        good = portal_act(sender->portal, now, NULL, note_letter, h, &error) ==
               ACT_KEPT;
        say_once(sender, h);
        count_end(count, h->end);
        if (h->end == OUTBOX_AGAIN)
            h->channels &= ~(1u << h->letter.channel);
    }
    free(h);
    return good;
}

/* ---- its thread ---- */

static void wait_a_little(struct sender *sender)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PAUSE_S;
    pthread_mutex_lock(&sender->lock);
    if (!sender->is_ending)
        pthread_cond_timedwait(&sender->changed, &sender->lock, &until);
    pthread_mutex_unlock(&sender->lock);
}

static void *work(void *context)
{
    struct sender *sender = context;
    struct sender_count count;
    while (!sender->is_ending) {
        sender_round(sender, wall_now(), &count);
        wait_a_little(sender);
    }
    return NULL;
}

bool sender_start(struct sender *sender, struct error_text *error)
{
    if (channels_of(sender) == 0)
        return true;
    sender->is_running =
        pthread_create(&sender->thread, NULL, work, sender) == 0;
    return sender->is_running || error_set(error, "no thread for mail");
}
