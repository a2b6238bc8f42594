/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/slots.h"

#include <stdint.h>

#define TELL_AFTER_NS INT64_C(10000000000)

static const char *const reasons[SLOT_REASONS] = {
    "asked late", "no answer yet to two questions before", "no levels in the answer"};

void slots_lose(Slots *slots, SlotReason reason, guint n, gint64 now_ns)
{
    if (n == 0)
        return;
    if (slots->since_ns == 0)
        slots->since_ns = now_ns;
    slots->lost[reason] += n;
}

void slots_ask(Slots *slots, guint under_way, gint64 now_ns)
{
    slots->open++;
    if (slots->open > under_way)
        slots_lose(slots, SLOT_EMPTY, slots->open - under_way, now_ns);
    slots->open = under_way;
}

void slots_fill(Slots *slots)
{
    if (slots->open > 0)
        slots->open--;
}

void slots_tell(Slots *slots, gint64 now_ns, gboolean all, SlotsTell tell, gpointer data)
{
    if (slots->since_ns == 0 || (!all && now_ns - slots->since_ns < TELL_AFTER_NS))
        return;
    g_autoptr(GString) why = g_string_new(NULL);
    guint n = 0;
    for (int i = 0; i < SLOT_REASONS; i++) {
        if (slots->lost[i] > 0)
            g_string_append_printf(why, "%s%u %s", why->len > 0 ? ", " : "", slots->lost[i],
                                   reasons[i]);
        n += slots->lost[i];
        slots->lost[i] = 0;
    }
    tell(data, slots->since_ns, n, why->str);
    slots->since_ns = 0;
}

void slots_restart(Slots *slots)
{
    slots->open = 0;
}
