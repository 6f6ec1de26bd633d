/* Workbooks: what Excel, WPS and LibreOffice store, as CSV text; and what a
 * stranger may send instead. */
#include "portal/load/load_xlsx.h"

#include "tests/portal/load/workbook.h"
#include "tests/test.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>"
#define WORKBOOK(more)                                                         \
    HEAD "<workbook>" more "<sheets><sheet name=\"甲\" sheetId=\"2\""         \
         " r:id=\"rId7\"/><sheet name=\"乙\" "                                \
         "r:id=\"rId1\"/></sheets></workbook>"
#define RELATIONS                                                              \
    HEAD "<Relationships><Relationship Id=\"rId1\""                            \
         " Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId7\""        \
         " Target=\"worksheets/sheet2.xml\"/></Relationships>"
#define STRINGS                                                                \
    HEAD "<sst><si><t>编号</t></si><si><r><t>名</t></r><r><t>称</t></r>"   \
         "<rPh><t>ming</t></rPh></si><si><t xml:space=\"preserve\">a\"b\n"     \
         "c,</t></si><si/></sst>"
#define STYLES                                                                   \
    HEAD "<styleSheet><numFmts><numFmt numFmtId=\"164\""                         \
         " formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;\"/>" \
         "<numFmt numFmtId=\"165\" formatCode=\"[Red]0.00&quot;天 d&quot;\"/>"  \
         "</numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"          \
         "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>"                    \
         "<xf numFmtId=\"164\"/><xf numFmtId=\"165\"/></cellXfs></styleSheet>"
#define SHEET(rows)                                                            \
    HEAD "<worksheet><sheetData>" rows "</sheetData></worksheet>"
#define XLSX  "load.file.xlsx"
#define LARGE "load.file.xlsx_large"

struct xlsx_case {
    const char *name, *workbook, *sheet, *csv, *wrong;
};

static const struct xlsx_case CASES[] = {
    {"shared strings, in pieces and with phonetics, quotes and line ends",
     WORKBOOK(""),
     SHEET("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\">"
           "<v>1</v></c></row><row r=\"2\"><c r=\"A2\" t=\"s\"><v>2</v></c>"
           "<c r=\"B2\" t=\"s\"><v>3</v></c></row>"),
     "\"编号\",\"名称\"\n\"a\"\"b c,\",\n", NULL},
    {"gaps: rows and cells that are not there, rows padded to the first",
     WORKBOOK(""),
     SHEET("<row r=\"2\"><c r=\"A2\"><v>1</v></c><c r=\"D2\"><v>4</v></c></row>"
           "<row r=\"5\"><c r=\"B5\"><v>2</v></c></row><row r=\"6\"/>"),
     "\n\"1\",,,\"4\"\n\n\n,\"2\",,\n\n", NULL},
    {"without places: cells follow one another", WORKBOOK(""),
     SHEET(
         "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>"),
     "\"1\",\"2\"\n\"3\",\n", NULL},
    {"dates and times by their format, numbers as stored", WORKBOOK(""),
     SHEET("<row r=\"1\"><c r=\"A1\" s=\"1\"><v>46213</v></c>"
           "<c r=\"B1\" s=\"2\"><v>46213.333333333336</v></c>"
           "<c r=\"C1\" s=\"3\"><v>46213</v></c><c r=\"D1\"><v>80000.5</v></c>"
           "<c r=\"E1\" s=\"1\"><v>9.1E+17</v></c></row>"),
     "\"2026-07-10\",\"2026-07-10T08:00:00+08:00\",\"46213\",\"80000.5\","
     "\"9.1E+17\"\n",
     NULL},
    {"days of the Macintosh", WORKBOOK("<workbookPr date1904=\"1\"/>"),
     SHEET("<row r=\"1\"><c r=\"A1\" s=\"1\"><v>44751</v></c></row>"),
     "\"2026-07-10\"\n", NULL},
    {"texts in the cell, formulas by their value, yes and no", WORKBOOK(""),
     SHEET("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>汕尾</t></is></c>"
           "<c r=\"B1\" t=\"str\"><f>\"x\"&amp;1</f><v>x1</v></c>"
           "<c r=\"C1\" t=\"b\"><v>1</v></c></row>"),
     "\"汕尾\",\"x1\",\"1\"\n", NULL},
    {"names with a prefix", WORKBOOK(""),
     HEAD "<x:worksheet><x:sheetData><x:row r=\"1\"><x:c r=\"A1\"><x:v>1</x:v>"
          "</x:c></x:row></x:sheetData></x:worksheet>",
     "\"1\"\n", NULL},
    {"an empty sheet", WORKBOOK(""), SHEET(""), "", NULL},
    {"a string that is not there", WORKBOOK(""),
     SHEET("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>4</v></c></row>"), NULL, XLSX},
    {"rows that go back", WORKBOOK(""),
     SHEET("<row r=\"2\"><c><v>1</v></c></row><row r=\"2\"/>"), NULL, XLSX},
    {"cells that go back", WORKBOOK(""),
     SHEET(
         "<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>"),
     NULL, XLSX},
    {"a row beyond Excel's last", WORKBOOK(""), SHEET("<row r=\"99999999\"/>"),
     NULL, XLSX},
    {"a cell too far to the right", WORKBOOK(""),
     SHEET("<row r=\"1\"><c r=\"XFD1\"><v>1</v></c></row>"), NULL, LARGE},
    {"empty cells may be there", WORKBOOK(""),
     SHEET(
         "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"XFD1\" s=\"1\"/></row>"),
     "\"1\"\n", NULL},
    {"entities that grow", WORKBOOK(""),
     "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>"
     "<worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></"
     "worksheet>",
     NULL, XLSX},
    {"XML that is none", WORKBOOK(""), "<worksheet><sheetData>", NULL, XLSX},
    {"no sheet of that relation",
     HEAD "<workbook><sheets><sheet r:id=\"rId9\"/>"
          "</sheets></workbook>",
     SHEET(""), NULL, XLSX},
};

