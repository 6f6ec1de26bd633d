/* Calendar, cities and clients as CSV, whatever they contain. */
#include "rules/calendar.h"
#include "rules/city.h"
#include "rules/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct calendar calendar;
    static struct city_list cities;
    static struct client_list clients;
    struct error_text error;
    struct slice text = slice_of_bytes(data, size);
    if (calendar_parse(text, &calendar, &error) && calendar.count > 0) {
        struct civil_day day = calendar.rows[0].day;
        calendar_due_day(&calendar, day, 20, day);
        calendar_count_workdays(&calendar, day,
                                (struct civil_day){day.number + 40}, day);
    }
    city_list_parse(text, &cities, &error);
    client_list_parse(text, &clients, &error);
    return 0;
}
