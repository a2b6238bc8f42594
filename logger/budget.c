/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/budget.h"
#include "formats/file-replace.h"

#include <string.h>

#define GROUP      "budget"
#define FIRST_YEAR 2024 /* a clock before it has not been set */
#define MOST_MARKS 4

struct Budget {
    char *path;
    guint64 daily, monthly; /* limits */
    guint64 day_used, month_used;
    guint64 promised;      /* day_used up to which the file is right */
    int marks[MOST_MARKS]; /* YYYYMMDD, the latest first, see turn(); none: not known yet */
    guint n_marks, at;     /* the one that the clock is at */
    gboolean counting;     /* the next two are of the interface as it is */
    guint64 received, sent;
};

/* Today as YYYYMMDD, 0 if the clock is not set. */
static int day_of(gint64 utc_ns)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(utc_ns / 1000000000);
    if (!now || g_date_time_get_year(now) < FIRST_YEAR)
        return 0;
    return g_date_time_get_year(now) * 10000 + g_date_time_get_month(now) * 100 +
           g_date_time_get_day_of_month(now);
}

/* A file may say any number: a sum that wrapped around would give the budget again. */
static guint64 add(guint64 a, guint64 b)
{
    return a > G_MAXUINT64 - b ? G_MAXUINT64 : a + b;
}

static int day_now(const Budget *budget)
{
    return budget->n_marks > 0 ? budget->marks[budget->at] : 0;
}

/* Before the mark `at`; of too many the latest goes, which is the least likely to be right. */
static void add_mark(Budget *budget, guint at, int day)
{
    if (budget->n_marks == MOST_MARKS) {
        memmove(budget->marks, budget->marks + 1, sizeof *budget->marks * (MOST_MARKS - 1));
        budget->n_marks--;
        at -= at > 0 ? 1 : 0;
    }
    memmove(budget->marks + at + 1, budget->marks + at,
            sizeof *budget->marks * (budget->n_marks - at));
    budget->marks[at] = day;
    budget->n_marks++;
    budget->at = at;
}

/* A new day or month empties its sum. A clock that is set back must not give the budget again, and
 * one that once was years ahead must not keep it away for years. So an earlier day than all before
 * empties nothing and is a mark of its own; each mark moves on with the clock, up to the one after
 * it, and moving on empties. A clock that begins in the past at each start, or goes to and fro,
 * finds its marks as it left them. */
static void turn(Budget *budget, gint64 utc_ns)
{
    int day = day_of(utc_ns);
    if (day == 0)
        return;
    guint i = 0; /* the latest mark that is not after the day */
    while (i < budget->n_marks && budget->marks[i] > day)
        i++;
    if (i == budget->n_marks) {
        add_mark(budget, i, day);
        return;
    }
    budget->at = i;
    if (budget->marks[i] == day)
        return;
    if (day / 100 > budget->marks[i] / 100)
        budget->month_used = 0;
    budget->day_used = 0;
    budget->promised = 0;
    budget->marks[i] = day;
}

/* The file's own day and the other marks, in their order. */
static gboolean load_marks(Budget *budget, GKeyFile *file)
{
    g_autoptr(GError) error = NULL;
    int day = g_key_file_get_integer(file, GROUP, "day", &error);
    int month = error ? 0 : g_key_file_get_integer(file, GROUP, "month", &error);
    if (error || day < 0 || month != day / 100)
        return FALSE;
    if (day > 0)
        add_mark(budget, 0, day);
    gsize n = 0;
    g_autofree int *others = g_key_file_get_integer_list(file, GROUP, "marks", &n, NULL);
    for (gsize i = 0; i < MIN(n, MOST_MARKS); i++) {
        guint at = 0;
        while (at < budget->n_marks && budget->marks[at] > others[i])
            at++;
        if (others[i] > 0 && budget->n_marks < MOST_MARKS &&
            (at == budget->n_marks || budget->marks[at] != others[i]))
            add_mark(budget, at, others[i]);
    }
    return TRUE;
}

static void load(Budget *budget)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    if (!g_file_test(budget->path, G_FILE_TEST_EXISTS))
        return;
    if (g_key_file_load_from_file(file, budget->path, G_KEY_FILE_NONE, NULL)) {
        budget->day_used = g_key_file_get_uint64(file, GROUP, "day_bytes", &error);
        budget->month_used = error ? 0 : g_key_file_get_uint64(file, GROUP, "month_bytes", &error);
        if (!error && load_marks(budget, file))
            return;
    }
    budget->day_used = budget->month_used = BUDGET_RESERVE;
}

Budget *budget_new(const char *path, guint64 daily_bytes, guint64 monthly_bytes, gint64 utc_ns)
{
    Budget *budget = g_new0(Budget, 1);
    budget->path = g_strdup(path);
    budget->daily = daily_bytes;
    budget->monthly = monthly_bytes;
    if (path)
        load(budget);
    budget->promised = budget->day_used;
    turn(budget, utc_ns);
    return budget;
}

static char *text_of(const Budget *budget, guint64 reserve)
{
    g_autoptr(GString) text = g_string_new("[" GROUP "]\n");
    g_string_append_printf(text, "day=%d\nmonth=%d\nmarks=", day_now(budget),
                           day_now(budget) / 100);
    for (guint i = 0; i < budget->n_marks; i++)
        g_string_append_printf(text, "%d;", budget->marks[i]);
    g_string_append_printf(text,
                           "\nday_bytes=%" G_GUINT64_FORMAT "\nmonth_bytes=%" G_GUINT64_FORMAT "\n",
                           add(budget->day_used, reserve), add(budget->month_used, reserve));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void budget_free(Budget *budget)
{
    if (!budget)
        return;
    if (budget->path && (budget->counting || budget->promised > 0)) {
        g_autofree char *text = text_of(budget, 0);
        g_autoptr(GError) error = NULL;
        if (!file_replace_text(budget->path, text, &error))
            g_warning("budget: %s", error->message);
    }
    g_free(budget->path);
    g_free(budget);
}

gboolean budget_count(Budget *budget, guint64 received, guint64 sent, gint64 utc_ns)
{
    turn(budget, utc_ns);
    if (budget->counting && received >= budget->received && sent >= budget->sent) {
        guint64 bytes = (received - budget->received) + (sent - budget->sent);
        budget->day_used = add(budget->day_used, bytes);
        budget->month_used = add(budget->month_used, bytes);
    }
    budget->counting = TRUE;
    budget->received = received;
    budget->sent = sent;
    return budget->path && budget->day_used >= budget->promised;
}

void budget_interface_gone(Budget *budget)
{
    budget->counting = FALSE;
}

static gint64 left_of(guint64 limit, guint64 used)
{
    if (limit == 0)
        return G_MAXINT64;
    return used >= limit ? 0 : (gint64)MIN(limit - used, (guint64)G_MAXINT64);
}

gint64 budget_left(const Budget *budget)
{
    return MIN(left_of(budget->daily, budget->day_used),
               left_of(budget->monthly, budget->month_used));
}

guint64 budget_used_today(const Budget *budget)
{
    return budget->day_used;
}

guint64 budget_used_month(const Budget *budget)
{
    return budget->month_used;
}

char *budget_text(Budget *budget)
{
    budget->promised = add(budget->day_used, BUDGET_RESERVE);
    return text_of(budget, BUDGET_RESERVE);
}

const char *budget_path(const Budget *budget)
{
    return budget->path;
}
