/* See endpoints_csv.h. The header is what yz-probe reads; empty means any. */
#include "portal/record/endpoints_csv.h"

#include "common/clock.h"
#include "common/writer.h"

static void add_time(struct csv_writer *csv, struct db_statement *s, int column)
{
    char text[WALL_TEXT_LEN] = "";
    if (!db_is_null(s, column))
        wall_to_text((struct wall_time){db_i64(s, column)}, text);
    csv_text(csv, text);
}

bool endpoints_csv_write(struct db *db, struct buffer *out)
{
    struct csv_writer csv;
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        db, "SELECT e.id, v.supplier_id, e.service_id, a.address, a.host,"
            " e.protocol, e.ports, e.valid_from, e.valid_to, e.is_shared"
            " FROM endpoint e JOIN endpoint_address a ON a.endpoint_id = e.id"
            " JOIN service v ON v.id = e.service_id"
            " ORDER BY e.id, a.address, a.host");
    if (s == NULL)
        return false;
    buffer_add_text(out, "id,supplier,service,address,host,protocol,ports,"
                         "valid_from,valid_to,shared\r\n");
    csv_start(&csv, out);
    while ((step = db_step(s)) == DB_ROW) {
        for (int column = 0; column < 7; column++)
            csv_text(&csv, db_text(s, column));
        add_time(&csv, s, 7);
        add_time(&csv, s, 8);
        csv_i64(&csv, db_i64(s, 9));
        csv_row_end(&csv);
    }
    return step == DB_DONE && !out->failed;
}
