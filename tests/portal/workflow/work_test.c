/* Every open item is in one work list, and in no second one (SYS-01). */
#include "portal/workflow/work.h"
#include "tests/portal/workflow/office.h"

enum { ITEMS = 600, PARTIES = 12, CITIES = 4 };

/* A supplier's record, in the same office. */
static struct machine supplied;
static const char *const CITY_CODES[CITIES] = {"441500", "440300", "440100",
                                               "440600"};

static uint32_t random_state = 20261123;
static uint32_t random_below(uint32_t most)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % most;
}

static void name_party(char party[static 32], bool is_supplier, uint32_t no)
{
    /* Half of the ids are those of an enterprise and of a supplier. */
    snprintf(party, 32, "%s-%u", no % 2 == 0 || is_supplier ? "P" : "E", no);
}

static void make_items(struct office *o)
{
    struct caller caller = machine_platform();
    CHECK(db_run(o->db, "INSERT INTO city (code, name_zh, name_en) VALUES"
                        " ('440100', '广州市', 'Guangzhou'),"
                        " ('440600', '佛山市', 'Foshan')"));
    supplied = OFFICE_MACHINE;
    supplied.party_kind = SCOPE_SUPPLIER;
    for (int i = 0; i < ITEMS; i++) {
        char party[32];
        struct error_text error = {""};
        bool is_supplier = random_below(3) == 0;
        name_party(party, is_supplier, random_below(PARTIES));
        struct office_opening opening = {
            .opening = {is_supplier ? &supplied : &OFFICE_MACHINE, &caller,
                        OFFICE_STATES[random_below(5)].name, party,
                        CITY_CODES[random_below(CITIES)], "", NULL}};
        CHECK(act_on(o->db, office_time(i), NULL, office_open_item, &opening,
                     &error) == ACT_KEPT);
    }
    /* What no row of a machine does yet lies there as well. */
    CHECK(db_run(o->db, "UPDATE item SET holder = 'province'"
                        " WHERE state = 'RETURNED' AND id % 7 = 0"));
    CHECK(db_run(o->db, "UPDATE item SET holder = 'platform'"
                        " WHERE state = 'RETURNED' AND id % 11 = 0"));
}

/* How often each item was found. */
struct found {
    int times[ITEMS + 1];
    int64_t total;
};

static void add_desk(struct office *o, const struct desk *desk,
                     struct found *found)
{
    struct work work;
    CHECK(work_of_desk(o->db, desk, o->arena, &work));
    CHECK(work.count ==
          (size_t)(work.total < WORK_ROWS_MAX ? work.total : WORK_ROWS_MAX));
    for (size_t i = 0; i < work.count; i++)
        found->times[work.items[i].id]++;
    found->total += work.total;
    arena_reset(o->arena);
}

static void test_exactly_one(struct office *o)
{
    static struct found found;
    test_case("SYS-01: the lists of all desks are all open items, each once");
    for (uint32_t i = 0; i < PARTIES; i++) {
        char party[32];
        name_party(party, false, i);
        add_desk(o, &(struct desk){HOLDER_PARTY, "enterprise", party}, &found);
        name_party(party, true, i);
        add_desk(o, &(struct desk){HOLDER_PARTY, "supplier", party}, &found);
    }
    for (size_t i = 0; i < CITIES; i++)
        add_desk(o, &(struct desk){HOLDER_CITY, "", CITY_CODES[i]}, &found);
    add_desk(o, &(struct desk){HOLDER_PROVINCE, "", ""}, &found);
    add_desk(o, &(struct desk){HOLDER_PLATFORM, "", ""}, &found);
    CHECK_I64(found.total, office_count(o->db, "SELECT count(*) FROM item"
                                               " WHERE holder IS NOT NULL"));
    int wrong = 0;
    for (int id = 1; id <= ITEMS; id++) {
        struct item item;
        CHECK(item_find(o->db, id, &item));
        wrong += found.times[id] != (item.holder != HOLDER_NONE);
    }
    CHECK_I64(wrong, 0);
    CHECK(found.total > ITEMS / 3);
}

static void test_desks(struct office *o)
{
    static const struct {
        const char *who;
        enum holder holder;
        const char *id;
    } ROWS[] = {
        {"li", HOLDER_PARTY, "ENT-1"},
        {"wang", HOLDER_CITY, "441500"},
        {"chen", HOLDER_PROVINCE, ""},
        {"audi", HOLDER_NONE, ""},
    };
    test_case("whoever only reads has no desk");
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct caller caller = office_caller(o->db, ROWS[i].who);
        struct desk desk = desk_of(&caller.account);
        CHECK_I64(desk.holder, ROWS[i].holder);
        CHECK_TEXT(desk.id, ROWS[i].id);
    }
}

static void test_order(struct office *o)
{
    struct desk desk = {HOLDER_PARTY, "enterprise", "ENT-1"};
    struct work work;
    struct item first = office_begin(o, &OFFICE_MACHINE, "li", "ENT-1", NULL);
    struct item second = office_begin(o, &OFFICE_MACHINE, "li", "ENT-1", NULL);
    CHECK_TEXT(office_do(o, &OFFICE_MACHINE, "li", &second, "submit", "o1"),
               "");
    CHECK_TEXT(office_do(o, &OFFICE_MACHINE, "wang", &second, "return", "o2"),
               "");
    test_case(
        "SYS-01: a return is in its party's list at once, in front of what "
        "has no date");
    CHECK(work_of_desk(o->db, &desk, o->arena, &work));
    CHECK_I64(work.total, 2);
    CHECK_I64(work.items[0].id, second.id);
    CHECK_I64(work.items[1].id, first.id);
    test_case("and what waits for the bureau is named with who holds it");
    CHECK_TEXT(office_do(o, &OFFICE_MACHINE, "li", &second, "resubmit", "o3"),
               "");
    CHECK(work_elsewhere(o->db, &desk, office_time(2), o->arena, &work));
    CHECK_I64(work.total, 1);
    CHECK_I64(work.items[0].holder, HOLDER_CITY);
    test_case(
        "DEAD-11: the province sees what is overdue at a bureau, no draft");
    desk = (struct desk){HOLDER_PROVINCE, "", ""};
    CHECK(work_elsewhere(o->db, &desk, office_time(2), o->arena, &work));
    CHECK_I64(work.total, 0);
    CHECK(work_elsewhere(o->db, &desk, office_time(24 * 20), o->arena, &work));
    CHECK_I64(work.total, 1);
}

int main(void)
{
    struct office office;
    office_open(&office);
    test_desks(&office);
    make_items(&office);
    test_exactly_one(&office);
    test_order(&office);
    office_close(&office);
    return test_end();
}
