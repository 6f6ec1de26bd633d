/* The writers that escape by themselves, and CSV in. */
#include "common/writer.h"

#include "tests/test.h"

static struct buffer out;

static const char *text_of_out(void)
{
    buffer_add_u8(&out, '\0');
    return out.failed ? "(failed)" : (const char *)out.data;
}

static void test_json(void)
{
    struct json_writer json;
    test_case("JSON: commas, nesting, every kind of value");
    buffer_reset(&out);
    json_start(&json, &out);
    json_object_begin(&json, NULL);
    json_text(&json, "t", "x");
    json_array_begin(&json, "a");
    json_u64(&json, NULL, UINT64_MAX);
    json_i64(&json, NULL, INT64_MIN);
    json_object_begin(&json, NULL);
    json_object_end(&json);
    json_array_begin(&json, NULL);
    json_array_end(&json);
    json_array_end(&json);
    json_bool(&json, "b", true);
    json_bool(&json, "c", false);
    json_no_value(&json, "n");
    json_hex(&json, "h", "\x00\xab\xff", 3);
    json_object_end(&json);
    CHECK_TEXT(text_of_out(),
               "{\"t\":\"x\",\"a\":[18446744073709551615,"
               "-9223372036854775808,{},[]],\"b\":true,\"c\":false,"
               "\"n\":null,\"h\":\"00abff\"}");

    static const struct {
        int64_t value;
        const char *text;
    } THOUSANDTHS[] = {
        {0, "0.000"},
        {5, "0.005"},
        {-5, "-0.005"},
        {1546272000123, "1546272000.123"},
        {INT64_MIN, "-9223372036854775.808"},
    };
    test_case("JSON: seconds from milliseconds");
    for (size_t i = 0; i < 5; i++) {
        buffer_reset(&out);
        json_start(&json, &out);
        json_thousandths(&json, NULL, THOUSANDTHS[i].value);
        CHECK_TEXT(text_of_out(), THOUSANDTHS[i].text);
    }
}

