/* What a message may be sent to: nothing in it can be anything else than an
 * address (libcurl passes CR and LF on). */
#include "portal/store/mail_address.h"
#include "tests/test.h"

struct mail_case {
    const char *name, *text;
    bool is_good;
};

static const struct mail_case MAILS[] = {
    {"a mail address: an ordinary one", "li.wei@example.com.cn", true},
    {"a mail address: with a tag", "li+test@example.com", true},
    {"a mail address: no at sign", "li.wei.example.com", false},
    {"a mail address: two at signs", "li@wei@example.com", false},
    {"a mail address: a line break",
     "li@example.com\r\nRCPT TO:<x@example.com>", false},
    {"a mail address: a line break in front of the sign",
     "li\r\nDATA@example.com", false},
    {"a mail address: a blank", "li wei@example.com", false},
    {"a mail address: angle brackets", "<li@example.com>", false},
    {"a mail address: a quoted part", "\"li wei\"@example.com", false},
    {"a mail address: a bare host", "root@localhost", false},
    {"a mail address: a domain literal", "li@[127.0.0.1]", false},
    {"a mail address: dots in a row", "li..wei@example.com", false},
    {"a mail address: a dot in front", ".li@example.com", false},
    {"a mail address: a dot behind", "li.@example.com", false},
    {"a mail address: a dot at the end", "li@example.com.", false},
    {"a mail address: a hyphen in front of a label", "li@-example.com", false},
    {"a mail address: Chinese letters", "李@example.com", false},
    {"a mail address: nothing at all", "", false},
    {"a mail address: nothing in front", "@example.com", false},
    {"a mail address: nothing behind", "li@", false},
    {"a mail address: a long local part",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "@example.com",
     false},
};

static const struct mail_case MOBILES[] = {
    {"a mobile number: eleven digits", "13800138000", true},
    {"a mobile number: with the country", "+8613800138000", true},
    {"a mobile number: another country", "+4915112345678", true},
    {"a mobile number: a fixed line", "02083133000", false},
    {"a mobile number: letters", "1380013800a", false},
    {"a mobile number: a line break", "13800138000\r\n", false},
    {"a mobile number: too short", "+123", false},
    {"a mobile number: too long", "+1234567890123456", false},
    {"a mobile number: nothing at all", "", false},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(MAILS) / sizeof(MAILS[0]); i++) {
        struct mail_address address;
        test_case(MAILS[i].name);
        CHECK(mail_address_read(slice_of_text(MAILS[i].text), &address) ==
              MAILS[i].is_good);
        CHECK_TEXT(address.text, MAILS[i].is_good ? MAILS[i].text : "");
    }
    for (size_t i = 0; i < sizeof(MOBILES) / sizeof(MOBILES[0]); i++) {
        struct mobile_number number;
        test_case(MOBILES[i].name);
        CHECK(mobile_number_read(slice_of_text(MOBILES[i].text), &number) ==
              MOBILES[i].is_good);
    }
    return test_end();
}
