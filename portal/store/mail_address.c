#include "portal/store/mail_address.h"

#include <stdio.h>
#include <string.h>

enum { LOCAL_MAX = 64, LABEL_MAX = 63, MOBILE_MIN = 8, MOBILE_MAX = 15 };

static bool is_atom(char c)
{
    return slice_is_letter_or_digit(c) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Atoms with single dots between. */
static bool is_local(struct slice text)
{
    struct slice rest = text, atom;
    if (text.length == 0 || text.length > LOCAL_MAX ||
        text.data[text.length - 1] == '.')
        return false;
    while (slice_next(&rest, '.', &atom)) {
        if (atom.length == 0)
            return false;
        for (size_t i = 0; i < atom.length; i++)
            if (!is_atom(atom.data[i]))
                return false;
    }
    return true;
}

static bool is_label(struct slice label)
{
    if (label.length == 0 || label.length > LABEL_MAX || label.data[0] == '-' ||
        label.data[label.length - 1] == '-')
        return false;
    for (size_t i = 0; i < label.length; i++)
        if (!slice_is_letter_or_digit(label.data[i]) && label.data[i] != '-')
            return false;
    return true;
}

static bool is_domain(struct slice text)
{
    struct slice rest = text, label;
    int labels = 0;
    if (text.length == 0 || text.data[text.length - 1] == '.')
        return false;
    for (; slice_next(&rest, '.', &label); labels++)
        if (!is_label(label))
            return false;
    return labels >= 2;
}

bool mail_address_read(struct slice text, struct mail_address *address)
{
    const char *at = memchr(text.data, '@', text.length);
    size_t before = at != NULL ? (size_t)(at - text.data) : 0;
    address->text[0] = '\0';
    return at != NULL && is_local(slice_of_bytes(text.data, before)) &&
           is_domain(slice_of_bytes(at + 1, text.length - before - 1)) &&
           slice_copy(text, address->text, sizeof(address->text));
}

static bool is_chinese(struct slice text)
{
    return text.length == 11 && text.data[0] == '1' && text.data[1] >= '3';
}

bool mobile_number_read(struct slice text, struct mobile_number *number)
{
    bool has_country = text.length > 0 && text.data[0] == '+';
    size_t first = has_country ? 1 : 0, digits = text.length - first;
    number->text[0] = '\0';
    if (digits < MOBILE_MIN || digits > MOBILE_MAX)
        return false;
    for (size_t i = first; i < text.length; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    if (!has_country && !is_chinese(text))
        return false;
    snprintf(number->text, sizeof(number->text), "%s%.*s",
             has_country ? "" : "+86", (int)text.length, text.data);
    return true;
}
