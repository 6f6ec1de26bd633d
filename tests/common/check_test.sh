#!/bin/bash
# deploy/check against a small tree of its own: it passes as it is, and fails
# with file and line for each way of breaking it.
. tests/tap.sh
B=$(realpath "${B:-build}")
tree=$B/check-test

make_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/common" "$tree/rules" "$tree/probe" "$tree/verifier" \
        "$tree/deploy" "$tree/tests/common" "$tree/text" "$tree/portal/pages"
    cp deploy/check deploy/check-texts deploy/compile-texts deploy/arrows \
        deploy/read-arrows "$tree/deploy/"
    cp .clang-format "$tree/"
    cp common/slice.[ch] common/checked.[ch] "$tree/common/"
    cp tests/test.h "$tree/tests/"
    printf '#include "common/slice.h"\n' >"$tree/rules/rule.h"
    printf '#include "verifier/page.h"\n\n#include "rules/rule.h"\n' \
        >"$tree/verifier/page.c"
    printf '#include "common/slice.h"\n' >"$tree/verifier/page.h"
    sed '/^$/,$d' text/common.po >"$tree/text/some.po"
    cat >>"$tree/text/some.po" <<'END'

#, python-brace-format
msgctxt "some.size"
msgid "{size} 字节，{count} 个"
msgstr "{count} of {size} bytes"

msgctxt "some.mark.A"
msgid "甲"
msgstr "A"

msgctxt "some.title"
msgid "标题"
msgstr "Title"
END
    echo '<h1>{{=some.title}}</h1>' >"$tree/portal/pages/some.html"
    # Somebody who uses all that is exported.
    {
        printf 'static void use(void)\n{\n'
        grep -o '[a-z_0-9]*(' "$tree"/common/{slice,checked}.h |
            sed 's/.*:\(.*\)/    \1);/'
        printf '}\n'
    } >"$tree/rules/user.c"
    cat >"$tree/rules/words.c" <<'END'
static void words(void)
{
    text_fill(out, language, "some.size", text_count("count", 1),
              text_money("size", (struct money){2})); /* "some.what" */
    text_word(language, "some.mark.", code);
}
END
}

run_check() {
    # The build folder stays outside, as with make B=.
    B=$B CC=${CC:-cc} "$tree/deploy/check" common rules probe verifier \
        >"$B/check-test.out" 2>"$B/check-test.err"
}

# break NAME EXPECTED-LINE FILE < what is added to the file
break_with() {
    make_tree
    cat >>"$tree/$3"
    run_check
    local status=$?
    [ $status -eq 1 ] && grep -q "^$2" "$B/check-test.out"
    local good=$?
    [ $good -eq 0 ] || sed 's/^/# /' "$B/check-test.out"
    result $good "$1"
}

make_tree
run_check
status=$?
[ $status -eq 0 ] || sed 's/^/# /' "$B/check-test.out" "$B/check-test.err"
result $status "a clean tree passes"
grep -q '^ten longest functions:' "$B/check-test.out" &&
    grep -q 'parse_i64 (common/slice.c:[0-9]*)' "$B/check-test.out"
result $? "the longest functions are named"

break_with "an arrow against its direction is found" \
    'common/odd.c:2: common may not include rules/rule.h' common/odd.c <<'END'
#include "common/slice.h"
#include "rules/rule.h"
END
break_with "rules lean on nothing but common" \
    'rules/odd.c:1: rules may not include verifier/page.h' rules/odd.c <<'END'
#include "verifier/page.h"
END
break_with "programs never include one another" \
    'probe/odd.c:1: probe may not include verifier/page.h' probe/odd.c <<'END'
#include "verifier/page.h"
END
break_with "tests follow the arrows of what they test" \
    'tests/common/odd_test.c:1: common may not include rules/rule.h' \
    tests/common/odd_test.c <<'END'
#include "rules/rule.h"
END
break_with "includes start at the root" \
    'rules/odd.c:1: "rule.h" is not included from the root' rules/odd.c <<'END'
#include "rule.h"
END
break_with "a file includes its own header first" \
    'rules/rule.c:1: the first include is not its own header' \
    rules/rule.c <<'END'
#include "common/slice.h"
END
break_with "what is not ours is included before it" \
    'rules/odd.c:3: <string.h> stands after our own headers' \
    rules/odd.c <<'END'
#include "common/slice.h"
#include "common/log.h"
#include <string.h>
END
break_with "a library stays in its module" \
    'rules/odd.c:1: <sqlite3.h> belongs to common/db' rules/odd.c <<'END'
#include <sqlite3.h>
END
break_with "an unknown library needs a row" \
    'rules/odd.c:1: <xml.h> has no row' rules/odd.c <<'END'
#include <xml.h>
END
break_with "a banned function is found behind a comment and a text" \
    'rules/odd.c:3: strcpy() is not used here' rules/odd.c <<'END'
/* "a comment
 * of two lines' */
/* x */ void f(char *p) { g("/*"), strcpy(p, "//"); }
END
break_with "a header's name stands once" \
    'rules/slice.h:1: is called like common/slice.h' rules/slice.h <<'END'
