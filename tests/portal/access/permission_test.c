/* The matrix is the paper's (tests/data/policy): a wrong cell fails here. */
#include "portal/access/permission.h"
#include "tests/test.h"

/* The first line in which the two differ. */
static void show_difference(const char *ours, const char *paper)
{
    while (*ours != '\0') {
        size_t a = strcspn(ours, "\n"), b = strcspn(paper, "\n");
        if (a != b || memcmp(ours, paper, a) != 0) {
            printf("# ours:  %.*s\n# paper: %.*s\n", (int)a, ours, (int)b,
                   paper);
            return;
        }
        ours += a + 1;
        paper += b + 1;
    }
}

int main(void)
{
    struct buffer ours, paper;
    test_case("the program's matrix is the paper's, cell for cell");
    buffer_init(&ours, 1 << 20);
    permission_print(&ours);
    buffer_add_u8(&ours, 0);
    if (!CHECK(
            buffer_read_file(&paper, "tests/data/policy/matrix.tsv", 1 << 20)))
        return 1;
    buffer_add_u8(&paper, 0);
    if (!CHECK(strcmp((const char *)ours.data, (const char *)paper.data) == 0))
        show_difference((const char *)ours.data, (const char *)paper.data);
    buffer_clear(&ours);
    buffer_clear(&paper);
    test_case("who has no role may nothing, and no role an action of no name");
    for (int action = ACTION_NONE; action < ACTION_COUNT; action++) {
        CHECK(!permission_is_given(ROLE_NONE, (enum action)action));
        CHECK(!permission_is_given(ROLE_COUNT, (enum action)action));
        CHECK(!permission_is_given(ROLE_SYS, (enum action)action));
    }
    for (int role = ROLE_NONE; role < ROLE_COUNT; role++)
        CHECK(!permission_is_given((enum account_role)role, ACTION_NONE));
    return test_end();
}
