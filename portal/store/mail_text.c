#include "portal/store/mail_text.h"

#include <string.h>
#include <time.h>

#include "common/base64.h"

/* Bytes of a line of base64, of an encoded word of 75 characters (RFC 2047). */
enum { LINE_BYTES = 57, WORD_BYTES = 42 };

/* Whole characters only, so that each word can be read by itself. */
static size_t word_length(struct slice rest)
{
    size_t length = 0, one = 0;
    while ((one = slice_utf8_length(slice_of_bytes(
                rest.data + length, rest.length - length))) > 0 &&
           length + one <= WORD_BYTES)
        length += one;
    return length > 0 ? length : rest.length;
}

static void add_words(struct buffer *out, const char *text)
{
    struct slice rest = slice_of_text(text);
    const char *between = "";
    while (rest.length > 0) {
        size_t length = word_length(rest);
        buffer_addf(out, "%s=?UTF-8?B?", between);
        base64_add_word(out, slice_of_bytes(rest.data, length));
        buffer_add_text(out, "?=");
        rest = slice_of_bytes(rest.data + length, rest.length - length);
        between = "\r\n ";
    }
}

/* "Mon, 23 Nov 2026 08:00:00 +0000", whatever the machine's language. */
static void add_date(struct buffer *out, struct wall_time time)
{
    static const char DAYS[] = "SunMonTueWedThuFriSat";
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)wall_to_s(time);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    buffer_addf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n",
                DAYS + 3 * tm.tm_wday, tm.tm_mday, MONTHS + 3 * tm.tm_mon,
                tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_body(struct buffer *out, struct slice text)
{
    while (text.length > 0) {
        size_t length = text.length < LINE_BYTES ? text.length : LINE_BYTES;
        base64_add_word(out, slice_of_bytes(text.data, length));
        buffer_add_text(out, "\r\n");
        text = slice_of_bytes(text.data + length, text.length - length);
    }
}

/* Both languages with a line between. */
static void join_bodies(const struct outbox_letter *letter, struct buffer *out)
{
    enum language first = letter->language;
    enum language second = first == LANGUAGE_ZH ? LANGUAGE_EN : LANGUAGE_ZH;
    buffer_addf(out, "%s\r\n\r\n--------\r\n\r\n%s\r\n%s\r\n",
                letter->body[first], letter->subject[second],
                letter->body[second]);
}

void mail_text_write(const struct outbox_letter *letter,
                     const struct mail_address *from, struct buffer *out)
{
    struct buffer body;
    const char *domain = strchr(from->text, '@');
    buffer_addf(out, "From: <%s>\r\nTo: <%s>\r\nSubject: ", from->text,
                letter->mail.text);
    add_words(out, letter->subject[letter->language]);
    buffer_add_text(out, "\r\n");
    add_date(out, letter->made_at);
    buffer_addf(out, "Message-ID: <%s%s>\r\n", letter->token,
                domain != NULL ? domain : "@localhost");
    buffer_add_text(out, "Auto-Submitted: auto-generated\r\n"
                         "MIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=UTF-8\r\n"
                         "Content-Transfer-Encoding: base64\r\n\r\n");
    buffer_init(&body, MAIL_TEXT_MAX);
    join_bodies(letter, &body);
    add_body(out, buffer_slice(&body));
    buffer_clear(&body);
}