static void test_json_texts(void)
{
    static const struct {
        struct slice text;
        const char *json;
    } CASES[] = {
        {SLICE("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
        {SLICE("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {SLICE("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\""},
        {SLICE("\xe4\xba\x91\xf0\x9f\x98\x80"),
         "\"\xe4\xba\x91\xf0\x9f\x98\x80\""},
        {SLICE("a\xff\xfez"), "\"a\xef\xbf\xbd\xef\xbf\xbdz\""},
        {SLICE("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {SLICE("\xe4\xba"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {SLICE("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {SLICE("</script>"), "\"</script>\""},
        {SLICE(""), "\"\""},
    };
    test_case("JSON: texts are escaped, invalid UTF-8 is replaced");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct json_writer json;
        buffer_reset(&out);
        json_start(&json, &out);
        json_slice(&json, NULL, CASES[i].text);
        CHECK_TEXT(text_of_out(), CASES[i].json);
    }
    struct json_writer json;
    test_case("JSON: keys are escaped too");
    buffer_reset(&out);
    json_start(&json, &out);
    json_object_begin(&json, NULL);
    json_u64(&json, "a\"b", 1);
    json_object_end(&json);
    CHECK_TEXT(text_of_out(), "{\"a\\\"b\":1}");
}

static void test_csv_out(void)
{
    static const struct {
        const char *text, *field;
    } CASES[] = {
        {"plain", "plain"},
        {"", ""},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"a\r\nb", "\"a\r\nb\""},
        {" a", "\" a\""},
        {"=1+1", "'=1+1"},
        {"＝1+1", "'＝1+1"},
        {"＋86", "'＋86"},
        {"－1", "'－1"},
        {"＠SUM(A1)", "'＠SUM(A1)"},
        {"+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"},
        {"-1+1", "'-1+1"},
        {"@SUM(A1,A2)", "\"'@SUM(A1,A2)\""},
        {"\t=1", "'\t=1"},
        {"\r=1", "\"'\r=1\""},
        {"-", "'-"},
        {"-12", "-12"},
        {"+86", "+86"},
        {"-12.50", "-12.50"},
        {"-1.2.3", "'-1.2.3"},
        {"-.5", "'-.5"},
        {"a=1", "a=1"},
        {"\xe4\xba\x91", "\xe4\xba\x91"},
    };
    test_case("CSV: quotes where needed, no formulas");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct csv_writer csv;
        buffer_reset(&out);
        csv_start(&csv, &out);
        csv_text(&csv, CASES[i].text);
        CHECK_TEXT(text_of_out(), CASES[i].field);
    }
    struct csv_writer csv;
    test_case("CSV: rows end with CRLF");
    buffer_reset(&out);
    csv_start(&csv, &out);
    csv_text(&csv, "a");
    csv_i64(&csv, -5);
    csv_row_end(&csv);
    csv_text(&csv, "");
    csv_text(&csv, "b");
    csv_row_end(&csv);
    CHECK_TEXT(text_of_out(), "a,-5\r\n,b\r\n");
}

/* All records as "a|b/c|d/", then "!" for a malformed one, and the line. */
static void render_csv(struct slice text, int max)
{
    struct buffer scratch;
    struct slice fields[8];
    unsigned line = 0;
    int count;
    buffer_init(&scratch, 64);
    buffer_reset(&out);
    while ((count = csv_read(&text, &scratch, fields, max, &line)) > 0) {
        for (int i = 0; i < count; i++) {
            buffer_add_text(&out, i > 0 ? "|" : "");
            buffer_add_slice(&out, fields[i]);
        }
        buffer_add_u8(&out, '/');
    }
    buffer_addf(&out, "%s%u", count < 0 ? "!" : "", line);
    buffer_clear(&scratch);
}

static void test_csv_in(void)
{
    static const struct {
        struct slice text;
        const char *records;
    } CASES[] = {
        {SLICE(""), "0"},
        {SLICE("\xef\xbb\xbf"), "0"},
        {SLICE("\xef\xbb\xbf"
               "a,b\r\nc,d\r\n"),
         "a|b/c|d/2"},
        {SLICE("a,b\nc,d"), "a|b/c|d/2"},
        {SLICE("a,\n,b\n"), "a|/|b/2"},
        {SLICE("\n\na\n"), "//a/3"},
        {SLICE("\"a,\"\"b\"\"\",c\n"), "a,\"b\"|c/1"},
        {SLICE("\"a\nb\",c\nd\n"), "a\nb|c/d/3"},
        {SLICE("\"a\r\nb\"\r\n"), "a\r\nb/2"},
        {SLICE("\"\",\"\"\n"), "|/1"},
        {SLICE("a\n\"open\nand on"), "a/!3"},
        {SLICE("a\nb\"c\n"), "a/!2"},
        {SLICE("\"a\"b\n"), "!1"},
        {SLICE("a\rb\n"), "!1"},
        {SLICE("a,b,c,d,e\n"), "!1"},
        {SLICE("a,b,c,d\n"), "a|b|c|d/1"},
        {SLICE("a\0b\n"), "a"}, /* a NUL is kept; the text ends for us */
        {SLICE("0123456789012345678901234567890123456789012345678901234567890"
               "123456789\n"),
         "!1"}, /* more than scratch may hold */
        {SLICE("a\n\xef\xbb\xbf"
               "b\n"),
         "a/\xef\xbb\xbf"
         "b/2"}, /* a mark is one only at the start */
    };
    test_case("CSV in: RFC 4180, LF and CRLF, a byte order mark, refusals");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        render_csv(CASES[i].text, 4);
        CHECK_TEXT(text_of_out(), CASES[i].records);
    }
}

static void test_html(void)
{
    test_case("HTML: markup and quotes are escaped");
    buffer_reset(&out);
    html_add(&out, SLICE("<a href=\"x\" id='y'>&amp; \xe4\xba\x91\n"));
    CHECK_TEXT(text_of_out(), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;"
                              "&amp;amp; \xe4\xba\x91\n");
    test_case("HTML: invalid UTF-8 and control characters are replaced");
    buffer_reset(&out);
    html_add(&out, SLICE("a\xc3(\0\x1b"));
    CHECK_TEXT(text_of_out(), "a\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd");
}

int main(void)
{
    buffer_init(&out, 1 << 16);
    test_json();
    test_json_texts();
    test_csv_out();
    test_csv_in();
    test_html();
    buffer_clear(&out);
    return test_end();
}
