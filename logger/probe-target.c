/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/probe-target.h"

#include "logger/probe.h"
#include <string.h>

struct ProbeTarget {
    char *name;
    guint16 port;
    int family;
    UdpAddress address;
    gboolean known;
    GSource *start, *timeout;
    GCancellable *cancellable;
    ProbeTargetDone done;
    gpointer data;
    gboolean cancelled, answered, waiting; /* waiting: the resolver still holds us */
    GMainContext *context;
};

static void drop_sources(ProbeTarget *target)
{
    if (target->start) {
        g_source_destroy(target->start);
        g_source_unref(target->start);
    }
    if (target->timeout) {
        g_source_destroy(target->timeout);
        g_source_unref(target->timeout);
    }
    target->start = target->timeout = NULL;
}

static void target_free(ProbeTarget *target)
{
    drop_sources(target);
    g_clear_object(&target->cancellable);
    g_main_context_unref(target->context);
    g_free(target->name);
    g_free(target);
}

/* Tells the result, once; the memory goes when the resolver has let go of it too. */
static void answer(ProbeTarget *target, const GError *error)
{
    if (target->answered)
        return;
    target->answered = TRUE;
    drop_sources(target);
    if (!target->cancelled)
        target->done(error ? NULL : &target->address, error, target->data);
    if (!target->waiting)
        target_free(target);
    else
        g_cancellable_cancel(target->cancellable);
}

static gboolean family_fits(const ProbeTarget *target, GInetAddress *address)
{
    GSocketFamily family = g_inet_address_get_family(address);
    return target->family == AF_UNSPEC || (int)family == target->family;
}

static void on_names(GObject *resolver, GAsyncResult *result, gpointer data)
{
    ProbeTarget *target = data;
    g_autoptr(GError) error = NULL;
    GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);
    target->waiting = FALSE;
    if (target->answered) {
        g_resolver_free_addresses(addresses);
        target_free(target);
        return;
    }
    for (GList *at = addresses; at && !target->known; at = at->next) {
        if (family_fits(target, at->data)) {
            g_autofree char *text = g_inet_address_to_string(at->data);
            target->known = udp_address_parse(text, target->port, &target->address);
        }
    }
    g_resolver_free_addresses(addresses);
    g_autoptr(GError) problem = NULL;
    if (!target->known)
        problem = g_error_new(PROBE_ERROR, PROBE_ERROR_NAME, "%s: %s", target->name,
                              error ? error->message : "no address of the family asked for");
    answer(target, problem);
}

static gboolean on_timeout(gpointer data)
{
    ProbeTarget *target = data;
    g_autoptr(GError) error = g_error_new(PROBE_ERROR, PROBE_ERROR_NAME,
                                          "%s: no answer from the name servers", target->name);
    answer(target, error);
    return G_SOURCE_REMOVE;
}

static gboolean on_start(gpointer data)
{
    ProbeTarget *target = data;
    if (target->known) {
        answer(target, NULL);
        return G_SOURCE_REMOVE;
    }
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    target->waiting = TRUE;
    g_main_context_push_thread_default(target->context);
    g_resolver_lookup_by_name_async(resolver, target->name, target->cancellable, on_names, target);
    g_main_context_pop_thread_default(target->context);
    return G_SOURCE_REMOVE;
}

ProbeTarget *probe_target_resolve(const char *name, guint16 port, int family, double timeout_s,
                                  GMainContext *context, ProbeTargetDone done, gpointer data)
{
    ProbeTarget *target = g_new0(ProbeTarget, 1);
    target->name = g_strdup(name);
    target->port = port;
    target->family = family;
    target->done = done;
    target->data = data;
    target->context =
        context ? g_main_context_ref(context) : g_main_context_ref(g_main_context_default());
    target->cancellable = g_cancellable_new();
    target->known = udp_address_parse(name, port, &target->address);
    target->start = g_idle_source_new();
    g_source_set_priority(target->start, G_PRIORITY_DEFAULT);
    g_source_set_callback(target->start, on_start, target, NULL);
    g_source_attach(target->start, target->context);
    target->timeout = g_timeout_source_new((guint)(timeout_s * 1000));
    g_source_set_callback(target->timeout, on_timeout, target, NULL);
    g_source_attach(target->timeout, target->context);
    return target;
}

void probe_target_cancel(ProbeTarget *target)
{
    if (!target)
        return;
    target->cancelled = TRUE;
    answer(target, NULL);
}