static void check(struct slice file, const char *csv, const char *wrong)
{
    struct buffer out;
    const char *said = NULL;
    buffer_init(&out, LOAD_XLSX_MAX_BYTES);
    CHECK(load_xlsx_read(file, &out, &said) == (wrong == NULL));
    buffer_add_u8(&out, 0);
    if (wrong != NULL)
        CHECK_TEXT(said, wrong);
    else
        CHECK_TEXT((const char *)out.data, csv);
    buffer_clear(&out);
}

static void run_case(const struct xlsx_case *c)
{
    struct workbook w;
    test_case(c->name);
    workbook_open(&w);
    workbook_part(&w, "xl/worksheets/sheet1.xml", SHEET(""));
    workbook_part(&w, "xl/worksheets/sheet2.xml", c->sheet);
    workbook_part(&w, "xl/sharedStrings.xml", STRINGS);
    workbook_part(&w, "xl/styles.xml", STYLES);
    workbook_part(&w, "xl/workbook.xml", c->workbook);
    workbook_part(&w, "xl/_rels/workbook.xml.rels", RELATIONS);
    check(workbook_close(&w), c->csv, c->wrong);
    workbook_clear(&w);
}

/* One string that cells share, said over and over: small in the file, without
 * bounds in a table. */
static void test_growing(void)
{
    enum { LONG = 30000, ROWS = 2500 };
    struct workbook w;
    struct buffer strings, sheet;
    test_case("a string that grows by being shared");
    buffer_init(&strings, 1 << 20);
    buffer_init(&sheet, 1 << 22);
    buffer_add_text(&strings, "<sst><si><t>");
    for (int i = 0; i < LONG; i++)
        buffer_add_u8(&strings, 'a');
    buffer_add_text(&strings, "</t></si></sst>");
    buffer_add_u8(&strings, 0);
    buffer_add_text(&sheet, "<worksheet><sheetData>");
    for (int i = 0; i < ROWS; i++)
        buffer_add_text(&sheet, "<row><c t=\"s\"><v>0</v></c></row>");
    buffer_add_text(&sheet, "</sheetData></worksheet>");
    buffer_add_u8(&sheet, 0);
    workbook_open(&w);
    workbook_part(&w, "xl/worksheets/sheet2.xml", (const char *)sheet.data);
    workbook_part(&w, "xl/sharedStrings.xml", (const char *)strings.data);
    workbook_part(&w, "xl/workbook.xml", WORKBOOK(""));
    workbook_part(&w, "xl/_rels/workbook.xml.rels", RELATIONS);
    check(workbook_close(&w), NULL, LARGE);
    workbook_clear(&w);
    buffer_clear(&strings);
    buffer_clear(&sheet);
}

static void test_no_workbook(void)
{
    struct workbook w;
    test_case("no ZIP, an empty one, one that is cut");
    check(SLICE(""), NULL, XLSX);
    check(SLICE("id,name\n"), NULL, XLSX);
    workbook_open(&w);
    workbook_part(&w, "readme.txt", "nothing");
    struct slice file = workbook_close(&w);
    check(file, NULL, XLSX);
    file.length -= 10;
    check(file, NULL, XLSX);
    workbook_clear(&w);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        run_case(&CASES[i]);
    test_growing();
    test_no_workbook();
    return test_end();
}