END
break_with "an exported function stands once" \
    'rules/odd.c:1: slice_equal() is exported by common/slice.c, too' \
    rules/odd.c <<'END'
int slice_equal(void)
{
    return 1;
}
END
break_with "a function that only its own file uses is found" \
    'rules/odd.c:1: odd_one() is exported, and used in no other file' \
    rules/odd.c <<'END'
void odd_one(void)
{
    odd_one();
}
END
make_tree
printf 'void odd_one(void)\n{\n    used();\n}\n' >"$tree/rules/odd.c"
printf 'static void test(void)\n{\n    odd_one();\n}\n' \
    >"$tree/tests/common/odd_test.c"
run_check
grep -q '^rules/odd.c:1: odd_one() is called by tests alone' \
    "$B/check-test.out"
result $? "a function that only tests call is found"
break_with "VER-17: rules use no floating point" \
    'rules/odd.c:2: floating point in the rules' rules/odd.c <<'END'
/* twice, which is no double */
double half(int n);
END
break_with "code that is switched off is found" \
    'rules/odd.c:1: code that is switched off' rules/odd.c <<'END'
#if 0
#endif
END
break_with "a header that needs another one first is found" \
    'rules/odd.h:1: does not compile alone' rules/odd.h <<'END'
struct slice odd(void);
size_t odder(void);
END
mark=TO
break_with "unfinished work is found" \
    'rules/odd.c:1: unfinished work' rules/odd.c <<END
/* ${mark}DO */
END
break_with "a file made by a tool is found" \
    'rules/odd.o:1: is made by a tool' rules/odd.o <<'END'
END
{
    printf 'void f(void)\n{\n'
    for _ in $(seq 101); do printf '    g();\n'; done
    printf '}\n'
} | break_with "a very long function is found" \
    'rules/odd.c:1: f() has 104 lines' rules/odd.c
# The pipe above ran in a subshell: its case is counted here.
tap_number=$((tap_number + 1))

# What people read: text/*.po against code and pages.
break_with "a sentence that nobody says is found" \
    'text/some.po:[0-9]*: nobody says some.odd' text/some.po <<'END'

msgctxt "some.odd"
msgid "多余"
msgstr "Odd"
END
break_with "a key that is not there is found in code" \
    'rules/odd.c:3: no such text: some.odd' rules/odd.c <<'END'
void odd(void)
{
    text_add(out, language, is_good ? "some.title" : "some.odd");
}
END
break_with "a key that is not there is found in a table" \
    'rules/odd.c:1: no such text: some.odd' rules/odd.c <<'END'
static const char *const keys[] = {TEXT_KEY("some.odd")};
END
break_with "a key that is not there is found where a function of ours takes it" \
    'rules/odd.c:3: no such text: some.mark.B' rules/odd.c <<'END'
void odd(void)
{
    say(view, "some.mark.B");
}
END
break_with "a key that is not there is found on a page" \
    'portal/pages/some.html:2: no such text: some.odd' \
    portal/pages/some.html <<'END'
<p>{{=some.odd}}</p>
END
break_with "an argument that is missing is found" \
    'rules/odd.c:3: some.size is not given {size}' rules/odd.c <<'END'
void odd(void)
{
    text_fill(out, language, "some.size", text_count("count", 1));
}
END
break_with "an argument that no sentence takes is found" \
    'rules/odd.c:4: no sentence here has {sise}' rules/odd.c <<'END'
void odd(void)
{
    text_fill(out, language, "some.size", text_count("count", 1),
              text_count("sise", 2), text_count("size", 2));
}
END
break_with "Chinese text in C is found" \
    'common/odd.c:1: prose stands in text/' common/odd.c <<'END'
const char *odd = "一切正常。"; /* 注释 */
END
break_with "a sentence in one language is found" \
    'text/some.po:[0-9]*: the entry before is not in both languages: some.odd' \
    text/some.po <<'END'

msgctxt "some.odd"
msgid "单"
msgstr ""
END
break_with "a key that stands twice is found" \
    'text/some.title: stands twice' text/other.po <<'END'
msgctxt "some.title"
msgid "标题"
msgstr "Title"
END
if command -v msgfmt >/dev/null; then
    break_with "names that differ between the languages are found" \
        "text/some.po:[0-9]*: a format specification for argument 'sise'" \
        text/some.po <<'END'

#, python-brace-format
msgctxt "some.odd"
msgid "{size} 字节"
msgstr "{sise} bytes"
END
else
    tap_skip "names" "msgfmt is missing"
fi

if command -v clang-format >/dev/null; then
    break_with "layout is compared with .clang-format" \
        'rules/odd.c:1: not as clang-format has it' rules/odd.c <<'END'
int   f( void ) ;
END
else
    tap_skip "layout" "clang-format is missing"
fi

make_tree
printf '/* strcpy(a, b) */\nconst char *f(void);\nconst char *f(void)\n{\n    return "atoi(x)";\n}\n' \
    >"$tree/rules/good.c"
run_check
result $? "names in comments and texts are no calls"
rm -rf "$tree" "$B/check-test.out" "$B/check-test.err"
tap_end
