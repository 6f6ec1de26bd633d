/* One function does an event: who may, in which state, on which version, once;
 * and everything of it or nothing. */
#include "portal/workflow/machine.h"
#include "tests/portal/workflow/office.h"
#include "tests/test.h"

static const struct machine *const MACHINE = &OFFICE_MACHINE;

static void test_life(struct office *o)
{
    struct item item =
        office_begin(o, MACHINE, "li", "ENT-1", "enterprise/ENT-1");
    test_case("SYS-02: of what there is one only, the second gets the first");
    struct item again =
        office_begin(o, MACHINE, "lin", "ENT-1", "enterprise/ENT-1");
    CHECK(item.id != 0 && again.id == item.id);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM item"), 1);
    test_case("a draft has no number, and is on its party's desk");
    CHECK_TEXT(item.number, "");
    CHECK_I64(item.holder, HOLDER_PARTY);
    test_case("a draft is seen by its party alone");
    CHECK_TEXT(office_do(o, MACHINE, "wang", &item, "approve", NULL),
               "E_SCOPE");
    CHECK_TEXT(office_do(o, MACHINE, "chen", &item, "approve", NULL),
               "E_SCOPE");
    CHECK_TEXT(office_do(o, MACHINE, "bai", &item, "submit", NULL), "E_SCOPE");
    test_case("ENT-03: submitting gives number, time, desk and deadline");
    CHECK_TEXT(office_do(o, MACHINE, "li", &item, "submit", "a1"), "");
    CHECK_TEXT(item.number, "R-2026-000001");
    CHECK_TEXT(item.state, "PENDING_CITY");
    CHECK_I64(item.holder, HOLDER_CITY);
    CHECK_I64(item.due_rule, DUE_REGISTRATION_REVIEW);
    CHECK(item.is_submitted && !item.due_is_provisional);
    test_case("SYS-01: the party's people and the city's reviewers are told");
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM message"), 4);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM message"
                                  " WHERE account_name IN ('li', 'lin',"
                                  " 'wang', 'zhao')"),
              4);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM delivery"), 2);
    test_case("SYS-03: the same request again has the effect of one");
    struct item seen = item;
    seen.version = 1;
    CHECK_TEXT(office_do(o, MACHINE, "li", &seen, "submit", "a1"), "");
    CHECK_I64(seen.version, item.version);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM item_event"), 2);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM message"), 4);
    test_case("SYS-03: its number with other content is refused");
    seen.version = 7;
    CHECK_TEXT(office_do(o, MACHINE, "li", &seen, "submit", "a1"),
               "E_IDEMPOTENCY");
    test_case("the same number of somebody else is another request");
    CHECK_TEXT(office_do(o, MACHINE, "wang", &item, "return", "a1"), "");
    CHECK_TEXT(item.state, "RETURNED");
    CHECK_I64(item.due_rule, DUE_CORRECTION);
    test_case("REV-05: a resubmission starts a new full period");
    CHECK_TEXT(office_do(o, MACHINE, "lin", &item, "resubmit", "b1"), "");
    CHECK_I64(item.due_rule, DUE_REGISTRATION_REVIEW);
    CHECK_TEXT(item.number, "R-2026-000001");
    test_case("ORG-02: another city's reviewer does not see it");
    CHECK_TEXT(office_do(o, MACHINE, "shen", &item, "approve", NULL),
               "E_SCOPE");
    test_case("ORG-01: who only reads may not decide");
    CHECK_TEXT(office_do(o, MACHINE, "chen", &item, "approve", NULL), "E_ROLE");
    CHECK_TEXT(office_do(o, MACHINE, "li", &item, "approve", NULL), "E_ROLE");
    CHECK_TEXT(office_do(o, MACHINE, "SYS", &item, "approve", NULL), "E_ROLE");
    test_case("an event that there is not is nobody's");
    CHECK_TEXT(office_do(o, MACHINE, "wang", &item, "praise", NULL), "E_ROLE");
    test_case("what cannot happen in this state is refused");
    CHECK_TEXT(office_do(o, MACHINE, "li", &item, "submit", NULL), "E_STATE");
    test_case("ENT-02: approved, nothing is to be done and no deadline runs");
    CHECK_TEXT(office_do(o, MACHINE, "wang", &item, "approve", "c1"), "");
    CHECK_I64(item.holder, HOLDER_NONE);
    CHECK_I64(item.due_rule, DUE_NONE);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM item_event"), 5);
}

static void test_two_reviewers(struct office *o)
{
    struct item item = office_begin(o, MACHINE, "bai", "ENT-2", NULL);
    CHECK_TEXT(office_do(o, MACHINE, "bai", &item, "submit", "a"), "");
    struct item one = item, other = item;
    int64_t rows = office_count(o->db, "SELECT count(*) FROM audit");
    test_case("SYS-02: two decide on what they saw: the second is refused");
    CHECK_TEXT(office_do(o, MACHINE, "wang", &one, "approve", "w"), "");
    CHECK_TEXT(office_do(o, MACHINE, "zhao", &other, "reject", "z"), "E_STALE");
    test_case("AUD-01: both have an audit row, and the hashes join on");
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM audit"), rows + 2);
    CHECK_I64(office_count(o->db,
                           "SELECT count(*) FROM audit WHERE result = 'E_STALE'"
                           " AND action = 'enterprise_registration.reject'"),
              1);
    CHECK_I64(office_count(o->db,
                           "SELECT count(*) FROM audit a JOIN audit b"
                           " ON a.object = b.object AND b.before_hash ="
                           " a.after_hash AND b.seq > a.seq"
                           " WHERE a.action LIKE 'enterprise_registration.%'"),
              office_count(o->db, "SELECT count(*) FROM item_event"
                                  " WHERE from_state <> ''"));
    uint64_t count = 0;
    struct error_text error = {""};
    test_case("AUD-02: the chain is whole");
    CHECK(audit_check(o->db, &count, &error));
}

int main(void)
{
    struct office office;
    office_open(&office);
    test_life(&office);
    test_two_reviewers(&office);
    office_close(&office);
    return test_end();
}
