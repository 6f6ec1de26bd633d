/* The pages as they are built in: every one is well formed, with its parts and
 * its words in both languages. */
#include "portal/pages/site.h"

#include "portal/show/template.h"
#include "tests/test.h"

int main(void)
{
    struct error_text error = {""};
    struct template_set *pages = site_pages_new(&error);
    test_case("the portal's pages are read");
    CHECK_TEXT(error.text, "");
    CHECK(pages != NULL);
    template_set_free(pages);
    return test_end();
}
